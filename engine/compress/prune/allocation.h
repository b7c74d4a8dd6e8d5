#pragma once

#include <string>

#include "engine/compress/input_statistics.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// How an overall share of single weights to prune is divided among layers.

/// Share of a weight's values whose |w_ij| · ‖x_j‖₂ is above `threshold` times the mean of all of them (OWL's
/// layerwise outlier distribution, M = 5). Needs meanSquares. TensorShape, TensorValues.
Result<double> outlierShare(const Tensor& weight, const InputStatistics& statistics,
                            double threshold, const LayerContext& context);

/// OWL (Yin et al. 2023, arXiv 2310.05175): ratios that fall as outlier `shares` rise, over a span of
/// 2 · `reach` from the layer (or block) with fewest outliers to the one with most. All are shifted
/// together until their mean, weighted by `parameters`, is `ratio`, each held within ratio ± reach and
/// 0 … 0.99 (the authors shift by the plain mean and hold nothing, which is the same where nothing is to
/// be held and sizes are equal). Equal shares get equal ratios; from 0.99 on all are 0.99.
std::vector<double> outlierWeighedRatios(std::span<const double> shares,
                                         std::span<const std::int64_t> parameters, double ratio,
                                         double reach = 0.08);

struct NamedWeight {
    std::string name;  ///< for errors
    const Tensor* weight = nullptr;
};

/// How many values of each weight are among the floor(ratio · n) of least magnitude of all n together; of
/// equal ones the earlier weight's go first, within it those pruneMagnitude takes. Exact, in three passes
/// over the weights, with 0.8 MiB besides what a row needs. TensorValues.
Result<std::vector<std::int64_t>> shareByMagnitude(std::span<const NamedWeight> weights,
                                                   double ratio, const LayerContext& context);

/// A ratio that prunes exactly `removed` of `count` values: floor(ratio · count) = removed.
double ratioOf(std::int64_t removed, std::int64_t count);

}  // namespace pareto::compress
