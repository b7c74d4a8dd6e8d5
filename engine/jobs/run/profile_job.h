#pragma once

#include <stop_token>

#include "engine/core/progress.h"
#include "engine/jobs/api/profile.h"
#include "engine/jobs/run/model_cache.h"

namespace pareto::jobs {

/// Opens the model, applies the recipe, packs, measures the machine's roofs and watches passes. Waits for the machine's
/// lock as a run does. TargetInvalid for a device other than the CPU.
Result<Profile> runProfile(ModelCache& cache, const ProfileParams& params, Progress& progress,
                           std::stop_token stop);

}  // namespace pareto::jobs
