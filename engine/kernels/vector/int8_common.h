// What the integer products of all instruction sets share. See simd.h for why everything is in an
// unnamed namespace.
#pragma once

#include "engine/kernels/vector/simd.h"

namespace pareto::kernels {
namespace {

/// One panel of a packed weight.
struct Panel {
    const std::int8_t* codes = nullptr;   ///< for every 4 columns: height × 4 codes
    const std::int8_t* tail = nullptr;    ///< the last cols % 4 columns: height × (cols % 4)
    const std::int32_t* sums = nullptr;   ///< [activation groups][height]
    std::int64_t row = 0;                 ///< first weight row
    std::int64_t height = 0;
};

inline Panel panelAt(const PackedInt8& w, std::int64_t index) {
    Panel out;
    out.row = index * kPanelRows;
    out.height = lesser(kPanelRows, w.rows - out.row);
    out.codes = w.codes + out.row * w.cols;
    out.tail = out.codes + w.cols / 4 * 4 * out.height;
    out.sums = w.codeSums + out.row * w.groups;
    return out;
}

/// The last columns of a panel as a whole step of 4, zeros where there is no column.
inline void fillTail(const Panel& panel, std::int64_t cols, std::int8_t (&out)[4 * kPanelRows]) {
    const std::int64_t rest = cols % 4;
    for (std::int64_t i = 0; i < 4 * kPanelRows; ++i) {
        out[i] = 0;
    }
    for (std::int64_t r = 0; r < panel.height; ++r) {
        for (std::int64_t c = 0; c < rest; ++c) {
            out[r * 4 + c] = panel.tail[r * rest + c];
        }
    }
}

inline float scaleAt(const PackedInt8& w, std::int64_t row) { return w.scales[w.perTensor ? 0 : row]; }

/// Activation groups that end inside a step of 4 columns: plain loops. Recipes choose multiples of
/// 32; this is for files that do not.
inline void oddGroups(const Int8Gemm& a, const Panel& panel) {
    const auto& w = a.weight;
    std::int8_t tail[4 * kPanelRows];
    fillTail(panel, w.cols, tail);
    for (std::int64_t r = 0; r < panel.height; ++r) {
        for (std::int64_t m = 0; m < a.m; ++m) {
            float total = 0.0F;
            for (std::int64_t g = 0; g < w.groups; ++g) {
                std::int32_t sum = -128 * panel.sums[g * panel.height + r];
                const std::int64_t end = lesser(w.cols, (g + 1) * w.groupSize);
                for (std::int64_t c = g * w.groupSize; c < end; ++c) {
                    const std::int64_t step = c / 4;
                    const std::int8_t code = step < w.cols / 4
                                                 ? panel.codes[(step * panel.height + r) * 4 + c % 4]
                                                 : tail[r * 4 + c % 4];
                    sum += static_cast<std::int32_t>(a.codes[m * a.ldc + c]) * code;
                }
                total += static_cast<float>(sum) * a.scales[m * w.groups + g];
            }
            const std::int64_t row = panel.row + r;
            total = total * scaleAt(w, row) + (a.bias != nullptr ? a.bias[row] : 0.0F);
            a.out[m * a.ldo + row - a.firstRow] = activatedOne(total, a.act);
        }
    }
}

inline bool hasOddGroups(const PackedInt8& w) { return w.groups > 1 && w.groupSize % 4 != 0; }

}  // namespace
}  // namespace pareto::kernels
