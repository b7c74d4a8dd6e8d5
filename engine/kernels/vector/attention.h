// Attention of a tile of rows, by products of fp32 or of narrower values. See simd.h for why this header has everything in an
// unnamed namespace.
#pragma once

#include "engine/kernels/vector/simd.h"

namespace pareto::kernels {
namespace {

/// Calls whole(i) for every whole vector and part(i, n) for the rest.
template <typename Whole, typename Part>
inline void overVectors(std::int64_t count, const Whole& whole, const Part& part) {
    std::int64_t i = 0;
    for (; i + kWidth <= count; i += kWidth) {
        whole(i);
    }
    if (i < count) {
        part(i, count - i);
    }
}

/// How entries of 4 bytes of two operands are multiplied: what an entry holds, its product, and how the softmax's results
/// become entries.
struct FloatProducts {
    static constexpr std::int64_t kValues = 1;  ///< of an entry
    static void add(Vec& sum, Vec a, Vec b) { sum = fma(a, b, sum); }
    static void narrow(float*, std::int64_t) {}
};

template <typename Products>
constexpr std::int64_t entriesOf(std::int64_t values) {
    return (values + Products::kValues - 1) / Products::kValues;
}

/// out[r][0 … 2·kWidth) for kRows rows: Σ_i left[r][i] · right[i][…] — the shape of both products
/// of attention. `n`: columns that exist, from 1 to 2 · kWidth.
template <typename Products, int kRows, bool kWhole>
inline void outerProducts(const float* left, std::int64_t ldl, const float* right, std::int64_t ldr,
                          std::int64_t depth, std::int64_t n, Vec (&outLow)[kRows],
                          Vec (&outHigh)[kRows]) {
    // Sums of their own, all loops over them unrolled: otherwise the compiler keeps them in memory.
    Vec low[kRows];
    Vec high[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
        low[r] = zero();
        high[r] = zero();
    }
    const std::int64_t first = lesser(n, kWidth);
    const std::int64_t second = n - first;
    for (std::int64_t i = 0; i < depth; ++i) {
        const float* row = right + i * ldr;
        const Vec a = kWhole ? load(row) : loadPart(row, first);
        const Vec b = kWhole ? load(row + kWidth) : loadPart(row + (second > 0 ? kWidth : 0), second);
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
            const Vec x = set1(left[r * ldl + i]);
            Products::add(low[r], x, a);
            Products::add(high[r], x, b);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
        outLow[r] = low[r];
        outHigh[r] = high[r];
    }
}

inline void storePair(float* to, Vec low, Vec high, std::int64_t n) {
    if (n == 2 * kWidth) {
        store(to, low);
        store(to + kWidth, high);
        return;
    }
    storePart(to, low, lesser(n, kWidth));
    if (n > kWidth) {
        storePart(to + kWidth, high, n - kWidth);
    }
}

template <typename Products, int kRows>
void scoreRows(const AttentionTile& a, const float* q, std::int64_t ldq, std::int64_t row, std::int64_t columns) {
    const Vec scale = set1(a.scale);
    const std::int64_t depth = entriesOf<Products>(a.headDim);
    for (std::int64_t j = 0; j < a.length; j += 2 * kWidth) {
        const std::int64_t n = lesser(2 * kWidth, a.length - j);
        const float* keys = a.keys + keyPlace(a, j);
        Vec low[kRows];
        Vec high[kRows];
        if (n == 2 * kWidth) {
            outerProducts<Products, kRows, true>(q + row * ldq, ldq, keys, a.ldk, depth, n, low, high);
        } else {
            outerProducts<Products, kRows, false>(q + row * ldq, ldq, keys, a.ldk, depth, n, low, high);
        }
        for (int r = 0; r < kRows; ++r) {
            low[r] = low[r] * scale;
            high[r] = high[r] * scale;
            if (a.bias != nullptr) {
                const float* bias = a.bias + (row + r) * a.ldb + j;
                low[r] = low[r] + loadPart(bias, lesser(n, kWidth));
                if (n > kWidth) {
                    high[r] = high[r] + loadPart(bias + kWidth, n - kWidth);
                }
            }
            storePair(a.scores + (row + r) * columns + j, low[r], high[r], n);
        }
    }
}

template <typename Products, int kRows>
void valueRows(const AttentionTile& a, std::int64_t row, std::int64_t columns, const float* inverse) {
    const std::int64_t depth = entriesOf<Products>(a.length);
    for (std::int64_t d = 0; d < a.headDim; d += 2 * kWidth) {
        const std::int64_t n = lesser(2 * kWidth, a.headDim - d);
        Vec low[kRows];
        Vec high[kRows];
        const float* left = a.scores + row * columns;
        if (n == 2 * kWidth) {
            outerProducts<Products, kRows, true>(left, columns, a.v + d, a.ldv, depth, n, low, high);
        } else {
            outerProducts<Products, kRows, false>(left, columns, a.v + d, a.ldv, depth, n, low, high);
        }
        for (int r = 0; r < kRows; ++r) {
            const Vec by = set1(inverse[row + r]);
            storePair(a.out + (row + r) * a.ldo + d, low[r] * by, high[r] * by, n);
        }
    }
}

/// exp(x − max) over the keys a row sees, 0 for the others; returns 1 / Σ. `logSum`, if there, gets max + log Σ.
inline float softmaxRow(float* scores, std::int64_t seen, std::int64_t length, float* logSum) {
    float best = scores[0];
    Vec largest = set1(best);
    overVectors(
        seen, [&](std::int64_t i) { largest = maxOf(largest, load(scores + i)); },
        [&](std::int64_t i, std::int64_t n) {
            for (std::int64_t j = 0; j < n; ++j) {
                best = scores[i + j] > best ? scores[i + j] : best;
            }
        });
    const float whole = largestOf(largest);
    const Vec top = set1(whole > best ? whole : best);
    Vec sum = zero();
    float rest = 0.0F;
    overVectors(
        seen,
        [&](std::int64_t i) {
            const Vec e = expOf(load(scores + i) - top);
            store(scores + i, e);
            sum = sum + e;
        },
        [&](std::int64_t i, std::int64_t n) {
            storePart(scores + i, expOf(loadPart(scores + i, n) - top), n);
            for (std::int64_t j = 0; j < n; ++j) {
                rest += scores[i + j];
            }
        });
    for (std::int64_t i = seen; i < length; ++i) {
        scores[i] = 0.0F;
    }
    const float total = sumOf(sum) + rest;
    if (logSum != nullptr) {
        *logSum = (whole > best ? whole : best) + __builtin_logf(total);
    }
    return 1.0F / total;
}

/// cap · tanh(x / cap)
inline void capRow(float* scores, std::int64_t count, float cap) {
    const Vec by = set1(cap);
    const Vec inverse = set1(1.0F / cap);
    overVectors(
        count,
        [&](std::int64_t i) { store(scores + i, by * tanhOf(load(scores + i) * inverse)); },
        [&](std::int64_t i, std::int64_t n) {
            storePart(scores + i, by * tanhOf(loadPart(scores + i, n) * inverse), n);
        });
}

/// Rows of a block that fit the registers: 8 × 2 accumulators with 32 registers, 4 × 2 with 16.
constexpr int kBlockRows = kWidth == 16 ? 8 : 4;

/// The tile, with queries as Products reads them.
template <typename Products>
void attend(const AttentionTile& a, const float* q, std::int64_t ldq) {
    const std::int64_t columns = attentionScratchColumns(a.length);
    float inverse[kAttentionRows];
    std::int64_t row = 0;
    for (; row + kBlockRows <= a.rows; row += kBlockRows) {
        scoreRows<Products, kBlockRows>(a, q, ldq, row, columns);
    }
    for (; row + 3 <= a.rows; row += 3) {
        scoreRows<Products, 3>(a, q, ldq, row, columns);
    }
    for (; row < a.rows; ++row) {
        scoreRows<Products, 1>(a, q, ldq, row, columns);
    }
    for (row = 0; row < a.rows; ++row) {
        const std::int64_t begin = attentionBegin(a, row);
        const std::int64_t seen = attentionEnd(a, row) - begin;
        float* scores = a.scores + row * columns;
        for (std::int64_t i = 0; i < begin; ++i) {
            scores[i] = 0.0F;
        }
        if (a.softcap > 0.0F) {
            capRow(scores + begin, seen, a.softcap);
        }
        inverse[row] = softmaxRow(scores + begin, seen, a.length - begin, a.logSums != nullptr ? a.logSums + row : nullptr);
        Products::narrow(scores, a.length);
    }
    row = 0;
    for (; row + kBlockRows <= a.rows; row += kBlockRows) {
        valueRows<Products, kBlockRows>(a, row, columns, inverse);
    }
    for (; row + 3 <= a.rows; row += 3) {
        valueRows<Products, 3>(a, row, columns, inverse);
    }
    for (; row < a.rows; ++row) {
        valueRows<Products, 1>(a, row, columns, inverse);
    }
}

}  // namespace
}  // namespace pareto::kernels
