#pragma once

#include <optional>

#include "engine/compress/input_statistics.h"

namespace pareto::compress {

/// What a changed weight does to its layer's output y = W·x on the calibration samples, without the bias.
struct OutputQuality {
    double error = 0.0;   ///< E‖y − ŷ‖² / E‖y‖²; the signal-to-noise ratio is −10·log10 of it
    double cosine = 1.0;  ///< E⟨y, ŷ⟩ / √(E‖y‖² · E‖ŷ‖²)
};

/// From H alone: E⟨W·x, V·x⟩ = tr(W·H·Vᵀ). Both weights [rows][cols]. Empty when the reference puts nothing
/// out. Needs the Hessian.
std::optional<OutputQuality> outputQuality(const Tensor& reference, const Tensor& now,
                                           const InputStatistics& statistics, const LayerContext& context);

}  // namespace pareto::compress
