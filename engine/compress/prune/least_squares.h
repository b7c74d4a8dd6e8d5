#pragma once

#include "engine/compress/input_statistics.h"
#include "engine/compress/prune/pattern.h"
#include "engine/spec/recipe.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

struct AdjustOptions {
    SparsityPattern pattern;
    PruneMethod method = PruneMethod::Magnitude;  ///< or Wanda: what chooses the zeros
    /// Rounds before the last one: the ratio rises as 1 − (1 − t)³, zeros are chosen anew from the weights as they are by
    /// then, and those that stay are adjusted.
    int rounds = 0;
    int iterations = 20;    ///< of ADMM in the last round; a fifth of them in each before
    double damping = 0.01;  ///< of the mean of the Hessian's diagonal
};

/// Prunes and adjusts the weights that stay so that the layer's output changes least: min ‖(Ŵ − W)·X‖² over all Ŵ with
/// zeros where they were chosen, by ADMM with inputs normalized to unit norm and ρ = 1 (Boža 2024, arXiv 2401.02938,
/// algorithm 1; with rounds its "gradual pruning"). Needs the Hessian and mean squares. Where the adjusted weights are
/// no better than the chosen ones as they were, those are the answer. TensorShape, TensorValues, Cancelled.
Result<Tensor> pruneAdjusted(const Tensor& weight, const AdjustOptions& options, const InputStatistics& statistics,
                             const LayerContext& context);

}  // namespace pareto::compress
