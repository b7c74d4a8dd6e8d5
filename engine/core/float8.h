#pragma once

#include <cstdint>

namespace pareto {

/// E4M3 without infinities (OCP FP8, "FN"; 0x7F and 0xFF are NaN, the largest is 448) <-> binary32, round to
/// nearest even; what is larger becomes ±448.
float float8ToFloat(std::uint8_t bits);
std::uint8_t floatToFloat8(float value);
inline constexpr float kLargestFloat8 = 448.0F;

}  // namespace pareto
