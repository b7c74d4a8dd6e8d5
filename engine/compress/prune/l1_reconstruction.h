#pragma once

#include "engine/compress/input_statistics.h"
#include "engine/compress/prune/pattern.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

struct L1Options {
    SparsityPattern pattern;
    int lambdas = 10;          ///< halvings of the interval that holds λ
    int iterations = 30;       ///< of FISTA for each λ tried; twice as many for the one taken
    int refitIterations = 40;  ///< on the values that stay, without the penalty; 0: as shrunk
    double damping = 0.01;     ///< of the mean of H's diagonal
};

struct L1Solution {
    Tensor weight;        ///< fp32 [rows][cols]
    double lambda = 0.0;  ///< of the solution whose magnitudes were compared
};

/// Prunes a linear by reconstructing its output under an L1 penalty: for H = Σ x·xᵀ / tokens,
///   min over Ŵ of  ½ tr((W − Ŵ)·H·(W − Ŵ)ᵀ) + λ ‖Ŵ‖₁
/// by FISTA (Beck & Teboulle 2009, doi 10.1137/080716542) with a step a column, 1 / (L · H_jj), where L
/// bounds the eigenvalues of D^−½·H·D^−½, D = diag H. Rows share H: one product an iteration.
///
/// λ is found on at most 128 rows spread over the weight. First by bisection of its logarithm, down to 10⁻⁵ of
/// the λ at which all is zero, each λ from the solution of the one before: the largest met whose solution was
/// not yet sparser than asked. Of it, its quarter, 1/16, 1/64 and 0 the one is taken whose solution, rounded and
/// refitted, has the least error of the output (as FISTAPruner tunes λ, Zhao et al. 2024, arXiv 2408.03728).
///
/// Rounding makes the ratio exact by |ŵ_ij| · √H_jj of the solution: floor(ratio · n) over the whole tensor, or
/// N:M in every group. Values that are zero in the solution are told apart by |w_ij| · √H_jj, as Wanda does. Of
/// tiles, the floor(ratio · tiles) of least sums of these scores fall; the penalty stays one on single values.
///
/// The penalty shrinks what stays. A refit undoes that: the same iteration without a penalty, held to
/// the values that stayed, from their solution. It is not run to convergence.
///
/// Needs the Hessian, damped as in second_order.h; dead columns become zero first. The same bytes for any
/// way `parallel` cuts the work. Looks at the stop token an iteration. TensorShape, TensorValues.
Result<L1Solution> pruneL1(const Tensor& weight, const L1Options& options,
                           const InputStatistics& statistics, const LayerContext& context);

}  // namespace pareto::compress
