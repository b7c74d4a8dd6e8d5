#pragma once

#include <cstdint>

#include "engine/kernels/kernel_table.h"

namespace pareto::kernels {

/// Rows of panel `panel`: 16, or what is left in the last one.
constexpr std::int64_t panelRows(std::int64_t rows, std::int64_t panel) {
    const std::int64_t left = rows - panel * kPanelRows;
    return left < kPanelRows ? left : kPanelRows;
}
constexpr std::int64_t panelCount(std::int64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

/// Byte of (row, col) in PackedInt8::codes.
std::int64_t packedOffset(std::int64_t rows, std::int64_t cols, std::int64_t row, std::int64_t col);

/// Row-major codes [rows][cols] into panels; `out` holds rows · cols bytes.
void packCodes(const std::int8_t* codes, std::int64_t rows, std::int64_t cols, std::int8_t* out);
/// Row-major sums [rows][groups] into panels; `out` holds rows · groups values.
void packSums(const std::int32_t* sums, std::int64_t rows, std::int64_t groups, std::int32_t* out);
/// Codes of one row, back in order.
void unpackRow(const PackedInt8& weight, std::int64_t row, std::int8_t* out);

}  // namespace pareto::kernels
