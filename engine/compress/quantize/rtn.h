#pragma once

#include <stop_token>

#include "engine/compress/layer_context.h"
#include "engine/core/result.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// Round-to-nearest into `format` from whatever the weight is held in now. TensorValues when a value is
/// not finite, or becomes infinite in fp16.
Result<Tensor> roundToNearest(const Tensor& weight, const WeightFormat& format,
                              const TensorLabel& label, std::stop_token stop,
                              const ParallelFor& parallel = serialFor);

/// TensorValues when a value is not finite or beyond what `format` can say.
Status checkFits(std::span<const float> values, NumberFormat format, const TensorLabel& label,
                 const ParallelFor& parallel = serialFor);

/// TensorValues when a value of the weight is not finite.
Status checkFinite(const Tensor& weight, const TensorLabel& label,
                   const ParallelFor& parallel = serialFor);

}  // namespace pareto::compress
