// See simd.h for why everything is in an unnamed namespace.
#pragma once

#include "engine/kernels/vector/simd.h"

namespace pareto::kernels {
namespace {

/// 8 × 8 floats.
inline void transposeBlock(const float* in, std::int64_t ldi, float* out, std::int64_t ldo) {
    __m256 r[8];
    __m256 t[8];
    for (int i = 0; i < 8; ++i) {
        r[i] = _mm256_loadu_ps(in + i * ldi);
    }
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xEE);
        r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; ++i) {
        _mm256_storeu_ps(out + i * ldo, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
        _mm256_storeu_ps(out + (i + 4) * ldo, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
    }
}

#if defined(__AVX512F__)
/// 16 × 16 floats. Rows are put together on the way from memory, which the ports for loads do: half of the shuffles.
inline void transposeWideBlock(const float* in, std::int64_t ldi, float* out, std::int64_t ldo) {
    for (int c = 0; c < 16; c += 4) {
        __m512 rows[4];  // columns c … c + 3 of rows i, i + 4, i + 8 and i + 12
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
            const float* from = in + i * ldi + c;
            rows[i] = _mm512_castps128_ps512(_mm_loadu_ps(from));
            rows[i] = _mm512_mask_broadcast_f32x4(rows[i], 0x00F0, _mm_loadu_ps(from + 4 * ldi));
            rows[i] = _mm512_mask_broadcast_f32x4(rows[i], 0x0F00, _mm_loadu_ps(from + 8 * ldi));
            rows[i] = _mm512_mask_broadcast_f32x4(rows[i], 0xF000, _mm_loadu_ps(from + 12 * ldi));
        }
        const __m512d low01 = _mm512_castps_pd(_mm512_unpacklo_ps(rows[0], rows[1]));
        const __m512d high01 = _mm512_castps_pd(_mm512_unpackhi_ps(rows[0], rows[1]));
        const __m512d low23 = _mm512_castps_pd(_mm512_unpacklo_ps(rows[2], rows[3]));
        const __m512d high23 = _mm512_castps_pd(_mm512_unpackhi_ps(rows[2], rows[3]));
        _mm512_storeu_ps(out + c * ldo, _mm512_castpd_ps(_mm512_unpacklo_pd(low01, low23)));
        _mm512_storeu_ps(out + (c + 1) * ldo, _mm512_castpd_ps(_mm512_unpackhi_pd(low01, low23)));
        _mm512_storeu_ps(out + (c + 2) * ldo, _mm512_castpd_ps(_mm512_unpacklo_pd(high01, high23)));
        _mm512_storeu_ps(out + (c + 3) * ldo, _mm512_castpd_ps(_mm512_unpackhi_pd(high01, high23)));
    }
}
#endif

/// kRows rows: in blocks, where there are any of that height, and what is left one by one.
template <int kRows>
inline void transposeRows(const float* in, std::int64_t ldi, std::int64_t cols, float* out, std::int64_t ldo) {
    std::int64_t c = 0;
    for (; kRows > 1 && c + kRows <= cols; c += kRows) {
        if constexpr (kRows == 8) {
            transposeBlock(in + c, ldi, out + c * ldo, ldo);
        }
#if defined(__AVX512F__)
        if constexpr (kRows == 16) {
            transposeWideBlock(in + c, ldi, out + c * ldo, ldo);
        }
#endif
    }
    for (; c < cols; ++c) {
        for (std::int64_t i = 0; i < kRows; ++i) {
            out[c * ldo + i] = in[i * ldi + c];
        }
    }
}

inline void transposeFloats(const float* in, std::int64_t ldi, std::int64_t rows, std::int64_t cols, float* out,
               std::int64_t ldo) {
    std::int64_t r = 0;
#if defined(__AVX512F__)
    for (; r + 16 <= rows; r += 16) {
        transposeRows<16>(in + r * ldi, ldi, cols, out + r, ldo);
    }
#endif
    for (; r + 8 <= rows; r += 8) {
        transposeRows<8>(in + r * ldi, ldi, cols, out + r, ldo);
    }
    for (; r < rows; ++r) {
        transposeRows<1>(in + r * ldi, ldi, cols, out + r, ldo);
    }
}

}  // namespace
}  // namespace pareto::kernels
