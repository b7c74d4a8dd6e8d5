#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/records/run_record.h"

namespace pareto::store {

/// The headline columns of a run: what tables and plots need, 100,000 of them read in ~0.1 s.
struct RunSummary {
    std::int64_t id = 0;
    std::string name;
    std::string note;
    RunStatus status = RunStatus::Finished;
    std::int64_t startedAt = 0;
    std::string modelName;
    std::string modelHash;
    std::string recipeSummary;
    std::string recipeHash;
    std::string taskName;
    std::string taskKey;
    std::string targetText;
    std::string targetKey;
    bool baseline = false;     ///< ran with the empty recipe
    bool pinned = false;       ///< chosen as the baseline of its comparable set
    bool deleted = false;
    bool disturbed = false;
    std::string headlineKey;   ///< metric key of the task: accuracy, perplexity, …; empty: none
    std::string exportPath;
    /// The catalogue's figures that are columns; absent ones are empty.
    std::vector<Measurement> figures;
    const Measurement* find(std::string_view key) const;
};

struct RunFilter {
    bool includeDeleted = false;
    std::int64_t afterId = 0;  ///< keyset paging: ids above this one
    int limit = 5000;
};

/// One entry of the studio's queue, kept so that what was interrupted waits with Retry.
struct JobRow {
    std::int64_t id = 0;
    std::string kind;         ///< "run", "export", … (names of the worker's jobs)
    std::string params = "{}";  ///< JSON
    std::string state;        ///< "queued", "running", "finished", "failed", "cancelled", "interrupted"
    std::string error;        ///< JSON of the Error (errorToJson); empty: none
    std::int64_t createdAt = 0;  ///< UTC, milliseconds
    std::int64_t runId = 0;   ///< the run it fills, 0: none
};

/// "3.40.1"
std::string sqliteVersion();

/// Who is running a run, so that a dead owner can be told from a living one.
struct Owner {
    std::string machine;
    std::string bootId;
    std::int64_t pid = 0;
    std::int64_t startTime = 0;   ///< of the process, clock ticks since boot
    static Owner thisProcess();
    /// True when that very process lives on this machine; nullopt when it is another machine.
    std::optional<bool> alive() const;
};

/// The SQLite file that keeps every run. One connection, used by one thread. All writes are one
/// transaction a finished unit (BEGIN IMMEDIATE); after a call returned Done the unit survives kill -9.
class Store {
public:
    /// Creates the file (and its folder) when missing; migrates stepwise with a backup first.
    /// StoreForeign, StoreNewer (the file is not touched), StoreFailure, StoreBusy, FileWriteDenied.
    static Result<std::unique_ptr<Store>> open(const std::string& path);
    /// Read only, also a newer or write-protected file where reading is safe.
    static Result<std::unique_ptr<Store>> openReadOnly(const std::string& path);
    /// $XDG_DATA_HOME/pareto-studio/studio.db
    static std::string defaultPath();
    ~Store();

    const std::string& path() const;
    bool readOnly() const;
    /// A newer program wrote the file (read only, then): it may hold more than is shown here.
    bool newer() const;
    /// Changes when another process has committed.
    Result<std::int64_t> dataVersion();

    /// A row with status Running owned by `owner`; the id names it from now on.
    Result<std::int64_t> beginRun(const RunRecord& record, const Owner& owner);
    /// Stores everything of a finished, failed or cancelled run under its id (0: a new row). A name or
    /// note that the row got meanwhile stays. NaN survives in measurements, items and layers; interval
    /// ends that are NaN become absent; the columns of a summary hold finite figures only.
    /// details["predictions"] ({metric: number}) also goes to the table of predictions.
    Result<std::int64_t> finishRun(const RunRecord& record);
    /// A run that was made elsewhere, the `number`th of `origin`, in one transaction with the note that it came. Nothing
    /// where it has come before, whatever became of it.
    Result<std::optional<std::int64_t>> importRun(const RunRecord& record, const std::string& origin, std::int64_t number);
    /// Running rows whose owner no longer lives become Interrupted. Returns how many.
    Result<std::int64_t> markInterrupted();

    /// Here and in run(): what is stored as running is Interrupted when its owner lives no more,
    /// whether or not anybody has marked it.
    Result<std::vector<RunSummary>> runs(const RunFilter& filter = {});
    Result<RunRecord> run(std::int64_t id);   ///< everything; RunUnknown
    Result<std::vector<ItemResult>> items(std::int64_t id);

    Status rename(std::int64_t id, const std::string& name);
    Status setNote(std::int64_t id, const std::string& note);
    /// At most one pinned run a comparable set (taskKey, targetKey): pinning one unpins the other.
    Status setPinned(std::int64_t id, bool pinned);
    Status setDeleted(const std::vector<std::int64_t>& ids, bool deleted);
    Status emptyDeleted();                     ///< removes hidden runs for ever
    Status setExport(std::int64_t id, const std::string& path);

    Result<std::int64_t> addJob(const JobRow& job);   ///< job.id is ignored; answers the new one
    Status updateJob(const JobRow& job);              ///< state, error and runId; RunUnknown
    Status removeJob(std::int64_t id);
    Result<std::vector<JobRow>> jobs();               ///< in the order they were added

private:
    struct State;
    explicit Store(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

}  // namespace pareto::store
