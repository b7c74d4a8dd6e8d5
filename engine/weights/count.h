#pragma once

#include <algorithm>
#include <cstdint>

namespace pareto {

/// How many of [0, count) are such that is(i). In stretches short enough for counters of 32 bits, which vectors hold
/// as many of as of fp32 values.
template <typename Is>
std::int64_t countWhere(std::int64_t count, Is is) {
    constexpr std::int64_t kStretch = 1 << 16;
    std::int64_t total = 0;
    for (std::int64_t begin = 0; begin < count; begin += kStretch) {
        const std::int64_t end = std::min(count, begin + kStretch);
        std::int32_t part = 0;
        for (std::int64_t i = begin; i < end; ++i) {
            part += is(i) ? 1 : 0;
        }
        total += part;
    }
    return total;
}

}  // namespace pareto
