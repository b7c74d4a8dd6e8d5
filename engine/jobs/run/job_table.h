#pragma once

#include <map>
#include <memory>
#include <string>

#include "engine/jobs/api/jobs.h"
#include "engine/jobs/run/model_cache.h"

namespace pareto::jobs {

/// Every job by its name in the protocol. The functions share the cache and are called one at a time.
using JobTable = std::map<std::string, JobFunction>;
JobTable jobTable(std::shared_ptr<ModelCache> cache);

/// The job of that name, or JobUnknown with the names there are.
Result<JobFunction> findJob(const JobTable& table, const std::string& name);

}  // namespace pareto::jobs
