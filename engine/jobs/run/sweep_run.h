#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/core/progress.h"
#include "engine/jobs/api/sweep.h"
#include "engine/jobs/run/model_cache.h"

namespace pareto::jobs {

/// One run of a sweep in this process; its outcome is written. Nothing where somebody else has it, or has had it.
/// Cancelled leaves it as it was. Errors are those of writing: a run that fails has an outcome.
Result<std::optional<RunRecord>> runSweepItem(ModelCache& cache, const Sweep& sweep, std::size_t run, Progress& progress,
                                              std::stop_token stop);

struct SweepListener {
    std::function<void(std::size_t run)> begun;
    std::function<void(std::size_t run, const RunRecord& record)> finished;  ///< Finished or Failed
    std::function<void(std::size_t run, const std::string& how)> died;       ///< its process; it is begun again
    std::function<void(const std::string& host, const std::string& how)> lost;  ///< no more is asked of that host
};
/// Works on what waits with `workers` processes of this machine (`pareto worker`), each with its part of the cores, and one
/// process on each host of PARETO_RANKS_HOSTS (useHosts; a host that stands there twice has two), until every run has an
/// outcome; runs that others work on are waited for. A host gets a run once its worker has greeted: one that cannot be
/// reached costs no attempt. Cancelled by `stop` or by askToEnd(). ConfigInvalid (hosts); WorkerUnavailable where `workers` is 0
/// and all hosts are lost; TargetInvalid where a run wants more threads than a worker has cores.
Status runSweep(const Sweep& sweep, int workers, const SweepListener& listener, std::stop_token stop);

}  // namespace pareto::jobs
