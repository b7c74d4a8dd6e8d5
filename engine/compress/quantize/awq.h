#pragma once

#include "engine/compress/input_statistics.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// AWQ (Lin et al. 2023, arXiv 2306.00978) in two searches. The authors run samples through the layer;
/// here every loss is computed from H = Σ x·xᵀ / tokens, which gives the same mean squared error of a
/// linear's output, over all calibration tokens, without keeping one. (Theirs is the loss of the whole
/// block for some linears; these are sums over the linears themselves.)

struct AwqScales {
    std::vector<float> scales;  ///< s [cols]: hold Q(W·s) and divide the inputs by s
    double ratio = 0.0;         ///< s ∝ (mean |x|)^ratio; 0: all scales are 1
    double error = 0.0;         ///< Σ tr(E·H·Eᵀ) with E = Q(W·s)/s − W, over the rows that were tried
    double plainError = 0.0;    ///< the same with ratio 0, which is round-to-nearest
};

/// The scales of inputs that linears share (query, key and value; gate and up): of the ratios 0, 1/20 …
/// 19/20, the one of least error when the `linears` [rows][cols], or 256 rows of each, are rounded to the
/// integer `format`.
/// Each candidate is normalized by √(max · min). An input that was never seen counts as the quietest
/// one that was. Needs meanMagnitudes and the Hessian. TensorShape, TensorValues.
Result<AwqScales> searchScales(std::span<const Tensor> linears, const WeightFormat& format,
                               const InputStatistics& statistics, const LayerContext& context);

/// Clips each group of a row (granularity Group; the row with Channel) to ± its largest magnitude times
/// the best of 1, 0.95 … 0.55: the one of least eᵀ·H_g·e when the group is rounded to `format`, H_g being
/// the group's block of H. Gives fp32 values, still to be rounded. With granularity Tensor one grid holds
/// all rows and nothing is clipped. Needs the Hessian. TensorShape, TensorValues.
Result<Tensor> searchClip(const Tensor& weight, const WeightFormat& format,
                          const InputStatistics& statistics, const LayerContext& context);

}  // namespace pareto::compress
