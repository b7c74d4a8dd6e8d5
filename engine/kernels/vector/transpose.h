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

inline void transposeFloats(const float* in, std::int64_t ldi, std::int64_t rows, std::int64_t cols, float* out,
               std::int64_t ldo) {
    std::int64_t r = 0;
    for (; r + 8 <= rows; r += 8) {
        std::int64_t c = 0;
        for (; c + 8 <= cols; c += 8) {
            transposeBlock(in + r * ldi + c, ldi, out + c * ldo + r, ldo);
        }
        for (; c < cols; ++c) {
            for (std::int64_t i = 0; i < 8; ++i) {
                out[c * ldo + r + i] = in[(r + i) * ldi + c];
            }
        }
    }
    for (; r < rows; ++r) {
        for (std::int64_t c = 0; c < cols; ++c) {
            out[c * ldo + r] = in[r * ldi + c];
        }
    }
}

}  // namespace
}  // namespace pareto::kernels
