// Norms, activations, rotary embeddings, quantization of inputs, attention in fp32. See simd.h for why this
// header has everything in an unnamed namespace.
#pragma once

#include "engine/kernels/vector/attention.h"
#include "engine/kernels/vector/transpose.h"

namespace pareto::kernels {
namespace {

inline float squareRoot(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }

inline Vec normInput(const Norm& a, std::int64_t at, std::int64_t n) {
    if (n == kWidth) {
        const Vec x = load(a.x + at);
        return a.residual != nullptr ? x + load(a.residual + at) : x;
    }
    const Vec x = loadPart(a.x + at, n);
    return a.residual != nullptr ? x + loadPart(a.residual + at, n) : x;
}

inline Vec plus(Vec a, Vec b) { return a + b; }

/// Tolerance against the reference: 2e-6 relative to the row's largest output.
template <bool kCentered>
void normalize(const Norm& a, std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t base = row * a.width;
        const auto width = static_cast<float>(a.width);
        float mean = 0.0F;
        const std::int64_t last = a.width % kWidth;
        if (kCentered) {
            Vec sum = inFourSums(a.width, [&](Vec& to, std::int64_t i) { to = to + normInput(a, base + i, kWidth); }, plus);
            if (last > 0) {
                sum = sum + normInput(a, base + a.width - last, last);
            }
            mean = sumOf(sum) / width;
        }
        const Vec center = set1(mean);
        const Vec squares = inFourSums(
            a.width,
            [&](Vec& to, std::int64_t i) {
                const Vec d = normInput(a, base + i, kWidth) - center;
                to = fma(d, d, to);
            },
            plus);
        float rest = 0.0F;
        if (last > 0) {
            float lanes[kWidth];
            store(lanes, normInput(a, base + a.width - last, last));
            for (std::int64_t j = 0; j < last; ++j) {
                rest += (lanes[j] - mean) * (lanes[j] - mean);
            }
        }
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
    const Vec largest = inFourSums(count, [&](Vec& to, std::int64_t i) { to = maxOf(to, absOf(load(x + i))); }, maxOf);
    const std::int64_t last = count % kWidth;
    return largestOf(last > 0 ? maxOf(largest, absOf(loadPart(x + count - last, last))) : largest);
}

/// Codes of `count` values in steps of 1 / inverse; with kSigned their sum.
template <bool kSigned>
inline float roundCodes(const float* x, std::int64_t count, float inverse, std::uint8_t* codes) {
    constexpr int kOffset = kSigned ? 0 : 128;
    const Vec by = set1(inverse);
    const Vec low = set1(-128.0F);
    const Vec high = set1(127.0F);
    Vec sum = zero();
    std::int64_t done = 0;
    for (; done + 4 * kWidth <= count; done += 4 * kWidth) {
        Vec values[4];
#pragma GCC unroll 4
        for (int s = 0; s < 4; ++s) {
            values[s] = minOf(maxOf(load(x + done + s * kWidth) * by, low), high);
            if constexpr (kSigned) {
                values[s] = nearest(values[s]);
                sum = sum + values[s];
            }
        }
        storeCodes<kOffset>(codes + done, values);  // rounds as nearest() does
    }
    x += done;
    codes += done;
    overVectors(
        count - done,
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

/// Tolerance: 1e-5 of the largest |v|; twice that with a softcap, whose tanh is good to 4e-7.
void attention(const AttentionTile& a) { attend<FloatProducts>(a, a.q, a.ldq); }

}  // namespace
}  // namespace pareto::kernels
