#pragma once

#include "engine/weights/tensor.h"

namespace pareto {

/// Rounds fp32 values [rows][cols] to the nearest representable code (RTN). Symmetric scale =
/// amax / ((2^b − 1)/2), codes −2^(b−1)…2^(b−1)−1, as compressed-tensors does; asymmetric scale =
/// (max − min)/(2^b − 1) with the zero in range. Range: min-max, 99.9th percentile of |w|, or the
/// clipping that minimizes the squared error (grid of 80 shrink factors, as GPTQ's quantizer).
/// F16/BF16 round to nearest even. Overflow to infinity is refused by the caller beforehand.
Tensor quantizeTensor(std::span<const float> values, std::int64_t rows, std::int64_t cols,
                      const WeightFormat& format, const ParallelFor& parallel = serialFor);

}  // namespace pareto
