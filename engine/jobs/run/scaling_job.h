#pragma once

#include <stop_token>

#include "engine/core/progress.h"
#include "engine/jobs/api/scaling.h"
#include "engine/jobs/run/model_cache.h"

namespace pareto::jobs {

/// Watches the model's layers in one process, measures the link between two, times the divisions that this machine has cores
/// for in turns with the undivided model, and predicts them and others (bench/scaling.h). Waits for the machine's lock as a
/// run does. TargetInvalid: a GPU, a target that is divided already.
Result<Scaling> runScaling(ModelCache& cache, const ScalingParams& params, Progress& progress, std::stop_token stop);

}  // namespace pareto::jobs
