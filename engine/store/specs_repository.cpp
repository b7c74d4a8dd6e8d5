#include "engine/store/repositories.h"

namespace pareto::store {
namespace {

/// The row's id; `find` and `insert` take the same values.
template <typename... Args>
Result<std::int64_t> findOrInsert(Database& database, const char* find, const char* insert,
                                  const Args&... args) {
    PARETO_TRY(Statement* const row, database.query(find, args...));
    PARETO_TRY(const bool there, row->step());
    if (there) {
        const auto id = row->integer(0);
        row->reset();
        return id;
    }
    PARETO_CHECK(database.run(insert, args...));
    return database.lastInsertId();
}

Result<Json> parseStored(const Database& database, const std::string& text) {
    auto json = parseJson(text, database.path());
    if (!json.ok()) {
        return makeError(ErrorCode::StoreFailure,
                         {{"file", database.path()}, {"reason", errorMessage(json.error())}});
    }
    return json;
}

}  // namespace

Result<SpecIds> findOrInsertSpecs(Database& database, const RunRecord& record) {
    SpecIds ids;
    PARETO_TRY(ids.model,
               findOrInsert(database,
                            "SELECT id FROM models WHERE hash = ? AND path = ? AND name = ? AND family = ?",
                            "INSERT INTO models (hash, path, name, family) VALUES (?, ?, ?, ?)",
                            record.modelHash, record.modelPath, record.modelName, record.family));
    PARETO_TRY(ids.recipe,
               findOrInsert(database,
                            "SELECT id FROM recipes WHERE hash = ? AND summary = ? AND json = ?",
                            "INSERT INTO recipes (hash, summary, json) VALUES (?, ?, ?)",
                            record.recipeHash, record.recipeSummary, compactJson(record.recipe)));
    if (!record.task.is_null()) {
        PARETO_TRY(ids.task, findOrInsert(database, "SELECT id FROM tasks WHERE name = ? AND json = ?",
                                          "INSERT INTO tasks (name, json) VALUES (?, ?)",
                                          record.taskName, compactJson(record.task)));
    }
    PARETO_TRY(ids.target, findOrInsert(database, "SELECT id FROM targets WHERE text = ? AND json = ?",
                                        "INSERT INTO targets (text, json) VALUES (?, ?)",
                                        record.targetText, compactJson(record.target)));
    PARETO_TRY(ids.machine,
               findOrInsert(database, "SELECT id FROM machines WHERE fingerprint = ? AND json = ?",
                            "INSERT INTO machines (fingerprint, json) VALUES (?, ?)",
                            record.machine.id, compactJson(machineToJson(record.machine))));
    return ids;
}

Status readSpecs(Database& database, std::int64_t run, RunRecord& record) {
    PARETO_TRY(Statement* const row,
               database.query("SELECT m.hash, m.path, m.name, m.family, r.hash, r.summary, r.json, "
                              "k.name, k.json, t.text, t.json, c.json FROM runs "
                              "JOIN models m ON m.id = model_id JOIN recipes r ON r.id = recipe_id "
                              "LEFT JOIN tasks k ON k.id = task_id "
                              "JOIN targets t ON t.id = target_id "
                              "JOIN machines c ON c.id = machine_id WHERE runs.id = ?",
                              run));
    PARETO_TRY(const bool there, row->step());
    if (!there) {
        return makeError(ErrorCode::StoreFailure,
                         {{"file", database.path()},
                          {"reason", "the specs of run " + std::to_string(run) + " are missing"}});
    }
    record.modelHash = row->text(0);
    record.modelPath = row->text(1);
    record.modelName = row->text(2);
    record.family = row->text(3);
    record.recipeHash = row->text(4);
    record.recipeSummary = row->text(5);
    const auto recipe = parseStored(database, row->text(6));
    record.taskName = row->text(7);
    const auto task = row->isNull(8) ? Result<Json>(Json()) : parseStored(database, row->text(8));
    record.targetText = row->text(9);
    const auto target = parseStored(database, row->text(10));
    const auto machine = parseStored(database, row->text(11));
    row->reset();
    PARETO_TRY(record.recipe, Result<Json>(recipe));
    PARETO_TRY(record.task, Result<Json>(task));
    PARETO_TRY(record.target, Result<Json>(target));
    PARETO_TRY(const Json machineJson, Result<Json>(machine));
    record.machine = machineFromJson(machineJson);
    return Done{};
}

}  // namespace pareto::store
