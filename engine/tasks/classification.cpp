#include "engine/tasks/classification.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "engine/metrics/classes.h"
#include "engine/stats/stats.h"
#include "engine/tasks/batching.h"
#include "engine/tasks/task_data.h"

namespace pareto::tasks {

namespace {

std::optional<int> classOf(const std::string& label, const Task& task, const ModelLayout& layout) {
    const auto classes = static_cast<int>(layout.labels.size());
    if (!task.labels.empty()) {
        const auto found = task.labels.find(label);
        if (found == task.labels.end() || found->second < 0 || found->second >= classes) {
            return std::nullopt;
        }
        return found->second;
    }
    const auto named = std::find(layout.labels.begin(), layout.labels.end(), label);
    if (named != layout.labels.end()) {
        return static_cast<int>(named - layout.labels.begin());
    }
    int index = -1;
    const auto [end, problem] = std::from_chars(label.data(), label.data() + label.size(), index);
    if (problem != std::errc{} || end != label.data() + label.size() || index < 0 ||
        index >= classes) {
        return std::nullopt;
    }
    return index;
}

std::string knownLabels(const Task& task, const ModelLayout& layout) {
    std::string known;
    const auto add = [&](const std::string& name) { known += (known.empty() ? "" : ", ") + name; };
    if (!task.labels.empty()) {
        for (const auto& [name, index] : task.labels) {
            add(name);
        }
        return known;
    }
    for (const auto& name : layout.labels) {
        add(name);
    }
    return known + ", or 0 to " + std::to_string(layout.labels.size() - 1);
}

Result<std::vector<int>> labelClasses(const TaskRows& data, const Task& task,
                                      const ModelLayout& layout) {
    std::vector<int> classes;
    classes.reserve(data.rows.size());
    for (const auto& row : data.rows) {
        const auto index = classOf(row.label, task, layout);
        if (!index) {
            return makeError(ErrorCode::DataRowInvalid,
                             {{"file", data.file},
                              {"line", std::to_string(row.line)},
                              {"reason", "the label '" + row.label +
                                             "' is none of the model's classes (known: " +
                                             knownLabels(task, layout) + ")"}});
        }
        classes.push_back(*index);
    }
    return classes;
}

Measurement accuracyOf(const metrics::Confusion& confusion) {
    const auto interval = stats::wilsonInterval(confusion.right(), confusion.total());
    return {"accuracy", metrics::accuracy(confusion), interval.low, interval.high, confusion.total()};
}

/// Pairs (label, prediction) as one number each, so that the bootstrap can draw rows.
metrics::Confusion confusionOf(std::span<const double> rows, std::size_t classes) {
    metrics::Confusion confusion(classes);
    for (const auto row : rows) {
        const auto code = static_cast<std::size_t>(row);
        confusion.add(code / classes, code % classes);
    }
    return confusion;
}

/// A metric that is no share of rows: its interval is the bootstrap's. Where every resample gives the
/// same value (all rows right) the bootstrap knows nothing of the spread: no interval then.
Measurement bootstrapped(std::string key, double (*metric)(const metrics::Confusion&),
                         std::span<const double> rows, std::size_t classes) {
    const auto statistic = [&](std::span<const double> drawn) {
        return metric(confusionOf(drawn, classes));
    };
    const auto interval = stats::bootstrap(rows, statistic);
    Measurement measurement{std::move(key), statistic(rows), std::nullopt, std::nullopt,
                            static_cast<std::int64_t>(rows.size())};
    if (interval.low < interval.high) {
        measurement.low = interval.low;
        measurement.high = interval.high;
    }
    return measurement;
}

}  // namespace

Result<EvalResult> runClassification(const EvalRequest& request, Progress& progress,
                                     std::stop_token stop) {
    const auto& task = request.task;
    auto& encoder = *request.model->encoder;
    const auto& labels = encoder.layout().labels;
    PARETO_TRY(const auto data, readTaskRows(task, true, progress, stop));
    PARETO_TRY(const auto expected, labelClasses(data, task, encoder.layout()));
    PARETO_TRY(const auto sequences,
               tokenizeRows(data.rows, {*request.tokenizer, task.maxLength}, progress, stop));
    PARETO_TRY(const auto logits,
               encodeAll(encoder, sequences, request.batchTokens, progress, stop));

    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = data.hash;
    const auto classes = labels.size();
    std::vector<double> codes;
    for (std::size_t i = 0; i < data.rows.size(); ++i) {
        const auto row = logits.row(static_cast<std::int64_t>(i));
        const auto best = static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin());
        codes.push_back(static_cast<double>(static_cast<std::size_t>(expected[i]) * classes +
                                            static_cast<std::size_t>(best)));
        result.items.push_back({data.rows[i].row, best == expected[i] ? 1.0 : 0.0, best});
    }
    const auto confusion = confusionOf(codes, classes);
    result.measurements.push_back(accuracyOf(confusion));
    result.measurements.push_back(bootstrapped("f1_macro", metrics::macroF1, codes, classes));
    result.details = {{"labels", labels},
                      {"confusion", confusion.rows()},
                      {"rows_available", data.available}};
    return result;
}

}  // namespace pareto::tasks
