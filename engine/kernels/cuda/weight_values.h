#pragma once

// Reading weights in their logical form (kernels::WeightRows), one number or eight neighbouring ones at a time.
#include "engine/kernels/cuda/cuda_table.h"
#include "engine/kernels/cuda/host_device.h"

namespace pareto::kernels::cuda {

PARETO_DEVICE constexpr int bitsOf(WeightKind kind) {
    switch (kind) {
    case WeightKind::F32:
        return 32;
    case WeightKind::F16:
    case WeightKind::BF16:
    case WeightKind::Int16:
        return 16;
    case WeightKind::F8:
    case WeightKind::Int8:
        return 8;
    case WeightKind::Int4:
        return 4;
    case WeightKind::Int3:
        return 3;
    case WeightKind::Int2:
        return 2;
    }
    return 32;
}

PARETO_DEVICE bool hasScales(WeightKind kind) {
    return kind != WeightKind::F32 && kind != WeightKind::F16 && kind != WeightKind::BF16;
}

PARETO_DEVICE const std::uint8_t* rowBytes(const WeightRows& w, std::int64_t row) {
    return static_cast<const std::uint8_t*>(w.values) + row * ((w.cols * bitsOf(w.kind) + 7) / 8);
}

/// Number of the scale of a column.
PARETO_DEVICE std::int64_t scaleAt(const WeightRows& w, std::int64_t row, std::int64_t col) {
    // Divisions of 32 bits are several times faster, and no row has more columns.
    return w.groups == 0   ? 0
           : w.groups == 1 ? row
                           : row * w.groups + static_cast<std::uint32_t>(col) /
                                                  static_cast<std::uint32_t>(w.groupSize);
}

/// A code of fewer than 8 bits: as it is stored, from 0 on.
PARETO_DEVICE std::int32_t storedCode(const std::uint8_t* row, std::int64_t col, int bits) {
    const std::int64_t bit = col * bits;
    const std::uint8_t* from = row + bit / 8;
    const int shift = static_cast<int>(bit % 8);
    int stored = from[0] >> shift;
    if (shift + bits > 8) {
        stored |= from[1] << (8 - shift);
    }
    return stored & ((1 << bits) - 1);
}

/// Before zero point and scale.
PARETO_DEVICE float numberAt(WeightKind kind, const std::uint8_t* row, std::int64_t col) {
    switch (kind) {
    case WeightKind::F32:
        return alignedWord<float>(row + 4 * col);
    case WeightKind::F16:
        return halfValue(alignedWord<std::uint16_t>(row + 2 * col));
    case WeightKind::BF16:
        return bfloatValue(alignedWord<std::uint16_t>(row + 2 * col));
    case WeightKind::F8:
        return float8Value(row[col]);
    case WeightKind::Int16:
        return static_cast<float>(alignedWord<std::int16_t>(row + 2 * col));
    case WeightKind::Int8:
        return static_cast<float>(static_cast<std::int8_t>(row[col]));
    case WeightKind::Int4:
        return static_cast<float>(storedCode(row, col, 4) - 8);
    case WeightKind::Int3:
        return static_cast<float>(storedCode(row, col, 3) - 4);
    case WeightKind::Int2:
        return static_cast<float>(storedCode(row, col, 2) - 2);
    }
    return 0.0F;
}

PARETO_DEVICE float scaledValue(const WeightRows& w, std::int64_t scale, float number) {
    const float zero = w.zeroPoints != nullptr ? static_cast<float>(w.zeroPoints[scale]) : 0.0F;
    return w.scales[scale] * (number - zero);
}

PARETO_DEVICE float weightValue(const WeightRows& w, std::int64_t row, std::int64_t col) {
    const float number = numberAt(w.kind, rowBytes(w, row), col);
    return hasScales(w.kind) ? scaledValue(w, scaleAt(w, row, col), number) : number;
}

/// Whether eight columns from a multiple of 8 on always share a scale.
PARETO_DEVICE bool eightShareScale(const WeightRows& w) {
    return w.groups <= 1 || w.groupSize % 8 == 0;
}

/// The codes of columns col … col + 7 (col a multiple of 8), `kBits` bits each, the first lowest; bits behind the row
/// are 0.
template <int kBits>
PARETO_DEVICE std::uint64_t eightCodes(const std::uint8_t* row, std::int64_t col,
                                       std::int64_t cols) {
    const std::uint8_t* from = row + col / 8 * kBits;
    const auto address = reinterpret_cast<std::uintptr_t>(from);
    if (cols - col >= 8 && kBits != 3 && address % kBits == 0) {
        return kBits == 8   ? alignedWord<std::uint64_t>(from)
               : kBits == 4 ? alignedWord<std::uint32_t>(from)
                            : alignedWord<std::uint16_t>(from);
    }
    const auto bytes = static_cast<int>((smaller<std::int64_t>(8, cols - col) * kBits + 7) / 8);
    std::uint64_t out = 0;
    for (int i = 0; i < bytes; ++i) {
        out |= static_cast<std::uint64_t>(from[i]) << (8 * i);
    }
    return out;
}

/// Numbers of columns col … col + 7 before zero point and scale; 0 or the lowest code's behind the row.
template <WeightKind kKind>
PARETO_DEVICE void eightNumbers(const std::uint8_t* row, std::int64_t col, std::int64_t cols,
                                float out[8]) {
    constexpr int kBits = bitsOf(kKind);
    if constexpr (kBits > 8) {
        for (int i = 0; i < 8; ++i) {
            out[i] = col + i < cols ? numberAt(kKind, row, col + i) : 0.0F;
        }
    } else {
        const std::uint64_t codes = eightCodes<kBits>(row, col, cols);
        for (int i = 0; i < 8; ++i) {
            const auto code =
                static_cast<std::uint8_t>(codes >> (i * kBits) & ((1U << kBits) - 1U));
            if constexpr (kKind == WeightKind::F8) {
                out[i] = float8Value(code);
            } else if constexpr (kKind == WeightKind::Int8) {
                out[i] = static_cast<float>(static_cast<std::int8_t>(code));
            } else {
                out[i] = static_cast<float>(static_cast<int>(code) - (1 << (kBits - 1)));
            }
        }
    }
}

}  // namespace pareto::kernels::cuda
