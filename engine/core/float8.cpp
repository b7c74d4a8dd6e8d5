#include "engine/core/float8.h"

#include <bit>

namespace pareto {

float float8ToFloat(std::uint8_t bits) {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x80U) << 24;
    const std::uint32_t magnitude = bits & 0x7FU;
    if (magnitude == 0x7F) {
        return std::bit_cast<float>(sign | 0x7FC00000U);
    }
    if (magnitude < 8) {
        const float value = static_cast<float>(magnitude) * 0x1p-9F;
        return sign != 0 ? -value : value;
    }
    return std::bit_cast<float>(sign | ((magnitude + (120U << 3)) << 20));
}

std::uint8_t floatToFloat8(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint8_t>((bits >> 24) & 0x80U);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    if (magnitude > 0x7F800000U) {
        return static_cast<std::uint8_t>(sign | 0x7FU);
    }
    if (magnitude >= 0x43E00000U) {  // 448 and above
        return static_cast<std::uint8_t>(sign | 0x7EU);
    }
    if (magnitude < 0x3C800000U) {  // below 2^-6: steps of 2^-9; the addition rounds to even for us
        const float scaled = std::bit_cast<float>(magnitude) + 0x1p14F;
        return static_cast<std::uint8_t>(sign | (std::bit_cast<std::uint32_t>(scaled) - 0x46800000U));
    }
    const std::uint32_t odd = (magnitude >> 20) & 1U;
    return static_cast<std::uint8_t>(sign | ((magnitude - 0x3C000000U + 0x7FFFFU + odd) >> 20));
}

}  // namespace pareto
