#pragma once

#include <optional>

#include "engine/compress/input_statistics.h"
#include "engine/compress/prune/pattern.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

struct SparseGptOptions {
    SparsityPattern pattern;
    /// Joint quantization: what stays is rounded to these integer codes in the same loop, so that one
    /// correction serves both errors. Other formats are refused by the recipe, never passed here.
    std::optional<WeightFormat> codes;
    std::int64_t blockSize = 128;  ///< columns among which a ratio's values are chosen
    double damping = 0.01;         ///< of the mean of H's diagonal
};

/// SparseGPT (Frantar & Alistarh 2023, arXiv 2301.00774): removes weights by w² / [H⁻¹]_jj and corrects
/// the columns to come; second_order.h has the particulars. A ratio is met in each block of columns
/// over all rows, floor(ratio · n) in all (the authors' threshold takes one more a block); N:M in every
/// group of inputs of a row. Of tiles, floor(ratio · tiles) fall in all, chosen in the same way by the sum
/// of w² / [H⁻¹]_jj over the tile; a block of columns never ends within one. Dead columns become zero on
/// top where the ratio leaves room for fewer.
/// Gives fp32, or codes as quantizeMatrix lays them out, a removed value being exactly zero.
/// The same bytes for any way `parallel` cuts the work. TensorShape, TensorValues.
Result<Tensor> pruneSparseGpt(const Tensor& weight, const SparseGptOptions& options,
                              const InputStatistics& statistics, const LayerContext& context);

}  // namespace pareto::compress
