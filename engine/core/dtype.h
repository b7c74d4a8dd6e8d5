#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace pareto {

/// Element types of tensors in files and in memory. Block formats of GGUF are no DType: the reader
/// of that file dequantizes them.
enum class DType : std::uint8_t { F64, F32, F16, BF16, F8E4M3, F8E5M2, I64, I32, I16, I8, U8, Bool };

std::size_t dtypeBytes(DType type);
/// "F32", as safetensors spells it.
std::string_view dtypeName(DType type);
bool dtypeFromName(std::string_view name, DType& type);
bool isFloating(DType type);

/// IEEE binary16 <-> binary32, round to nearest even; NaN stays NaN.
float halfToFloat(std::uint16_t bits);
std::uint16_t floatToHalf(float value);

inline float bfloatToFloat(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}
std::uint16_t floatToBfloat(float value);

}  // namespace pareto
