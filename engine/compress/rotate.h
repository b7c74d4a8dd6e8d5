#pragma once

#include <stop_token>

#include "engine/compress/matrix_math.h"
#include "engine/core/result.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

struct RotatedModel {
    LoadedModel model;
    std::uint64_t untiedBytes = 0;  ///< of an lm_head that shared the token table's weight before
    bool heads = false;             ///< values are rotated within their heads as well
};

/// Whether rotateModel can rotate such a model (whyUnrotatable). RecipeInvalid with the reason.
Status checkRotatable(const ModelLayout& layout);

/// QuaRot (Ashkboos et al. 2024, arXiv 2404.00456), the part that folds into weights: the residual stream x
/// becomes x·Q for an orthogonal Q (hadamard.h), which spreads outlying channels over all. The model computes
/// the same (the invariance of SliceGPT, Ashkboos et al. 2024, arXiv 2401.15024), up to fp32's rounding:
///   - the norms' weights go into the linears that read them and become 1; then ‖x·Q‖ = ‖x‖ lets Q through;
///   - the token table E becomes E·Q; readers of the stream (query, key, value, gate, up, lm_head) W·Q;
///     writers (attention output, down) Qᵀ·W and their biases Qᵀ·b;
///   - where headDim is a power of 2, each head's values are rotated by a second matrix: rows of value (and
///     its bias) against the columns of the attention output that read them.
/// What QuaRot does while the model runs (queries, keys, inputs of down) is not done.
///
/// A tied lm_head is untied: the last norm's weight goes into it and not into the table. All weights
/// touched are fp32 [rows][cols] afterwards, whatever held them, and their LayerInfo::sourceFormat says so.
/// The same seed gives the same bytes for any way `parallel` cuts the work. Looks at the stop token a
/// layer. The original is untouched. RecipeInvalid (checkRotatable); TensorValues when a weight is not
/// finite.
Result<RotatedModel> rotateModel(const LoadedModel& model, std::uint64_t seed, std::stop_token stop,
                                 const ParallelFor& parallel = serialFor);

/// The same with a given Q [hidden][hidden] for the residual stream, heads left as they are; products in fp32.
Result<RotatedModel> rotateModel(const LoadedModel& model, std::span<const double> stream, const MatrixMath& math,
                                 std::stop_token stop, const ParallelFor& parallel = serialFor);

}  // namespace pareto::compress
