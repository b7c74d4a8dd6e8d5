#pragma once

#include <optional>

#include "engine/compress/input_statistics.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// SmoothQuant (Xiao et al. 2022, arXiv 2211.10438): s_j = max|x_j|^α / max|w_j|^(1 − α), max|w_j| over
/// all `linears` [rows][cols] that share the input; W·s and x / s then compute the same with ranges that
/// both round well. Columns that no input reached or that hold no weight get the geometric mean of the
/// others. Needs `largest`. Empty linears or nothing alive: all scales are 1. The caller has checked
/// shapes and values.
std::vector<float> smoothScales(std::span<const Tensor> linears, const InputStatistics& statistics,
                                double alpha);

struct SmoothChoice {
    std::vector<float> scales;    ///< s [cols]; all 1 when nothing beats leaving it
    std::optional<double> alpha;  ///< empty: no smoothing
    double error = 0.0;
    double plainError = 0.0;  ///< without smoothing
};

/// α of 0, 0.05 … 1 with the least estimated error of the linears' outputs, weights rounded to `format`
/// and inputs to 8 bits a token (`format.activationGroup` columns share a scale; 0: all):
///   Σ over linears of  tr(E·H·Eᵀ) + Σ over activation groups g of Δ_g² / 12 · Σ_{j in g, i} Q(W·s)_ij²
/// with E = Q(W·s)/s − W. The second term is the variance of uniform rounding errors of inputs, independent of
/// each other. Where each token finds its own step, that of a usual token counts: the largest of n values of
/// equal variance is about √(2 ln n) deviations, Δ_g² = 2 ln n · max_{j in g}(mean x_j² / s_j²) / 127.5². (The
/// widest step of any token would be that of the one loud token that most decoders begin with.) Static
/// activations have that widest one: Δ_g = max_{j in g}(max|x_j| / s_j) / 127.5. Needs the Hessian, meanSquares
/// and `largest`. TensorShape, TensorValues.
Result<SmoothChoice> searchSmoothing(std::span<const Tensor> linears, const WeightFormat& format,
                                     const InputStatistics& statistics,
                                     const LayerContext& context);

}  // namespace pareto::compress
