#pragma once

#include <optional>

#include "engine/compress/input_statistics.h"
#include "engine/compress/prune/pattern.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// What happens to each column on the way of secondOrder().
struct ColumnWork {
    std::optional<WeightFormat> codes;  ///< integer format that what stays is rounded to
    SparsityPattern pattern;            ///< what falls; a ratio of 0 removes nothing
    bool keepZeros = false;             ///< values that are zero at the start stay zero
    bool actOrder = false;              ///< columns by falling mean square; not with a pattern
    bool staticGroups = false;          ///< steps of groups from the weights before any change
    std::int64_t blockSize = 128;
    double damping = 0.01;
};

/// The loop that GPTQ (Frantar et al. 2022, arXiv 2210.17323) and SparseGPT (Frantar & Alistarh
/// 2023, arXiv 2301.00774) share. Columns are set one after the other; what a column loses goes into those
/// not yet set by w_j −= (w_i − q_i) · U_ij / U_ii, with H⁻¹ = UᵀU. Within a block of columns rows run
/// in parallel; the rest of the matrix gets a block's errors in one product.
///
/// H is damped by `damping` · the mean of its diagonal. Columns whose input was always zero ("dead")
/// become zero and count neither in that mean nor, as they are zeroed first, in any range. (The
/// authors put 1 on a dead diagonal and leave it in the mean, which depends on the inputs' unit.)
///
/// A block never ends within a group of N:M or a tile, and a group's step is found from the weights as
/// they are when its first column is reached (the authors' lazy blocks leave them behind in groups smaller
/// than a block).
///
/// Gives fp32 [rows][cols], or codes exactly as quantizeMatrix lays them out. Errors: those of
/// checkStatistics; TensorValues also for weights that are not finite and an H that is not positive
/// definite even so. Looks at the stop token a block.
Result<Tensor> secondOrder(const Tensor& weight, const ColumnWork& work,
                           const InputStatistics& statistics, const LayerContext& context);

}  // namespace pareto::compress
