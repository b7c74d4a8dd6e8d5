#include "engine/io/convert.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace pareto::io {
namespace {

/// E4M3 without infinities (OCP FP8, "FN"): all ones is NaN.
float fromE4M3(std::uint8_t bits) {
    const int exponent = (bits >> 3) & 0x0F;
    const int mantissa = bits & 0x07;
    float value = 0;
    if (exponent == 0x0F && mantissa == 0x07) {
        value = std::numeric_limits<float>::quiet_NaN();
    } else if (exponent == 0) {
        value = std::ldexp(static_cast<float>(mantissa), -9);
    } else {
        value = std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
    }
    return (bits & 0x80) != 0 ? -value : value;
}

/// E5M2 is the upper byte of binary16.
float fromE5M2(std::uint8_t bits) { return halfToFloat(static_cast<std::uint16_t>(bits << 8)); }

template <typename T, typename Convert>
void each(std::span<const std::byte> bytes, float* out, Convert convert) {
    const std::size_t count = bytes.size() / sizeof(T);
    for (std::size_t i = 0; i < count; ++i) {
        T value;
        std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
        out[i] = convert(value);
    }
}

}  // namespace

void convertToFloat(DType type, std::span<const std::byte> bytes, float* out) {
    const auto cast = [](auto value) { return static_cast<float>(value); };
    switch (type) {
        case DType::F32: std::memcpy(out, bytes.data(), bytes.size()); break;
        case DType::F64: each<double>(bytes, out, cast); break;
        case DType::F16: each<std::uint16_t>(bytes, out, halfToFloat); break;
        case DType::BF16: each<std::uint16_t>(bytes, out, bfloatToFloat); break;
        case DType::F8E4M3: each<std::uint8_t>(bytes, out, fromE4M3); break;
        case DType::F8E5M2: each<std::uint8_t>(bytes, out, fromE5M2); break;
        case DType::I64: each<std::int64_t>(bytes, out, cast); break;
        case DType::I32: each<std::int32_t>(bytes, out, cast); break;
        case DType::I16: each<std::int16_t>(bytes, out, cast); break;
        case DType::I8: each<std::int8_t>(bytes, out, cast); break;
        case DType::U8: each<std::uint8_t>(bytes, out, cast); break;
        case DType::Bool:
            each<std::uint8_t>(bytes, out, [](std::uint8_t v) { return v != 0 ? 1.0F : 0.0F; });
            break;
    }
}

}  // namespace pareto::io
