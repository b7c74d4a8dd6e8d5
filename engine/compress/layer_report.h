#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/compress/output_quality.h"
#include "engine/compress/spectrum.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

struct LayerReport {
    std::string name;
    double relativeError = 0.0;   ///< ‖W − Ŵ‖² / ‖W‖² against the structurally pruned weight
    double sparsity = 0.0;        ///< zeros / values after all steps
    double bitsPerWeight = 0.0;   ///< bytes held × 8 / values
    std::uint64_t bytes = 0;
    std::optional<OutputQuality> output;  ///< of calibrated blocks only
    std::optional<Spectrum> spectrum;     ///< the same
    std::optional<double> scaling;        ///< SmoothQuant's α or AWQ's ratio that its input was scaled with
    double seconds = 0.0;                 ///< in calibrated methods, without the samples' way through the model
};

/// What two tensors say: a layer's weight `held` and what it was before. `acting` is the weight as it acts where its input
/// is not scaled; `bytes` are the layer's.
LayerReport reportOf(const std::string& layer, const Tensor& before, const Tensor& held, const Tensor& acting,
                     std::uint64_t bytes, const ParallelFor& parallel);

}  // namespace pareto::compress
