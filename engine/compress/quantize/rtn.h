#pragma once

#include <stop_token>
#include <string>

#include "engine/core/result.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// How a tensor is named in errors.
struct TensorLabel {
    std::string model;
    std::string tensor;
};

/// Round-to-nearest into `format` from whatever the weight is held in now. TensorValues when a value is
/// not finite, or becomes infinite in fp16.
Result<Tensor> roundToNearest(const Tensor& weight, const WeightFormat& format,
                              const TensorLabel& label, std::stop_token stop,
                              const ParallelFor& parallel = serialFor);

/// TensorValues when a value of the weight is not finite.
Status checkFinite(const Tensor& weight, const TensorLabel& label,
                   const ParallelFor& parallel = serialFor);

}  // namespace pareto::compress
