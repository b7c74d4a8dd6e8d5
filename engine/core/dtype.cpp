#include "engine/core/dtype.h"

#include <array>

namespace pareto {
namespace {

struct TypeInfo {
    std::string_view name;
    std::size_t bytes;
    bool floating;
};

constexpr std::array<TypeInfo, 12> kTypes{{
    {"F64", 8, true},
    {"F32", 4, true},
    {"F16", 2, true},
    {"BF16", 2, true},
    {"F8_E4M3", 1, true},
    {"F8_E5M2", 1, true},
    {"I64", 8, false},
    {"I32", 4, false},
    {"I16", 2, false},
    {"I8", 1, false},
    {"U8", 1, false},
    {"BOOL", 1, false},
}};

}  // namespace

std::size_t dtypeBytes(DType type) { return kTypes[static_cast<std::size_t>(type)].bytes; }
std::string_view dtypeName(DType type) { return kTypes[static_cast<std::size_t>(type)].name; }
bool isFloating(DType type) { return kTypes[static_cast<std::size_t>(type)].floating; }

bool dtypeFromName(std::string_view name, DType& type) {
    for (std::size_t i = 0; i < kTypes.size(); ++i) {
        if (kTypes[i].name == name) {
            type = static_cast<DType>(i);
            return true;
        }
    }
    return false;
}

float halfToFloat(std::uint16_t bits) {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
    const std::uint32_t exponent = (bits >> 10) & 0x1FU;
    const std::uint32_t mantissa = bits & 0x3FFU;
    if (exponent == 0x1F) {
        return std::bit_cast<float>(sign | 0x7F800000U | (mantissa << 13));
    }
    if (exponent == 0) {
        // Subnormal: mantissa * 2^-24 is exact in binary32.
        const float value = static_cast<float>(mantissa) * 0x1p-24F;
        return sign != 0 ? -value : value;
    }
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

std::uint16_t floatToHalf(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    if (magnitude > 0x7F800000U) {
        return static_cast<std::uint16_t>(sign | 0x7E00U);
    }
    if (magnitude >= 0x477FF000U) {  // 65520 and above round to infinity
        return static_cast<std::uint16_t>(sign | 0x7C00U);
    }
    if (magnitude < 0x38800000U) {  // below 2^-14: subnormal; the addition rounds to even for us
        const float scaled = std::bit_cast<float>(magnitude) + 0.5F;
        return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(scaled) - 0x3F000000U));
    }
    const std::uint32_t odd = (magnitude >> 13) & 1U;
    return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000U + 0xFFFU + odd) >> 13));
}

std::uint16_t floatToBfloat(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
        return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
    }
    return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

}  // namespace pareto
