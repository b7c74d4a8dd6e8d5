// Panels of 8-bit weights without their zeros, with AVX-512 VBMI2: vpexpandb puts 64 codes back to their places.
#include "engine/kernels/vector/int8_common.h"
#include "engine/kernels/vector/vnni.h"

#include "engine/kernels/integer_entries.h"

namespace pareto::kernels {
namespace {

inline std::int64_t steps(const SparsePanels& w) { return w.dense.cols / 4; }

/// Steps of one panel, one after the other.
struct Stream {
    const std::uint64_t* masks;
    const std::int8_t* codes;

    Stream(const SparsePanels& w, std::int64_t panel)
        : masks(w.masks + panel * steps(w)), codes(w.codes + w.starts[panel]) {}
    __m512i next() {
        const std::uint64_t mask = *masks++;
        const __m512i out = _mm512_maskz_expand_epi8(mask, _mm512_loadu_si512(codes));
        codes += __builtin_popcountll(mask);
        return out;
    }
};

/// kM inputs from `m` times kP panels from `first`. A panel's codes are put back once for all of them.
template <int kM, int kP>
inline void panelsTile(const SparsePanelGemm& a, std::int64_t first, std::int64_t m) {
    const PackedInt8& w = a.weight.dense;
    const Int8Gemm& work = a.work;
    const std::int64_t height = lesser(kPanelRows, w.rows - first * kPanelRows);
    const __mmask16 rows = firstLanes(height);
    Vec total[kM][kP];
#pragma GCC unroll 4
    for (int i = 0; i < kM; ++i) {
#pragma GCC unroll 4
        for (int p = 0; p < kP; ++p) {
            total[i][p] = zero();
        }
    }
    const std::uint64_t* masks[kP];
    const std::int8_t* codes[kP];
#pragma GCC unroll 4
    for (int p = 0; p < kP; ++p) {
        const Stream stream(a.weight, first + p);
        masks[p] = stream.masks;
        codes[p] = stream.codes;
    }
    const std::uint8_t* input = work.codes + m * work.ldc;
    for (std::int64_t g = 0; g < w.groups; ++g) {
        const std::int64_t begin = g * w.groupSize;
        const std::int64_t count = (lesser(w.cols, begin + w.groupSize) - begin) / 4;
        __m512i acc[kM][kP];
#pragma GCC unroll 4
        for (int i = 0; i < kM; ++i) {
#pragma GCC unroll 4
            for (int p = 0; p < kP; ++p) {
                acc[i][p] = _mm512_setzero_si512();
            }
        }
        for (std::int64_t k = 0; k < count; ++k) {
            __m512i put[kP];
#pragma GCC unroll 4
            for (int p = 0; p < kP; ++p) {
                const std::uint64_t mask = masks[p][k];
                put[p] = _mm512_maskz_expand_epi8(mask, _mm512_loadu_si512(codes[p]));
                codes[p] += __builtin_popcountll(mask);
            }
#pragma GCC unroll 4
            for (int i = 0; i < kM; ++i) {
                const __m512i x = fourBytes(input + i * work.ldc);
#pragma GCC unroll 4
                for (int p = 0; p < kP; ++p) {
                    multiplyAdd(acc[i][p], x, put[p]);
                }
            }
            input += 4;
        }
#pragma GCC unroll 4
        for (int p = 0; p < kP; ++p) {
            masks[p] += count;
            const Panel panel = panelAt(w, first + p);
            const __m512i offset = _mm512_slli_epi32(_mm512_maskz_loadu_epi32(rows, panel.sums + g * height), 7);
#pragma GCC unroll 4
            for (int i = 0; i < kM; ++i) {
                total[i][p] = fma(fromInts(_mm512_sub_epi32(acc[i][p], offset)),
                                  set1(work.scales[(m + i) * w.groups + g]), total[i][p]);
            }
        }
    }
#pragma GCC unroll 4
    for (int p = 0; p < kP; ++p) {
        const std::int64_t row = (first + p) * kPanelRows;
        const Vec scale = w.perTensor ? set1(w.scales[0]) : Vec{_mm512_maskz_loadu_ps(rows, w.scales + row)};
        const Vec bias = work.bias != nullptr ? Vec{_mm512_maskz_loadu_ps(rows, work.bias + row)} : zero();
#pragma GCC unroll 4
        for (int i = 0; i < kM; ++i) {
            const Vec out = activated(fma(total[i][p], scale, bias), work.act);
            _mm512_mask_storeu_ps(work.out + (m + i) * work.ldo + row - work.firstRow, rows, out.v);
        }
    }
}

template <int kP>
inline void panelsOf(const SparsePanelGemm& a, std::int64_t panel) {
    std::int64_t m = 0;
    for (; m + 4 <= a.work.m; m += 4) {
        panelsTile<4, kP>(a, panel, m);
    }
    for (; m + 2 <= a.work.m; m += 2) {
        panelsTile<2, kP>(a, panel, m);
    }
    for (; m < a.work.m; ++m) {
        panelsTile<1, kP>(a, panel, m);
    }
}

}  // namespace

/// Integer sums are exact; tolerance of the result: 2e-6 of the largest output.
void sparsePanelGemmVbmi2(const SparsePanelGemm& a, std::int64_t p, std::int64_t panelEnd) {
    const std::int64_t whole = lesser(panelEnd, a.weight.dense.rows / kPanelRows);
    for (; p + 4 <= whole; p += 4) {
        panelsOf<4>(a, p);
    }
    for (; p < panelEnd; ++p) {
        panelsOf<1>(a, p);
    }
}

void expandPanelsVbmi2(const SparsePanels& w, std::int64_t begin, std::int64_t end, std::int8_t* out) {
    for (std::int64_t panel = begin; panel < end; ++panel) {
        Stream stream(w, panel);
        const std::int64_t height = lesser(kPanelRows, w.dense.rows - panel * kPanelRows);
        const __mmask16 rows = firstLanes(height);
        for (std::int64_t k = 0; k < steps(w); ++k) {
            _mm512_mask_storeu_epi32(out, rows, stream.next());
            out += 4 * height;
        }
    }
}

}  // namespace pareto::kernels
