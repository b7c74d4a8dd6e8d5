// One width of vectors under one set of names. Included by files that are compiled for one
// instruction set each; everything stands in an unnamed namespace, so that no copy compiled for one
// set can be linked into another (which is also why the standard library is not used here).
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/kernel_table.h"

namespace pareto::kernels {
namespace {

#if defined(__AVX512F__)

constexpr std::int64_t kWidth = 16;
struct Vec {
    __m512 v;
};
using IntVec = __m512i;

inline __mmask16 firstLanes(std::int64_t n) {
    return static_cast<__mmask16>((1U << n) - 1U);
}
inline Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
inline Vec loadPart(const float* p, std::int64_t n) { return {_mm512_maskz_loadu_ps(firstLanes(n), p)}; }
inline void storePart(float* p, Vec a, std::int64_t n) { _mm512_mask_storeu_ps(p, firstLanes(n), a.v); }
inline Vec set1(float x) { return {_mm512_set1_ps(x)}; }
inline Vec zero() { return {_mm512_setzero_ps()}; }
inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
/// The second operand when either is not a number.
inline Vec maxOf(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
inline Vec minOf(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec absOf(Vec a) { return {_mm512_abs_ps(a.v)}; }
inline Vec withSignOf(Vec magnitude, Vec sign) {
    return {_mm512_or_ps(magnitude.v, _mm512_and_ps(sign.v, _mm512_set1_ps(-0.0F)))};
}
inline Vec nearest(Vec a) {
    return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline Vec timesPowerOf2(Vec a, Vec n) { return {_mm512_scalef_ps(a.v, n.v)}; }
/// The bits of b, moved up, added to those of a as integers.
inline Vec plusShiftedBits(Vec a, Vec b, int by) {
    return {_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a.v), _mm512_slli_epi32(_mm512_castps_si512(b.v), by)))};
}
inline float sumOf(Vec a) { return _mm512_reduce_add_ps(a.v); }
inline float largestOf(Vec a) { return _mm512_reduce_max_ps(a.v); }
inline Vec fromInts(IntVec a) { return {_mm512_cvtepi32_ps(a)}; }
inline Vec loadHalf(const std::uint16_t* p) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
inline Vec loadBfloat(const std::uint16_t* p) {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(wide, 16))};
}
inline Vec loadInt8(const std::int8_t* p) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
}
inline Vec loadInt16(const void* p) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p))))};
}
/// E4M3 by way of binary16: the same bits behind another bias, 2^8 apart; its subnormals become binary16's.
inline Vec loadFloat8(const std::uint8_t* p) {
    const __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    const __m256i sign = _mm256_slli_epi16(_mm256_and_si256(wide, _mm256_set1_epi16(0x80)), 8);
    const __m256i rest = _mm256_slli_epi16(_mm256_and_si256(wide, _mm256_set1_epi16(0x7F)), 7);
    return {_mm512_mul_ps(_mm512_cvtph_ps(_mm256_or_si256(sign, rest)), _mm512_set1_ps(256.0F))};
}
/// kWidth codes of kBits ≤ 3 bits in a word, the first lowest, as integers −2^(kBits − 1) ….
template <int kBits>
inline Vec fromPacked(std::uint64_t word) {
    constexpr int kHalf = 1 << (kBits - 1);
    const __m512i shifts = _mm512_mullo_epi32(
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7), _mm512_set1_epi32(kBits));
    const __m512i halves = _mm512_inserti64x4(_mm512_set1_epi32(static_cast<int>(word)),
                                              _mm256_set1_epi32(static_cast<int>(word >> (8 * kBits))), 1);
    const __m512i codes =
        _mm512_and_si512(_mm512_srlv_epi32(halves, shifts), _mm512_set1_epi32(2 * kHalf - 1));
    return {_mm512_cvtepi32_ps(_mm512_sub_epi32(codes, _mm512_set1_epi32(kHalf)))};
}
/// 2 · kWidth nibbles (code + 8): even columns in `even`, odd ones in `odd`.
inline void loadInt4(const std::uint8_t* p, Vec& even, Vec& odd) {
    const __m512 table = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
    const __m512i pairs = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    even.v = _mm512_permutexvar_ps(pairs, table);  // looks at the low four bits only
    odd.v = _mm512_permutexvar_ps(_mm512_srli_epi32(pairs, 4), table);
}
/// 2 · kWidth values to those at even and at odd places.
inline void deinterleave(const float* p, Vec& even, Vec& odd) {
    const __m512i pick = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512 low = _mm512_loadu_ps(p);
    const __m512 high = _mm512_loadu_ps(p + 16);
    even.v = _mm512_permutex2var_ps(low, pick, high);
    odd.v = _mm512_permutex2var_ps(low, _mm512_add_epi32(pick, _mm512_set1_epi32(1)), high);
}
inline void storeInterleaved(float* p, Vec even, Vec odd) {
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    _mm512_storeu_ps(p, _mm512_permutex2var_ps(even.v, low, odd.v));
    _mm512_storeu_ps(p + 16, _mm512_permutex2var_ps(even.v, _mm512_add_epi32(low, _mm512_set1_epi32(8)), odd.v));
}
/// Whole numbers −128 … 127 to codes + kOffset, which is 0 or 128.
template <int kOffset>
inline void storeCodes(std::uint8_t* p, Vec a) {
    const __m512i codes = _mm512_add_epi32(_mm512_cvtps_epi32(a.v), _mm512_set1_epi32(kOffset));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(codes));
}

/// The same of four vectors.
template <int kOffset>
inline void storeCodes(std::uint8_t* p, const Vec (&a)[4]) {
    const __m512i words01 = _mm512_packs_epi32(_mm512_cvtps_epi32(a[0].v), _mm512_cvtps_epi32(a[1].v));
    const __m512i words23 = _mm512_packs_epi32(_mm512_cvtps_epi32(a[2].v), _mm512_cvtps_epi32(a[3].v));
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i codes = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(words01, words23));
    _mm512_storeu_si512(p, kOffset == 0 ? codes : _mm512_xor_si512(codes, _mm512_set1_epi8(-128)));
}

#else

constexpr std::int64_t kWidth = 8;
struct Vec {
    __m256 v;
};
using IntVec = __m256i;

inline __m256i firstLanes(std::int64_t n) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lanes);
}
inline Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
inline void store(float* p, Vec a) { _mm256_storeu_ps(p, a.v); }
inline Vec loadPart(const float* p, std::int64_t n) { return {_mm256_maskload_ps(p, firstLanes(n))}; }
inline void storePart(float* p, Vec a, std::int64_t n) { _mm256_maskstore_ps(p, firstLanes(n), a.v); }
inline Vec set1(float x) { return {_mm256_set1_ps(x)}; }
inline Vec zero() { return {_mm256_setzero_ps()}; }
inline Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
/// The second operand when either is not a number.
inline Vec maxOf(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
inline Vec minOf(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
inline Vec absOf(Vec a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0F), a.v)}; }
inline Vec withSignOf(Vec magnitude, Vec sign) {
    return {_mm256_or_ps(magnitude.v, _mm256_and_ps(sign.v, _mm256_set1_ps(-0.0F)))};
}
inline Vec nearest(Vec a) {
    return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
/// n is a whole number in −126 … 127.
inline Vec timesPowerOf2(Vec a, Vec n) {
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127));
    return {_mm256_mul_ps(a.v, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)))};
}
inline Vec plusShiftedBits(Vec a, Vec b, int by) {
    return {_mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a.v), _mm256_slli_epi32(_mm256_castps_si256(b.v), by)))};
}
inline float sumOf(Vec a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
inline float largestOf(Vec a) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
inline Vec fromInts(IntVec a) { return {_mm256_cvtepi32_ps(a)}; }
inline Vec loadHalf(const std::uint16_t* p) {
    return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
inline Vec loadBfloat(const std::uint16_t* p) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(wide, 16))};
}
inline Vec loadInt8(const std::int8_t* p) {
    return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))))};
}
inline Vec loadInt16(const void* p) {
    return {_mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p))))};
}
/// E4M3 by way of binary16: the same bits behind another bias, 2^8 apart; its subnormals become binary16's.
inline Vec loadFloat8(const std::uint8_t* p) {
    const __m128i wide = _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    const __m128i sign = _mm_slli_epi16(_mm_and_si128(wide, _mm_set1_epi16(0x80)), 8);
    const __m128i rest = _mm_slli_epi16(_mm_and_si128(wide, _mm_set1_epi16(0x7F)), 7);
    return {_mm256_mul_ps(_mm256_cvtph_ps(_mm_or_si128(sign, rest)), _mm256_set1_ps(256.0F))};
}
/// kWidth codes of kBits ≤ 3 bits in a word, the first lowest, as integers −2^(kBits − 1) ….
template <int kBits>
inline Vec fromPacked(std::uint64_t word) {
    constexpr int kHalf = 1 << (kBits - 1);
    const __m256i shifts =
        _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(kBits));
    const __m256i all = _mm256_set1_epi32(static_cast<int>(word));
    const __m256i codes =
        _mm256_and_si256(_mm256_srlv_epi32(all, shifts), _mm256_set1_epi32(2 * kHalf - 1));
    return {_mm256_cvtepi32_ps(_mm256_sub_epi32(codes, _mm256_set1_epi32(kHalf)))};
}
/// 2 · kWidth nibbles (code + 8): even columns in `even`, odd ones in `odd`.
inline void loadInt4(const std::uint8_t* p, Vec& even, Vec& odd) {
    const __m256i pairs = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    const __m256i eight = _mm256_set1_epi32(8);
    const __m256i low = _mm256_and_si256(pairs, _mm256_set1_epi32(15));
    even.v = _mm256_cvtepi32_ps(_mm256_sub_epi32(low, eight));
    odd.v = _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_srli_epi32(pairs, 4), eight));
}
/// 2 · kWidth values to those at even and at odd places.
inline void deinterleave(const float* p, Vec& even, Vec& odd) {
    const __m256 low = _mm256_loadu_ps(p);
    const __m256 high = _mm256_loadu_ps(p + 8);
    const __m256 evens = _mm256_shuffle_ps(low, high, 0x88);
    const __m256 odds = _mm256_shuffle_ps(low, high, 0xDD);
    even.v = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(evens), 0xD8));
    odd.v = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(odds), 0xD8));
}
inline void storeInterleaved(float* p, Vec even, Vec odd) {
    const __m256 low = _mm256_unpacklo_ps(even.v, odd.v);
    const __m256 high = _mm256_unpackhi_ps(even.v, odd.v);
    _mm256_storeu_ps(p, _mm256_permute2f128_ps(low, high, 0x20));
    _mm256_storeu_ps(p + 8, _mm256_permute2f128_ps(low, high, 0x31));
}
/// Whole numbers −128 … 127 to codes + kOffset, which is 0 or 128.
template <int kOffset>
inline void storeCodes(std::uint8_t* p, Vec a) {
    const __m256i codes = _mm256_add_epi32(_mm256_cvtps_epi32(a.v), _mm256_set1_epi32(kOffset));
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(codes), _mm256_extracti128_si256(codes, 1));
    const __m128i bytes = kOffset == 0 ? _mm_packs_epi16(words, words) : _mm_packus_epi16(words, words);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), bytes);
}
/// The same of four vectors.
template <int kOffset>
inline void storeCodes(std::uint8_t* p, const Vec (&a)[4]) {
    const __m256i words01 = _mm256_packs_epi32(_mm256_cvtps_epi32(a[0].v), _mm256_cvtps_epi32(a[1].v));
    const __m256i words23 = _mm256_packs_epi32(_mm256_cvtps_epi32(a[2].v), _mm256_cvtps_epi32(a[3].v));
    const __m256i codes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(words01, words23), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), kOffset == 0 ? codes : _mm256_xor_si256(codes, _mm256_set1_epi8(-128)));
}

#endif

inline std::int64_t lesser(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
inline std::int64_t greater(std::int64_t a, std::int64_t b) { return a > b ? a : b; }

constexpr std::int64_t kPageBytes = 4096;

/// Asks for what lies `ahead` bytes behind `from`, which a loop that waits for memory will come to: processors look ahead
/// themselves, but not beyond a page of 4 KiB, and begin anew in each (measured on a Xeon of 2023: a token with weights of 4 bits
/// 1.33 times as fast with a page, 1.22 with half of one). Behind the end of the memory it does nothing.
inline void readAhead(const void* from, std::int64_t ahead = kPageBytes) {
    _mm_prefetch(reinterpret_cast<const char*>(reinterpret_cast<std::uintptr_t>(from) + static_cast<std::uintptr_t>(ahead)),
                 _MM_HINT_T0);
}

/// A loop that computes asks for what comes later once in so many steps.
constexpr std::int64_t kAheadStretch = 16;
inline std::int64_t stretchesOf(std::int64_t steps) { return (steps + kAheadStretch - 1) / kAheadStretch; }

/// What readAhead() leaves out where a loop begins.
inline void readFirstPage(const void* from) {
    for (std::int64_t i = 0; i < kPageBytes; i += 64) {
        readAhead(from, i);
    }
}

constexpr float kLog2OfE = 1.44269504088896341F;

/// e^x: x = n·ln 2 + r with ln 2 in two parts, a degree-6 polynomial for e^r (Cephes' expf).
/// Relative error below 2e-7; saturates outside [−87.3, 88.3]; NaN stays NaN.
inline Vec expOf(Vec x) {
    x = minOf(set1(88.3F), maxOf(set1(-87.3F), x));
    const Vec n = nearest(x * set1(kLog2OfE));
    Vec r = fma(n, set1(-0.693359375F), x);
    r = fma(n, set1(2.12194440e-4F), r);
    Vec y = set1(1.9875691500e-4F);
    y = fma(y, r, set1(1.3981999507e-3F));
    y = fma(y, r, set1(8.3334519073e-3F));
    y = fma(y, r, set1(4.1665795894e-2F));
    y = fma(y, r, set1(1.6666665459e-1F));
    y = fma(y, r, set1(5.0000001201e-1F));
    y = fma(y, r * r, r) + set1(1.0F);
    return timesPowerOf2(y, n);
}

/// 2^x of x below 127, from −125 on that of −125; NaN stays NaN. x = n + f, a degree-6 polynomial for 2^f (its Taylor series:
/// relative error below 3e-7), n added to the exponent: adding 1.5 · 2^23 has put it into the lowest bits.
inline Vec exp2Of(Vec x) {
    x = maxOf(set1(-125.0F), x);
    const Vec shift = set1(12582912.0F);
    const Vec shifted = x + shift;
    const Vec f = x - (shifted - shift);
    Vec y = set1(1.54035304e-4F);
    y = fma(y, f, set1(1.33335581e-3F));
    y = fma(y, f, set1(9.61812911e-3F));
    y = fma(y, f, set1(5.55041087e-2F));
    y = fma(y, f, set1(2.40226507e-1F));
    y = fma(y, f, set1(6.93147181e-1F));
    y = fma(y, f, set1(1.0F));
    return plusShiftedBits(y, shifted, 23);
}

#if defined(__AVX512F__)
/// A polynomial of degree 5 for each quarter of [0, 4), through erf at its Chebyshev nodes, in powers of the distance to its middle
/// (tests/golden/kernels/make_erf_terms.py): error in fp32 below 2e-7. Its terms are picked by a permutation: GELU takes three
/// quarters of the time that it takes with the exponential below.
inline Vec erfOf(Vec x) {
    alignas(64) static constexpr float kTerms[6][16] = {
        {0.140316203F, 0.404116899F, 0.623240888F, 0.784075081F, 0.888388216F, 0.948170066F, 0.978443742F, 0.99199003F,
         0.997345984F, 0.999217033F, 0.999794602F, 0.999952137F, 0.999990106F, 0.999998212F, 0.999999702F, 1.0F},
        {1.11088526F, 0.980352819F, 0.763499558F, 0.524745047F, 0.318273962F, 0.170359775F, 0.0804722607F, 0.0335458294F,
         0.0123408204F, 0.004006478F, 0.00114787521F, 0.000290228345F, 6.47587149e-05F, 1.27517533e-05F, 2.21592404e-06F, 0.0F},
        {-0.138857558F, -0.367625445F, -0.477181554F, -0.459150493F, -0.35806033F, -0.234247714F, -0.130769402F, -0.0628989935F,
         -0.0262239985F, -0.00951495953F, -0.00301286369F, -0.000834249309F, -0.000202308423F, -4.30168475e-05F, -8.02722025e-06F, 0.0F},
        {-0.358720094F, -0.234875441F, -0.0556737408F, 0.0929210559F, 0.162451014F, 0.157937899F, 0.114841461F, 0.0674417689F,
         0.0330376625F, 0.0137305176F, 0.0048903334F, 0.00150246348F, 0.00039998311F, 9.2568851e-05F, 1.86693851e-05F, 0.0F},
        {0.0681782365F, 0.165413633F, 0.175493583F, 0.112152815F, 0.0283349641F, -0.0299829599F, -0.0493812561F, -0.0421630777F,
         -0.0264029484F, -0.0132059548F, -0.00546693942F, -0.00190853619F, -0.000568220916F, -0.000145342099F, -3.21033549e-05F, 0.0F},
        {0.10362111F, 0.0453474596F, -0.027088888F, -0.0667813793F, -0.0610986724F, -0.0306385886F, -0.00227928814F, 0.011347224F,
         0.0124515528F, 0.00836014282F, 0.00423377566F, 0.00172564492F, 0.000583217596F, 0.000166177706F, 4.03350823e-05F, 0.0F},
    };
    const Vec a = minOf(set1(3.99999976F), absOf(x));
    const __m512i quarter = _mm512_cvttps_epi32(_mm512_mul_ps(a.v, _mm512_set1_ps(4.0F)));
    const Vec from = fma(fromInts(quarter), set1(-0.25F), a) - set1(0.125F);
    const auto term = [&](int power) { return Vec{_mm512_permutexvar_ps(quarter, _mm512_load_ps(kTerms[power]))}; };
    Vec y = term(5);
    y = fma(y, from, term(4));
    y = fma(y, from, term(3));
    y = fma(y, from, term(2));
    y = fma(y, from, term(1));
    y = fma(y, from, term(0));
    return withSignOf(y, x);
}
#else
/// Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7, in fp32 below 4e-7.
inline Vec erfOf(Vec x) {
    const Vec a = absOf(x);
    const Vec t = set1(1.0F) / fma(set1(0.3275911F), a, set1(1.0F));
    Vec y = set1(1.061405429F);
    y = fma(y, t, set1(-1.453152027F));
    y = fma(y, t, set1(1.421413741F));
    y = fma(y, t, set1(-0.284496736F));
    y = fma(y, t, set1(0.254829592F));
    const Vec tail = y * t * exp2Of(a * a * set1(-kLog2OfE));
    return withSignOf(set1(1.0F) - tail, x);
}
#endif

inline Vec tanhOf(Vec x) {
    const Vec e = expOf(absOf(x) * set1(-2.0F));
    return withSignOf((set1(1.0F) - e) / (set1(1.0F) + e), x);
}

inline Vec siluOf(Vec x) { return x / (set1(1.0F) + expOf(zero() - x)); }

inline Vec activated(Vec x, Act act) {
    switch (act) {
        case Act::None: return x;
        case Act::Gelu: {
            const Vec half = x * set1(0.5F);
            return fma(half, erfOf(x * set1(0.70710678118654752F)), half);
        }
        case Act::GeluTanh: {
            const Vec inner = fma(set1(0.044715F), x * x * x, x) * set1(0.79788456080286536F);
            const Vec half = x * set1(0.5F);
            return fma(half, tanhOf(inner), half);
        }
        case Act::Relu: return maxOf(zero(), x);
        case Act::Silu: return siluOf(x);
        case Act::Tanh: return tanhOf(x);
    }
    return x;
}

inline float activatedOne(float x, Act act) {
    float out = 0.0F;
    storePart(&out, activated(set1(x), act), 1);
    return out;
}

}  // namespace
}  // namespace pareto::kernels
