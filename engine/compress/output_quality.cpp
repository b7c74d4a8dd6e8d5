#include "engine/compress/output_quality.h"

#include <algorithm>
#include <cmath>

namespace pareto::compress {

std::optional<OutputQuality> outputQuality(const Tensor& reference, const Tensor& now,
                                           const InputStatistics& statistics, const LayerContext& context) {
    const auto before = dequantize(reference, context.parallel);
    const auto after = dequantize(now, context.parallel);
    const std::vector<float> nothing(before.size());
    const double energy = outputError(nothing, before, statistics, context);
    if (!(energy > 0.0)) {
        return std::nullopt;
    }
    const double left = outputError(nothing, after, statistics, context);
    const double error = outputError(before, after, statistics, context);
    OutputQuality out;
    out.error = error / energy;
    // 2⟨y, ŷ⟩ = ‖y‖² + ‖ŷ‖² − ‖y − ŷ‖²
    out.cosine = left > 0.0 ? std::clamp((energy + left - error) / (2.0 * std::sqrt(energy * left)), -1.0, 1.0) : 0.0;
    return out;
}

}  // namespace pareto::compress
