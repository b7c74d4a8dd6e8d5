#pragma once

#include "engine/compress/input_statistics.h"

namespace pareto::compress {

/// What rounding a weight costs when its columns are multiplied by scales before and divided after.
struct ScaledError {
    double output = 0.0;               ///< tr(E·H·Eᵀ), E = Q(W·s)/s − W
    std::vector<double> columnEnergy;  ///< Σ_i of Q(W·s)_ij², [cols]
};

/// AWQ and SmoothQuant try many `scales` [cols] with it. TensorValues when W·s does not fit `format`.
Result<ScaledError> scaledError(const Tensor& weight, std::span<const float> scales,
                                const WeightFormat& format, const InputStatistics& statistics,
                                const LayerContext& context);

}  // namespace pareto::compress
