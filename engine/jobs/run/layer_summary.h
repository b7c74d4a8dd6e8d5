#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/compress/pipeline.h"
#include "engine/compress/tensorwise.h"
#include "engine/core/progress.h"
#include "engine/models/model.h"
#include "engine/records/run_record.h"

namespace pareto::jobs {

struct ValueSummary {
    std::string weightsHash;             ///< see there
    std::vector<Histogram> histograms;   ///< one a layer that has a weight of its own, in the layout's order
    std::int64_t parameters = 0;
    std::int64_t nonzero = 0;            ///< of all tensors, once dequantized
};
/// Looks at every value of the model once, one tensor after the other; `seen` hears of each layer's own weight.
Result<ValueSummary> summarizeValues(const TensorSource& model, Progress& progress, std::stop_token stop,
                                     const std::function<Status(const LayerInfo&, const Tensor&)>& seen = {});
/// The same, and what compress() would have reported of the layers, in the layout's order.
Result<ValueSummary> summarizeValues(const compress::TensorwiseModel& model, Progress& progress, std::stop_token stop,
                                     std::vector<compress::LayerReport>& reports);

/// One row a layer of the model, and one a traced phase between layers: times from `traced` (may be
/// empty), kernels from the model, bytes, error and sparsity from the report.
std::vector<LayerMeasurement> layerRows(const compress::CompressedModel& compressed,
                                        const models::Model& runnable,
                                        std::vector<LayerMeasurement> traced);

}  // namespace pareto::jobs
