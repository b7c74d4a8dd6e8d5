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
    double error = 0.0;           ///< see searchSmoothing()
    double plainError = 0.0;      ///< without smoothing
};

/// α of 0, 0.05 … 1 with the least error of the linears' outputs for the sampled inputs x, weights rounded to
/// `format` and x / s as `format.activations` would round it (`format.activationGroup` columns share a step; 0:
/// all; the step of static activations is that of the widest input of all tokens):
///   Σ over linears of the mean over samples of ‖Q(W·s)·Q(x/s) − W·x‖² / max(‖W·x‖², m),
/// m the median over samples of ‖W·x‖²: loud samples, as the token that most decoders begin with, count as others.
/// Needs `largest` and `sample`. TensorShape, TensorValues.
Result<SmoothChoice> searchSmoothing(std::span<const Tensor> linears, const WeightFormat& format,
                                     const InputStatistics& statistics,
                                     const LayerContext& context);

}  // namespace pareto::compress
