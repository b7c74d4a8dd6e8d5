// Attention by products of bfloat16, with AVX-512 BF16: vdpbf16ps adds two products to each of 16 sums.
#include "engine/kernels/vector/attention.h"

#include "engine/kernels/integer_entries.h"

namespace pareto::kernels {
namespace {

struct Bf16Products {
    static constexpr std::int64_t kValues = 2;
    /// Written out for the reason that vnni.h gives.
    static void add(Vec& sum, Vec a, Vec b) { asm("vdpbf16ps %2, %1, %0" : "+v"(sum.v) : "v"(a.v), "v"(b.v)); }
    /// In place, up to the next multiple of kWidth with zeros.
    static void narrow(float* values, std::int64_t count) {
        auto* out = reinterpret_cast<unsigned char*>(values);
        for (std::int64_t i = 0; i < count; i += kWidth) {
            const Vec x = i + kWidth <= count ? load(values + i) : loadPart(values + i, count - i);
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 2 * i), rounded(x));
        }
    }

private:
    static __m256i rounded(Vec x) {
        const __m256bh halves = _mm512_cvtneps_pbh(x.v);
        __m256i out;
        __builtin_memcpy(&out, &halves, sizeof out);
        return out;
    }
};

inline __m512i pairs(Vec even, Vec odd) {
    // All even values in the low half of the vector, all odd ones in the high half; then side by side.
    const __m512bh halves = _mm512_cvtne2ps_pbh(odd.v, even.v);
    __m512i bits;
    __builtin_memcpy(&bits, &halves, sizeof bits);
    const __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(bits));
    const __m512i high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(bits, 1));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

}  // namespace

void pairRowsBf16(const float* even, const float* odd, std::int64_t count, float* out) {
    overVectors(
        count,
        [&](std::int64_t i) {
            _mm512_storeu_si512(out + i, pairs(load(even + i), odd != nullptr ? load(odd + i) : zero()));
        },
        [&](std::int64_t i, std::int64_t n) {
            const Vec second = odd != nullptr ? loadPart(odd + i, n) : zero();
            storePart(out + i, {_mm512_castsi512_ps(pairs(loadPart(even + i, n), second))}, n);
        });
}

/// Tolerance beside the reference: 2^-8 of the largest |v| (sums may round the last bit of an exponential the other way).
void attentionPairsBf16(const AttentionTile& a) {
    const std::int64_t entries = a.headDim / 2;
    for (std::int64_t row = 0; row < a.rows; ++row) {
        float* out = a.queryPairs + row * entries;
        const float* q = a.q + row * a.ldq;
        for (std::int64_t d = 0; d < a.headDim; d += kWidth) {
            const std::int64_t n = lesser(kWidth, a.headDim - d);
            const __m256bh halves = _mm512_cvtneps_pbh(loadPart(q + d, n).v);
            __m256 bits;
            __builtin_memcpy(&bits, &halves, sizeof bits);
            _mm256_mask_storeu_ps(out + d / 2, static_cast<__mmask8>((1U << (n / 2)) - 1U), bits);
        }
    }
    attend<Bf16Products>(a, a.queryPairs, entries);
}

}  // namespace pareto::kernels
