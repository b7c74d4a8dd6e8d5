#pragma once

#include "engine/kernels/cuda/cuda_table.h"
#include "engine/kernels/cuda/host_device.h"

namespace pareto::kernels::cuda {

/// Value d of a held head and token (number `row` of [sequence][head][capacity]).
template <WeightKind kKind>
PARETO_DEVICE float heldValue(const HeldRows& held, std::int64_t row, std::int64_t d) {
    if constexpr (kKind == WeightKind::F32) {
        return static_cast<const float*>(held.values)[row * held.headDim + d];
    } else if constexpr (kKind == WeightKind::F16) {
        return halfValue(static_cast<const std::uint16_t*>(held.values)[row * held.headDim + d]);
    } else if constexpr (kKind == WeightKind::Int8) {
        return held.scales[row] * static_cast<float>(static_cast<const std::int8_t*>(
                                      held.values)[row * held.headDim + d]);
    } else {
        const std::int64_t groups = (held.headDim + kHeldGroup - 1) / kHeldGroup;
        const std::uint8_t pair =
            static_cast<const std::uint8_t*>(held.values)[row * ((held.headDim + 1) / 2) + d / 2];
        const int code = (pair >> (d % 2 * 4) & 15) - 8;
        return held.scales[row * groups + d / kHeldGroup] * static_cast<float>(code);
    }
}

/// Blocks of [rows][key heads][chunks of query heads][splits].
PARETO_DEVICE std::int64_t headChunks(const TokenAttention& a) {
    return (a.heads / a.keys.heads + kBlockHeads - 1) / kBlockHeads;
}

/// What a block keeps in shared memory, in floats.
struct AttentionRoom {
    float* q;       ///< [kBlockHeads][headDim], scaled
    float* sums;    ///< the same: Σ e^(score − largest) · v so far; a value belongs to one lane
    float* scores;  ///< [kBlockHeads][kTileKeys]
    float* largest;  ///< [kBlockHeads]
    float* totals;   ///< Σ e^(score − largest)
    float* shrinks;  ///< what `sums` are multiplied with after a larger score was seen

    PARETO_DEVICE AttentionRoom(float* room, std::int64_t headDim)
        : q(room),
          sums(q + kBlockHeads * headDim),
          scores(sums + kBlockHeads * headDim),
          largest(scores + kBlockHeads * kTileKeys),
          totals(largest + kBlockHeads),
          shrinks(totals + kBlockHeads) {}
};
static constexpr std::int64_t attentionRoomFloats(std::int64_t headDim) {
    return 2 * kBlockHeads * headDim + kBlockHeads * kTileKeys + 3 * kBlockHeads;
}

/// cap(q·k) of a tile's keys for each of `count` heads; eight lanes share a key.
template <WeightKind kKind, typename Team>
PARETO_DEVICE void scoreTile(const TokenAttention& a, Team& team, const AttentionRoom& room,
                             int count, std::int64_t firstRow, std::int64_t keys) {
    const std::int64_t d = a.keys.headDim;
    const int part = team.lane() % 8;
    for (std::int64_t j = team.lane() / 8; j < kTileKeys; j += team.lanes() / 8) {
        float dots[kBlockHeads] = {};
        for (std::int64_t i = part; j < keys && i < d; i += 8) {
            const float key = heldValue<kKind>(a.keys, firstRow + j, i);
            for (int h = 0; h < kBlockHeads; ++h) {
                dots[h] += h < count ? room.q[h * d + i] * key : 0.0F;
            }
        }
        for (int h = 0; h < kBlockHeads; ++h) {
            if (h >= count) {
                break;
            }
            float score = team.eightSum(dots[h]);
            score = a.softcap > 0.0F ? a.softcap * tanhf(score / a.softcap) : score;
            if (part == 0) {
                room.scores[h * kTileKeys + j] = j < keys ? score : -INFINITY;
            }
        }
    }
}

/// Scores to e^(score − largest), with the running largest and sums brought along; eight lanes share a head.
template <typename Team>
PARETO_DEVICE void weighTile(Team& team, const AttentionRoom& room, int count) {
    for (int first = 0; first < count; first += team.lanes() / 8) {
        const int h = first + team.lane() / 8;
        const int part = team.lane() % 8;
        const bool mine = h < count;
        float* scores = room.scores + h * kTileKeys;
        float most = -INFINITY;
        for (std::int64_t j = part; mine && j < kTileKeys; j += 8) {
            most = fmaxf(most, scores[j]);
        }
        const float before = mine ? room.largest[h] : 0.0F;
        most = fmaxf(before, team.eightMax(most));
        float total = 0.0F;
        for (std::int64_t j = part; mine && j < kTileKeys; j += 8) {
            scores[j] = expf(scores[j] - most);
            total += scores[j];
        }
        total = team.eightSum(total);
        if (mine && part == 0) {
            const float shrink = expf(before - most);
            room.shrinks[h] = shrink;
            room.totals[h] = room.totals[h] * shrink + total;
            room.largest[h] = most;
        }
    }
}

/// One row, the query heads of a chunk that share keys, and a part of the keys that the row sees.
template <WeightKind kKind, typename Team>
PARETO_DEVICE void attendPart(const TokenAttention& a, Team& team, std::int64_t block,
                              float* shared) {
    const std::int64_t d = a.keys.headDim;
    const std::int64_t split = block % a.splits;
    const std::int64_t chunk = block / a.splits % headChunks(a);
    const std::int64_t keyHead = block / a.splits / headChunks(a) % a.keys.heads;
    const std::int64_t row = block / a.splits / headChunks(a) / a.keys.heads;
    const std::int64_t sharing = a.heads / a.keys.heads;
    const std::int64_t firstHead = keyHead * sharing + chunk * kBlockHeads;
    const auto count = static_cast<int>(smaller(kBlockHeads, sharing - chunk * kBlockHeads));

    const std::int64_t end =
        smaller<std::int64_t>(a.positions[row] + std::int64_t{1}, a.keys.capacity);
    const std::int64_t begin = a.window > 0 && end > a.window ? end - a.window : 0;
    const std::int64_t tiles = (end - begin + kTileKeys - 1) / kTileKeys;
    const std::int64_t keyBegin = begin + tiles * split / a.splits * kTileKeys;
    const std::int64_t keyEnd = smaller(end, begin + tiles * (split + 1) / a.splits * kTileKeys);
    const std::int64_t held = (a.sequences[row] * a.keys.heads + keyHead) * a.keys.capacity;

    const AttentionRoom room(shared, d);
    const float* q = a.q + (row * a.heads + firstHead) * d;
    for (std::int64_t i = team.lane(); i < count * d; i += team.lanes()) {
        room.q[i] = q[i] * a.scale;
        room.sums[i] = 0.0F;
    }
    for (int h = team.lane(); h < count; h += team.lanes()) {
        room.largest[h] = -INFINITY;
        room.totals[h] = 0.0F;
    }
    team.sync();
    for (std::int64_t tile = keyBegin; tile < keyEnd; tile += kTileKeys) {
        const std::int64_t keys = smaller(kTileKeys, keyEnd - tile);
        scoreTile<kKind>(a, team, room, count, held + tile, keys);
        team.sync();
        weighTile(team, room, count);
        team.sync();
        for (std::int64_t i = team.lane(); i < count * d; i += team.lanes()) {
            const std::int64_t h = i / d;
            float sum = 0.0F;
            for (std::int64_t j = 0; j < keys; ++j) {
                sum += room.scores[h * kTileKeys + j] *
                       heldValue<kKind>(a.values, held + tile + j, i % d);
            }
            room.sums[i] = room.sums[i] * room.shrinks[h] + sum;
        }
        team.sync();
    }
    const std::int64_t to = ((a.splits > 1 ? split * a.rows : 0) + row) * a.heads + firstHead;
    float* out = (a.splits > 1 ? a.parts : a.out) + to * d;
    for (std::int64_t i = team.lane(); i < count * d; i += team.lanes()) {
        const float total = room.totals[i / d];
        out[i] = total > 0.0F ? room.sums[i] / total : 0.0F;
    }
    for (int h = team.lane(); a.splits > 1 && h < count; h += team.lanes()) {
        a.logSums[to + h] =
            room.totals[h] > 0.0F ? room.largest[h] + logf(room.totals[h]) : -INFINITY;
    }
}

/// Value `index` of [rows][heads][headDim]: Σ e^(logSum) · part / Σ e^(logSum). A split that saw no key has −∞.
PARETO_DEVICE void joinValue(const TokenAttention& a, std::int64_t index) {
    const std::int64_t heads = a.rows * a.heads;
    const std::int64_t head = index / a.keys.headDim;
    float largest = -INFINITY;
    for (std::int64_t split = 0; split < a.splits; ++split) {
        largest = fmaxf(largest, a.logSums[split * heads + head]);
    }
    float total = 0.0F;
    float sum = 0.0F;
    for (std::int64_t split = 0; split < a.splits; ++split) {
        const float share = expf(a.logSums[split * heads + head] - largest);
        total += share;
        sum += share * a.parts[split * heads * a.keys.headDim + index];
    }
    a.out[index] = sum / total;
}

}  // namespace pareto::kernels::cuda
