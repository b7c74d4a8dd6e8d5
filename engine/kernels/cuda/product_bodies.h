#pragma once

// Products with few inputs: they are bound by reading the weight, which every team does once, a row each. A lane takes
// eight neighbouring columns at a time.
#include "engine/kernels/cuda/weight_values.h"

namespace pareto::kernels::cuda {

/// Inputs that one pass over the weight serves.
inline constexpr int kProductTokens = 8;

template <int kTokens, typename Team>
PARETO_DEVICE void storeProducts(const ProductOutput& a, Team& team, std::int64_t row,
                                 const float (&sums)[kTokens]) {
    for (int t = 0; t < kTokens; ++t) {
        const float sum = team.sum(sums[t]);
        if (team.lane() == 0 && t < a.m) {
            a.out[t * a.ldo + row - a.firstRow] =
                activated(a.bias != nullptr ? sum + a.bias[row] : sum, a.act);
        }
    }
}

/// Columns col … col + 7 of input t; 0 behind the last one.
PARETO_DEVICE void eightInputs(const RowsProduct& a, std::int64_t t, std::int64_t col,
                               float out[8]) {
    const std::int64_t at = t * a.ldx + col;
    const std::int64_t count = a.weight.cols - col;
    if (a.halfX != nullptr) {
        for (int i = 0; i < 8; ++i) {
            out[i] = i < count ? halfValue(a.halfX[at + i]) : 0.0F;
        }
    } else {
        for (int i = 0; i < 8; ++i) {
            out[i] = i < count ? a.x[at + i] : 0.0F;
        }
    }
}

/// Row `row` times inputs 0 … m − 1, m at most kTokens.
template <WeightKind kKind, int kTokens, typename Team>
PARETO_DEVICE void multiplyRow(const RowsProduct& a, Team& team, std::int64_t row) {
    const WeightRows& w = a.weight;
    const std::uint8_t* bytes = rowBytes(w, row);
    const bool shared = eightShareScale(w);
    float sums[kTokens] = {};
    for (std::int64_t col = 8 * team.lane(); col < w.cols; col += 8 * team.lanes()) {
        float weight[8];
        eightNumbers<kKind>(bytes, col, w.cols, weight);
        const std::int64_t scale = scaleAt(w, row, col);
        for (int i = 0; i < 8; ++i) {
            const bool same = shared || col + i >= w.cols;
            weight[i] = scaledValue(w, same ? scale : scaleAt(w, row, col + i), weight[i]);
        }
        for (int t = 0; t < kTokens; ++t) {
            if (t >= a.m) {
                break;
            }
            float input[8];
            eightInputs(a, t, col, input);
            for (int i = 0; i < 8; ++i) {
                sums[t] += weight[i] * input[i];
            }
        }
    }
    storeProducts(a, team, row, sums);
}

/// Eight codes as bytes: signed for 8 bits, else as stored (from 0 on).
template <int kBits>
PARETO_DEVICE std::uint64_t codesAsBytes(std::uint64_t codes) {
    if constexpr (kBits == 8) {
        return codes;
    }
    std::uint64_t out = 0;
    for (int i = 0; i < 8; ++i) {
        out |= (codes >> (i * kBits) & ((1U << kBits) - 1U)) << (8 * i);
    }
    return out;
}

/// What is subtracted from a code as codesAsBytes() leaves it.
template <WeightKind kKind>
PARETO_DEVICE std::int32_t centreOf(const WeightRows& w, std::int64_t scale) {
    constexpr std::int32_t kStored = kKind == WeightKind::Int8 ? 0 : 1 << (bitsOf(kKind) - 1);
    return kStored + (w.zeroPoints != nullptr ? w.zeroPoints[scale] : 0);
}

/// Eight columns where groups end between them; codes as bytes.
template <WeightKind kKind>
PARETO_DEVICE float mixedEight(const IntegerProduct& a, std::int64_t row, std::int64_t col,
                               std::int64_t t, std::uint64_t codes) {
    float sum = 0.0F;
    PARETO_ROLLED
    for (std::int64_t i = col; i < col + 8 && i < a.weight.cols; ++i) {
        const std::int64_t scale = scaleAt(a.weight, row, i);
        const std::int64_t group = a.inputGroups == 1 ? 0 : scale - row * a.weight.groups;
        const auto byte = static_cast<std::uint8_t>(codes);
        const std::int32_t code =
            kKind == WeightKind::Int8 ? std::int32_t{static_cast<std::int8_t>(byte)} : byte;
        sum +=
            a.weight.scales[scale] * a.inputScales[t * a.inputGroups + group] *
            static_cast<float>((code - centreOf<kKind>(a.weight, scale)) * a.codes[t * a.ldc + i]);
        codes >>= 8;
    }
    return sum;
}

template <WeightKind kKind, int kTokens, typename Team>
PARETO_DEVICE void multiplyCodes(const IntegerProduct& a, Team& team, std::int64_t row) {
    constexpr int kBits = bitsOf(kKind);
    const WeightRows& w = a.weight;
    const std::uint8_t* bytes = rowBytes(w, row);
    const bool shared = eightShareScale(w);
    float sums[kTokens] = {};
    for (std::int64_t col = 8 * team.lane(); col < w.cols; col += 8 * team.lanes()) {
        const std::uint64_t codes = codesAsBytes<kBits>(eightCodes<kBits>(bytes, col, w.cols));
        const std::int64_t scale = scaleAt(w, row, col);
        const std::int64_t group = a.inputGroups == 1 ? 0 : scale - row * w.groups;
        const std::int32_t centre = centreOf<kKind>(w, scale);
        for (int t = 0; t < kTokens; ++t) {
            if (t >= a.m) {
                break;
            }
            if (!shared) {
                sums[t] += mixedEight<kKind>(a, row, col, t, codes);
                continue;
            }
            const auto input = alignedWord<std::uint64_t>(a.codes + t * a.ldc + col);
            const auto low = static_cast<std::uint32_t>(input);
            const auto high = static_cast<std::uint32_t>(input >> 32);
            const std::int32_t dot =
                dotOfFour(static_cast<std::uint32_t>(codes >> 32), high,
                          dotOfFour(static_cast<std::uint32_t>(codes), low, 0));
            const std::int32_t total = dotOfFour(0x01010101U, high, dotOfFour(0x01010101U, low, 0));
            sums[t] += w.scales[scale] * a.inputScales[t * a.inputGroups + group] *
                       static_cast<float>(dot - centre * total);
        }
    }
    storeProducts(a, team, row, sums);
}

}  // namespace pareto::kernels::cuda
