// Products with weights of which whole columns of a panel (fp32), or four of them (codes), are left out. The loop is the
// dense product's with a list of places instead of a counter: what is saved is arithmetic and reading alike.
#include "engine/kernels/vector/vnni.h"

#include "engine/kernels/integer_entries.h"

namespace pareto::kernels {
namespace {

constexpr std::int64_t kPlaceBytes = 4;   ///< an input's share of a place: a value, or four codes
constexpr std::int64_t kEntryBytes = 64;

/// Where kM inputs lie. Multiples of the distance are kept apart from each other, hidden from the compiler, which would
/// otherwise hold a register for each input.
struct Inputs {
    const char* first;
    std::int64_t one, three, five, seven;

    Inputs(const void* x, std::int64_t distance)
        : first(static_cast<const char*>(x)), one(distance), three(3 * distance), five(5 * distance), seven(7 * distance) {
        asm("" : "+r"(three), "+r"(five), "+r"(seven));
    }
    /// Input `i` < 8 of those from `at` on.
    const char* row(const char* at, int i) const {
        switch (i) {
            case 0: return at;
            case 1: return at + one;
            case 2: return at + 2 * one;
            case 3: return at + three;
            case 4: return at + 4 * one;
            case 5: return at + five;
            case 6: return at + 2 * three;
            default: return at + seven;
        }
    }
};

struct Floats {
    using Sum = __m512;
    static std::int64_t distance(const SparseStepGemm& a) { return a.ldx * kPlaceBytes; }
    static Sum none() { return _mm512_setzero_ps(); }
    static Sum start(const SparseStepGemm&, const Panel&, __mmask16, std::int64_t) { return none(); }
    static Sum add(Sum a, Sum b) { return _mm512_add_ps(a, b); }
    static void multiplyAdd(Sum& acc, const char* input, __m512i entry) {
        float x = 0.0F;
        __builtin_memcpy(&x, input, sizeof(x));
        acc = _mm512_fmadd_ps(_mm512_set1_ps(x), _mm512_castsi512_ps(entry), acc);
    }
    static Vec value(const SparseStepGemm&, Sum sum, std::int64_t, std::int64_t) { return {sum}; }
    static Vec scale(const SparseStepGemm&, const Panel&, __mmask16) { return set1(1.0F); }
};

struct Codes {
    using Sum = __m512i;
    static std::int64_t distance(const SparseStepGemm& a) { return a.ldx; }
    static Sum none() { return _mm512_setzero_si512(); }
    /// Without the 128 that inputs carry too much.
    static Sum start(const SparseStepGemm&, const Panel& panel, __mmask16 rows, std::int64_t group) {
        const __m512i sum = _mm512_maskz_loadu_epi32(rows, panel.sums + group * panel.height);
        return _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_slli_epi32(sum, 7));
    }
    static Sum add(Sum a, Sum b) { return _mm512_add_epi32(a, b); }
    static void multiplyAdd(Sum& acc, const char* input, __m512i entry) {
        pareto::kernels::multiplyAdd(acc, fourBytes(input), entry);
    }
    static Vec value(const SparseStepGemm& a, Sum sum, std::int64_t m, std::int64_t group) {
        return fromInts(sum) * set1(a.inputScales[m * a.weight.dense.groups + group]);
    }
    static Vec scale(const SparseStepGemm& a, const Panel& panel, __mmask16 rows) {
        const PackedInt8& w = a.weight.dense;
        return w.perTensor ? set1(w.scales[0]) : Vec{_mm512_maskz_loadu_ps(rows, w.scales + panel.row)};
    }
};

inline Panel stepPanel(const PackedInt8& w, std::int64_t index) {
    Panel out;
    out.row = index * kPanelRows;
    out.height = lesser(kPanelRows, w.rows - out.row);
    out.sums = w.codeSums != nullptr ? w.codeSums + out.row * w.groups : nullptr;
    return out;
}

/// kM inputs times an entry.
template <typename Kind, int kM>
inline void addEntry(const Inputs& inputs, std::uint16_t place, const char* entry, typename Kind::Sum* acc) {
    const __m512i w = _mm512_load_si512(entry);
    if constexpr (kM <= 8) {
        readAhead(entry);
    }
    const char* at = inputs.first + place * kPlaceBytes;
#pragma GCC unroll 16
    for (int i = 0; i < kM; ++i) {
        if (i == 8) {
            at += 8 * inputs.one;
            asm("" : "+r"(at));
        }
        Kind::multiplyAdd(acc[i], inputs.row(at, i % 8), w);
    }
}

/// kM inputs from `m` times one panel. With few inputs several entries have sums of their own, or each product would
/// wait for the one before.
template <typename Kind, int kM>
inline void stepsTile(const SparseStepGemm& a, std::int64_t index, std::int64_t m) {
    constexpr int kSums = kM >= 8 ? 1 : kM >= 4 ? 2 : 4;
    const SparseSteps& w = a.weight;
    const Panel panel = stepPanel(w.dense, index);
    const __mmask16 rows = firstLanes(panel.height);
    const Inputs inputs(static_cast<const char*>(a.x) + m * Kind::distance(a), Kind::distance(a));
    const std::uint32_t* starts = w.starts + index * w.dense.groups;
    Vec total[kM];
#pragma GCC unroll 16
    for (int i = 0; i < kM; ++i) {
        total[i] = zero();
    }
    for (std::int64_t g = 0; g < w.dense.groups; ++g) {
        const char* entry = static_cast<const char*>(w.entries) + std::int64_t{starts[g]} * kEntryBytes;
        const std::uint16_t* place = w.places + starts[g];
        const std::uint16_t* end = w.places + starts[g + 1];
        typename Kind::Sum acc[kSums][kM];
        const typename Kind::Sum start = Kind::start(a, panel, rows, g);
#pragma GCC unroll 16
        for (int i = 0; i < kM; ++i) {
            acc[0][i] = start;
#pragma GCC unroll 4
            for (int s = 1; s < kSums; ++s) {
                acc[s][i] = Kind::none();
            }
        }
        for (; kSums > 1 && place + kSums <= end; place += kSums, entry += kSums * kEntryBytes) {
#pragma GCC unroll 4
            for (int s = 0; s < kSums; ++s) {
                addEntry<Kind, kM>(inputs, place[s], entry + s * kEntryBytes, acc[s]);
            }
        }
        for (; place < end; ++place, entry += kEntryBytes) {
            addEntry<Kind, kM>(inputs, *place, entry, acc[0]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < kM; ++i) {
#pragma GCC unroll 4
            for (int s = 1; s < kSums; ++s) {
                acc[0][i] = Kind::add(acc[0][i], acc[s][i]);
            }
            total[i] = total[i] + Kind::value(a, acc[0][i], m + i, g);
        }
    }
    const Vec scale = Kind::scale(a, panel, rows);
    const Vec bias = a.bias != nullptr ? Vec{_mm512_maskz_loadu_ps(rows, a.bias + panel.row)} : zero();
    float* out = a.out + m * a.ldo + panel.row - a.firstRow;
#pragma GCC unroll 16
    for (int i = 0; i < kM; ++i) {
        _mm512_mask_storeu_ps(out + i * a.ldo, rows, fma(total[i], scale, bias).v);
    }
    // Apart: unrolled with the sums in registers it would be kM times the code of every activation.
    for (int i = 0; a.act != Act::None && i < kM; ++i, out += a.ldo) {
        _mm512_mask_storeu_ps(out, rows, activated({_mm512_maskz_loadu_ps(rows, out)}, a.act).v);
    }
}

/// kM inputs at a time from `m` on, all panels over them before the next ones: rows of outputs are far apart, and with
/// more of them under way each panel would find their pages gone from the address cache (measured with 1024 inputs of
/// 384 columns and 1536 rows: 1.0 ms instead of 2.5 with 80 inputs).
template <typename Kind, int kM>
inline std::int64_t stepsTiles(const SparseStepGemm& a, std::int64_t panelBegin, std::int64_t panelEnd, std::int64_t m) {
    for (; m + kM <= a.m; m += kM) {
        for (std::int64_t panel = panelBegin; panel < panelEnd; ++panel) {
            stepsTile<Kind, kM>(a, panel, m);
        }
    }
    return m;
}

template <typename Kind>
inline void multiplySteps(const SparseStepGemm& a, std::int64_t panelBegin, std::int64_t panelEnd) {
    std::int64_t m = stepsTiles<Kind, 16>(a, panelBegin, panelEnd, 0);
    m = stepsTiles<Kind, 8>(a, panelBegin, panelEnd, m);
    m = stepsTiles<Kind, 4>(a, panelBegin, panelEnd, m);
    m = stepsTiles<Kind, 2>(a, panelBegin, panelEnd, m);
    stepsTiles<Kind, 1>(a, panelBegin, panelEnd, m);
}

}  // namespace

/// Tolerance: fp32 2e-6 · Σ |x · w|, the error of summing; codes 2e-6 of the largest output (their sums are exact).
void sparseStepGemmVnni(const SparseStepGemm& a, std::int64_t panelBegin, std::int64_t panelEnd) {
    a.weight.kind == WeightKind::F32 ? multiplySteps<Floats>(a, panelBegin, panelEnd)
                                     : multiplySteps<Codes>(a, panelBegin, panelEnd);
}

}  // namespace pareto::kernels
