#pragma once

#include "engine/compress/input_statistics.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// What the kept inputs of a linear can do about removed ones. `kept`: columns of `weight` [rows][cols],
/// ascending, at least one. One of the two, not both: each makes up for the same error.

/// The weight of the kept columns, fp32 [rows][kept], of least tr(E·H·Eᵀ):
///   Ŵ_k = W_k + W_r · H_rk · H_kk⁻¹,
/// H damped by `damping` · the mean of its diagonal (which here holds the change small and nothing else;
/// inputs that were always zero get that mean). Needs the Hessian. TensorShape, TensorValues.
Result<Tensor> compensateByLeastSquares(const Tensor& weight, std::span<const std::int64_t> kept,
                                        const InputStatistics& statistics, double damping,
                                        const LayerContext& context);

/// bias + W_r · mean(x_r), fp32 [rows]: FLAP's compensation (An et al. 2023, arXiv 2312.11983), for a linear
/// whose kept columns stay as they are. `bias` [rows] may be null. Needs the means. TensorShape,
/// TensorValues.
Result<Tensor> compensateByBias(const Tensor& weight, const Tensor* bias,
                                std::span<const std::int64_t> kept,
                                const InputStatistics& statistics, const LayerContext& context);

}  // namespace pareto::compress
