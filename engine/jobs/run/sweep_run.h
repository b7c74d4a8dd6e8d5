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
};
/// Works on what waits with `workers` processes of this machine (`pareto worker`), each with its part of the cores, until
/// every run has an outcome; runs that others work on are waited for. Cancelled by `stop` or by askToEnd().
Status runSweep(const Sweep& sweep, int workers, const SweepListener& listener, std::stop_token stop);

}  // namespace pareto::jobs
