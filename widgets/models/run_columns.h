#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <QString>

#include "engine/records/metrics.h"
#include "engine/records/run_record.h"

namespace pareto::widgets {

/// One metric over all runs, as stored (fractions, bytes, ms). NaN: not measured.
struct MetricColumn {
    std::vector<double> value;
    std::vector<double> low;   ///< 95 % interval
    std::vector<double> high;
};

/// One run on its way into RunColumns.
struct RunRow {
    std::int64_t id = 0;
    QString name;
    QString note;
    RunStatus status = RunStatus::Finished;
    std::int64_t startedAt = 0;  ///< UTC, milliseconds
    QString modelName;
    QString modelHash;
    QString recipe;              ///< short summary, "H50 N50 int8"
    QString recipeHash;
    QString taskName;
    QString taskKey;             ///< equal = comparable
    QString target;
    QString targetKey;           ///< equal = comparable; settings and machine
    QString headlineKey;         ///< metric key of the task; empty: none
    bool baseline = false;       ///< ran with the empty recipe
    bool pinned = false;
    bool deleted = false;
    bool disturbed = false;
    std::vector<Measurement> figures;
};

/// The runs as columns: built once by append() and finish(), then shared as const by the table, the
/// Pareto page and every plot. Never changed afterwards; a new state of the store is a new object.
class RunColumns {
public:
    std::vector<std::int64_t> id;
    std::vector<QString> name;
    std::vector<QString> note;
    std::vector<RunStatus> status;
    std::vector<std::int64_t> startedAt;
    std::vector<QString> modelName;
    std::vector<QString> modelHash;
    std::vector<QString> recipe;
    std::vector<QString> recipeHash;
    std::vector<QString> taskName;
    std::vector<QString> taskKey;
    std::vector<QString> target;
    std::vector<QString> targetKey;
    std::vector<int> headline;           ///< index into metricCatalogue(), -1: none
    std::vector<std::uint8_t> baseline;
    std::vector<std::uint8_t> pinned;
    std::vector<std::uint8_t> deleted;
    std::vector<std::uint8_t> disturbed;
    std::vector<MetricColumn> metrics;   ///< in the order of metricCatalogue()
    /// The row each run is compared with: the pinned run of its comparable set, else the newest
    /// finished baseline of the same model in that set; -1: none. Filled by finish().
    std::vector<int> baselineRow;

    RunColumns();
    void reserve(std::size_t rows);
    void append(const RunRow& row);
    /// Call once after the last append().
    void finish();

    int size() const { return static_cast<int>(id.size()); }
    /// -1: no such run.
    int rowOf(std::int64_t runId) const;
    bool comparable(int a, int b) const;
    /// The catalogue index of a key, -1: unknown.
    static int metricIndex(std::string_view key);

private:
    std::unordered_map<std::int64_t, int> m_rowOf;
};
using RunColumnsPtr = std::shared_ptr<const RunColumns>;

}  // namespace pareto::widgets
