#pragma once

#include <optional>
#include <vector>

#include "engine/store/sqlite.h"
#include "engine/store/store.h"

/// The store's tables, a group a file. Functions over a connection: whoever calls holds the
/// transaction. Private to engine/store.
namespace pareto::store {

/// Rows of the tables a run points at.
struct SpecIds {
    std::int64_t model = 0;
    std::int64_t recipe = 0;
    std::optional<std::int64_t> task;
    std::int64_t target = 0;
    std::int64_t machine = 0;
};

// specs_repository.cpp: models, recipes, tasks, targets, machines
Result<SpecIds> findOrInsertSpecs(Database& database, const RunRecord& record);
/// Fills the record's specs from a run's row.
Status readSpecs(Database& database, std::int64_t run, RunRecord& record);

// runs_repository.cpp: runs
Result<std::int64_t> insertRun(Database& database, const RunRecord& record, const Owner& owner);
Status updateRun(Database& database, const RunRecord& record);
Result<std::vector<RunSummary>> readSummaries(Database& database, const RunFilter& filter);
Status readRun(Database& database, std::int64_t run, RunRecord& record);
Status readOwners(Database& database, std::vector<std::pair<std::int64_t, Owner>>& running);

// details_repository.cpp: measurements, raw_timings, run_items, layer_measurements, histograms,
// predictions, exports
Status writeDetails(Database& database, const RunRecord& record);
Status removeDetails(Database& database, std::int64_t run);
Status readDetails(Database& database, std::int64_t run, RunRecord& record);
Result<std::vector<ItemResult>> readItems(Database& database, std::int64_t run);
Status addExport(Database& database, std::int64_t run, const std::string& path);

// jobs_repository.cpp: jobs
Result<std::int64_t> insertJob(Database& database, const JobRow& job);
Status updateJob(Database& database, const JobRow& job);
Result<std::vector<JobRow>> readJobs(Database& database);

Error runUnknown(const Database& database, std::int64_t run);
/// Milliseconds since 1970, UTC.
std::int64_t now();

}  // namespace pareto::store
