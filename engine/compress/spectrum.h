#pragma once

#include <optional>
#include <vector>

#include "engine/compress/layer_context.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// Singular values of a weight before and after, at some ranks.
struct Spectrum {
    std::vector<std::int64_t> ranks;  ///< from 1 on, rising by about a sixth
    std::vector<double> before;
    std::vector<double> after;
};

/// Weights whose smaller side is longer have none: it would take longer than compressing them.
inline constexpr std::int64_t kMostSpectrumSide = 2048;

/// Of two weights of one shape. Empty beyond kMostSpectrumSide.
std::optional<Spectrum> spectrumOf(const Tensor& before, const Tensor& after, const LayerContext& context);

}  // namespace pareto::compress
