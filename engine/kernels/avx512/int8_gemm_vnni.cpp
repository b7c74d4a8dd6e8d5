// int8 products with AVX-512 VNNI: vpdpbusd multiplies unsigned inputs by signed weights, 64
// products an instruction. A tile of kM inputs × kP panels stays in registers.
#include "engine/kernels/vector/vnni.h"

#include "engine/kernels/integer_entries.h"

namespace pareto::kernels {
namespace {

struct WholePanel {
    static constexpr std::int64_t kStep = 4 * kPanelRows;
    static __m512i load(const std::int8_t* codes, __mmask16) { return _mm512_loadu_si512(codes); }
};
struct ShortPanel {
    static __m512i load(const std::int8_t* codes, __mmask16 rows) {
        return _mm512_maskz_loadu_epi32(rows, codes);
    }
};

/// Adds to sum `to` of each input and panel.
template <int kM, int kP, typename Kind, int kSums>
inline void addStep(const std::int8_t* const (&codes)[kP], std::int64_t offset, __mmask16 rows,
                    const std::uint8_t* input, std::int64_t ldc, __m512i (&acc)[kM][kP][kSums], int to) {
    __m512i w[kP];
#pragma GCC unroll 8
    for (int p = 0; p < kP; ++p) {
        w[p] = Kind::load(codes[p] + offset, rows);
        if constexpr (kP == 1) {
            readAhead(codes[p] + offset);
        }
    }
#pragma GCC unroll 8
    for (int m = 0; m < kM; ++m) {
        const __m512i x = fourBytes(input + m * ldc);
#pragma GCC unroll 8
        for (int p = 0; p < kP; ++p) {
            multiplyAdd(acc[m][p][to], x, w[p]);
        }
    }
}

/// What of the weight is read next: so many lines of 64 bytes to ask for with every kAheadStretch steps.
struct Ahead {
    const char* from = nullptr;
    std::int64_t lines = 0;
};

/// Tile of kM inputs from `m` times kP panels; Kind says whether the panels have all 16 rows.
template <int kM, int kP, typename Kind>
struct Tile {
    const Int8Gemm& a;
    Panel panels[kP];
    const std::int8_t* codes[kP];
    std::int8_t tails[kP][4 * kPanelRows];
    __mmask16 rows;

    Tile(const Int8Gemm& work, std::int64_t first) : a(work) {
        for (int p = 0; p < kP; ++p) {
            panels[p] = panelAt(a.weight, first + p);
            codes[p] = panels[p].codes;
            if (a.weight.cols % 4 != 0) {
                fillTail(panels[p], a.weight.cols, tails[p]);
            }
        }
        rows = firstLanes(panels[0].height);
    }

    static constexpr int kSums = kSumsOfFew<kM, kP>;

    /// Every loop over `acc` is unrolled: one index the compiler cannot see would keep all sums in
    /// memory (measured: 250 instead of 800 GOP/s).
    void sums(std::int64_t m, std::int64_t group, std::int64_t begin, std::int64_t end, __m512i (&out)[kM][kP], const Ahead& ahead) const {
        __m512i acc[kM][kP][kSums];
#pragma GCC unroll 8
        for (int p = 0; p < kP; ++p) {
            // Without the 128 that inputs carry too much.
            const std::int32_t* codeSums = panels[p].sums + group * panels[p].height;
            const __m512i sum = _mm512_maskz_loadu_epi32(rows, codeSums);
            const __m512i start = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_slli_epi32(sum, 7));
#pragma GCC unroll 8
            for (int i = 0; i < kM; ++i) {
                acc[i][p][0] = start;
#pragma GCC unroll 4
                for (int q = 1; q < kSums; ++q) {
                    acc[i][p][q] = _mm512_setzero_si512();
                }
            }
        }
        const std::uint8_t* input = a.codes + m * a.ldc;
        const std::int64_t step = 4 * panels[0].height;
        std::int64_t k = begin / 4;
        const char* next = ahead.from;
        while (k + kSums <= end / 4) {
            for (std::int64_t line = 0; line < ahead.lines; ++line, next += 64) {
                _mm_prefetch(next, _MM_HINT_T1);
            }
            const std::int64_t stop = ahead.lines > 0 ? lesser(end / 4, k + kAheadStretch) : end / 4;
            for (; k + kSums <= stop; k += kSums) {
#pragma GCC unroll 4
                for (int q = 0; q < kSums; ++q) {
                    addStep<kM, kP, Kind>(codes, (k + q) * step, rows, input + 4 * (k + q), a.ldc, acc, q);
                }
            }
        }
        for (; k < end / 4; ++k) {
            addStep<kM, kP, Kind>(codes, k * step, rows, input + 4 * k, a.ldc, acc, 0);
        }
        if (end % 4 != 0) {
            const std::int8_t* last[kP];
            for (int p = 0; p < kP; ++p) {
                last[p] = tails[p];
            }
            addStep<kM, kP, WholePanel>(last, 0, rows, input + end / 4 * 4, a.ldc, acc, 0);
        }
#pragma GCC unroll 8
        for (int i = 0; i < kM; ++i) {
#pragma GCC unroll 8
            for (int p = 0; p < kP; ++p) {
                out[i][p] = acc[i][p][0];
#pragma GCC unroll 4
                for (int q = 1; q < kSums; ++q) {
                    out[i][p] = _mm512_add_epi32(out[i][p], acc[i][p][q]);
                }
            }
        }
    }

    void finish(std::int64_t m, int p, Vec value) const { storePanel(a, a.weight, panels[p], rows, m, value); }

    void run(std::int64_t m, const Ahead& ahead) const {
        __m512i acc[kM][kP];
        if (a.weight.groups == 1) {
            sums(m, 0, 0, a.weight.cols, acc, ahead);
            for (int p = 0; p < kP; ++p) {
                for (int i = 0; i < kM; ++i) {
                    finish(m + i, p, fromInts(acc[i][p]) * set1(a.scales[m + i]));
                }
            }
            return;
        }
        Vec total[kM][kP];
#pragma GCC unroll 8
        for (int i = 0; i < kM; ++i) {
#pragma GCC unroll 8
            for (int p = 0; p < kP; ++p) {
                total[i][p] = zero();
            }
        }
        for (std::int64_t g = 0; g < a.weight.groups; ++g) {
            const std::int64_t begin = g * a.weight.groupSize;
            sums(m, g, begin, lesser(a.weight.cols, begin + a.weight.groupSize), acc, {});
#pragma GCC unroll 8
            for (int i = 0; i < kM; ++i) {
                const Vec scale = set1(a.scales[(m + i) * a.weight.groups + g]);
#pragma GCC unroll 8
                for (int p = 0; p < kP; ++p) {
                    total[i][p] = fma(fromInts(acc[i][p]), scale, total[i][p]);
                }
            }
        }
#pragma GCC unroll 8
        for (int i = 0; i < kM; ++i) {
#pragma GCC unroll 8
            for (int p = 0; p < kP; ++p) {
                finish(m + i, p, total[i][p]);
            }
        }
    }
};

template <int kM, int kP, typename Kind>
std::int64_t runTiles(const Int8Gemm& a, std::int64_t panel, std::int64_t m, Ahead ahead = {}) {
    const Tile<kM, kP, Kind> tile(a, panel);
    for (; m + kM <= a.m; m += kM) {
        tile.run(m, ahead);
        ahead.from += 64 * ahead.lines * stretchesOf(a.weight.cols / 4);
    }
    return m;
}

/// All inputs times kP panels from `panel`, as many at a time as leave registers for the sums over groups.
template <int kP, typename Kind>
void runPanels(const Int8Gemm& a, std::int64_t panel) {
    // Panels lie one behind the other: so do the ones that come.
    const std::int64_t bytes = kP * kPanelRows * a.weight.cols;
    const std::int64_t stretches = greater(1, stretchesOf(a.weight.cols / 4) * (a.m / 8));
    const Ahead ahead{reinterpret_cast<const char*>(panelAt(a.weight, panel).codes) + bytes, (bytes / 64 + stretches - 1) / stretches};
    std::int64_t m = a.weight.groups == 1 ? runTiles<8, kP, Kind>(a, panel, 0, ahead) : runTiles<6, kP, Kind>(a, panel, 0);
    m = runTiles<4, kP, Kind>(a, panel, m);
    m = runTiles<2, kP, Kind>(a, panel, m);
    runTiles<1, kP, Kind>(a, panel, m);
}

template <typename Kind>
void runFew(const Int8Gemm& a, std::int64_t panel) {
    std::int64_t m = runTiles<8, 1, Kind>(a, panel, 0);
    m = runTiles<6, 1, Kind>(a, panel, m);
    m = runTiles<4, 1, Kind>(a, panel, m);
    m = runTiles<3, 1, Kind>(a, panel, m);
    m = runTiles<2, 1, Kind>(a, panel, m);
    runTiles<1, 1, Kind>(a, panel, m);
}

}  // namespace

/// Integer sums are exact; tolerance of the result: 2e-6 of the largest output.
void int8GemmVnni(const Int8Gemm& a, std::int64_t panelBegin, std::int64_t panelEnd) {
    std::int64_t p = panelBegin;
    if (hasOddGroups(a.weight)) {
        for (; p < panelEnd; ++p) {
            oddGroups(a, panelAt(a.weight, p));
        }
        return;
    }
    const std::int64_t whole = lesser(panelEnd, a.weight.rows / kPanelRows);
    if (areFew(a.m, a.ldc)) {
        readFirstPage(panelAt(a.weight, p).codes);
        for (; p < panelEnd; ++p) {
            p < whole ? runFew<WholePanel>(a, p) : runFew<ShortPanel>(a, p);
        }
        return;
    }
    for (; a.weight.groups == 1 && p + 3 <= whole; p += 3) {
        runPanels<3, WholePanel>(a, p);
    }
    for (; p + 2 <= whole; p += 2) {
        runPanels<2, WholePanel>(a, p);
    }
    for (; p < whole; ++p) {
        runPanels<1, WholePanel>(a, p);
    }
    for (; p < panelEnd; ++p) {
        runPanels<1, ShortPanel>(a, p);
    }
}

}  // namespace pareto::kernels
