// Norms, activations, rotary embeddings, quantization of inputs, attention. See simd.h for why this
// header has everything in an unnamed namespace.
#pragma once

#include "engine/kernels/vector/simd.h"
#include "engine/kernels/vector/transpose.h"

namespace pareto::kernels {
namespace {

inline float squareRoot(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }

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

inline Vec normInput(const Norm& a, std::int64_t at, std::int64_t n) {
    if (n == kWidth) {
        const Vec x = load(a.x + at);
        return a.residual != nullptr ? x + load(a.residual + at) : x;
    }
    const Vec x = loadPart(a.x + at, n);
    return a.residual != nullptr ? x + loadPart(a.residual + at, n) : x;
}

/// Tolerance against the reference: 2e-6 relative to the row's largest output.
template <bool kCentered>
void normalize(const Norm& a, std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t base = row * a.width;
        const auto width = static_cast<float>(a.width);
        float mean = 0.0F;
        if (kCentered) {
            Vec sum = zero();
            overVectors(
                a.width, [&](std::int64_t i) { sum = sum + normInput(a, base + i, kWidth); },
                [&](std::int64_t i, std::int64_t n) { sum = sum + normInput(a, base + i, n); });
            mean = sumOf(sum) / width;
        }
        const Vec center = set1(mean);
        Vec squares = zero();
        float rest = 0.0F;
        overVectors(
            a.width,
            [&](std::int64_t i) {
                const Vec d = normInput(a, base + i, kWidth) - center;
                squares = fma(d, d, squares);
            },
            [&](std::int64_t i, std::int64_t n) {
                float lanes[kWidth];
                store(lanes, normInput(a, base + i, n));
                for (std::int64_t j = 0; j < n; ++j) {
                    rest += (lanes[j] - mean) * (lanes[j] - mean);
                }
            });
        const Vec inverse = set1(1.0F / squareRoot((sumOf(squares) + rest) / width + a.epsilon));
        overVectors(
            a.width,
            [&](std::int64_t i) {
                const Vec x = normInput(a, base + i, kWidth);
                if (a.sum != nullptr) {
                    store(a.sum + base + i, x);
                }
                const Vec scaled = (x - center) * inverse;
                store(a.out + base + i, kCentered ? fma(scaled, load(a.weight + i), load(a.bias + i))
                                                  : scaled * load(a.weight + i));
            },
            [&](std::int64_t i, std::int64_t n) {
                const Vec x = normInput(a, base + i, n);
                if (a.sum != nullptr) {
                    storePart(a.sum + base + i, x, n);
                }
                const Vec scaled = (x - center) * inverse;
                const Vec weight = loadPart(a.weight + i, n);
                storePart(a.out + base + i,
                          kCentered ? fma(scaled, weight, loadPart(a.bias + i, n)) : scaled * weight,
                          n);
            });
    }
}

/// Tolerance: 1e-6 + 1e-6 · |x|.
void activate(float* values, std::int64_t count, Act act) {
    overVectors(
        count, [&](std::int64_t i) { store(values + i, activated(load(values + i), act)); },
        [&](std::int64_t i, std::int64_t n) {
            storePart(values + i, activated(loadPart(values + i, n), act), n);
        });
}

template <Act kAct>
inline void activateMultiplyAs(float* gate, const float* up, std::int64_t count) {
    overVectors(
        count,
        [&](std::int64_t i) { store(gate + i, activated(load(gate + i), kAct) * load(up + i)); },
        [&](std::int64_t i, std::int64_t n) {
            storePart(gate + i, activated(loadPart(gate + i, n), kAct) * loadPart(up + i, n), n);
        });
}

/// Tolerance: that of the activation, times |up|.
void activateMultiply(float* gate, const float* up, std::int64_t count, Act act) {
    switch (act) {
        case Act::None: return activateMultiplyAs<Act::None>(gate, up, count);
        case Act::Gelu: return activateMultiplyAs<Act::Gelu>(gate, up, count);
        case Act::GeluTanh: return activateMultiplyAs<Act::GeluTanh>(gate, up, count);
        case Act::Relu: return activateMultiplyAs<Act::Relu>(gate, up, count);
        case Act::Silu: return activateMultiplyAs<Act::Silu>(gate, up, count);
        case Act::Tanh: return activateMultiplyAs<Act::Tanh>(gate, up, count);
    }
}

/// Tolerance: 1e-6 of the pair's length.
void rope(const Rope& a, std::int64_t begin, std::int64_t end) {
    const std::int64_t half = a.headDim / 2;
    for (std::int64_t row = begin; row < end; ++row) {
        const float* cosines = a.cosines + row * half;
        const float* sines = a.sines + row * half;
        for (std::int64_t head = 0; head < a.heads; ++head) {
            float* low = a.x + row * a.ldx + head * a.headDim;
            float* high = low + half;
            overVectors(
                half,
                [&](std::int64_t i) {
                    const Vec x = load(low + i);
                    const Vec y = load(high + i);
                    const Vec c = load(cosines + i);
                    const Vec s = load(sines + i);
                    store(low + i, x * c - y * s);
                    store(high + i, fma(y, c, x * s));
                },
                [&](std::int64_t i, std::int64_t n) {
                    const Vec x = loadPart(low + i, n);
                    const Vec y = loadPart(high + i, n);
                    const Vec c = loadPart(cosines + i, n);
                    const Vec s = loadPart(sines + i, n);
                    storePart(low + i, x * c - y * s, n);
                    storePart(high + i, fma(y, c, x * s), n);
                });
        }
    }
}

inline float largestMagnitude(const float* x, std::int64_t count) {
    Vec largest = zero();
    overVectors(
        count, [&](std::int64_t i) { largest = maxOf(largest, absOf(load(x + i))); },
        [&](std::int64_t i, std::int64_t n) { largest = maxOf(largest, absOf(loadPart(x + i, n))); });
    return largestOf(largest);
}

/// Codes of `count` values in steps of 1 / inverse; their sum.
template <bool kSigned>
inline float roundCodes(const float* x, std::int64_t count, float inverse, std::uint8_t* codes) {
    constexpr int kOffset = kSigned ? 0 : 128;
    const Vec by = set1(inverse);
    const Vec low = set1(-128.0F);
    const Vec high = set1(127.0F);
    Vec sum = zero();
    overVectors(
        count,
        [&](std::int64_t i) {
            const Vec code = nearest(minOf(maxOf(load(x + i) * by, low), high));
            sum = sum + code;
            storeCodes<kOffset>(codes + i, code);
        },
        [&](std::int64_t i, std::int64_t n) {
            std::uint8_t lanes[kWidth];
            const Vec code = nearest(minOf(maxOf(loadPart(x + i, n) * by, low), high));
            sum = sum + code;  // the lanes behind the end are 0
            storeCodes<kOffset>(lanes, code);
            for (std::int64_t j = 0; j < n; ++j) {
                codes[i + j] = lanes[j];
            }
        });
    return sumOf(sum);
}

/// Scales agree with the reference exactly, codes too (the same operations in the same order).
void quantizeRows(const QuantizeRows& a, std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
        const float* x = a.x + row * a.ldx;
        std::uint8_t* codes = a.codes + row * a.ldc;
        const bool given = a.rowScales != nullptr || a.fixedScale > 0.0F;
        const float whole = a.rowScales != nullptr   ? a.rowScales[row]
                            : a.fixedScale > 0.0F    ? a.fixedScale
                            : a.oneScale             ? largestMagnitude(x, a.k) / 127.5F
                                                     : 0.0F;
        for (std::int64_t g = 0; g < a.groups; ++g) {
            const std::int64_t from = g * a.groupSize;
            const std::int64_t count = lesser(a.k, from + a.groupSize) - from;
            const float scale = given || a.oneScale ? whole : largestMagnitude(x + from, count) / 127.5F;
            const float inverse = scale > 0.0F ? 1.0F / scale : 0.0F;
            const std::int64_t at = a.sums != nullptr ? g * a.m + row : row * a.groups + g;
            a.scales[at] = scale;
            if (a.sums != nullptr) {
                a.sums[at] =
                    a.sumFactor * static_cast<std::int32_t>(roundCodes<true>(x + from, count, inverse, codes + from));
            } else {
                roundCodes<false>(x + from, count, inverse, codes + from);
            }
        }
        for (std::int64_t i = a.k; i < a.ldc; ++i) {
            codes[i] = a.sums != nullptr ? 0 : 128;
        }
    }
}

/// out[r][0 … 2·kWidth) for kRows rows: Σ_i left[r][i] · right[i][…] — the shape of both products
/// of attention. `n`: columns that exist, from 1 to 2 · kWidth.
template <int kRows, bool kWhole>
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
            low[r] = fma(x, a, low[r]);
            high[r] = fma(x, b, high[r]);
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

template <int kRows>
void scoreRows(const AttentionTile& a, std::int64_t row, std::int64_t columns) {
    const Vec scale = set1(a.scale);
    for (std::int64_t j = 0; j < a.length; j += 2 * kWidth) {
        const std::int64_t n = lesser(2 * kWidth, a.length - j);
        const float* keys = a.keys + keyPlace(a, j);
        Vec low[kRows];
        Vec high[kRows];
        if (n == 2 * kWidth) {
            outerProducts<kRows, true>(a.q + row * a.ldq, a.ldq, keys, a.ldk, a.headDim, n, low, high);
        } else {
            outerProducts<kRows, false>(a.q + row * a.ldq, a.ldq, keys, a.ldk, a.headDim, n, low, high);
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

template <int kRows>
void valueRows(const AttentionTile& a, std::int64_t row, std::int64_t columns, const float* inverse) {
    for (std::int64_t d = 0; d < a.headDim; d += 2 * kWidth) {
        const std::int64_t n = lesser(2 * kWidth, a.headDim - d);
        Vec low[kRows];
        Vec high[kRows];
        const float* left = a.scores + row * columns;
        if (n == 2 * kWidth) {
            outerProducts<kRows, true>(left, columns, a.v + d, a.ldv, a.length, n, low, high);
        } else {
            outerProducts<kRows, false>(left, columns, a.v + d, a.ldv, a.length, n, low, high);
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

/// Tolerance: 1e-5 of the largest |v|; twice that with a softcap, whose tanh is good to 4e-7.
void attention(const AttentionTile& a) {
    const std::int64_t columns = attentionScratchColumns(a.length);
    float inverse[kAttentionRows];
    std::int64_t row = 0;
    for (; row + kBlockRows <= a.rows; row += kBlockRows) {
        scoreRows<kBlockRows>(a, row, columns);
    }
    for (; row + 3 <= a.rows; row += 3) {
        scoreRows<3>(a, row, columns);
    }
    for (; row < a.rows; ++row) {
        scoreRows<1>(a, row, columns);
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
    }
    row = 0;
    for (; row + kBlockRows <= a.rows; row += kBlockRows) {
        valueRows<kBlockRows>(a, row, columns, inverse);
    }
    for (; row + 3 <= a.rows; row += 3) {
        valueRows<3>(a, row, columns, inverse);
    }
    for (; row < a.rows; ++row) {
        valueRows<1>(a, row, columns, inverse);
    }
}

}  // namespace
}  // namespace pareto::kernels
