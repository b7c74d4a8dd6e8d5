#include "engine/io/convert.h"

#include <cstring>

#include "engine/core/float8.h"

namespace pareto::io {
namespace {

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
        case DType::F8E4M3: each<std::uint8_t>(bytes, out, float8ToFloat); break;
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
