#include "engine/store/migrations.h"

#include <array>
#include <cstdio>
#include <string>

#include <unistd.h>

#include "engine/store/schema_v1.h"
#include "engine/store/schema_v2.h"
#include "engine/store/schema_v3.h"

namespace pareto::store {
namespace {

constexpr std::array kSteps{Migration{1, kSchemaV1}, Migration{2, kSchemaV2}, Migration{3, kSchemaV3}};

Error newer(const Database& database, std::int64_t found, int known) {
    return makeError(ErrorCode::StoreNewer, {{"file", database.path()},
                                             {"found", std::to_string(found)},
                                             {"known", std::to_string(known)}});
}

/// A copy under a temporary name first: a backup that was cut short must not pass for one.
Status backUp(Database& database, std::int64_t version) {
    const std::string name = database.path() + ".v" + std::to_string(version) + ".bak";
    const std::string partial = name + ".partial-" + std::to_string(::getpid());
    std::remove(partial.c_str());
    PARETO_CHECK(database.backupTo(partial));
    if (std::rename(partial.c_str(), name.c_str()) != 0) {
        return makeError(ErrorCode::FileWriteDenied,
                         {{"file", name}, {"reason", "the backup could not be put in place"}});
    }
    return Done{};
}

Status checkForeignKeys(Database& database) {
    PARETO_TRY(Statement* const rows, database.query("PRAGMA foreign_key_check"));
    PARETO_TRY(const bool violated, rows->step());
    if (violated) {
        const std::string table = rows->text(0);
        rows->reset();
        return makeError(ErrorCode::StoreFailure,
                         {{"file", database.path()},
                          {"reason", "a row of " + table + " points at nothing"}});
    }
    return Done{};
}

}  // namespace

std::span<const Migration> allMigrations() { return kSteps; }

int schemaVersion() { return kSteps.back().version; }

Result<Identity> identify(Database& database) {
    // One statement, so one state of the file: another process may be creating it right now.
    PARETO_TRY(Statement* const row,
               database.query("SELECT (SELECT application_id FROM pragma_application_id), "
                              "(SELECT user_version FROM pragma_user_version), "
                              "(SELECT count(*) FROM sqlite_schema)"));
    PARETO_CHECK(row->step());
    const auto application = row->integer(0);
    const auto version = row->integer(1);
    const auto tables = row->integer(2);
    row->reset();
    if (application == 0 && version == 0 && tables == 0) {
        return Identity{true, 0};
    }
    if (application != kApplicationId || version < 1) {
        return makeError(ErrorCode::StoreForeign,
                         {{"file", database.path()},
                          {"reason", "it is a database of another program (application id " +
                                         std::to_string(application) + ")"}});
    }
    return Identity{false, version};
}

Status migrate(Database& database, std::span<const Migration> steps) {
    const int known = steps.back().version;
    PARETO_TRY(const Identity before, identify(database));
    if (before.version > known) {
        return newer(database, before.version, known);
    }
    if (before.version == known) {
        return Done{};
    }
    if (!before.empty) {
        PARETO_CHECK(backUp(database, before.version));
    }
    PARETO_TRY(Transaction transaction, Transaction::begin(database));
    // Again, now that nobody else can: another process may have been faster.
    PARETO_TRY(const Identity now, identify(database));
    if (now.version > known) {
        return newer(database, now.version, known);
    }
    for (const auto& step : steps) {
        if (step.version > now.version) {
            PARETO_CHECK(database.execute(step.sql));
        }
    }
    PARETO_CHECK(checkForeignKeys(database));
    const std::string stamp = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                              "; PRAGMA user_version = " + std::to_string(known) + ";";
    PARETO_CHECK(database.execute(stamp.c_str()));
    return transaction.commit();
}

}  // namespace pareto::store
