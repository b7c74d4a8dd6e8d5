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

/// add(sum, i) for every whole vector of [0, count), in four sums that do not wait for each other; all of them together, by `join`.
template <typename Add, typename Join>
inline Vec inFourSums(std::int64_t count, const Add& add, const Join& join) {
    Vec first = zero();
    std::int64_t i = 0;
    if (count < 4 * kWidth) {
        for (; i + kWidth <= count; i += kWidth) {
            add(first, i);
        }
        return first;
    }
    Vec sums[4] = {first, first, first, first};
    for (; i + 4 * kWidth <= count; i += 4 * kWidth) {
#pragma GCC unroll 4
        for (int s = 0; s < 4; ++s) {
            add(sums[s], i + s * kWidth);
        }
    }
    for (; i + kWidth <= count; i += kWidth) {
        add(sums[0], i);
    }
    return join(join(sums[0], sums[1]), join(sums[2], sums[3]));
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

/// Vectors of columns that a block of rows takes at a time: with few rows a whole page of keys, so that memory is read in
/// order.
template <int kRows>
constexpr int kVectorsOf = kRows > 4 || (kRows > 3 && kWidth < 16) ? 2 : 4;

/// Columns of vector `v` that exist, of `n`.
inline std::int64_t inVector(std::int64_t n, int v) {
    const std::int64_t left = n - v * kWidth;
    return left < 0 ? 0 : lesser(left, kWidth);
}

/// out[r][v]: Σ_i left[r][i] · right[i][…] for kRows rows and kVectorsOf vectors of columns, of which `n` ≥ 1 exist — the
/// shape of both products of attention.
template <typename Products, bool kWhole, int kRows, int kVectors>
inline void outerProducts(const float* left, std::int64_t ldl, const float* right, std::int64_t ldr,
                          std::int64_t depth, std::int64_t n, Vec (&out)[kRows][kVectors]) {
    // Sums of their own, all loops over them unrolled: otherwise the compiler keeps them in memory.
    Vec sums[kRows][kVectors];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
            sums[r][v] = zero();
        }
    }
    std::int64_t counts[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
        counts[v] = inVector(n, v);
    }
    for (std::int64_t i = 0; i < depth; ++i) {
        const float* row = right + i * ldr;
        Vec columns[kVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
            const float* from = row + (kWhole || counts[v] > 0 ? v * kWidth : 0);
            if constexpr (kRows <= 4) {
                readAhead(from);
            }
            columns[v] = kWhole ? load(from) : loadPart(from, counts[v]);
        }
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
            const Vec x = set1(left[r * ldl + i]);
#pragma GCC unroll 4
            for (int v = 0; v < kVectors; ++v) {
                Products::add(sums[r][v], x, columns[v]);
            }
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
            out[r][v] = sums[r][v];
        }
    }
}

template <typename Products, int kRows, int kVectors>
inline void multiplyRows(const float* left, std::int64_t ldl, const float* right, std::int64_t ldr, std::int64_t depth,
                         std::int64_t n, Vec (&out)[kRows][kVectors]) {
    if (n == kVectors * kWidth) {
        outerProducts<Products, true>(left, ldl, right, ldr, depth, n, out);
    } else {
        outerProducts<Products, false>(left, ldl, right, ldr, depth, n, out);
    }
}

template <int kVectors>
inline void storeVectors(float* to, const Vec (&values)[kVectors], std::int64_t n) {
    for (int v = 0; v < kVectors; ++v) {
        const std::int64_t count = inVector(n, v);
        if (count == kWidth) {
            store(to + v * kWidth, values[v]);
        } else if (count > 0) {
            storePart(to + v * kWidth, values[v], count);
        }
    }
}

template <typename Products, int kRows>
void scoreRows(const AttentionTile& a, const float* q, std::int64_t ldq, std::int64_t row, std::int64_t columns) {
    constexpr int kVectors = kVectorsOf<kRows>;
    const Vec scale = set1(a.scale);
    const std::int64_t depth = entriesOf<Products>(a.headDim);
    for (std::int64_t j = 0; j < a.length; j += kVectors * kWidth) {
        const std::int64_t n = lesser(kVectors * kWidth, a.length - j);
        Vec sums[kRows][kVectors];
        multiplyRows<Products>(q + row * ldq, ldq, a.keys + keyPlace(a, j), a.ldk, depth, n, sums);
        for (int r = 0; r < kRows; ++r) {
            const float* bias = a.bias != nullptr ? a.bias + (row + r) * a.ldb + j : nullptr;
            for (int v = 0; v < kVectors; ++v) {
                sums[r][v] = sums[r][v] * scale;
                if (bias != nullptr && inVector(n, v) > 0) {
                    sums[r][v] = sums[r][v] + loadPart(bias + v * kWidth, inVector(n, v));
                }
            }
            storeVectors(a.scores + (row + r) * columns + j, sums[r], n);
        }
    }
}

template <typename Products, int kRows>
void valueRows(const AttentionTile& a, std::int64_t row, std::int64_t columns, const float* inverse) {
    constexpr int kVectors = kVectorsOf<kRows>;
    const std::int64_t depth = entriesOf<Products>(a.length);
    for (std::int64_t d = 0; d < a.headDim; d += kVectors * kWidth) {
        const std::int64_t n = lesser(kVectors * kWidth, a.headDim - d);
        Vec sums[kRows][kVectors];
        multiplyRows<Products>(a.scores + row * columns, columns, a.v + d, a.ldv, depth, n, sums);
        for (int r = 0; r < kRows; ++r) {
            const Vec by = set1(inverse[row + r]);
            for (int v = 0; v < kVectors; ++v) {
                sums[r][v] = sums[r][v] * by;
            }
            storeVectors(a.out + (row + r) * a.ldo + d, sums[r], n);
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
    const float top = whole > best ? whole : best;
    const auto term = [&](Vec x) { return exp2Of((x - set1(top)) * set1(kLog2OfE)); };
    Vec sum = zero();
    float rest = 0.0F;
    overVectors(
        seen,
        [&](std::int64_t i) {
            const Vec e = term(load(scores + i));
            store(scores + i, e);
            sum = sum + e;
        },
        [&](std::int64_t i, std::int64_t n) {
            storePart(scores + i, term(loadPart(scores + i, n)), n);
            for (std::int64_t j = 0; j < n; ++j) {
                rest += scores[i + j];
            }
        });
    for (std::int64_t i = seen; i < length; ++i) {
        scores[i] = 0.0F;
    }
    const float total = sumOf(sum) + rest;
    if (logSum != nullptr) {
        *logSum = top + __builtin_logf(total);
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

/// Calls run<kRows>(row) for blocks that are [0, rows) together.
template <typename Run>
inline void inBlocks(std::int64_t rows, const Run& run) {
    std::int64_t row = 0;
    for (; row + kBlockRows <= rows; row += kBlockRows) {
        run.template operator()<kBlockRows>(row);
    }
    for (; row + 4 <= rows; row += 4) {
        run.template operator()<4>(row);
    }
    for (; row + 3 <= rows; row += 3) {
        run.template operator()<3>(row);
    }
    for (; row + 2 <= rows; row += 2) {
        run.template operator()<2>(row);
    }
    for (; row < rows; ++row) {
        run.template operator()<1>(row);
    }
}

/// The tile, with queries as Products reads them.
template <typename Products>
void attend(const AttentionTile& a, const float* q, std::int64_t ldq) {
    const std::int64_t columns = attentionScratchColumns(a.length);
    float inverse[kAttentionRows];
    inBlocks(a.rows, [&]<int kRows>(std::int64_t row) { scoreRows<Products, kRows>(a, q, ldq, row, columns); });
    for (std::int64_t row = 0; row < a.rows; ++row) {
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
    inBlocks(a.rows, [&]<int kRows>(std::int64_t row) { valueRows<Products, kRows>(a, row, columns, inverse); });
}

}  // namespace
}  // namespace pareto::kernels
