#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

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

/// Values of one row of an fp32 weight, back in order: `out` holds cols of them.
void unpackRow(const PackedFloats& weight, std::int64_t row, float* out);

/// Codes of `kind` in their logical form (see WeightRows) as PackedGroups holds them; cols a multiple of
/// groupColumns(kind), `out` holds as many bytes as `codes`.
void packGroupCodes(WeightKind kind, const std::uint8_t* codes, std::int64_t rows, std::int64_t cols,
                    std::uint8_t* out);
/// Scales or zero points [rows][groups] into panels.
template <typename T>
void packGroupValues(const T* values, std::int64_t rows, std::int64_t groups, T* out) {
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t panel = row / kPanelRows;
        for (std::int64_t group = 0; group < groups; ++group) {
            out[panel * kPanelRows * groups + group * panelRows(rows, panel) + row % kPanelRows] =
                values[row * groups + group];
        }
    }
}
/// The code of (row, col) of a packed weight: −2^(b − 1) … 2^(b − 1) − 1.
int groupCode(const PackedGroups& weight, std::int64_t row, std::int64_t col);

/// What SparseRows or SparsePanels point to.
struct SparsePack {
    std::vector<std::uint64_t> masks;
    std::vector<std::byte> values;  ///< with 64 bytes behind them
    std::vector<std::uint32_t> starts;

    std::uint64_t bytes() const;  ///< without those
};
/// Row-major [rows][cols] of float, or of std::int8_t in blocks of four columns, the last one filled up with zeros.
/// Fewer than 2^32 entries; see SparseRows for `maskRows` and for entries that are stored though they are zero.
template <typename T>
SparsePack packSparseRows(const T* values, std::int64_t rows, std::int64_t cols, std::int64_t maskRows = 1);
/// How many entries that stores.
template <typename T>
std::int64_t sparseEntries(const T* values, std::int64_t rows, std::int64_t cols, std::int64_t maskRows);
/// What SparseSteps points to.
struct StepsPack {
    struct alignas(64) Entry {
        std::byte bytes[64] = {};
    };
    std::vector<Entry> entries;
    std::vector<std::uint16_t> places;
    std::vector<std::uint32_t> starts;

    std::uint64_t bytes() const;
};
/// Row-major [rows][cols] of float, or of std::int8_t in groups of `groupSize` columns (0: one group; a multiple of 4).
/// At most 65536 places, fewer than 2^32 entries.
template <typename T>
StepsPack packSparseSteps(const T* values, std::int64_t rows, std::int64_t cols, std::int64_t groupSize = 0);
/// How many entries that stores, of all there could be.
template <typename T>
double sparseStepShare(const T* values, std::int64_t rows, std::int64_t cols);
/// Codes as packCodes leaves them; cols a multiple of 4, fewer than 2^32 codes.
SparsePack packSparsePanels(const std::int8_t* packed, std::int64_t rows, std::int64_t cols);

}  // namespace pareto::kernels
