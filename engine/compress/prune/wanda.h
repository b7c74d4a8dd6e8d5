#pragma once

#include "engine/compress/input_statistics.h"
#include "engine/compress/prune/pattern.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// Wanda (Sun et al. 2023, arXiv 2306.11695): in every row the weights of least |w_ij| · ‖x_j‖₂ become
/// zero, floor(ratio · cols) of them or N:M along the inputs; of equal ones the earlier. Nothing else
/// changes: whatever holds the values keeps holding the others. Needs statistics.meanSquares, whose
/// root is ‖x_j‖₂ up to a factor. The same for any thread count. TensorShape, TensorValues.
///
/// Tiles are compared within each row of tiles, floor(ratio · tiles across) of it fall. A tile's score is
/// the sum of its values' squared scores: w² · ‖x_j‖² is what losing one value alone adds to the squared
/// error of the output, and errors of different outputs, or of inputs that are not correlated, add up.
Result<Tensor> pruneWanda(const Tensor& weight, const SparsityPattern& pattern,
                          const InputStatistics& statistics, const LayerContext& context);

}  // namespace pareto::compress
