#pragma once

#include <stop_token>

#include "engine/core/progress.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/run/model_cache.h"

namespace pareto::jobs {

/// Applies the recipe and writes the model; nothing is measured. Says in the notes when the weights
/// are not those of the stored run (`expectWeightsHash`).
Result<ExportResult> runExport(ModelCache& cache, const ExportParams& params, Progress& progress,
                               std::stop_token stop);

}  // namespace pareto::jobs
