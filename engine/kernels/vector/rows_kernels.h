// Products with weights in their logical row-major form, floats or codes, with fp32 inputs. See simd.h for
// why this header has everything in an unnamed namespace.
#pragma once

#include "engine/kernels/vector/simd.h"

namespace pareto::kernels {
namespace {

struct FloatLoader {
    static constexpr bool kScaled = false;
    static Vec whole(const void* row, std::int64_t k) { return load(static_cast<const float*>(row) + k); }
    static constexpr std::int64_t kBytes = 4;
};
struct HalfLoader {
    static constexpr bool kScaled = false;
    static Vec whole(const void* row, std::int64_t k) { return loadHalf(static_cast<const std::uint16_t*>(row) + k); }
    static constexpr std::int64_t kBytes = 2;
};
struct BfloatLoader {
    static constexpr bool kScaled = false;
    static Vec whole(const void* row, std::int64_t k) { return loadBfloat(static_cast<const std::uint16_t*>(row) + k); }
    static constexpr std::int64_t kBytes = 2;
};
struct Int8Loader {
    static constexpr bool kScaled = true;
    static Vec whole(const void* row, std::int64_t k) { return loadInt8(static_cast<const std::int8_t*>(row) + k); }
    static constexpr std::int64_t kBytes = 1;
};

struct Int16Loader {
    static constexpr bool kScaled = true;
    static Vec whole(const void* row, std::int64_t k) {
        return loadInt16(static_cast<const char*>(row) + 2 * k);
    }
    static constexpr std::int64_t kBytes = 2;
};
struct Float8Loader {
    static constexpr bool kScaled = true;
    static Vec whole(const void* row, std::int64_t k) {
        return loadFloat8(static_cast<const std::uint8_t*>(row) + k);
    }
    static constexpr std::int64_t kBytes = 1;
};
/// 2, 3, 4 or 6 bytes. In two reads where there is none of the size: a copy to memory would have to be waited for (measured: a
/// token with weights of 3 bits 4 times as long).
template <std::int64_t kCount>
inline std::uint64_t readWord(const unsigned char* from) {
    constexpr std::int64_t kFirst = kCount >= 4 ? 4 : 2;
    std::uint64_t low = 0;
    if constexpr (kFirst == 4) {
        std::uint32_t bits = 0;
        __builtin_memcpy(&bits, from, 4);
        low = bits;
    } else {
        std::uint16_t bits = 0;
        __builtin_memcpy(&bits, from, 2);
        low = bits;
    }
    if constexpr (kCount == 6) {
        std::uint16_t bits = 0;
        __builtin_memcpy(&bits, from + 4, 2);
        return low | static_cast<std::uint64_t>(bits) << 32;
    } else if constexpr (kCount == 3) {
        return low | static_cast<std::uint64_t>(from[2]) << 16;
    } else {
        static_assert(kCount == kFirst);
        return low;
    }
}

/// Codes of 2 or 3 bits, from whatever bit the column begins at.
template <int kBits>
struct BitsLoader {
    static constexpr bool kScaled = true;
    static constexpr std::int64_t kBytes = 0;  ///< no whole number
    static std::int64_t byteOf(std::int64_t k) { return k * kBits / 8; }
    static Vec whole(const void* row, std::int64_t k) {
        if (k * kBits % 8 != 0) {
            return part(row, k, kWidth);
        }
        return fromPacked<kBits>(readWord<kWidth * kBits / 8>(static_cast<const unsigned char*>(row) + byteOf(k)));
    }
    /// Lanes from n on are no column's.
    static Vec part(const void* row, std::int64_t k, std::int64_t n) {
        const std::int64_t bit = k * kBits;
        const auto* from = static_cast<const unsigned char*>(row) + bit / 8;
        const std::int64_t bytes = (bit % 8 + n * kBits + 7) / 8;
        std::uint64_t word = 0;
        for (std::int64_t i = 0; i < bytes; ++i) {
            word |= static_cast<std::uint64_t>(from[i]) << (8 * i);
        }
        return fromPacked<kBits>(word >> (bit % 8));
    }
};

/// The last n < kWidth values of a row, without reading past its end. What stands in the lanes behind them is
/// finite.
template <typename Loader>
inline Vec loadTail(const void* row, std::int64_t k, std::int64_t n) {
    if constexpr (Loader::kBytes == 0) {
        return Loader::part(row, k, n);
    } else {
        alignas(64) unsigned char bytes[kWidth * Loader::kBytes] = {};
        const auto* from = static_cast<const unsigned char*>(row) + k * Loader::kBytes;
        for (std::int64_t i = 0; i < n * Loader::kBytes; ++i) {
            bytes[i] = from[i];
        }
        return Loader::whole(bytes, 0);
    }
}

inline std::int64_t rowBytes(const WeightRows& w) {
    switch (w.kind) {
        case WeightKind::F32: return w.cols * 4;
        case WeightKind::F16:
        case WeightKind::BF16:
        case WeightKind::Int16: return w.cols * 2;
        case WeightKind::F8:
        case WeightKind::Int8: return w.cols;
        case WeightKind::Int4: return (w.cols + 1) / 2;
        case WeightKind::Int3: return (w.cols * 3 + 7) / 8;
        case WeightKind::Int2: return (w.cols + 3) / 4;
    }
    return 0;
}

inline const unsigned char* rowStart(const WeightRows& w, std::int64_t row) {
    return static_cast<const unsigned char*>(w.values) + row * rowBytes(w);
}

inline std::int64_t scaleIndex(const WeightRows& w, std::int64_t row, std::int64_t group) {
    return w.groups == 0 ? 0 : row * w.groups + group;
}

inline float zeroPointOf(const WeightRows& w, std::int64_t row, std::int64_t group) {
    return w.zeroPoints != nullptr ? static_cast<float>(w.zeroPoints[scaleIndex(w, row, group)]) : 0.0F;
}

inline int nibble(const unsigned char* row, std::int64_t col) {
    const int pair = row[col / 2];
    return ((col & 1) != 0 ? pair >> 4 : pair & 15) - 8;
}

// Sums are kept in arrays whose every use is unrolled: one index the compiler cannot see, and all of
// them live in memory instead of registers.
template <int kR, int kM>
inline void clearSums(Vec (&acc)[kR][kM]) {
#pragma GCC unroll 4
    for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 4
        for (int m = 0; m < kM; ++m) {
            acc[r][m] = zero();
        }
    }
}

template <int kR, int kM>
inline void copySums(const Vec (&acc)[kR][kM], Vec (&out)[kR][kM]) {
#pragma GCC unroll 4
    for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 4
        for (int m = 0; m < kM; ++m) {
            out[r][m] = acc[r][m];
        }
    }
}

/// Where a row's value of column `k` begins.
template <typename Loader>
inline std::int64_t byteOf(std::int64_t k) {
    if constexpr (Loader::kBytes == 0) {
        return Loader::byteOf(k);
    } else {
        return k * Loader::kBytes;
    }
}

/// From the rows of a tile to those of the tile after the next: short rows read side by side are too little for the processor to
/// foresee them.
template <int kR>
inline std::int64_t aheadOf(const unsigned char* const (&rows)[kR]) {
    return 2 * kR * (rows[1] - rows[0]);
}

/// One stretch of columns of kR weight rows times kM inputs. With kZero the zero points are taken
/// off the codes, with kAhead rows to come are asked for.
template <typename Loader, int kR, int kM, bool kZero, bool kAhead>
inline void dotStretch(const unsigned char* const (&rows)[kR], const float* x, std::int64_t ldx,
                       std::int64_t begin, std::int64_t end, const float (&zeros)[kR],
                       Vec (&out)[kR][kM]) {
    Vec acc[kR][kM];
    clearSums(acc);
    std::int64_t k = begin;
    for (; k + kWidth <= end; k += kWidth) {
        Vec in[kM];
#pragma GCC unroll 4
        for (int m = 0; m < kM; ++m) {
            in[m] = load(x + m * ldx + k);
        }
#pragma GCC unroll 4
        for (int r = 0; r < kR; ++r) {
            if constexpr (kAhead && kR > 1) {
                readAhead(rows[r] + byteOf<Loader>(k), aheadOf(rows));
            }
            Vec w = Loader::whole(rows[r], k);
            if (kZero) {
                w = w - set1(zeros[r]);
            }
#pragma GCC unroll 4
            for (int m = 0; m < kM; ++m) {
                acc[r][m] = fma(w, in[m], acc[r][m]);
            }
        }
    }
    if (k < end) {
        const std::int64_t n = end - k;
#pragma GCC unroll 4
        for (int r = 0; r < kR; ++r) {
            Vec w = loadTail<Loader>(rows[r], k, n);
            if (kZero) {
                w = w - set1(zeros[r]);  // the lanes behind the end meet inputs of 0
            }
#pragma GCC unroll 4
            for (int m = 0; m < kM; ++m) {
                acc[r][m] = fma(w, loadPart(x + m * ldx + k, n), acc[r][m]);
            }
        }
    }
    copySums(acc, out);
}

struct Int4Loader {
    static constexpr bool kScaled = true;
};

template <int kR, int kM, bool kZero, bool kAhead>
inline void dotStretchInt4(const unsigned char* const (&rows)[kR], const float* x, std::int64_t ldx,
                           std::int64_t begin, std::int64_t end, const float (&zeros)[kR],
                           Vec (&out)[kR][kM]) {
    Vec acc[kR][kM];
    clearSums(acc);
    std::int64_t k = begin;
    if ((begin & 1) == 0) {
        for (; k + 2 * kWidth <= end; k += 2 * kWidth) {
            Vec evenIn[kM];
            Vec oddIn[kM];
#pragma GCC unroll 4
            for (int m = 0; m < kM; ++m) {
                deinterleave(x + m * ldx + k, evenIn[m], oddIn[m]);
            }
#pragma GCC unroll 4
            for (int r = 0; r < kR; ++r) {
                Vec even;
                Vec odd;
                if constexpr (kAhead && kR > 1) {
                    readAhead(rows[r] + k / 2, aheadOf(rows));
                }
                loadInt4(rows[r] + k / 2, even, odd);
                if (kZero) {
                    even = even - set1(zeros[r]);
                    odd = odd - set1(zeros[r]);
                }
#pragma GCC unroll 4
                for (int m = 0; m < kM; ++m) {
                    acc[r][m] = fma(even, evenIn[m], acc[r][m]);
                    acc[r][m] = fma(odd, oddIn[m], acc[r][m]);
                }
            }
        }
    }
    for (; k < end; k += kWidth) {
        const std::int64_t n = lesser(kWidth, end - k);
#pragma GCC unroll 4
        for (int r = 0; r < kR; ++r) {
            float lanes[kWidth] = {};
            for (std::int64_t i = 0; i < n; ++i) {
                lanes[i] = static_cast<float>(nibble(rows[r], k + i)) - zeros[r];
            }
#pragma GCC unroll 4
            for (int m = 0; m < kM; ++m) {
                acc[r][m] = fma(load(lanes), loadPart(x + m * ldx + k, n), acc[r][m]);
            }
        }
    }
    copySums(acc, out);
}

template <typename Loader>
struct IsInt4 {
    static constexpr bool kValue = false;
};
template <>
struct IsInt4<Int4Loader> {
    static constexpr bool kValue = true;
};

template <typename Loader, int kR, int kM, bool kZero, bool kAhead>
inline void stretch(const unsigned char* const (&rows)[kR], const float* x, std::int64_t ldx,
                    std::int64_t begin, std::int64_t end, const float (&zeros)[kR],
                    Vec (&acc)[kR][kM]) {
    if constexpr (IsInt4<Loader>::kValue) {
        dotStretchInt4<kR, kM, kZero, kAhead>(rows, x, ldx, begin, end, zeros, acc);
    } else {
        dotStretch<Loader, kR, kM, kZero, kAhead>(rows, x, ldx, begin, end, zeros, acc);
    }
}

/// kR weight rows from `row` times kM inputs from `m`.
template <typename Loader, int kR, int kM, bool kZero, bool kAhead>
inline void rowsTile(const RowsGemm& a, std::int64_t row, std::int64_t m) {
    const auto& w = a.weight;
    const float* x = a.x + m * a.ldx;
    const unsigned char* rows[kR];
    float zeros[kR] = {};
    Vec total[kR][kM];
    for (int r = 0; r < kR; ++r) {
        rows[r] = rowStart(w, row + r);
        for (int i = 0; i < kM; ++i) {
            total[r][i] = zero();
        }
    }
    if constexpr (!Loader::kScaled) {
        stretch<Loader, kR, kM, false, kAhead>(rows, x, a.ldx, 0, w.cols, zeros, total);
    } else {
        const std::int64_t groups = greater(w.groups, 1);
        for (std::int64_t g = 0; g < groups; ++g) {
            Vec acc[kR][kM];
            for (int r = 0; r < kR; ++r) {
                zeros[r] = kZero ? zeroPointOf(w, row + r, g) : 0.0F;
            }
            const std::int64_t begin = g * w.groupSize;
            stretch<Loader, kR, kM, kZero, kAhead>(rows, x, a.ldx, begin, lesser(w.cols, begin + w.groupSize),
                                                   zeros, acc);
            for (int r = 0; r < kR; ++r) {
                const Vec scale = set1(w.scales[scaleIndex(w, row + r, g)]);
                for (int i = 0; i < kM; ++i) {
                    total[r][i] = fma(acc[r][i], scale, total[r][i]);
                }
            }
        }
    }
    for (int i = 0; i < kM; ++i) {
        float* out = a.out + (m + i) * a.ldo + row - a.firstRow;
        for (int r = 0; r < kR; ++r) {
            const float sum = sumOf(total[r][i]) + (a.bias != nullptr ? a.bias[row + r] : 0.0F);
            out[r] = a.act == Act::None ? sum : activatedOne(sum, a.act);
        }
    }
}

template <typename Loader, int kR, int kM, bool kZero>
inline void rowsTiles(const RowsGemm& a, std::int64_t row, std::int64_t& m) {
    if (m == 0 && kM <= a.m) {
        rowsTile<Loader, kR, kM, kZero, true>(a, row, m);  // what follows finds the rows in the cache
        m += kM;
    }
    for (; m + kM <= a.m; m += kM) {
        rowsTile<Loader, kR, kM, kZero, false>(a, row, m);
    }
}

template <typename Loader, int kR, bool kZero>
inline void rowsBlock(const RowsGemm& a, std::int64_t row) {
    std::int64_t m = 0;
    if constexpr (kWidth == 16) {
        rowsTiles<Loader, kR, 4, kZero>(a, row, m);
    }
    rowsTiles<Loader, kR, 2, kZero>(a, row, m);
    rowsTiles<Loader, kR, 1, kZero>(a, row, m);
}

template <typename Loader, bool kZero>
void rowsRange(const RowsGemm& a, std::int64_t begin, std::int64_t end) {
    std::int64_t row = begin;
    for (; row + 4 <= end; row += 4) {
        rowsBlock<Loader, 4, kZero>(a, row);
    }
    for (; row < end; ++row) {
        rowsBlock<Loader, 1, kZero>(a, row);
    }
}

template <typename Loader>
void integerRows(const RowsGemm& a, std::int64_t begin, std::int64_t end) {
    a.weight.zeroPoints != nullptr ? rowsRange<Loader, true>(a, begin, end)
                                   : rowsRange<Loader, false>(a, begin, end);
}

/// Tolerance: 2e-6 · Σ |x · w|, the error of summing in fp32.
void rowsGemm(const RowsGemm& a, std::int64_t begin, std::int64_t end) {
    switch (a.weight.kind) {
        case WeightKind::F32: rowsRange<FloatLoader, false>(a, begin, end); break;
        case WeightKind::F16: rowsRange<HalfLoader, false>(a, begin, end); break;
        case WeightKind::BF16: rowsRange<BfloatLoader, false>(a, begin, end); break;
        case WeightKind::F8: rowsRange<Float8Loader, false>(a, begin, end); break;  // always symmetric
        case WeightKind::Int16: rowsRange<Int16Loader, false>(a, begin, end); break;
        case WeightKind::Int8: integerRows<Int8Loader>(a, begin, end); break;
        case WeightKind::Int4: integerRows<Int4Loader>(a, begin, end); break;
        case WeightKind::Int3: integerRows<BitsLoader<3>>(a, begin, end); break;
        case WeightKind::Int2: integerRows<BitsLoader<2>>(a, begin, end); break;
    }
}

template <typename Loader>
inline void widenRow(const unsigned char* row, std::int64_t begin, std::int64_t end, float scale,
                     float zeroPoint, float* out) {
    const Vec by = set1(scale);
    const Vec off = set1(zeroPoint);
    std::int64_t k = begin;
    for (; k + kWidth <= end; k += kWidth) {
        const Vec w = Loader::whole(row, k);
        store(out + k, Loader::kScaled ? (w - off) * by : w);
    }
    if (k < end) {
        const Vec w = loadTail<Loader>(row, k, end - k);
        storePart(out + k, Loader::kScaled ? (w - off) * by : w, end - k);
    }
}

inline void widenRowInt4(const unsigned char* row, std::int64_t begin, std::int64_t end, float scale,
                         float zeroPoint, float* out) {
    const Vec by = set1(scale);
    const Vec off = set1(zeroPoint);
    std::int64_t k = begin;
    if ((begin & 1) == 0) {
        for (; k + 2 * kWidth <= end; k += 2 * kWidth) {
            Vec even;
            Vec odd;
            loadInt4(row + k / 2, even, odd);
            storeInterleaved(out + k, (even - off) * by, (odd - off) * by);
        }
    }
    for (; k < end; ++k) {
        out[k] = (static_cast<float>(nibble(row, k)) - zeroPoint) * scale;
    }
}

inline void widenStretch(WeightKind kind, const unsigned char* row, std::int64_t begin, std::int64_t end,
                         float scale, float zeroPoint, float* out) {
    switch (kind) {
        case WeightKind::F32:
        case WeightKind::F16:
        case WeightKind::BF16: break;
        case WeightKind::F8: widenRow<Float8Loader>(row, begin, end, scale, zeroPoint, out); break;
        case WeightKind::Int16: widenRow<Int16Loader>(row, begin, end, scale, zeroPoint, out); break;
        case WeightKind::Int8: widenRow<Int8Loader>(row, begin, end, scale, zeroPoint, out); break;
        case WeightKind::Int4: widenRowInt4(row, begin, end, scale, zeroPoint, out); break;
        case WeightKind::Int3: widenRow<BitsLoader<3>>(row, begin, end, scale, zeroPoint, out); break;
        case WeightKind::Int2: widenRow<BitsLoader<2>>(row, begin, end, scale, zeroPoint, out); break;
    }
}

/// Exactly the reference's values.
void dequantizeRows(const WeightRows& w, std::int64_t begin, std::int64_t end, float* out,
                    std::int64_t ldo) {
    for (std::int64_t row = begin; row < end; ++row) {
        const unsigned char* from = rowStart(w, row);
        float* to = out + (row - begin) * ldo;
        switch (w.kind) {
            case WeightKind::F32: widenRow<FloatLoader>(from, 0, w.cols, 1.0F, 0.0F, to); continue;
            case WeightKind::F16: widenRow<HalfLoader>(from, 0, w.cols, 1.0F, 0.0F, to); continue;
            case WeightKind::BF16: widenRow<BfloatLoader>(from, 0, w.cols, 1.0F, 0.0F, to); continue;
            default: break;
        }
        const std::int64_t groups = greater(w.groups, 1);
        for (std::int64_t g = 0; g < groups; ++g) {
            const std::int64_t first = g * w.groupSize;
            const std::int64_t last = lesser(w.cols, first + w.groupSize);
            widenStretch(w.kind, from, first, last, w.scales[scaleIndex(w, row, g)], zeroPointOf(w, row, g),
                         to);
        }
    }
}

}  // namespace
}  // namespace pareto::kernels
