// int8 products with AVX2: codes widened to 16 bits, so that no sum of two products saturates (as
// it would in vpmaddubsw).
#include "engine/kernels/vector/int8_common.h"

#include "engine/kernels/integer_entries.h"

namespace pareto::kernels {
namespace {

/// Four weight rows a vector: each row has two sums of two columns each.
constexpr int kVectors = 4;

inline __m256i fourInputs(const std::uint8_t* codes) {
    std::int32_t bits = 0;
    __builtin_memcpy(&bits, codes, 4);
    return _mm256_cvtepu8_epi16(_mm_set1_epi32(bits));
}

inline __m256i fourRows(const std::int8_t* codes) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
}

/// A step of a short panel, zeros behind its rows.
inline void copyStep(const std::int8_t* from, std::int64_t height, std::int8_t (&out)[4 * kPanelRows]) {
    for (std::int64_t i = 0; i < 4 * kPanelRows; ++i) {
        out[i] = i < height * 4 ? from[i] : std::int8_t{0};
    }
}

template <int kM>
inline void addStep(const std::int8_t* codes, const std::uint8_t* input, std::int64_t ldc,
                    __m256i (&acc)[kM][kVectors]) {
    __m256i rows[kVectors];
    for (int v = 0; v < kVectors; ++v) {
        rows[v] = fourRows(codes + 16 * v);
    }
    for (int m = 0; m < kM; ++m) {
        const __m256i x = fourInputs(input + m * ldc);
        for (int v = 0; v < kVectors; ++v) {
            acc[m][v] = _mm256_add_epi32(acc[m][v], _mm256_madd_epi16(rows[v], x));
        }
    }
}

/// kM inputs from `m` times one panel.
template <int kM>
void tile(const Int8Gemm& a, const Panel& panel, std::int64_t m) {
    const auto& w = a.weight;
    const std::uint8_t* input = a.codes + m * a.ldc;
    const std::int64_t step = panel.height * 4;
    float totals[kM][kPanelRows] = {};
    std::int8_t padded[4 * kPanelRows];
    for (std::int64_t g = 0; g < w.groups; ++g) {
        __m256i acc[kM][kVectors];
        for (int i = 0; i < kM; ++i) {
            for (int v = 0; v < kVectors; ++v) {
                acc[i][v] = _mm256_setzero_si256();
            }
        }
        const std::int64_t begin = g * w.groupSize;
        const std::int64_t end = lesser(w.cols, begin + w.groupSize);
        for (std::int64_t k = begin / 4; k < end / 4; ++k) {
            if (m == 0) {
                readAhead(panel.codes + k * step);  // later inputs find the panel in the cache
            }
            if (panel.height == kPanelRows) {
                addStep<kM>(panel.codes + k * step, input + 4 * k, a.ldc, acc);
            } else {
                copyStep(panel.codes + k * step, panel.height, padded);
                addStep<kM>(padded, input + 4 * k, a.ldc, acc);
            }
        }
        if (end % 4 != 0) {
            fillTail(panel, w.cols, padded);
            addStep<kM>(padded, input + end / 4 * 4, a.ldc, acc);
        }
        for (int i = 0; i < kM; ++i) {
            const float scale = a.scales[(m + i) * w.groups + g];
            std::int32_t sums[kVectors * 8];
            for (int v = 0; v < kVectors; ++v) {
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + 8 * v), acc[i][v]);
            }
            for (std::int64_t r = 0; r < panel.height; ++r) {
                const std::int32_t sum =
                    sums[2 * r] + sums[2 * r + 1] - 128 * panel.sums[g * panel.height + r];
                totals[i][r] += static_cast<float>(sum) * scale;
            }
        }
    }
    for (int i = 0; i < kM; ++i) {
        for (std::int64_t r = 0; r < panel.height; ++r) {
            const std::int64_t row = panel.row + r;
            totals[i][r] = totals[i][r] * scaleAt(w, row) + (a.bias != nullptr ? a.bias[row] : 0.0F);
        }
        float* out = a.out + (m + i) * a.ldo + panel.row - a.firstRow;
        for (std::int64_t r = 0; r < panel.height; r += kWidth) {
            const std::int64_t n = lesser(kWidth, panel.height - r);
            storePart(out + r, activated(loadPart(totals[i] + r, n), a.act), n);
        }
    }
}

}  // namespace

/// Integer sums are exact; tolerance of the result: 2e-6 of the largest output.
void int8GemmAvx2(const Int8Gemm& a, std::int64_t panelBegin, std::int64_t panelEnd) {
    for (std::int64_t p = panelBegin; p < panelEnd; ++p) {
        const Panel panel = panelAt(a.weight, p);
        if (hasOddGroups(a.weight)) {
            oddGroups(a, panel);
            continue;
        }
        std::int64_t m = 0;
        for (; m + 2 <= a.m; m += 2) {
            tile<2>(a, panel, m);
        }
        if (m < a.m) {
            tile<1>(a, panel, m);
        }
    }
}

}  // namespace pareto::kernels
