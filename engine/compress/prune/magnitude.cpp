#include "engine/compress/prune/magnitude.h"

#include <algorithm>
#include <cmath>

#include "engine/weights/select.h"

namespace pareto::compress {

Tensor pruneMagnitude(const Tensor& weight, double ratio, const ParallelFor& parallel) {
    return pruneMagnitude(weight, SparsityPattern{.ratio = ratio}, parallel);
}

Tensor pruneMagnitude(const Tensor& weight, const SparsityPattern& pattern,
                      const ParallelFor& parallel) {
    if (!pattern.isGrouped() && !(pattern.ratio > 0.0)) {
        return weight;
    }
    std::vector<float> magnitudes = dequantize(weight, parallel);
    std::transform(magnitudes.begin(), magnitudes.end(), magnitudes.begin(),
                   [](float value) { return std::fabs(value); });
    const std::int64_t cols = weight.shape[weight.shape.rank() - 1];
    const auto places = chooseLowestOfMatrix(magnitudes, cols, pattern, parallel);
    return places.empty() ? weight : zeroValues(weight, places);
}

}  // namespace pareto::compress
