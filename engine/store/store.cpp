#include "engine/store/store.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include <sqlite3.h>
#include <sys/stat.h>

#include "engine/store/migrations.h"
#include "engine/store/repositories.h"
#include "engine/store/sqlite.h"

namespace pareto::store {
namespace fs = std::filesystem;

struct Store::State {
    std::unique_ptr<Database> database;
    bool readOnly = false;
    bool newer = false;
};

namespace {

Status makeFolderFor(const std::string& path) {
    std::error_code problem;
    const auto folder = fs::path(path).parent_path();
    if (!folder.empty() && !fs::is_directory(folder, problem)) {
        fs::create_directories(folder, problem);
        if (problem) {
            return makeError(ErrorCode::FileWriteDenied,
                             {{"file", folder.string()}, {"reason", problem.message()}});
        }
    }
    return Done{};
}

/// Looked at with stat(): opening the file beside SQLite would drop its locks when closed.
Status checkKind(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
        return makeError(ErrorCode::StoreForeign, {{"file", path}, {"reason", "it is no regular file"}});
    }
    return Done{};
}

/// Runs `work` in a transaction of its own.
template <typename Work>
auto inTransaction(Database& database, Work&& work) -> decltype(work()) {
    PARETO_TRY(Transaction transaction, Transaction::begin(database));
    auto result = work();
    if (result.ok()) {
        PARETO_CHECK(transaction.commit());
    }
    return result;
}

/// In a transaction of the caller's.
Result<std::int64_t> writeRun(Database& database, const RunRecord& record) {
    RunRecord finished = record;
    if (finished.finishedAt == 0) {
        finished.finishedAt = now();
    }
    if (finished.id == 0) {
        PARETO_TRY(finished.id, insertRun(database, finished, Owner{}));
    } else {
        PARETO_CHECK(updateRun(database, finished));
        PARETO_CHECK(removeDetails(database, finished.id));
    }
    PARETO_CHECK(writeDetails(database, finished));
    return finished.id;
}

Status updateOne(Database& database, std::int64_t id, Status updated) {
    PARETO_CHECK(updated);
    if (database.changes() == 0) {
        return runUnknown(database, id);
    }
    return Done{};
}

/// Running rows whose owner is known to live no more.
Result<std::set<std::int64_t>> runsOfDeadOwners(Database& database) {
    std::vector<std::pair<std::int64_t, Owner>> running;
    PARETO_CHECK(readOwners(database, running));
    std::set<std::int64_t> dead;
    for (const auto& [id, owner] : running) {
        if (owner.alive() == std::optional(false)) {
            dead.insert(id);
        }
    }
    return dead;
}

Status deriveInterrupted(Database& database, RunRecord& running) {
    PARETO_TRY(const auto dead, runsOfDeadOwners(database));
    if (dead.contains(running.id)) {
        running.status = RunStatus::Interrupted;
    }
    return Done{};
}

}  // namespace

std::string sqliteVersion() { return sqlite3_libversion(); }

const Measurement* RunSummary::find(std::string_view key) const {
    const auto found = std::find_if(figures.begin(), figures.end(),
                                    [&](const Measurement& m) { return m.key == key; });
    return found == figures.end() ? nullptr : &*found;
}

Store::Store(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Store::~Store() = default;

std::string Store::defaultPath() {
    const char* data = std::getenv("XDG_DATA_HOME");
    const char* home = std::getenv("HOME");
    // The XDG specification: relative paths in these variables are ignored.
    const std::string base = data != nullptr && *data == '/' ? std::string(data)
                             : home != nullptr && *home == '/'
                                 ? std::string(home) + "/.local/share"
                                 : std::string("/var/tmp");
    return base + "/pareto-studio/studio.db";
}

Result<std::unique_ptr<Store>> Store::open(const std::string& path) {
    PARETO_CHECK(makeFolderFor(path));
    PARETO_CHECK(checkKind(path));
    PARETO_TRY(auto database, Database::open(path, OpenMode::ReadWriteCreate));
    PARETO_CHECK(migrate(*database, allMigrations()));
    PARETO_CHECK(database->execute("PRAGMA journal_mode = TRUNCATE"));
    return std::unique_ptr<Store>(new Store(std::make_unique<State>(State{std::move(database)})));
}

Result<std::unique_ptr<Store>> Store::openReadOnly(const std::string& path) {
    PARETO_CHECK(checkKind(path));
    std::error_code problem;
    if (!fs::exists(path, problem)) {
        return makeError(ErrorCode::FileMissing, {{"file", path}});
    }
    PARETO_TRY(auto database, Database::open(path, OpenMode::ReadOnly));
    // Steps only add: what this version reads is there in a newer file as well.
    PARETO_TRY(const Identity identity, identify(*database));
    if (identity.empty) {
        return makeError(ErrorCode::StoreForeign, {{"file", path}, {"reason", "it is empty"}});
    }
    const bool newer = identity.version > schemaVersion();
    return std::unique_ptr<Store>(
        new Store(std::make_unique<State>(State{std::move(database), true, newer})));
}

const std::string& Store::path() const { return m_state->database->path(); }

bool Store::readOnly() const { return m_state->readOnly; }

bool Store::newer() const { return m_state->newer; }

Result<std::int64_t> Store::dataVersion() { return m_state->database->integer("PRAGMA data_version"); }

Result<std::int64_t> Store::beginRun(const RunRecord& record, const Owner& owner) {
    Database& database = *m_state->database;
    return inTransaction(database, [&] {
        RunRecord running = record;
        running.status = RunStatus::Running;
        return insertRun(database, running, owner);
    });
}

Result<std::int64_t> Store::finishRun(const RunRecord& record) {
    Database& database = *m_state->database;
    return inTransaction(database, [&] { return writeRun(database, record); });
}

Result<std::optional<std::int64_t>> Store::importRun(const RunRecord& record, const std::string& origin, std::int64_t number) {
    Database& database = *m_state->database;
    return inTransaction(database, [&]() -> Result<std::optional<std::int64_t>> {
        PARETO_TRY(Statement* const known,
                   database.query("SELECT 1 FROM imports WHERE origin = ? AND number = ?", origin, number));
        PARETO_TRY(const bool found, known->step());
        known->reset();
        if (found) {
            return std::optional<std::int64_t>();
        }
        RunRecord own = record;
        own.id = 0;
        PARETO_TRY(const auto id, writeRun(database, own));
        PARETO_CHECK(database.run("INSERT INTO imports (origin, number, run_id) VALUES (?, ?, ?)", origin, number, id));
        return std::optional<std::int64_t>(id);
    });
}

Result<std::int64_t> Store::markInterrupted() {
    Database& database = *m_state->database;
    return inTransaction(database, [&]() -> Result<std::int64_t> {
        PARETO_TRY(const auto dead, runsOfDeadOwners(database));
        for (const auto id : dead) {
            PARETO_CHECK(database.run(
                "UPDATE runs SET status = 'interrupted', finished_at = ? WHERE id = ?", now(), id));
        }
        return static_cast<std::int64_t>(dead.size());
    });
}

Result<std::vector<RunSummary>> Store::runs(const RunFilter& filter) {
    Database& database = *m_state->database;
    PARETO_TRY(auto runs, readSummaries(database, filter));
    const auto isRunning = [](const RunSummary& run) { return run.status == RunStatus::Running; };
    if (std::any_of(runs.begin(), runs.end(), isRunning)) {
        PARETO_TRY(const auto dead, runsOfDeadOwners(database));
        for (auto& run : runs) {
            if (isRunning(run) && dead.contains(run.id)) {
                run.status = RunStatus::Interrupted;
            }
        }
    }
    return runs;
}

Result<RunRecord> Store::run(std::int64_t id) {
    Database& database = *m_state->database;
    // One read transaction: another process must not change the run between two of its tables.
    PARETO_CHECK(database.execute("BEGIN"));
    RunRecord record;
    Status status = readRun(database, id, record);
    if (status.ok() && record.status == RunStatus::Running) {
        status = deriveInterrupted(database, record);
    }
    if (status.ok()) {
        status = readSpecs(database, id, record);
    }
    if (status.ok()) {
        status = readDetails(database, id, record);
    }
    PARETO_CHECK(database.execute("ROLLBACK"));
    PARETO_CHECK(status);
    return record;
}

Result<std::vector<ItemResult>> Store::items(std::int64_t id) {
    return readItems(*m_state->database, id);
}

Status Store::rename(std::int64_t id, const std::string& name) {
    Database& database = *m_state->database;
    return updateOne(database, id, database.run("UPDATE runs SET name = ? WHERE id = ?", name, id));
}

Status Store::setNote(std::int64_t id, const std::string& note) {
    Database& database = *m_state->database;
    return updateOne(database, id, database.run("UPDATE runs SET note = ? WHERE id = ?", note, id));
}

Status Store::setPinned(std::int64_t id, bool pinned) {
    Database& database = *m_state->database;
    return inTransaction(database, [&]() -> Status {
        if (pinned) {
            PARETO_CHECK(database.run(
                "UPDATE runs SET pinned = 0 WHERE pinned = 1 AND (task_key, target_key) = "
                "(SELECT task_key, target_key FROM runs WHERE id = ?)",
                id));
        }
        return updateOne(database, id,
                         database.run("UPDATE runs SET pinned = ? WHERE id = ?", pinned, id));
    });
}

Status Store::setDeleted(const std::vector<std::int64_t>& ids, bool deleted) {
    Database& database = *m_state->database;
    return inTransaction(database, [&]() -> Status {
        for (const auto id : ids) {
            PARETO_CHECK(updateOne(
                database, id, database.run("UPDATE runs SET deleted = ? WHERE id = ?", deleted, id)));
        }
        return Done{};
    });
}

Status Store::emptyDeleted() {
    Database& database = *m_state->database;
    return inTransaction(database, [&] { return database.run("DELETE FROM runs WHERE deleted = 1"); });
}

Status Store::setExport(std::int64_t id, const std::string& path) {
    Database& database = *m_state->database;
    return inTransaction(database, [&]() -> Status {
        PARETO_CHECK(updateOne(
            database, id, database.run("UPDATE runs SET export_path = ? WHERE id = ?", path, id)));
        return addExport(database, id, path);
    });
}

Result<std::int64_t> Store::addJob(const JobRow& job) {
    Database& database = *m_state->database;
    return inTransaction(database, [&] { return insertJob(database, job); });
}

Status Store::updateJob(const JobRow& job) {
    Database& database = *m_state->database;
    return inTransaction(database, [&] { return pareto::store::updateJob(database, job); });
}

Status Store::removeJob(std::int64_t id) {
    Database& database = *m_state->database;
    return inTransaction(database,
                         [&] { return database.run("DELETE FROM jobs WHERE id = ?", id); });
}

Result<std::vector<JobRow>> Store::jobs() { return readJobs(*m_state->database); }

}  // namespace pareto::store
