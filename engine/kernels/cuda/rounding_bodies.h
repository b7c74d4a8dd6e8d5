#pragma once

#include "engine/kernels/cuda/cuda_table.h"
#include "engine/kernels/cuda/host_device.h"

namespace pareto::kernels::cuda {

template <typename Team>
PARETO_DEVICE float largestMagnitude(const float* x, std::int64_t begin, std::int64_t end,
                                     Team& team) {
    float largest = 0.0F;
    for (std::int64_t i = begin + team.lane(); i < end; i += team.lanes()) {
        largest = fmaxf(largest, fabsf(x[i]));
    }
    return team.max(largest);
}

/// Group `index` of [rows][groups].
template <typename Team>
PARETO_DEVICE void roundGroup(const RoundRows& a, Team& team, std::int64_t index) {
    const std::int64_t row = index / a.groups;
    const std::int64_t from = index % a.groups * a.groupSize;
    const std::int64_t to = smaller(a.cols, from + a.groupSize);
    const float* x = a.x + row * a.ldx;
    std::int8_t* codes = a.codes + row * a.ldc;
    float scale = a.fixedScale;
    if (!(scale > 0.0F)) {
        const float largest = a.largest != nullptr ? a.largest[row]
                              : a.oneScale         ? largestMagnitude(x, 0, a.cols, team)
                                                   : largestMagnitude(x, from, to, team);
        scale = largest / 127.5F;
    }
    const float inverse = inverseOf(scale);
    std::int32_t sum = 0;
    for (std::int64_t i = from + team.lane(); i < to; i += team.lanes()) {
        const std::int32_t code = codeOf(x[i], inverse, -128.0F, 127.0F);
        codes[i] = static_cast<std::int8_t>(code);
        sum += code;
    }
    if (to == a.cols) {
        for (std::int64_t i = a.cols + team.lane(); i < a.ldc; i += team.lanes()) {
            codes[i] = 0;
        }
    }
    if (a.sums != nullptr) {
        sum = team.sum(sum);
    }
    if (team.lane() == 0) {
        a.scales[index] = scale;
        if (a.sums != nullptr) {
            a.sums[index] = sum;
        }
    }
}

/// A pair of values of a group of kHeldGroup to nibbles.
template <typename Team>
PARETO_DEVICE void appendNibbles(const float* x, std::int64_t headDim, std::uint8_t* codes,
                                 float* scales, Team& team) {
    for (std::int64_t begin = 0; begin < headDim; begin += kHeldGroup) {
        const std::int64_t end = smaller(headDim, begin + kHeldGroup);
        const float scale = largestMagnitude(x, begin, end, team) / 7.5F;
        const float inverse = inverseOf(scale);
        for (std::int64_t i = begin + 2 * team.lane(); i < end; i += 2 * team.lanes()) {
            const std::int32_t low = codeOf(x[i], inverse, -8.0F, 7.0F) + 8;
            const std::int32_t high = i + 1 < end ? codeOf(x[i + 1], inverse, -8.0F, 7.0F) + 8 : 0;
            codes[i / 2] = static_cast<std::uint8_t>(low | high << 4);
        }
        if (team.lane() == 0) {
            scales[begin / kHeldGroup] = scale;
        }
    }
}

/// Head `index` of [rows][heads]. A token beyond the room is not written: the host refuses such steps.
template <typename Team>
PARETO_DEVICE void appendHead(const CacheAppend& a, Team& team, std::int64_t index) {
    const HeldRows& held = a.held;
    const std::int64_t row = index / held.heads;
    const std::int64_t head = index % held.heads;
    const std::int64_t d = held.headDim;
    const std::int64_t position = a.positions[row];
    if (position < 0 || position >= held.capacity) {
        return;
    }
    const float* x = a.x + row * a.ldx + head * d;
    const std::int64_t to = (a.sequences[row] * held.heads + head) * held.capacity + position;
    if (held.kind == WeightKind::Int4) {
        appendNibbles(x, d, static_cast<std::uint8_t*>(held.values) + to * ((d + 1) / 2),
                      held.scales + to * ((d + kHeldGroup - 1) / kHeldGroup), team);
        return;
    }
    float scale = 0.0F;
    if (held.kind == WeightKind::Int8) {
        scale = largestMagnitude(x, 0, d, team) / 127.5F;
        if (team.lane() == 0) {
            held.scales[to] = scale;
        }
    }
    const float inverse = inverseOf(scale);
    for (std::int64_t i = team.lane(); i < d; i += team.lanes()) {
        switch (held.kind) {
        case WeightKind::Int8:
            static_cast<std::int8_t*>(held.values)[to * d + i] =
                static_cast<std::int8_t>(codeOf(x[i], inverse, -128.0F, 127.0F));
            break;
        case WeightKind::F16:
            static_cast<std::uint16_t*>(held.values)[to * d + i] = halfBits(x[i]);
            break;
        default:
            static_cast<float*>(held.values)[to * d + i] = x[i];
            break;
        }
    }
}

}  // namespace pareto::kernels::cuda
