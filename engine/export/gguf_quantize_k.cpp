// The searches for scales are those of ggml's make_qkx2_quants and make_qx_quants
// (ggml/src/ggml-quants.c), operation by operation: the bytes must be the same.
#include "engine/export/gguf_quantize_k.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "engine/core/dtype.h"

namespace pareto::exporting {

namespace {

constexpr std::size_t kValues = 256;
constexpr std::size_t kSub = 32;                     ///< values under one scale, Q4_K and Q5_K
constexpr std::size_t kSubs = kValues / kSub;
constexpr std::size_t kSmallSub = 16;                ///< the same, Q6_K
constexpr std::size_t kSmallSubs = kValues / kSmallSub;
constexpr float kMostScale = 63.0F;                  ///< scales and minimums have 6 bits
constexpr float kTiny = 1e-15F;                      ///< what ggml takes for all zeros

using Codes = std::array<std::uint8_t, kValues>;

/// Nearest integer, ties to even, for |value| ≤ 2^22: adding 1.5 · 2^23 leaves the integer in the lowest
/// bits of the mantissa.
int nearest(float value) {
    constexpr float kShift = 12582912.0F;
    return (std::bit_cast<std::int32_t>(value + kShift) & 0x007FFFFF) - 0x00400000;
}

void putHalf(std::uint8_t* out, float value) {
    const std::uint16_t bits = floatToHalf(value);
    std::memcpy(out, &bits, sizeof bits);
}

float throughHalf(float value) { return halfToFloat(floatToHalf(value)); }

/// How finely the scale of a stretch is searched: first try (added to the highest code), step, steps.
struct Search {
    int mostCode;
    float first;
    float step;
    int steps;
};

struct ScaleAndMin {
    float scale = 0.0F;
    float min = 0.0F;  ///< what is subtracted, ≥ 0
};

/// What the values of one stretch count, and the sums that do not depend on the codes.
struct Weighted {
    const float* values;
    std::array<float, kSub> weights{};
    float sum = 0.0F;        ///< of weights
    float sumValues = 0.0F;  ///< of weights · values

    explicit Weighted(const float* from) : values(from) {
        float squares = 0.0F;
        for (std::size_t i = 0; i < kSub; ++i) {
            squares += values[i] * values[i];
        }
        const float average = std::sqrt(squares / static_cast<float>(kSub));
        for (std::size_t i = 0; i < kSub; ++i) {
            weights[i] = average + std::fabs(values[i]);
        }
        sum = weights[0];
        sumValues = weights[0] * values[0];
        for (std::size_t i = 1; i < kSub; ++i) {
            sum += weights[i];
            sumValues += weights[i] * values[i];
        }
    }

    float error(const std::uint8_t* codes, float scale, float min) const {
        float out = 0.0F;
        for (std::size_t i = 0; i < kSub; ++i) {
            const float difference = scale * static_cast<float>(codes[i]) + min - values[i];
            out += weights[i] * (difference * difference);
        }
        return out;
    }
};

void roundTo(const float* values, float factor, float min, int mostCode, std::uint8_t* codes) {
    for (std::size_t i = 0; i < kSub; ++i) {
        codes[i] =
            static_cast<std::uint8_t>(std::clamp(nearest(factor * (values[i] - min)), 0, mostCode));
    }
}

/// The line value = scale · code + min that fits best in the weighted least squares sense for given
/// codes; false when they do not determine one.
bool fitLine(const Weighted& stretch, const std::uint8_t* codes, float& scale, float& min) {
    float sumCodes = 0.0F;
    float sumSquares = 0.0F;
    float sumProducts = 0.0F;
    for (std::size_t i = 0; i < kSub; ++i) {
        const float code = codes[i];
        const float weight = stretch.weights[i];
        sumCodes += weight * code;
        sumSquares += weight * code * code;
        sumProducts += weight * code * stretch.values[i];
    }
    const float determinant = stretch.sum * sumSquares - sumCodes * sumCodes;
    if (!(determinant > 0.0F)) {
        return false;
    }
    scale = (stretch.sum * sumProducts - stretch.sumValues * sumCodes) / determinant;
    min = (sumSquares * stretch.sumValues - sumCodes * sumProducts) / determinant;
    if (min > 0.0F) {
        min = 0.0F;
        scale = sumProducts / sumSquares;
    }
    return true;
}

/// Codes, scale and minimum of 32 values.
ScaleAndMin searchScale(const float* values, const Search& search, std::uint8_t* codes) {
    const Weighted stretch(values);
    const auto [lowest, highest] = std::minmax_element(values, values + kSub);
    float min = std::min(*lowest, 0.0F);
    const float max = *highest;
    if (max == min) {
        std::fill_n(codes, kSub, std::uint8_t{0});
        return {0.0F, -min};
    }
    const auto most = static_cast<float>(search.mostCode);
    float factor = most / (max - min);
    float scale = 1.0F / factor;
    roundTo(values, factor, min, search.mostCode, codes);
    float best = stretch.error(codes, scale, min);
    std::array<std::uint8_t, kSub> tried{};
    for (int step = 0; step <= search.steps; ++step) {
        // As in ggml, a better minimum is what the following tries start from.
        factor = (search.first + search.step * static_cast<float>(step) + most) / (max - min);
        roundTo(values, factor, min, search.mostCode, tried.data());
        float triedScale = 0.0F;
        float triedMin = 0.0F;
        if (!fitLine(stretch, tried.data(), triedScale, triedMin)) {
            continue;
        }
        const float error = stretch.error(tried.data(), triedScale, triedMin);
        if (error < best) {
            std::copy(tried.begin(), tried.end(), codes);
            best = error;
            scale = triedScale;
            min = triedMin;
        }
    }
    return {scale, -min};
}

std::uint8_t sixBits(float factor, float value) {
    return static_cast<std::uint8_t>(std::min(63, nearest(factor * value) & 0xFF));
}

/// Eight scales and eight minimums of 6 bits in 12 bytes: the first four of each whole, the upper two bits
/// of those bytes and four more bytes of nibbles for the rest.
void packScales(const std::array<std::uint8_t, kSubs>& scales,
                const std::array<std::uint8_t, kSubs>& mins, std::uint8_t* out) {
    for (std::size_t i = 0; i < 4; ++i) {
        out[i] = static_cast<std::uint8_t>(scales[i] | (scales[i + 4] >> 4) << 6);
        out[i + 4] = static_cast<std::uint8_t>(mins[i] | (mins[i + 4] >> 4) << 6);
        out[i + 8] = static_cast<std::uint8_t>((scales[i + 4] & 0x0F) | (mins[i + 4] & 0x0F) << 4);
    }
}

/// d, dmin and the packed scales into out[0 … 15]; the codes for the scales as rounded.
void encodeScaled(const float* values, const Search& search, std::uint8_t* out, Codes& codes) {
    std::array<ScaleAndMin, kSubs> found{};
    float mostScale = 0.0F;
    float mostMin = 0.0F;
    for (std::size_t sub = 0; sub < kSubs; ++sub) {
        found[sub] = searchScale(values + sub * kSub, search, codes.data() + sub * kSub);
        mostScale = std::max(mostScale, found[sub].scale);
        mostMin = std::max(mostMin, found[sub].min);
    }
    const float scaleFactor = mostScale > 0.0F ? kMostScale / mostScale : 0.0F;
    const float minFactor = mostMin > 0.0F ? kMostScale / mostMin : 0.0F;
    std::array<std::uint8_t, kSubs> scales{};
    std::array<std::uint8_t, kSubs> mins{};
    for (std::size_t sub = 0; sub < kSubs; ++sub) {
        scales[sub] = sixBits(scaleFactor, found[sub].scale);
        mins[sub] = sixBits(minFactor, found[sub].min);
    }
    putHalf(out, mostScale / kMostScale);
    putHalf(out + 2, mostMin / kMostScale);
    packScales(scales, mins, out + 4);
    for (std::size_t sub = 0; sub < kSubs; ++sub) {
        const float d = throughHalf(mostScale / kMostScale) * static_cast<float>(scales[sub]);
        if (d == 0.0F) {
            continue;
        }
        const float min = throughHalf(mostMin / kMostScale) * static_cast<float>(mins[sub]);
        for (std::size_t i = sub * kSub; i < (sub + 1) * kSub; ++i) {
            codes[i] = static_cast<std::uint8_t>(
                std::clamp(nearest((values[i] + min) / d), 0, search.mostCode));
        }
    }
}

/// Low nibbles: each 64 values share 32 bytes, the first 32 in the lower halves.
void packNibbles(const Codes& codes, std::uint8_t* out) {
    for (std::size_t at = 0; at < kValues; at += 64) {
        for (std::size_t i = 0; i < 32; ++i) {
            *out++ = static_cast<std::uint8_t>((codes[at + i] & 0x0F) |
                                               (codes[at + i + 32] & 0x0F) << 4);
        }
    }
}

using SmallCodes = std::array<std::int8_t, kSmallSub>;

/// Σ w·x·l and Σ w·l² with weights x², for codes rounded with `factor`.
struct Sums {
    float products = 0.0F;
    float squares = 0.0F;

    Sums(const float* values, float factor, SmallCodes& codes) {
        for (std::size_t i = 0; i < kSmallSub; ++i) {
            codes[i] = static_cast<std::int8_t>(std::clamp(nearest(factor * values[i]), -32, 31));
            const float weight = values[i] * values[i];
            const auto code = static_cast<float>(codes[i]);
            products += weight * values[i] * code;
            squares += weight * code * code;
        }
    }
};

/// Codes −32 … 31 and the scale of 16 values; the scale has the sign opposite to the extreme value's.
float searchSymmetric(const float* values, std::int8_t* codes) {
    float amount = 0.0F;
    float extreme = 0.0F;
    for (std::size_t i = 0; i < kSmallSub; ++i) {
        if (std::fabs(values[i]) > amount) {
            amount = std::fabs(values[i]);
            extreme = values[i];
        }
    }
    if (amount < kTiny) {
        std::fill_n(codes, kSmallSub, std::int8_t{-32});
        return 0.0F;
    }
    SmallCodes tried{};
    const Sums first(values, -32.0F / extreme, tried);
    std::copy(tried.begin(), tried.end(), codes);
    float scale = first.squares != 0.0F ? first.products / first.squares : 0.0F;
    float best = scale * first.products;
    for (int step = -9; step <= 9; ++step) {
        if (step == 0) {
            continue;
        }
        const Sums sums(values, -(32.0F + 0.1F * static_cast<float>(step)) / extreme, tried);
        if (sums.squares > 0.0F && sums.products * sums.products > best * sums.squares) {
            std::copy(tried.begin(), tried.end(), codes);
            scale = sums.products / sums.squares;
            best = scale * sums.products;
        }
    }
    return scale;
}

/// Codes 0 … 63: low nibbles in 128 bytes, the upper two bits in 64.
void packQ6(const std::array<std::int8_t, kValues>& codes, std::uint8_t* out) {
    std::uint8_t* low = out;
    std::uint8_t* high = out + kValues / 2;
    for (std::size_t half = 0; half < kValues; half += 128) {
        for (std::size_t i = 0; i < 32; ++i) {
            std::array<unsigned, 4> part{};
            for (std::size_t row = 0; row < part.size(); ++row) {
                part[row] = static_cast<unsigned>(codes[half + row * 32 + i] + 32);
            }
            low[i] = static_cast<std::uint8_t>((part[0] & 0x0FU) | (part[2] & 0x0FU) << 4);
            low[i + 32] = static_cast<std::uint8_t>((part[1] & 0x0FU) | (part[3] & 0x0FU) << 4);
            high[i] = static_cast<std::uint8_t>(part[0] >> 4 | part[1] >> 4 << 2 |
                                                part[2] >> 4 << 4 | part[3] >> 4 << 6);
        }
        low += 64;
        high += 32;
    }
}

}  // namespace

void encodeQ4K(const float* values, std::uint8_t* out) {
    Codes codes{};
    encodeScaled(values, {15, -1.0F, 0.1F, 20}, out, codes);
    packNibbles(codes, out + 16);
}

void encodeQ5K(const float* values, std::uint8_t* out) {
    Codes codes{};
    encodeScaled(values, {31, -0.5F, 0.1F, 15}, out, codes);
    std::uint8_t* high = out + 16;
    for (std::size_t i = 0; i < kSub; ++i) {
        unsigned bits = 0;
        for (std::size_t sub = 0; sub < kSubs; ++sub) {
            bits |= static_cast<unsigned>(codes[sub * kSub + i] >> 4) << sub;
        }
        high[i] = static_cast<std::uint8_t>(bits);
    }
    packNibbles(codes, out + 48);
}

void encodeQ6K(const float* values, std::uint8_t* out) {
    constexpr std::size_t kBytes = 210;
    constexpr std::size_t kScalesAt = 192;
    std::array<std::int8_t, kValues> codes{};
    std::array<float, kSmallSubs> scales{};
    float extreme = 0.0F;
    for (std::size_t sub = 0; sub < kSmallSubs; ++sub) {
        scales[sub] = searchSymmetric(values + sub * kSmallSub, codes.data() + sub * kSmallSub);
        if (std::fabs(scales[sub]) > std::fabs(extreme)) {
            extreme = scales[sub];
        }
    }
    if (std::fabs(extreme) < kTiny) {
        std::memset(out, 0, kBytes);
        return;
    }
    const float factor = -128.0F / extreme;
    const float d = throughHalf(1.0F / factor);
    putHalf(out + kBytes - 2, 1.0F / factor);
    for (std::size_t sub = 0; sub < kSmallSubs; ++sub) {
        const auto scale = static_cast<std::int8_t>(std::min(127, nearest(factor * scales[sub])));
        out[kScalesAt + sub] = static_cast<std::uint8_t>(scale);
        const float step = d * static_cast<float>(scale);
        if (step == 0.0F) {
            continue;
        }
        for (std::size_t i = sub * kSmallSub; i < (sub + 1) * kSmallSub; ++i) {
            codes[i] = static_cast<std::int8_t>(std::clamp(nearest(values[i] / step), -32, 31));
        }
    }
    packQ6(codes, out);
}

}  // namespace pareto::exporting
