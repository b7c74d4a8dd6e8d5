#include "engine/compress/prune/magnitude.h"

#include <algorithm>
#include <bit>

#include "engine/weights/select.h"

namespace pareto::compress {

namespace {

/// Magnitudes of floats order as their bits without the sign do, which makes equal ones plain.
std::uint32_t magnitudeBits(float value) {
    return std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFFU;
}

}  // namespace

Tensor pruneMagnitude(const Tensor& weight, double ratio, const ParallelFor& parallel) {
    const std::int64_t count = weight.shape.elements();
    // The same expression as in estimate(): rounding must not set them apart.
    const auto remove = static_cast<std::int64_t>(ratio * static_cast<double>(count));
    if (remove <= 0) {
        return weight;
    }
    const std::vector<float> values = dequantize(weight, parallel);
    std::vector<std::uint32_t> magnitudes(values.size());
    std::transform(values.begin(), values.end(), magnitudes.begin(), magnitudeBits);
    const auto nth = magnitudes.begin() + (remove - 1);
    std::nth_element(magnitudes.begin(), nth, magnitudes.end());
    const std::uint32_t threshold = *nth;
    // All below the threshold are among the first `remove`; the rest of those equal it.
    const auto below = std::count_if(magnitudes.begin(), nth,
                                     [&](std::uint32_t value) { return value < threshold; });
    std::int64_t equalLeft = remove - below;

    std::vector<std::int64_t> places;
    places.reserve(static_cast<std::size_t>(remove));
    for (std::int64_t at = 0; at < count; ++at) {
        const std::uint32_t value = magnitudeBits(values[static_cast<std::size_t>(at)]);
        if (value < threshold || (value == threshold && equalLeft-- > 0)) {
            places.push_back(at);
        }
    }
    return zeroValues(weight, places);
}

}  // namespace pareto::compress
