#pragma once

#include <stop_token>

#include "engine/core/result.h"
#include "engine/weights/tensor.h"

namespace pareto {

/// Rounds fp32 values [rows][cols] to the nearest representable code (RTN). Symmetric scale =
/// amax / ((2^b − 1)/2), codes −2^(b−1)…2^(b−1)−1, as compressed-tensors does; asymmetric scale =
/// (max − min)/(2^b − 1) with the zero in range. Range: min-max, 99.9th percentile of |w|, or the
/// clipping that minimizes the squared error (grid of 80 shrink factors, as GPTQ's quantizer).
/// F8: scale = amax / 448, numbers to the nearest E4M3, ties to even.
/// F16/BF16 round to nearest even. Overflow to infinity is refused by the caller beforehand.
Tensor quantizeTensor(std::span<const float> values, std::int64_t rows, std::int64_t cols,
                      const WeightFormat& format, const ParallelFor& parallel = serialFor);

/// fp32 values [rows][cols], borrowed.
struct MatrixView {
    std::span<const float> values;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
};

/// The same, looking at the stop token at every row. The bytes do not depend on how `parallel` cuts
/// the work.
Result<Tensor> quantizeMatrix(const MatrixView& matrix, const WeightFormat& format,
                              std::stop_token stop, const ParallelFor& parallel = serialFor);

/// Σ codes of each row over each stretch of `activationGroup` columns (0: the whole row), as
/// u8×s8 products need: int32[rows][stretches].
Buffer sumCodes(const QuantizedValues& values, std::int64_t rows, std::int64_t cols);

}  // namespace pareto
