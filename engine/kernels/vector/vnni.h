// What products with AVX-512 VNNI share. See simd.h for why everything is in an unnamed namespace.
#pragma once

#include "engine/kernels/vector/int8_common.h"

namespace pareto::kernels {
namespace {

inline __m512i fourBytes(const void* from) {
    std::int32_t bits = 0;
    __builtin_memcpy(&bits, from, 4);
    return _mm512_set1_epi32(bits);
}

/// So few inputs, of `columns` each, wait for the weight's bytes: these are read in the order in which they lie, a panel at a
/// time. The inputs are to stay in the first cache while a panel goes through it.
inline bool areFew(std::int64_t inputs, std::int64_t columns) {
    constexpr std::int64_t kMost = 8;
    constexpr std::int64_t kBytes = 16384;
    return inputs <= kMost && inputs * columns <= kBytes;
}
/// Sums an input has then: with few of them neighbouring products would wait for each other.
template <int kM, int kP>
constexpr int kSumsOfFew = kP == 1 && kM <= 3 ? 4 : 1;

/// acc += u8 · s8, four products a lane. GCC 12 moves sums about when they go through the intrinsic
/// (measured: 340 instead of 800 GOP/s), so the instruction is written out.
inline void multiplyAdd(__m512i& acc, __m512i unsignedBytes, __m512i signedBytes) {
    asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(unsignedBytes), "v"(signedBytes));
}

/// Sums of a panel's rows without the 128 that inputs carry too much.
inline Vec centredSums(__m512i acc, const Panel& panel, __mmask16 rows, std::int64_t group) {
    const __m512i sum = _mm512_maskz_loadu_epi32(rows, panel.sums + group * panel.height);
    return {_mm512_cvtepi32_ps(_mm512_sub_epi32(acc, _mm512_slli_epi32(sum, 7)))};
}

/// Scales `value` of input `m` and the rows of a panel of `w`, and puts it where it belongs.
inline void storePanel(const ProductOutput& to, const PackedInt8& w, const Panel& panel, __mmask16 rows, std::int64_t m,
                       Vec value) {
    const Vec scale = w.perTensor ? set1(w.scales[0]) : Vec{_mm512_maskz_loadu_ps(rows, w.scales + panel.row)};
    const Vec bias = to.bias != nullptr ? Vec{_mm512_maskz_loadu_ps(rows, to.bias + panel.row)} : zero();
    const Vec out = activated(fma(value, scale, bias), to.act);
    _mm512_mask_storeu_ps(to.out + m * to.ldo + panel.row - to.firstRow, rows, out.v);
}

}  // namespace
}  // namespace pareto::kernels
