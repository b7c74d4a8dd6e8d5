#include "engine/kernels/pack.h"

namespace pareto::kernels {

std::int64_t packedOffset(std::int64_t rows, std::int64_t cols, std::int64_t row, std::int64_t col) {
    const std::int64_t panel = row / kPanelRows;
    const std::int64_t height = panelRows(rows, panel);
    const std::int64_t lane = row - panel * kPanelRows;
    const std::int64_t whole = cols / 4 * 4;
    const std::int64_t start = panel * kPanelRows * cols;
    if (col < whole) {
        return start + col / 4 * 4 * height + lane * 4 + col % 4;
    }
    return start + whole * height + lane * (cols - whole) + (col - whole);
}

void packCodes(const std::int8_t* codes, std::int64_t rows, std::int64_t cols, std::int8_t* out) {
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t col = 0; col < cols; ++col) {
            out[packedOffset(rows, cols, row, col)] = codes[row * cols + col];
        }
    }
}

void packSums(const std::int32_t* sums, std::int64_t rows, std::int64_t groups, std::int32_t* out) {
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t panel = row / kPanelRows;
        const std::int64_t height = panelRows(rows, panel);
        for (std::int64_t group = 0; group < groups; ++group) {
            out[panel * kPanelRows * groups + group * height + row % kPanelRows] =
                sums[row * groups + group];
        }
    }
}

void unpackRow(const PackedInt8& weight, std::int64_t row, std::int8_t* out) {
    for (std::int64_t col = 0; col < weight.cols; ++col) {
        out[col] = weight.codes[packedOffset(weight.rows, weight.cols, row, col)];
    }
}

}  // namespace pareto::kernels
