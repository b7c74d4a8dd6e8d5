// Products with fp32 weights in panels. See simd.h for why everything is in an unnamed namespace.
#pragma once

#include "engine/kernels/vector/simd.h"

namespace pareto::kernels {
namespace {

/// Sums of so many inputs times so many panels stay in registers.
constexpr int kFloatInputs = kWidth == 16 ? 8 : 6;
constexpr int kFloatPanels = kWidth == 16 ? 3 : 1;
constexpr int kPanelVecs = static_cast<int>(kPanelRows / kWidth);
/// Columns of these panels stay in the first cache (36 KiB), so many inputs in the second one while the panels pass.
constexpr std::int64_t kFloatDepth = 192;
constexpr std::int64_t kFloatChunk = 128;
/// Inputs that one tile takes wait for memory: then what comes a page later is asked for into the first cache.
constexpr std::int64_t kReadDepth = kPageBytes / (kPanelRows * 4);

/// Columns [col, col + depth) of some panels, and what of the weight is read behind them.
struct FloatBlock {
    const float* values = nullptr;
    std::int64_t panelStride = 0;  ///< floats to the next panel
    std::int64_t row = 0;
    std::int64_t height = 0;       ///< rows of the last panel
    std::int64_t col = 0;
    std::int64_t depth = 0;
    const float* next = nullptr;
    std::int64_t ahead = 0;        ///< columns of it to ask for with kAheadStretch of this one's
};

/// The block's panels times kM inputs from `m` on. kShort: one panel of fewer than 16 rows. kNear: see kReadDepth.
template <int kM, int kP, bool kShort, bool kNear>
inline void floatTile(const FloatGemm& a, const FloatBlock& block, std::int64_t m, const float* next) {
    static_assert(!kShort || kP == 1);
    constexpr int kV = kP * kPanelVecs;
    const std::int64_t width = kShort ? block.height : kPanelRows;
    float* out = a.out + m * a.ldo + block.row - a.firstRow;
    const auto rows = [&](int v) { return kShort ? lesser(kWidth, greater(0, block.height - v * kWidth)) : kWidth; };
    Vec sums[kM][kV];
#pragma GCC unroll 8
    for (int i = 0; i < kM; ++i) {
#pragma GCC unroll 4
        for (int v = 0; v < kV; ++v) {
            const float* from = out + i * a.ldo + v * kWidth;
            sums[i][v] = block.col == 0 ? zero() : kShort ? loadPart(from, rows(v)) : load(from);
        }
    }
    const float* x = a.x + m * a.ldx + block.col;
    for (std::int64_t c = 0; c < block.depth;) {
        for (std::int64_t line = 0; line < block.ahead; ++line, next += kPanelRows) {
#pragma GCC unroll 4
            for (int p = 0; p < kP; ++p) {
                _mm_prefetch(reinterpret_cast<const char*>(next + p * block.panelStride), kNear ? _MM_HINT_T0 : _MM_HINT_T1);
            }
        }
        for (const std::int64_t end = lesser(block.depth, c + kAheadStretch); c < end; ++c) {
            Vec weights[kV];
#pragma GCC unroll 4
            for (int v = 0; v < kV; ++v) {
                const float* from = block.values + v / kPanelVecs * block.panelStride + c * width + v % kPanelVecs * kWidth;
                weights[v] = kShort ? loadPart(from, rows(v)) : load(from);
            }
#pragma GCC unroll 8
            for (int i = 0; i < kM; ++i) {
                const Vec by = set1(x[i * a.ldx + c]);
#pragma GCC unroll 4
                for (int v = 0; v < kV; ++v) {
                    sums[i][v] = fma(weights[v], by, sums[i][v]);
                }
            }
        }
    }
    const bool last = block.col + block.depth == a.weight.cols;
    const Act act = last ? a.act : Act::None;
#pragma GCC unroll 4
    for (int v = 0; v < kV; ++v) {
        const Vec bias = last && a.bias != nullptr ? loadPart(a.bias + block.row + v * kWidth, rows(v)) : zero();
#pragma GCC unroll 8
        for (int i = 0; i < kM; ++i) {
            float* to = out + i * a.ldo + v * kWidth;
            const Vec value = activated(sums[i][v] + bias, act);
            kShort ? storePart(to, value, rows(v)) : store(to, value);
        }
    }
}

/// Tiles of kM inputs from `m` on; each asks for its share of what comes.
template <int kM, int kP, bool kShort, bool kNear>
inline void floatTiles(const FloatGemm& a, const FloatBlock& block, std::int64_t& m, std::int64_t end, const float*& next) {
    const std::int64_t share = block.ahead * stretchesOf(block.depth) * kPanelRows;
    for (; m + kM <= end; m += kM, next += share) {
        floatTile<kM, kP, kShort, kNear>(a, block, m, next);
    }
}

template <int kP, bool kShort, bool kNear>
inline void floatBlock(const FloatGemm& a, const FloatBlock& block, std::int64_t m, std::int64_t end) {
    const float* next = block.next;
    floatTiles<kFloatInputs, kP, kShort, kNear>(a, block, m, end, next);
    floatTiles<4, kP, kShort, kNear>(a, block, m, end, next);
    floatTiles<2, kP, kShort, kNear>(a, block, m, end, next);
    floatTiles<1, kP, kShort, kNear>(a, block, m, end, next);
}

/// kP panels from `panel` on times inputs [m, end).
template <int kP, bool kShort, bool kNear>
void floatPanels(const FloatGemm& a, std::int64_t panel, std::int64_t m, std::int64_t end) {
    const std::int64_t cols = a.weight.cols;
    const float* values = a.weight.values + panel * kPanelRows * cols;
    const std::int64_t left = (end - m) % kFloatInputs;
    const std::int64_t tiles = (end - m) / kFloatInputs + left / 4 + left % 4 / 2 + left % 2;
    const std::int64_t most = kNear ? kReadDepth : kFloatDepth;
    FloatBlock block;
    block.panelStride = kPanelRows * cols;
    block.row = panel * kPanelRows;
    block.height = lesser(kPanelRows, a.weight.rows - block.row);
    for (block.col = 0; block.col < cols; block.col += most) {
        block.depth = lesser(most, cols - block.col);
        block.values = values + block.col * (kShort ? block.height : kPanelRows);
        const std::int64_t behind = block.col + block.depth;
        block.next = behind < cols ? values + behind * kPanelRows : values + kP * block.panelStride;
        const std::int64_t columns = lesser(most, behind < cols ? cols - behind : cols);
        const std::int64_t stretches = tiles * stretchesOf(block.depth);
        block.ahead = (columns + stretches - 1) / stretches;
        floatBlock<kP, kShort, kNear>(a, block, m, end);
    }
}

template <bool kNear>
void floatChunk(const FloatGemm& a, std::int64_t panel, std::int64_t panelEnd, std::int64_t m, std::int64_t end) {
    if (panel >= panelEnd) {
        return;
    }
    const bool isShort = panelEnd * kPanelRows > a.weight.rows;
    const std::int64_t whole = panelEnd - (isShort ? 1 : 0);
    for (; panel + kFloatPanels <= whole; panel += kFloatPanels) {
        floatPanels<kFloatPanels, false, kNear>(a, panel, m, end);
    }
    if constexpr (kFloatPanels == 3) {
        if (panel + 2 <= whole) {
            floatPanels<2, false, kNear>(a, panel, m, end);
            panel += 2;
        }
    }
    if (panel < whole) {
        floatPanels<1, false, kNear>(a, panel, m, end);
    }
    if (isShort) {
        floatPanels<1, true, kNear>(a, whole, m, end);
    }
}

/// Sums run over the columns in order, whatever m is. Tolerance: 2e-6 · Σ |x · w|, the error of summing in fp32.
void floatGemm(const FloatGemm& a, std::int64_t panelBegin, std::int64_t panelEnd) {
    for (std::int64_t m = 0; m < a.m; m += kFloatChunk) {
        const std::int64_t end = lesser(a.m, m + kFloatChunk);
        a.m <= kFloatInputs ? floatChunk<true>(a, panelBegin, panelEnd, m, end) : floatChunk<false>(a, panelBegin, panelEnd, m, end);
    }
}

}  // namespace
}  // namespace pareto::kernels
