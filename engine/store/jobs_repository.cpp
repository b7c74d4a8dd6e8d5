#include "engine/store/repositories.h"

namespace pareto::store {
namespace {

std::optional<std::int64_t> runOf(const JobRow& job) {
    return job.runId == 0 ? std::nullopt : std::optional(job.runId);
}

}  // namespace

Result<std::int64_t> insertJob(Database& database, const JobRow& job) {
    PARETO_CHECK(database.run(
        "INSERT INTO jobs (kind, params, state, error, created_at, run_id) "
        "VALUES (?, ?, ?, nullif(?, ''), ?, ?)",
        job.kind, job.params, job.state, job.error, job.createdAt != 0 ? job.createdAt : now(),
        runOf(job)));
    return database.lastInsertId();
}

Status updateJob(Database& database, const JobRow& job) {
    PARETO_CHECK(database.run(
        "UPDATE jobs SET state = ?, error = nullif(?, ''), run_id = ? WHERE id = ?", job.state,
        job.error, runOf(job), job.id));
    if (database.changes() == 0) {
        return runUnknown(database, job.id);
    }
    return Done{};
}

Result<std::vector<JobRow>> readJobs(Database& database) {
    PARETO_TRY(Statement* const rows,
               database.query("SELECT id, kind, params, state, error, created_at, run_id FROM jobs "
                              "ORDER BY id"));
    std::vector<JobRow> jobs;
    while (true) {
        PARETO_TRY(const bool there, rows->step());
        if (!there) {
            return jobs;
        }
        jobs.push_back({rows->integer(0), rows->text(1), rows->text(2), rows->text(3), rows->text(4),
                        rows->integer(5), rows->integer(6)});
    }
}

}  // namespace pareto::store
