// Products with weights of which only entries of 4 bytes that are not zero are stored. Few inputs: a row's entries
// are spread to their columns in a register and meet the inputs there; what is saved is reading. Many inputs:
// neighbouring tokens fill a vector, and every entry is multiplied with them alone; what is saved is arithmetic.
#include "engine/kernels/vector/transpose.h"
#include "engine/kernels/vector/vnni.h"

#include "engine/kernels/integer_entries.h"

namespace pareto::kernels {
namespace {

/// Rows whose sums stay in the first cache beside the inputs they meet.
constexpr std::int64_t kSparseRows = 32;
/// Vectors of a tile's tokens, which are under way at once.
constexpr int kTokenVectors = kTileTokens / kTokenLanes;

inline std::int64_t bitsIn(std::uint64_t mask) { return __builtin_popcountll(mask); }

/// fp32: an entry is a value, a place a column.
struct Floats {
    using Sum = __m512;
    static constexpr std::int64_t kStretch = 1;  ///< words: 64 places of 64 tokens, 16 KiB

    static std::int64_t places(const SparseGemm& a) { return a.weight.cols; }
    static std::int64_t panelPlaces(const SparseGemm& a) { return (a.weight.cols + 1) / 2 * 2; }
    static std::int64_t stride(const SparseGemm& a) { return a.ldx; }  ///< of inputs, in entries
    static Sum none() { return _mm512_setzero_ps(); }
    static Sum add(Sum a, Sum b) { return _mm512_add_ps(a, b); }
    static __m512i everywhere(const std::int32_t* entry) { return _mm512_set1_epi32(*entry); }
    static __m512i inputs(const std::int32_t* from) { return _mm512_loadu_si512(from); }
    static void multiplyAdd(Sum& acc, __m512i inputs, __m512i entry) {
        acc = _mm512_fmadd_ps(_mm512_castsi512_ps(inputs), _mm512_castsi512_ps(entry), acc);
    }
    static Vec finish(const SparseGemm&, std::int64_t, Sum sum, std::int64_t, std::int64_t) { return {sum}; }
    static float finishOne(const SparseGemm&, std::int64_t, Sum sum, std::int64_t) { return sumOf({sum}); }
};

/// Codes: an entry is a block of four, a place four columns.
struct Codes {
    using Sum = __m512i;
    static constexpr std::int64_t kStretch = 2;  ///< 128 places of 64 tokens, 32 KiB

    static std::int64_t places(const SparseGemm& a) { return a.ldx / 4; }
    static std::int64_t panelPlaces(const SparseGemm& a) { return a.ldx / 4; }
    static std::int64_t stride(const SparseGemm& a) { return a.ldx / 4; }
    static Sum none() { return _mm512_setzero_si512(); }
    static Sum add(Sum a, Sum b) { return _mm512_add_epi32(a, b); }
    static __m512i everywhere(const std::int32_t* entry) { return _mm512_set1_epi32(*entry); }
    static __m512i inputs(const std::int32_t* from) { return _mm512_loadu_si512(from); }
    static void multiplyAdd(Sum& acc, __m512i inputs, __m512i entry) {
        pareto::kernels::multiplyAdd(acc, inputs, entry);
    }
    static float scale(const SparseGemm& a, std::int64_t row) { return a.weight.scales[a.weight.perTensor ? 0 : row]; }
    /// Inputs carry 128 too much each.
    static Vec finish(const SparseGemm& a, std::int64_t row, Sum sum, std::int64_t token, std::int64_t lanes) {
        const __m512i offset = _mm512_set1_epi32(128 * a.weight.codeSums[row]);
        return fromInts(_mm512_sub_epi32(sum, offset)) * loadPart(a.inputScales + token, lanes) * set1(scale(a, row));
    }
    static float finishOne(const SparseGemm& a, std::int64_t row, Sum sum, std::int64_t token) {
        const int whole = _mm512_reduce_add_epi32(sum) - 128 * a.weight.codeSums[row];
        return static_cast<float>(whole) * a.inputScales[token] * scale(a, row);
    }
};

inline const std::uint64_t* maskOf(const SparseRows& w, std::int64_t row) {
    return w.masks + row / w.maskRows * w.words;
}
inline const std::int32_t* entriesOf(const SparseRows& w, std::int64_t row) {
    return static_cast<const std::int32_t*>(w.values) + w.starts[row];
}

/// Takes the lowest entry off `mask`: where its inputs are. The address is hidden from the compiler, which would
/// otherwise give every product an index register, and the processor two operations for each.
template <int kT>
inline const std::int32_t* takeEntry(std::uint64_t& mask, const std::int32_t* inputs) {
    const std::int32_t* at = inputs + __builtin_ctzll(mask) * (kT * kTokenLanes);
    mask &= mask - 1;
    asm("" : "+r"(at));
    return at;
}

/// kT vectors of tokens times the entries of `words` words from `masks` on, which come in pairs; moves `entries` on.
template <typename Kind, int kT>
inline void addEntries(const std::uint64_t* masks, std::int64_t words, const std::int32_t*& entries,
                       const std::int32_t* inputs, typename Kind::Sum* sums) {
    // Two sums each: a product would wait for the one before.
    typename Kind::Sum even[kT];
    typename Kind::Sum odd[kT];
#pragma GCC unroll 4
    for (int t = 0; t < kT; ++t) {
        even[t] = sums[t];
        odd[t] = Kind::none();
    }
    const std::int32_t* next = entries;
    for (std::int64_t i = 0; i < words; ++i) {
        std::uint64_t mask = masks[i];
        while (mask != 0) {
            const std::int32_t* first = takeEntry<kT>(mask, inputs);
            const std::int32_t* second = takeEntry<kT>(mask, inputs);
            const __m512i one = Kind::everywhere(next);
            const __m512i two = Kind::everywhere(next + 1);
            next += 2;
#pragma GCC unroll 4
            for (int t = 0; t < kT; ++t) {
                Kind::multiplyAdd(even[t], Kind::inputs(first + kTokenLanes * t), one);
                Kind::multiplyAdd(odd[t], Kind::inputs(second + kTokenLanes * t), two);
            }
        }
        inputs += 64 * kT * kTokenLanes;
    }
    entries = next;
#pragma GCC unroll 4
    for (int t = 0; t < kT; ++t) {
        sums[t] = Kind::add(even[t], odd[t]);
    }
}

/// The same for kMaskRows rows that share their masks: inputs are read once for all of them.
template <typename Kind, int kT>
inline void addSharedEntries(const std::uint64_t* masks, std::int64_t words, const std::int32_t** entries,
                             const std::int32_t* inputs, typename Kind::Sum (*sums)[kT]) {
    typename Kind::Sum acc[kMaskRows][kT];
    const std::int32_t* next[kMaskRows];
#pragma GCC unroll 4
    for (int r = 0; r < kMaskRows; ++r) {
        next[r] = entries[r];
#pragma GCC unroll 4
        for (int t = 0; t < kT; ++t) {
            acc[r][t] = sums[r][t];
        }
    }
    std::int64_t done = 0;
    for (std::int64_t i = 0; i < words; ++i) {
        std::uint64_t mask = masks[i];
        while (mask != 0) {
            const std::int32_t* at = takeEntry<kT>(mask, inputs);
            __m512i in[kT];
#pragma GCC unroll 4
            for (int t = 0; t < kT; ++t) {
                in[t] = Kind::inputs(at + kTokenLanes * t);
            }
#pragma GCC unroll 4
            for (int r = 0; r < kMaskRows; ++r) {
                const __m512i entry = Kind::everywhere(next[r] + done);
#pragma GCC unroll 4
                for (int t = 0; t < kT; ++t) {
                    Kind::multiplyAdd(acc[r][t], in[t], entry);
                }
            }
            ++done;
        }
        inputs += 64 * kT * kTokenLanes;
    }
#pragma GCC unroll 4
    for (int r = 0; r < kMaskRows; ++r) {
        entries[r] += done;
#pragma GCC unroll 4
        for (int t = 0; t < kT; ++t) {
            sums[r][t] = acc[r][t];
        }
    }
}

/// Rows [row, row + count), at most kSparseRows, times the tile of kT · kTokenLanes tokens from `first` on.
template <typename Kind, int kT>
inline void panelTile(const SparseGemm& a, std::int64_t row, std::int64_t count, std::int64_t first) {
    const auto& w = a.weight;
    const auto* inputs = static_cast<const std::int32_t*>(a.panels) + first * Kind::panelPlaces(a);
    typename Kind::Sum sums[kSparseRows][kT];
    const std::int32_t* entries[kSparseRows];
    for (std::int64_t r = 0; r < count; ++r) {
        entries[r] = entriesOf(w, row + r);
        for (int t = 0; t < kT; ++t) {
            sums[r][t] = Kind::none();
        }
    }
    // A stretch of places whose inputs stay in the first cache, all rows over it, then the next.
    for (std::int64_t word = 0; word < w.words; word += Kind::kStretch) {
        const std::int64_t words = lesser(Kind::kStretch, w.words - word);
        const std::int32_t* from = inputs + word * 64 * kT * kTokenLanes;
        if (w.maskRows == kMaskRows && row % kMaskRows == 0 && count % kMaskRows == 0) {
            for (std::int64_t r = 0; r < count; r += kMaskRows) {
                addSharedEntries<Kind, kT>(maskOf(w, row + r) + word, words, entries + r, from, sums + r);
            }
            continue;
        }
        for (std::int64_t r = 0; r < count; ++r) {
            addEntries<Kind, kT>(maskOf(w, row + r) + word, words, entries[r], from, sums[r]);
        }
    }
    for (int t = 0; t < kT; ++t) {
        float tile[kSparseRows][kTokenLanes];
        const std::int64_t token = first + t * kTokenLanes;
        const std::int64_t lanes = lesser(kTokenLanes, a.m - token);
        for (std::int64_t r = 0; r < count; ++r) {
            Vec out = Kind::finish(a, row + r, sums[r][t], token, lanes);
            out = a.bias != nullptr ? out + set1(a.bias[row + r]) : out;
            store(tile[r], activated(out, a.act));
        }
        transposeFloats(tile[0], kTokenLanes, count, lanes, a.out + token * a.ldo + row - a.firstRow, a.ldo);
    }
}

template <typename Kind>
inline void manyInputs(const SparseGemm& a, std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = 0; first < a.m; first += kTileTokens) {
        const std::int64_t vectors = lesser(kTokenVectors, (a.m - first + kTokenLanes - 1) / kTokenLanes);
        for (std::int64_t row = begin; row < end; row += kSparseRows) {
            const std::int64_t count = lesser(kSparseRows, end - row);
            switch (vectors) {
                case 4: panelTile<Kind, 4>(a, row, count, first); break;
                case 3: panelTile<Kind, 3>(a, row, count, first); break;
                case 2: panelTile<Kind, 2>(a, row, count, first); break;
                default: panelTile<Kind, 1>(a, row, count, first); break;
            }
        }
    }
}

/// kR rows times kM inputs.
template <typename Kind, int kR, int kM>
inline void spreadRows(const SparseGemm& a, std::int64_t row, std::int64_t m) {
    const auto& w = a.weight;
    const std::int64_t places = Kind::places(a);
    const std::int64_t stride = Kind::stride(a);
    const auto* x = static_cast<const std::int32_t*>(a.x) + m * stride;
    const std::int32_t* entries[kR];
    typename Kind::Sum acc[kR][kM];
#pragma GCC unroll 2
    for (int r = 0; r < kR; ++r) {
        entries[r] = entriesOf(w, row + r);
#pragma GCC unroll 4
        for (int i = 0; i < kM; ++i) {
            acc[r][i] = Kind::none();
        }
    }
    for (std::int64_t word = 0; word < w.words; ++word) {
        std::uint64_t masks[kR];
#pragma GCC unroll 2
        for (int r = 0; r < kR; ++r) {
            masks[r] = maskOf(w, row + r)[word];
        }
        const std::int64_t left = places - word * 64;
        for (std::int64_t part = 0; part < 4 && part * 16 < left; ++part) {
            const std::int32_t* from = x + word * 64 + part * 16;
            const __mmask16 lanes = firstLanes(lesser(16, left - part * 16));
            __m512i in[kM];
#pragma GCC unroll 4
            for (int i = 0; i < kM; ++i) {
                in[i] = _mm512_maskz_loadu_epi32(lanes, from + i * stride);
            }
#pragma GCC unroll 2
            for (int r = 0; r < kR; ++r) {
                const auto bits = static_cast<__mmask16>(masks[r] >> (16 * part));
                // Counted from the word's beginning, so that no part waits for the one before.
                const std::int64_t before = bitsIn(masks[r] & ((std::uint64_t{1} << (16 * part)) - 1));
                readAhead(entries[r] + before);
                const __m512i spread = _mm512_maskz_expand_epi32(bits, _mm512_loadu_si512(entries[r] + before));
#pragma GCC unroll 4
                for (int i = 0; i < kM; ++i) {
                    Kind::multiplyAdd(acc[r][i], in[i], spread);
                }
            }
        }
#pragma GCC unroll 2
        for (int r = 0; r < kR; ++r) {
            entries[r] += bitsIn(masks[r]);
        }
    }
#pragma GCC unroll 2
    for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 4
        for (int i = 0; i < kM; ++i) {
            float value = Kind::finishOne(a, row + r, acc[r][i], m + i);
            value += a.bias != nullptr ? a.bias[row + r] : 0.0F;
            a.out[(m + i) * a.ldo + row + r - a.firstRow] = a.act == Act::None ? value : activatedOne(value, a.act);
        }
    }
}

/// Rows two at a time, inputs up to four at a time.
template <typename Kind>
inline void fewInputs(const SparseGemm& a, std::int64_t row, std::int64_t end) {
    for (; row < end; row += 2) {
        const bool two = row + 2 <= end;
        std::int64_t m = 0;
        for (; m + 4 <= a.m; m += 4) {
            two ? spreadRows<Kind, 2, 4>(a, row, m) : spreadRows<Kind, 1, 4>(a, row, m);
        }
        for (; m < a.m; ++m) {
            two ? spreadRows<Kind, 2, 1>(a, row, m) : spreadRows<Kind, 1, 1>(a, row, m);
        }
    }
}

template <typename Kind>
inline void multiplySparse(const SparseGemm& a, std::int64_t begin, std::int64_t end) {
    a.panels != nullptr ? manyInputs<Kind>(a, begin, end) : fewInputs<Kind>(a, begin, end);
}

}  // namespace

/// Tolerance: fp32 2e-6 · Σ |x · w|, the error of summing; codes 2e-6 of the largest output (their sums are exact).
void sparseGemmVnni(const SparseGemm& a, std::int64_t rowBegin, std::int64_t rowEnd) {
    a.weight.kind == WeightKind::F32 ? multiplySparse<Floats>(a, rowBegin, rowEnd)
                                     : multiplySparse<Codes>(a, rowBegin, rowEnd);
}

}  // namespace pareto::kernels
