// Weights of 8, 4, 3 or 2 bits in groups, times inputs of 8 bits, with AVX-512 VNNI. Weights are the unsigned operand
// of vpdpbusd: parts of bytes need no sign, and sums begin with what the offset adds too much.
#include "engine/kernels/vector/vnni.h"

#include "engine/kernels/integer_entries.h"

namespace pareto::kernels {
namespace {

/// How a step's bytes, kLoads vectors of 16 rows, become kParts operands of 4 columns of these rows each.
struct Int8Step {
    static constexpr int kLoads = 1;
    static constexpr int kParts = 1;
    static constexpr int kBits = 8;
    static __m512i part(const __m512i* bytes, int) { return bytes[0]; }
};

struct Int4Step {
    static constexpr int kLoads = 1;
    static constexpr int kParts = 2;
    static constexpr int kBits = 4;
    static __m512i part(const __m512i* bytes, int part) {
        const __m512i shifted = part == 0 ? bytes[0] : _mm512_srli_epi16(bytes[0], 4);
        return _mm512_and_si512(shifted, _mm512_set1_epi8(15));
    }
};

/// `bytes` moved down so that bit `part` · 2 comes first.
inline __m512i pairOfBits(__m512i bytes, int part) {
    switch (part) {
        case 0: return bytes;
        case 1: return _mm512_srli_epi16(bytes, 2);
        case 2: return _mm512_srli_epi16(bytes, 4);
        default: return _mm512_srli_epi16(bytes, 6);
    }
}

struct Int2Step {
    static constexpr int kLoads = 1;
    static constexpr int kParts = 4;
    static constexpr int kBits = 2;
    static __m512i part(const __m512i* bytes, int part) {
        return _mm512_and_si512(pairOfBits(bytes[0], part), _mm512_set1_epi8(3));
    }
};

struct Int3Step {
    static constexpr int kLoads = 3;
    static constexpr int kParts = 8;
    static constexpr int kBits = 3;
    static __m512i part(const __m512i* bytes, int part) {
        const __m512i high = _mm512_and_si512(highBit(bytes[2], part), _mm512_set1_epi8(4));
        // The lowest two bits of the one, all others of the other: c ? a : b.
        return _mm512_ternarylogic_epi32(pairOfBits(bytes[part / 4], part % 4), high, _mm512_set1_epi8(3), 0xE4);
    }

private:
    /// Bit `part` of every byte where 4 stands.
    static __m512i highBit(__m512i bytes, int part) {
        switch (part) {
            case 0: return _mm512_slli_epi16(bytes, 2);
            case 1: return _mm512_slli_epi16(bytes, 1);
            case 2: return bytes;
            case 3: return _mm512_srli_epi16(bytes, 1);
            case 4: return _mm512_srli_epi16(bytes, 2);
            case 5: return _mm512_srli_epi16(bytes, 3);
            case 6: return _mm512_srli_epi16(bytes, 4);
            default: return _mm512_srli_epi16(bytes, 5);
        }
    }
};

template <typename Step>
inline const std::uint8_t* panelCodes(const PackedGroups& w, std::int64_t panel) {
    return w.codes + panel * kPanelRows * w.cols * Step::kBits / 8;
}

/// kM inputs from `m` times kP panels from `first`.
template <typename Step, int kM, int kP>
struct GroupTile {
    const GroupGemm& a;
    std::int64_t first;
    std::int64_t height;  ///< rows of these panels
    __mmask16 rows;

    GroupTile(const GroupGemm& work, std::int64_t panel) : a(work), first(panel) {
        height = lesser(kPanelRows, a.weight.rows - panel * kPanelRows);
        rows = firstLanes(height);
    }

    std::int64_t groupAt(int p, std::int64_t group) const {
        return (first + p) * kPanelRows * a.weight.groups + group * height;
    }

    void run(std::int64_t m) const {
        const auto& w = a.weight;
        const std::uint8_t* codes[kP];
        Vec total[kM][kP];
#pragma GCC unroll 8
        for (int p = 0; p < kP; ++p) {
            codes[p] = panelCodes<Step>(w, first + p);
#pragma GCC unroll 16
            for (int i = 0; i < kM; ++i) {
                total[i][p] = zero();
            }
        }
        const std::int8_t* input = a.codes + m * a.ldc;
        for (std::int64_t g = 0; g < w.groups; ++g) {
            const std::int64_t begin = g * w.groupSize;
            const std::int64_t steps = (lesser(w.cols, begin + w.groupSize) - begin) / (4 * Step::kParts);
            w.zeroPoints != nullptr ? addGroup<true>(m, g, steps, input, codes, total)
                                    : addGroup<false>(m, g, steps, input, codes, total);
            input += steps * 4 * Step::kParts;
        }
#pragma GCC unroll 8
        for (int p = 0; p < kP; ++p) {
            const std::int64_t row = (first + p) * kPanelRows;
            const Vec bias = a.bias != nullptr ? Vec{_mm512_maskz_loadu_ps(rows, a.bias + row)} : zero();
#pragma GCC unroll 16
            for (int i = 0; i < kM; ++i) {
                const Vec out = activated(total[i][p] + bias, a.act);
                _mm512_mask_storeu_ps(a.out + (m + i) * a.ldo + row - a.firstRow, rows, out.v);
            }
        }
    }

    static constexpr int kSums = kSumsOfFew<kM, kP>;
    using Sums = __m512i[kM][kP][kSums];

    /// A step's products, of which the first goes to sum `from`. Moves `codes` and `input` on.
    void addStep(const std::int8_t*& input, const std::uint8_t* (&codes)[kP], int from, Sums& acc) const {
        __m512i loaded[kP][Step::kLoads];
#pragma GCC unroll 8
        for (int p = 0; p < kP; ++p) {
#pragma GCC unroll 4
            for (int l = 0; l < Step::kLoads; ++l) {
                loaded[p][l] = _mm512_maskz_loadu_epi32(rows, codes[p]);
                if constexpr (kP == 1) {
                    readAhead(codes[p]);
                }
                codes[p] += 4 * height;
            }
        }
#pragma GCC unroll 8
        for (int s = 0; s < Step::kParts; ++s) {
            __m512i part[kP];
#pragma GCC unroll 8
            for (int p = 0; p < kP; ++p) {
                part[p] = Step::part(loaded[p], s);
            }
#pragma GCC unroll 16
            for (int i = 0; i < kM; ++i) {
                const __m512i x = fourBytes(input + i * a.ldc + 4 * s);
#pragma GCC unroll 8
                for (int p = 0; p < kP; ++p) {
                    multiplyAdd(acc[i][p][(from + s) % kSums], part[p], x);
                }
            }
        }
        input += 4 * Step::kParts;
    }

    /// Moves `codes` on. Every loop over sums is unrolled: see int8_gemm_vnni.cpp.
    template <bool kZeros>
    void addGroup(std::int64_t m, std::int64_t g, std::int64_t steps, const std::int8_t* input,
                  const std::uint8_t* (&codes)[kP], Vec (&total)[kM][kP]) const {
        constexpr int kSteps = kSums > Step::kParts ? kSums / Step::kParts : 1;
        const std::int32_t* sums = a.sums + g * a.m + m;
        Sums acc;
#pragma GCC unroll 16
        for (int i = 0; i < kM; ++i) {
            const __m512i sum = _mm512_set1_epi32(sums[i]);
#pragma GCC unroll 8
            for (int p = 0; p < kP; ++p) {
                acc[i][p][0] = sum;
#pragma GCC unroll 4
                for (int q = 1; q < kSums; ++q) {
                    acc[i][p][q] = _mm512_setzero_si512();
                }
            }
        }
        std::int64_t k = 0;
        for (; k + kSteps <= steps; k += kSteps) {
#pragma GCC unroll 4
            for (int step = 0; step < kSteps; ++step) {
                addStep(input, codes, step * Step::kParts, acc);
            }
        }
        for (; k < steps; ++k) {
            addStep(input, codes, 0, acc);
        }
        const float* scales = a.scales + g * a.m + m;
#pragma GCC unroll 8
        for (int p = 0; p < kP; ++p) {
            const std::int64_t at = groupAt(p, g);
            const Vec scale{_mm512_maskz_loadu_ps(rows, a.weight.scales + at)};
            Vec zeros = zero();  // in halves: what sums hold of the offset is theirs as well
            if constexpr (kZeros) {
                zeros = fromInts(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(rows, a.weight.zeroPoints + at))) *
                        set1(2.0F / static_cast<float>(1 << Step::kBits));
            }
#pragma GCC unroll 16
            for (int i = 0; i < kM; ++i) {
                __m512i sum = acc[i][p][0];
#pragma GCC unroll 4
                for (int q = 1; q < kSums; ++q) {
                    sum = _mm512_add_epi32(sum, acc[i][p][q]);
                }
                Vec value = fromInts(sum);
                if constexpr (kZeros) {
                    value = fma(zeros, set1(static_cast<float>(sums[i])), value);
                }
                total[i][p] = fma(value * scale, set1(scales[i]), total[i][p]);
            }
        }
    }
};

template <typename Step, int kM, int kP>
std::int64_t runTiles(const GroupGemm& a, std::int64_t panel, std::int64_t m, std::int64_t end) {
    const GroupTile<Step, kM, kP> tile(a, panel);
    for (; m + kM <= end; m += kM) {
        tile.run(m);
    }
    return m;
}

template <typename Step, int kP>
void runPanels(const GroupGemm& a, std::int64_t panel, std::int64_t m, std::int64_t end) {
    m = runTiles<Step, 6, kP>(a, panel, m, end);
    m = runTiles<Step, 4, kP>(a, panel, m, end);
    m = runTiles<Step, 2, kP>(a, panel, m, end);
    runTiles<Step, 1, kP>(a, panel, m, end);
}

/// Inputs [m, end) times panels [p, panelEnd).
template <typename Step>
void groupBlock(const GroupGemm& a, std::int64_t m, std::int64_t end, std::int64_t p, std::int64_t panelEnd) {
    const std::int64_t whole = lesser(panelEnd, a.weight.rows / kPanelRows);
    const bool few = areFew(end - m, a.ldc);
    if (few) {
        readFirstPage(panelCodes<Step>(a.weight, p));
    }
    for (; few && p < panelEnd; ++p) {
        std::int64_t next = runTiles<Step, 8, 1>(a, p, m, end);
        next = runTiles<Step, 6, 1>(a, p, next, end);
        next = runTiles<Step, 4, 1>(a, p, next, end);
        next = runTiles<Step, 3, 1>(a, p, next, end);
        next = runTiles<Step, 2, 1>(a, p, next, end);
        runTiles<Step, 1, 1>(a, p, next, end);
    }
    for (; p + 2 <= whole; p += 2) {
        runPanels<Step, 2>(a, p, m, end);
    }
    for (; p < panelEnd; ++p) {
        runPanels<Step, 1>(a, p, m, end);
    }
}

template <typename Step>
void groupPanels(const GroupGemm& a, std::int64_t panelBegin, std::int64_t panelEnd) {
    // As many inputs as stay in the first cache while all panels go by.
    const std::int64_t inputs = greater(12, 32768 / a.ldc / 12 * 12);
    for (std::int64_t m = 0; m < a.m; m += inputs) {
        groupBlock<Step>(a, m, lesser(a.m, m + inputs), panelBegin, panelEnd);
    }
}

}  // namespace

/// Integer sums are exact; tolerance of the result: 2e-6 · Σ_g scaleA · scaleW · Σ |codeA| · 2^b.
void groupGemmVnni(const GroupGemm& a, std::int64_t panelBegin, std::int64_t panelEnd) {
    switch (a.weight.kind) {
        case WeightKind::Int4: groupPanels<Int4Step>(a, panelBegin, panelEnd); break;
        case WeightKind::Int3: groupPanels<Int3Step>(a, panelBegin, panelEnd); break;
        case WeightKind::Int2: groupPanels<Int2Step>(a, panelBegin, panelEnd); break;
        default: groupPanels<Int8Step>(a, panelBegin, panelEnd); break;
    }
}

}  // namespace pareto::kernels
