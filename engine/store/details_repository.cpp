#include <bit>
#include <cmath>

#include "engine/records/metrics.h"
#include "engine/store/repositories.h"

namespace pareto::store {
namespace {

Status writeMeasurements(Database& database, const RunRecord& record) {
    int position = 0;
    for (const auto& measurement : record.measurements) {
        const MetricInfo* metric = findMetric(measurement.key);
        PARETO_CHECK(database.run(
            "INSERT INTO measurements (run_id, position, key, unit, value, is_nan, n, ci_low, ci_high) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            record.id, position++, measurement.key, metric == nullptr ? "" : metric->unit,
            measurement.value, std::isnan(measurement.value), measurement.n, measurement.low,
            measurement.high));
    }
    return Done{};
}

Status writeItems(Database& database, const RunRecord& record) {
    int position = 0;
    for (const auto& item : record.items) {
        PARETO_CHECK(database.run("INSERT INTO run_items (run_id, position, item, score, predicted, "
                                  "answer, parts) VALUES (?, ?, ?, ?, ?, ?, ?)",
                                  record.id, position++, item.item, item.score, item.predicted,
                                  item.answer, blobOf(item.parts)));
    }
    return Done{};
}

Status writeLayers(Database& database, const RunRecord& record) {
    int position = 0;
    for (const auto& layer : record.layers) {
        PARETO_CHECK(database.run(
            "INSERT INTO layer_measurements (run_id, position, name, ms, share, bytes, kernel, "
            "relative_error, sparsity, row_count, column_count) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            record.id, position++, layer.name, layer.ms, layer.share,
            std::bit_cast<std::int64_t>(layer.bytes), layer.kernel, layer.relativeError,
            layer.sparsity, layer.rows, layer.cols));
    }
    return Done{};
}

Status writeHistograms(Database& database, const RunRecord& record) {
    int position = 0;
    for (const auto& histogram : record.histograms) {
        PARETO_CHECK(database.run(
            "INSERT INTO histograms (run_id, position, layer, low, high, zeros, nonfinite, counts) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            record.id, position++, histogram.layer, histogram.low, histogram.high, histogram.zeros,
            histogram.nonFinite, blobOf(histogram.counts)));
    }
    return Done{};
}

Status writePredictions(Database& database, const RunRecord& record) {
    const auto predictions = record.details.find("predictions");
    if (predictions == record.details.end() || !predictions->is_object()) {
        return Done{};
    }
    for (const auto& [key, value] : predictions->items()) {
        if (value.is_number()) {
            PARETO_CHECK(database.run("INSERT INTO predictions (run_id, key, value) VALUES (?, ?, ?)",
                                      record.id, key, value.get<double>()));
        }
    }
    return Done{};
}

/// Calls `take(row)` for every row that the statement finds for this run.
template <typename Take>
Status forEachRow(Database& database, const char* sql, std::int64_t run, Take take) {
    PARETO_TRY(Statement* const rows, database.query(sql, run));
    while (true) {
        PARETO_TRY(const bool there, rows->step());
        if (!there) {
            return Done{};
        }
        take(*rows);
    }
}

Status readMeasurements(Database& database, std::int64_t run, RunRecord& record) {
    return forEachRow(database,
                      "SELECT key, value, ci_low, ci_high, n FROM measurements "
                      "WHERE run_id = ? ORDER BY position",
                      run, [&](Statement& row) {
        record.measurements.push_back({row.text(0), row.number(1), row.optionalNumber(2),
                                       row.optionalNumber(3), row.integer(4)});
    });
}

Status readLayers(Database& database, std::int64_t run, RunRecord& record) {
    return forEachRow(database,
                      "SELECT name, ms, share, bytes, kernel, relative_error, sparsity, "
                      "row_count, column_count FROM layer_measurements "
                      "WHERE run_id = ? ORDER BY position",
                      run, [&](Statement& row) {
        record.layers.push_back({row.text(0), row.number(1), row.number(2),
                                 std::bit_cast<std::uint64_t>(row.integer(3)), row.text(4),
                                 row.number(5), row.number(6), row.integer(7),
                                 row.integer(8)});
    });
}

Status readHistograms(Database& database, std::int64_t run, RunRecord& record) {
    return forEachRow(database,
                      "SELECT layer, low, high, zeros, nonfinite, counts FROM histograms "
                      "WHERE run_id = ? ORDER BY position",
                      run, [&](Statement& row) {
        record.histograms.push_back({row.text(0), row.number(1), row.number(2),
                                     row.values<std::int64_t>(5), row.integer(3),
                                     row.integer(4)});
    });
}

Status readTimings(Database& database, std::int64_t run, RunRecord& record) {
    PARETO_TRY(Statement* const row,
               database.query("SELECT latencies_ms FROM raw_timings WHERE run_id = ?", run));
    PARETO_TRY(const bool there, row->step());
    if (there) {
        record.latenciesMs = row->values<double>(0);
        row->reset();
    }
    return Done{};
}

}  // namespace

Status removeDetails(Database& database, std::int64_t run) {
    for (const char* sql : {"DELETE FROM measurements WHERE run_id = ?",
                            "DELETE FROM raw_timings WHERE run_id = ?",
                            "DELETE FROM run_items WHERE run_id = ?",
                            "DELETE FROM layer_measurements WHERE run_id = ?",
                            "DELETE FROM histograms WHERE run_id = ?",
                            "DELETE FROM predictions WHERE run_id = ?"}) {
        PARETO_CHECK(database.run(sql, run));
    }
    return Done{};
}

Status writeDetails(Database& database, const RunRecord& record) {
    PARETO_CHECK(writeMeasurements(database, record));
    if (!record.latenciesMs.empty()) {
        PARETO_CHECK(database.run("INSERT INTO raw_timings (run_id, latencies_ms) VALUES (?, ?)",
                                  record.id, blobOf(record.latenciesMs)));
    }
    PARETO_CHECK(writeItems(database, record));
    PARETO_CHECK(writeLayers(database, record));
    PARETO_CHECK(writeHistograms(database, record));
    PARETO_CHECK(writePredictions(database, record));
    if (!record.exportPath.empty()) {
        PARETO_CHECK(addExport(database, record.id, record.exportPath));
    }
    return Done{};
}

Status readDetails(Database& database, std::int64_t run, RunRecord& record) {
    PARETO_CHECK(readMeasurements(database, run, record));
    PARETO_CHECK(readTimings(database, run, record));
    PARETO_TRY(record.items, readItems(database, run));
    PARETO_CHECK(readLayers(database, run, record));
    return readHistograms(database, run, record);
}

Result<std::vector<ItemResult>> readItems(Database& database, std::int64_t run) {
    PARETO_TRY(const auto version, database.integer("PRAGMA user_version"));
    const char* sql = version >= 2 ? "SELECT item, score, predicted, answer, parts FROM run_items "
                                     "WHERE run_id = ? ORDER BY position"
                                   : "SELECT item, score, predicted, '', NULL FROM run_items "
                                     "WHERE run_id = ? ORDER BY position";
    std::vector<ItemResult> items;
    PARETO_CHECK(forEachRow(database, sql, run, [&](Statement& row) {
        items.push_back({row.integer(0), row.number(1), static_cast<int>(row.integer(2)), row.text(3),
                         row.values<double>(4)});
    }));
    return items;
}

Status addExport(Database& database, std::int64_t run, const std::string& path) {
    return database.run("INSERT INTO exports (run_id, path, created_at) VALUES (?, ?, ?)", run, path,
                        now());
}

}  // namespace pareto::store
