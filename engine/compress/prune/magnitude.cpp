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
    const std::int64_t cols = weight.shape[weight.shape.rank() - 1];
    const std::int64_t rows = cols == 0 ? 0 : weight.shape.elements() / cols;
    const std::int64_t remove = pattern.isGrouped() ? rows * pattern.removedOfRow(cols)
                                                    : pattern.removedOf(weight.shape.elements());
    if (remove <= 0) {
        return weight;
    }
    std::vector<float> magnitudes = dequantize(weight, parallel);
    std::transform(magnitudes.begin(), magnitudes.end(), magnitudes.begin(),
                   [](float value) { return std::fabs(value); });
    std::vector<std::int64_t> places(static_cast<std::size_t>(remove));
    if (!pattern.isGrouped()) {
        chooseLowest(magnitudes, remove, places.data());
        return zeroValues(weight, places);
    }
    const std::int64_t each = pattern.removedOfRow(cols);
    for (std::int64_t row = 0; row < rows; ++row) {
        std::int64_t* chosen = places.data() + row * each;
        chooseLowestOfRow({magnitudes.data() + row * cols, static_cast<std::size_t>(cols)}, pattern,
                          chosen);
        std::for_each(chosen, chosen + each, [&](std::int64_t& at) { at += row * cols; });
    }
    return zeroValues(weight, places);
}

}  // namespace pareto::compress
