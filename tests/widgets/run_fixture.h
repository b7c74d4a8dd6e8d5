#pragma once

#include <memory>

#include "widgets/models/run_columns.h"

namespace pareto::widgets::test {

struct RunText {
    std::int64_t id = 0;
    QString name;
    double ms = 0.0;
    double accuracy = 0.0;   ///< fraction
    double megabytes = 0.0;
    QString model = QStringLiteral("classifier");
};

inline RunRow rowOf(const RunText& text) {
    RunRow row;
    row.id = text.id;
    row.name = text.name;
    row.modelName = text.model;
    row.modelHash = text.model + QStringLiteral("-hash");
    row.recipe = text.name == QStringLiteral("baseline") ? QString() : text.name;
    row.baseline = text.name == QStringLiteral("baseline");
    row.taskName = QStringLiteral("prompt-injection");
    row.taskKey = QStringLiteral("task");
    row.target = QStringLiteral("CPU · 2 threads · 1×128");
    row.targetKey = QStringLiteral("target");
    row.headlineKey = QStringLiteral("accuracy");
    row.startedAt = 1'700'000'000'000 + text.id * 60'000;
    row.figures = {
        {"latency_p50_ms", text.ms, text.ms * 0.99, text.ms * 1.01, 200},
        {"accuracy", text.accuracy, text.accuracy - 0.046, text.accuracy + 0.045, 400},
        {"model_bytes", text.megabytes * 1e6, std::nullopt, std::nullopt, 1},
    };
    return row;
}

inline std::shared_ptr<RunColumns> columnsOf(const std::vector<RunRow>& rows) {
    auto columns = std::make_shared<RunColumns>();
    for (const auto& row : rows) {
        columns->append(row);
    }
    columns->finish();
    return columns;
}

/// The example of WINDOW.md: a baseline, three on the front, one dominated.
inline std::vector<RunRow> exampleRows() {
    return {rowOf({1, QStringLiteral("baseline"), 19.4, 0.705, 90.9}),
            rowOf({2, QStringLiteral("int8"), 10.9, 0.702, 23.1}),
            rowOf({3, QStringLiteral("half-int8"), 8.1, 0.694, 31.4}),
            rowOf({4, QStringLiteral("int4-g64"), 14.2, 0.688, 14.8}),
            rowOf({5, QStringLiteral("half heads and neurons"), 11.7, 0.697, 56.0})};
}

inline std::vector<int> allRows(const RunColumns& columns) {
    std::vector<int> rows(static_cast<std::size_t>(columns.size()));
    for (int i = 0; i < columns.size(); ++i) {
        rows[static_cast<std::size_t>(i)] = i;
    }
    return rows;
}

}  // namespace pareto::widgets::test
