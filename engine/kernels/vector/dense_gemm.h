// fp32 products with many inputs. See simd.h for why everything is in an unnamed namespace.
#pragma once

#include "engine/kernels/vector/simd.h"
#include "engine/kernels/vector/transpose.h"

namespace pareto::kernels {
namespace {

/// A block of the weight is transposed into a pack of the thread, where kPackRows of its rows lie side by side; a tile
/// of inputs times the pack stays in registers. Packing costs what one or two more inputs would.
constexpr std::int64_t kPackRows = 2 * kWidth;
constexpr std::int64_t kPackDepth = 192;
constexpr int kPackInputs = kWidth == 16 ? 12 : 6;

struct Pack {
    alignas(64) float values[kPackDepth * kPackRows];
    std::int64_t row = 0;
    std::int64_t rows = 0;   ///< at most kPackRows
    std::int64_t col = 0;
    std::int64_t depth = 0;  ///< at most kPackDepth
};

template <int kM>
inline void packTile(const RowsGemm& a, const Pack& pack, std::int64_t m) {
    const std::int64_t first = lesser(pack.rows, kWidth);
    const std::int64_t second = pack.rows - first;
    float* out = a.out + m * a.ldo + pack.row - a.firstRow;
    Vec low[kM];
    Vec high[kM];
#pragma GCC unroll 12
    for (int i = 0; i < kM; ++i) {
        low[i] = pack.col > 0 ? loadPart(out + i * a.ldo, first) : zero();
        high[i] = pack.col > 0 && second > 0 ? loadPart(out + i * a.ldo + kWidth, second) : zero();
    }
    const float* x = a.x + m * a.ldx + pack.col;
    for (std::int64_t c = 0; c < pack.depth; ++c) {
        const Vec left = load(pack.values + c * kPackRows);
        const Vec right = load(pack.values + c * kPackRows + kWidth);
#pragma GCC unroll 12
        for (int i = 0; i < kM; ++i) {
            const Vec by = set1(x[i * a.ldx + c]);
            low[i] = fma(left, by, low[i]);
            high[i] = fma(right, by, high[i]);
        }
    }
    const bool last = pack.col + pack.depth == a.weight.cols;
    const bool biased = last && a.bias != nullptr;
    const Vec biasLow = biased ? loadPart(a.bias + pack.row, first) : zero();
    const Vec biasHigh = biased && second > 0 ? loadPart(a.bias + pack.row + kWidth, second) : zero();
    const Act act = last ? a.act : Act::None;
#pragma GCC unroll 12
    for (int i = 0; i < kM; ++i) {
        storePart(out + i * a.ldo, activated(low[i] + biasLow, act), first);
        if (second > 0) {
            storePart(out + i * a.ldo + kWidth, activated(high[i] + biasHigh, act), second);
        }
    }
}

template <int kM>
inline std::int64_t packTiles(const RowsGemm& a, const Pack& pack, std::int64_t m) {
    for (; m + kM <= a.m; m += kM) {
        packTile<kM>(a, pack, m);
    }
    return m;
}

/// Rows [begin, end) of an fp32 weight times all inputs. Sums run over the columns in order, whatever m is.
void packedGemm(const RowsGemm& a, std::int64_t begin, std::int64_t end) {
    const auto* weight = static_cast<const float*>(a.weight.values);
    const std::int64_t cols = a.weight.cols;
    Pack pack;
    for (pack.row = begin; pack.row < end; pack.row += kPackRows) {
        pack.rows = lesser(kPackRows, end - pack.row);
        if (pack.rows < kPackRows) {
            for (float& value : pack.values) {
                value = 0.0F;
            }
        }
        for (pack.col = 0; pack.col < cols; pack.col += kPackDepth) {
            pack.depth = lesser(kPackDepth, cols - pack.col);
            transposeFloats(weight + pack.row * cols + pack.col, cols, pack.rows, pack.depth, pack.values, kPackRows);
            std::int64_t m = packTiles<kPackInputs>(a, pack, 0);
            m = packTiles<4>(a, pack, m);
            packTiles<1>(a, pack, m);
        }
    }
}

}  // namespace
}  // namespace pareto::kernels
