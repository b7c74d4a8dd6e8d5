#include "engine/compress/prune/pattern.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace pareto::compress {

namespace {

/// Floats that are not negative order as their bits do, which makes equal ones plain.
std::uint32_t bitsOf(float score) { return std::bit_cast<std::uint32_t>(score) & 0x7FFFFFFFU; }

}  // namespace

std::int64_t SparsityPattern::removedOfRow(std::int64_t cols) const {
    const std::int64_t last = cols % groupOf;
    return cols / groupOf * (groupOf - keepOf) + std::max<std::int64_t>(0, last - keepOf);
}

void chooseLowest(std::span<const float> scores, std::int64_t remove, std::int64_t* chosen) {
    if (remove <= 0) {
        return;
    }
    std::vector<std::uint32_t> bits(scores.size());
    std::transform(scores.begin(), scores.end(), bits.begin(), bitsOf);
    const auto nth = bits.begin() + (remove - 1);
    std::nth_element(bits.begin(), nth, bits.end());
    const std::uint32_t threshold = *nth;
    // All below the threshold are among the first `remove`; the rest of those equal it.
    const auto below =
        std::count_if(bits.begin(), nth, [&](std::uint32_t value) { return value < threshold; });
    std::int64_t equalLeft = remove - below;
    for (std::size_t at = 0; at < scores.size(); ++at) {
        const std::uint32_t value = bitsOf(scores[at]);
        if (value < threshold || (value == threshold && equalLeft-- > 0)) {
            *chosen++ = static_cast<std::int64_t>(at);
        }
    }
}

std::int64_t chooseLowestOfRow(std::span<const float> scores, const SparsityPattern& pattern,
                               std::int64_t* chosen) {
    const auto cols = static_cast<std::int64_t>(scores.size());
    if (!pattern.isGrouped()) {
        const std::int64_t remove = pattern.removedOf(cols);
        chooseLowest(scores, remove, chosen);
        return remove;
    }
    std::int64_t total = 0;
    for (std::int64_t begin = 0; begin < cols; begin += pattern.groupOf) {
        const std::int64_t count = std::min<std::int64_t>(pattern.groupOf, cols - begin);
        const std::int64_t remove = std::max<std::int64_t>(0, count - pattern.keepOf);
        chooseLowest(
            scores.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)),
            remove, chosen + total);
        std::for_each(chosen + total, chosen + total + remove,
                      [&](std::int64_t& at) { at += begin; });
        total += remove;
    }
    return total;
}

}  // namespace pareto::compress
