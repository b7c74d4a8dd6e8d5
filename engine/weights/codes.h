#pragma once

#include <cstdint>

#include "engine/spec/weight_format.h"

/// Rows of codes as they are held (codeBytes says how many bytes): int8 and int16 signed, little-endian;
/// int4, int3 and int2 as code + 2^(b−1), the bits one behind the other, the first in the lowest bits of the
/// first byte; F8 its E4M3 bits.
namespace pareto::codes {

/// The code of column `col`: the integer, of F8 the bits.
int at(NumberFormat format, const std::uint8_t* row, std::int64_t col);
/// Puts a code there; the others stay.
void put(NumberFormat format, std::uint8_t* row, std::int64_t col, int code);

/// Columns [begin, end) as integers, to out[0] …; of F8 the bits.
void read(NumberFormat format, const std::uint8_t* row, std::int64_t begin, std::int64_t end,
          std::int16_t* out);
/// The same as the numbers they stand for, before zero point and scale.
void readNumbers(NumberFormat format, const std::uint8_t* row, std::int64_t begin, std::int64_t end,
                 float* out);
/// A whole row; bits behind its last code are 0.
void write(NumberFormat format, const std::int16_t* codes, std::int64_t cols, std::uint8_t* row);

}  // namespace pareto::codes
