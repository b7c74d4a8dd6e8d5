#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "engine/compress/layer_context.h"
#include "engine/core/result.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// What calibration learned about the inputs x of a linear. Linears that share an input share it. A
/// vector that nobody asked for is empty.
struct InputStatistics {
    std::int64_t cols = 0;
    std::int64_t tokens = 0;
    std::vector<float> hessian;         ///< Σ x·xᵀ / tokens, [cols][cols], symmetric
    std::vector<float> meanSquares;     ///< mean of x_j²
    std::vector<float> meanMagnitudes;  ///< mean of |x_j|
    std::vector<float> means;           ///< mean of x_j
    std::vector<float> largest;         ///< max |x_j|
    std::vector<float> sample;          ///< some of the x as they were, [a few hundred at most][cols]

    std::int64_t sampled() const { return cols > 0 ? static_cast<std::int64_t>(sample.size()) / cols : 0; }
};

enum class Statistic { Hessian, MeanSquares, MeanMagnitudes, Means, Largest, Sample };

/// Whether the needed statistics are there for this weight and usable. TensorShape when they are of
/// another width; TensorValues when nothing was seen, one is missing, or a value is not finite.
Status checkStatistics(const InputStatistics& statistics, const Tensor& weight,
                       std::initializer_list<Statistic> needed, const TensorLabel& label);

/// The statistics of some of the inputs, in that order: what a linear reads whose other columns were cut.
InputStatistics restrictTo(const InputStatistics& statistics,
                           std::span<const std::int64_t> columns);

/// The mean of H's diagonal over the inputs that were ever anything but zero; 1 when none was.
double meanLiveSquare(const InputStatistics& statistics);

/// tr(E·H·Eᵀ) with E = `now` − `reference`, both [rows][cols]: the mean over tokens of the squared
/// error of the layer's output, summed over outputs. Needs the Hessian. In fp32 products, summed in
/// fp64 in row order.
double outputError(std::span<const float> reference, std::span<const float> now,
                   const InputStatistics& statistics, const LayerContext& context);

}  // namespace pareto::compress
