#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "engine/compress/pipeline.h"
#include "engine/core/progress.h"
#include "engine/models/model.h"
#include "engine/records/run_record.h"

namespace pareto::jobs {

struct ValueSummary {
    std::vector<Histogram> histograms;   ///< one a layer that has a weight of its own
    std::int64_t parameters = 0;
    std::int64_t nonzero = 0;            ///< of all tensors, once dequantized
};
/// Looks at every value of the model once.
Result<ValueSummary> summarizeValues(const LoadedModel& model, Progress& progress,
                                     std::stop_token stop);

/// One row a layer of the model, and one a traced phase between layers: times from `traced` (may be
/// empty), bytes, kernel, error and sparsity from the model and the report.
std::vector<LayerMeasurement> layerRows(const compress::CompressedModel& compressed,
                                        const models::Model& runnable,
                                        std::vector<LayerMeasurement> traced);

}  // namespace pareto::jobs
