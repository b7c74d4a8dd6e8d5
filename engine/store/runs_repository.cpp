#include <bit>
#include <chrono>
#include <cmath>

#include "engine/store/figure_columns.h"
#include "engine/store/repositories.h"

namespace pareto::store {
namespace {

/// Calls `take(name)` for "latency_p50_ms", "latency_p50_ms_low", … of each figure.
template <typename Take>
void forEachFigureColumn(Take take) {
    for (const auto& figure : kFigureColumns) {
        take(figure, figure.key);
        if (figure.interval) {
            take(figure, figure.key + std::string("_low"));
            take(figure, figure.key + std::string("_high"));
        }
    }
}

/// ", latency_p50_ms, latency_p50_ms_low, …" of a store of that version; NULL for what it has not.
std::string figureList(std::int64_t version) {
    std::string list;
    forEachFigureColumn([&](const FigureColumn& figure, const std::string& name) {
        list += ", " + (figure.since <= version ? name : std::string("NULL"));
    });
    return list;
}

std::optional<double> finite(const std::optional<double>& value) {
    return value && std::isfinite(*value) ? value : std::nullopt;
}

/// Summary figures: how a run without texts of its own is shown.
std::string targetTextOf(const RunRecord& record) {
    if (!record.targetText.empty() || !record.target.is_object()) {
        return record.targetText;
    }
    return record.target.value("device", Json("cpu")).is_string()
               ? record.target.value("device", std::string("cpu"))
               : std::string();
}

RunRecord withSummaries(RunRecord record) {
    if (record.recipeSummary.empty()) {
        record.recipeSummary = record.recipeName;
    }
    record.targetText = targetTextOf(record);
    return record;
}

std::string errorText(const RunRecord& record) {
    return record.status == RunStatus::Failed ? compactJson(errorToJson(record.error)) : "null";
}

Status writeFigures(Database& database, const RunRecord& record) {
    static const std::string sql = [] {
        std::string list;
        forEachFigureColumn([&](const FigureColumn&, const std::string& name) {
            list += (list.empty() ? "" : ", ") + name + " = ?";
        });
        return "UPDATE runs SET " + list + " WHERE id = ?";
    }();
    PARETO_TRY(Statement* const statement, database.query(sql.c_str()));
    int at = 0;
    for (const auto& figure : kFigureColumns) {
        const Measurement* measured = record.find(figure.key);
        const auto value = measured == nullptr ? std::nullopt : finite(measured->value);
        statement->bind(++at, value);
        if (figure.interval) {
            statement->bind(++at, value ? finite(measured->low) : std::nullopt);
            statement->bind(++at, value ? finite(measured->high) : std::nullopt);
        }
    }
    statement->bind(++at, record.id);
    PARETO_CHECK(statement->step());
    return Done{};
}

std::string summarySql(bool includeDeleted, std::int64_t version) {
    return "SELECT runs.id, runs.name, note, status, started_at, m.name, m.hash, r.summary, r.hash, "
           "k.name, task_key, t.text, target_key, baseline, pinned, deleted, disturbed, "
           "headline_key, export_path" +
           figureList(version) +
           " FROM runs JOIN models m ON m.id = model_id JOIN recipes r ON r.id = recipe_id "
           "LEFT JOIN tasks k ON k.id = task_id JOIN targets t ON t.id = target_id "
           "WHERE runs.id > ?" +
           (includeDeleted ? "" : " AND deleted = 0") + " ORDER BY runs.id LIMIT ?";
}

RunSummary summaryOf(const Statement& row) {
    RunSummary run;
    run.id = row.integer(0);
    run.name = row.text(1);
    run.note = row.text(2);
    statusFromName(row.text(3), run.status);
    run.startedAt = row.integer(4);
    run.modelName = row.text(5);
    run.modelHash = row.text(6);
    run.recipeSummary = row.text(7);
    run.recipeHash = row.text(8);
    run.taskName = row.text(9);
    run.taskKey = row.text(10);
    run.targetText = row.text(11);
    run.targetKey = row.text(12);
    run.baseline = row.integer(13) != 0;
    run.pinned = row.integer(14) != 0;
    run.deleted = row.integer(15) != 0;
    run.disturbed = row.integer(16) != 0;
    run.headlineKey = row.text(17);
    run.exportPath = row.text(18);
    int at = 19;
    for (const auto& figure : kFigureColumns) {
        const auto value = row.optionalNumber(at++);
        Measurement measured{figure.key, value.value_or(0.0), {}, {}, 0};
        if (figure.interval) {
            measured.low = row.optionalNumber(at++);
            measured.high = row.optionalNumber(at++);
        }
        if (value) {
            run.figures.push_back(std::move(measured));
        }
    }
    return run;
}

Result<Json> storedJson(const Database& database, const std::string& text) {
    auto json = parseJson(text, database.path());
    if (!json.ok()) {
        return makeError(ErrorCode::StoreFailure,
                         {{"file", database.path()}, {"reason", errorMessage(json.error())}});
    }
    return json;
}

}  // namespace

Error runUnknown(const Database& database, std::int64_t run) {
    return makeError(ErrorCode::RunUnknown,
                     {{"run", std::to_string(run)}, {"file", database.path()}});
}

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Result<std::int64_t> insertRun(Database& database, const RunRecord& given, const Owner& owner) {
    RunRecord record = withSummaries(given);
    PARETO_TRY(const SpecIds ids, findOrInsertSpecs(database, record));
    PARETO_CHECK(database.run(
        "INSERT INTO runs (name, note, status, started_at, finished_at, model_id, recipe_id, "
        "recipe_name, task_id, task_key, target_id, target_key, machine_id, headline_key, baseline, "
        "disturbed, disturbance, seed, versions, weights_hash, details, error, export_path, "
        "owner_machine, owner_boot, owner_pid, owner_start) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        record.name, record.note, nameOf(record.status),
        record.startedAt != 0 ? record.startedAt : now(), record.finishedAt, ids.model, ids.recipe,
        record.recipeName, ids.task, record.taskKey, ids.target, record.targetKey, ids.machine,
        record.headlineKey, record.isBaseline(), record.disturbed, record.disturbance,
        std::bit_cast<std::int64_t>(record.seed), compactJson(record.versions), record.weightsHash,
        compactJson(record.details), errorText(record), record.exportPath, owner.machine,
        owner.bootId, owner.pid, owner.startTime));
    record.id = database.lastInsertId();
    PARETO_CHECK(writeFigures(database, record));
    return record.id;
}

Status updateRun(Database& database, const RunRecord& given) {
    RunRecord record = withSummaries(given);
    PARETO_TRY(const SpecIds ids, findOrInsertSpecs(database, record));
    // Name and note may have been changed by hand while the run went on: what stands there stays.
    // A row stays pinned only within the set it was pinned in.
    PARETO_CHECK(database.run(
        "UPDATE runs SET name = iif(name = '', ?, name), note = iif(note = '', ?, note), status = ?, "
        "started_at = ?, finished_at = ?, model_id = ?, recipe_id = ?, recipe_name = ?, task_id = ?, "
        "task_key = ?, target_id = ?, target_key = ?, machine_id = ?, headline_key = ?, baseline = ?, "
        "pinned = iif(task_key = ? AND target_key = ?, pinned, 0), "
        "disturbed = ?, disturbance = ?, seed = ?, versions = ?, weights_hash = ?, details = ?, "
        "error = ?, export_path = ?, owner_machine = '', owner_boot = '', owner_pid = 0, "
        "owner_start = 0 WHERE id = ?",
        record.name, record.note, nameOf(record.status),
        record.startedAt != 0 ? record.startedAt : now(), record.finishedAt, ids.model, ids.recipe,
        record.recipeName, ids.task, record.taskKey, ids.target, record.targetKey, ids.machine,
        record.headlineKey, record.isBaseline(), record.taskKey, record.targetKey, record.disturbed,
        record.disturbance, std::bit_cast<std::int64_t>(record.seed), compactJson(record.versions),
        record.weightsHash, compactJson(record.details), errorText(record), record.exportPath,
        record.id));
    if (database.changes() == 0) {
        return runUnknown(database, record.id);
    }
    return writeFigures(database, record);
}

Result<std::vector<RunSummary>> readSummaries(Database& database, const RunFilter& filter) {
    PARETO_TRY(const auto version, database.integer("PRAGMA user_version"));
    const std::string sql = summarySql(filter.includeDeleted, version);
    PARETO_TRY(Statement* const rows, database.query(sql.c_str(), filter.afterId, filter.limit));
    std::vector<RunSummary> runs;
    while (true) {
        PARETO_TRY(const bool there, rows->step());
        if (!there) {
            return runs;
        }
        runs.push_back(summaryOf(*rows));
    }
}

Status readRun(Database& database, std::int64_t run, RunRecord& record) {
    PARETO_TRY(Statement* const row,
               database.query("SELECT name, note, status, started_at, finished_at, recipe_name, "
                              "task_key, target_key, headline_key, disturbed, disturbance, seed, "
                              "versions, weights_hash, details, error, export_path FROM runs "
                              "WHERE id = ?",
                              run));
    PARETO_TRY(const bool there, row->step());
    if (!there) {
        return runUnknown(database, run);
    }
    record.id = run;
    record.name = row->text(0);
    record.note = row->text(1);
    const bool known = statusFromName(row->text(2), record.status);
    record.startedAt = row->integer(3);
    record.finishedAt = row->integer(4);
    record.recipeName = row->text(5);
    record.taskKey = row->text(6);
    record.targetKey = row->text(7);
    record.headlineKey = row->text(8);
    record.disturbed = row->integer(9) != 0;
    record.disturbance = row->text(10);
    record.seed = std::bit_cast<std::uint64_t>(row->integer(11));
    const std::string versions = row->text(12);
    record.weightsHash = row->text(13);
    const std::string details = row->text(14);
    const std::string error = row->isNull(15) ? "null" : row->text(15);
    record.exportPath = row->text(16);
    row->reset();
    if (!known) {
        return makeError(ErrorCode::StoreFailure,
                         {{"file", database.path()}, {"reason", "a run has an unknown status"}});
    }
    PARETO_TRY(record.versions, storedJson(database, versions));
    PARETO_TRY(record.details, storedJson(database, details));
    PARETO_TRY(const Json errorJson, storedJson(database, error));
    if (!errorJson.is_null()) {
        record.error = errorFromJson(errorJson);
    }
    return Done{};
}

Status readOwners(Database& database, std::vector<std::pair<std::int64_t, Owner>>& running) {
    PARETO_TRY(Statement* const rows,
               database.query("SELECT id, owner_machine, owner_boot, owner_pid, owner_start "
                              "FROM runs WHERE status = 'running'"));
    while (true) {
        PARETO_TRY(const bool there, rows->step());
        if (!there) {
            return Done{};
        }
        running.emplace_back(rows->integer(0), Owner{rows->text(1), rows->text(2), rows->integer(3),
                                                     rows->integer(4)});
    }
}

}  // namespace pareto::store
