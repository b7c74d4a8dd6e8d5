// Panels of 8-bit weights without their zeros, with AVX-512 VBMI2: vpexpandb puts 64 codes back to their places.
#include "engine/kernels/vector/vnni.h"

#include "engine/kernels/integer_entries.h"

namespace pareto::kernels {
namespace {

inline std::int64_t steps(const SparsePanels& w) { return w.dense.cols / 4; }

/// Steps of one panel, one after the other.
struct Stream {
    const std::uint64_t* masks;
    const std::int8_t* codes;

    __m512i next() {
        const std::uint64_t mask = *masks++;
        const __m512i out = _mm512_maskz_expand_epi8(mask, _mm512_loadu_si512(codes));
        codes += __builtin_popcountll(mask);
        return out;
    }
};

inline Stream streamOf(const SparsePanels& w, std::int64_t panel) {
    return {w.masks + panel * steps(w), w.codes + w.starts[panel]};
}

/// kM inputs from `m` times kP panels from `first`. A panel's codes are put back once for all of them.
template <int kM, int kP>
inline void panelsTile(const SparsePanelGemm& a, std::int64_t first, std::int64_t m) {
    const PackedInt8& w = a.weight.dense;
    const Int8Gemm& work = a.work;
    const __mmask16 rows = firstLanes(lesser(kPanelRows, w.rows - first * kPanelRows));
    Vec total[kM][kP];
#pragma GCC unroll 4
    for (int i = 0; i < kM; ++i) {
#pragma GCC unroll 4
        for (int p = 0; p < kP; ++p) {
            total[i][p] = zero();
        }
    }
    Stream streams[kP];
    Panel panels[kP];
#pragma GCC unroll 4
    for (int p = 0; p < kP; ++p) {
        streams[p] = streamOf(a.weight, first + p);
        panels[p] = panelAt(w, first + p);
    }
    // Panels side by side are read at a time: of the next ones about the same places.
    const std::int64_t span = greater(kPageBytes, a.weight.starts[first + kP] - a.weight.starts[first]);
    const std::int64_t maskSpan = kP * steps(a.weight) * static_cast<std::int64_t>(sizeof(std::uint64_t));
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
                readAhead(streams[p].codes, span);
                readAhead(streams[p].masks, maskSpan);
                put[p] = streams[p].next();
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
#pragma GCC unroll 4
            for (int i = 0; i < kM; ++i) {
                total[i][p] = fma(centredSums(acc[i][p], panels[p], rows, g),
                                  set1(work.scales[(m + i) * w.groups + g]), total[i][p]);
            }
        }
    }
#pragma GCC unroll 4
    for (int p = 0; p < kP; ++p) {
#pragma GCC unroll 4
        for (int i = 0; i < kM; ++i) {
            storePanel(work, w, panels[p], rows, m + i, total[i][p]);
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
        Stream stream = streamOf(w, panel);
        const std::int64_t height = lesser(kPanelRows, w.dense.rows - panel * kPanelRows);
        const __mmask16 rows = firstLanes(height);
        for (std::int64_t k = 0; k < steps(w); ++k) {
            _mm512_mask_storeu_epi32(out, rows, stream.next());
            out += 4 * height;
        }
    }
}

}  // namespace pareto::kernels
