#include "tests/support/cuda_host/host_table.h"

#include <algorithm>

#include "engine/kernels/cuda/attention_bodies.h"
#include "engine/kernels/cuda/norm_bodies.h"
#include "engine/kernels/cuda/product_bodies.h"
#include "engine/kernels/cuda/rounding_bodies.h"
#include "engine/kernels/cuda/value_bodies.h"
#include "tests/support/cuda_host/lanes.h"

namespace pareto::test {
namespace {

using namespace kernels::cuda;
using kernels::WeightKind;

/// Fibers are of the thread that runs them: tests have ranks on threads.
Lanes& warp() {
    thread_local Lanes lanes(32);
    return lanes;
}
Lanes& block() {
    thread_local Lanes lanes(128);
    return lanes;
}

/// body(work, team, index) for indices [begin, end), a team of lanes each.
template <typename Work, typename Body>
int teams(Lanes& lanes, const Work& work, std::int64_t begin, std::int64_t end, Body body) {
    for (std::int64_t index = begin; index < end; ++index) {
        lanes.run([&](int lane) {
            HostTeam team(lanes, lane);
            body(work, team, index);
        });
    }
    return 0;
}

template <typename Work, typename Body>
int values(const Work& work, std::int64_t count, Body body) {
    for (std::int64_t index = 0; index < count; ++index) {
        body(work, index);
    }
    return 0;
}

/// The small rows are a warp's, as on a device.
Lanes& teamFor(std::int64_t width) { return width <= 512 ? warp() : block(); }

int layerNorm(const NormRows& work, void*) {
    return teams(teamFor(work.width), work, 0, work.rows, normalizeRow<true, HostTeam>);
}
int rmsNorm(const NormRows& work, void*) {
    return teams(teamFor(work.width), work, 0, work.rows, normalizeRow<false, HostTeam>);
}
int gateProduct(const GateProduct& work, void*) { return values(work, work.count, gateValue); }
int rope(const RopeRows& work, void*) {
    return values(work, work.rows * work.heads * (work.headDim / 2), rotatePair);
}
int lookup(const Lookup& work, void*) {
    return values(work, work.count * work.table.cols, lookUpValue);
}
int roundRows(const RoundRows& work, void*) {
    return teams(teamFor(work.oneScale ? work.cols : work.groupSize), work, 0,
                 work.rows * work.groups, roundGroup<HostTeam>);
}
int finishProduct(const FinishProduct& work, void*) {
    return values(work, work.m * work.n, finishValue);
}

template <WeightKind kKind>
int productOf(const RowsProduct& work) {
    return work.m == 1
               ? teams(warp(), work, work.rowBegin, work.rowEnd, multiplyRow<kKind, 1, HostTeam>)
               : teams(warp(), work, work.rowBegin, work.rowEnd,
                       multiplyRow<kKind, kProductTokens, HostTeam>);
}
template <WeightKind kKind>
int productOf(const IntegerProduct& work) {
    return work.m == 1
               ? teams(warp(), work, work.rowBegin, work.rowEnd, multiplyCodes<kKind, 1, HostTeam>)
               : teams(warp(), work, work.rowBegin, work.rowEnd,
                       multiplyCodes<kKind, kProductTokens, HostTeam>);
}

template <typename Work>
int productByKind(const Work& work) {
    switch (work.weight.kind) {
    case WeightKind::Int8:
        return productOf<WeightKind::Int8>(work);
    case WeightKind::Int4:
        return productOf<WeightKind::Int4>(work);
    case WeightKind::Int3:
        return productOf<WeightKind::Int3>(work);
    case WeightKind::Int2:
        return productOf<WeightKind::Int2>(work);
    default:
        break;
    }
    if constexpr (std::is_same_v<Work, RowsProduct>) {
        switch (work.weight.kind) {
        case WeightKind::F8:
            return productOf<WeightKind::F8>(work);
        case WeightKind::Int16:
            return productOf<WeightKind::Int16>(work);
        default:
            break;
        }
    }
    return 1;
}

/// As many tokens at a time as a launch takes; `moveInput(part, first)` points the input at token `first`.
template <typename Work, typename MoveInput>
int productInParts(const Work& work, const MoveInput& moveInput) {
    Work part = work;
    for (std::int64_t first = 0; first < work.m; first += kProductTokens) {
        part.m = std::min<std::int64_t>(kProductTokens, work.m - first);
        part.out = work.out + first * work.ldo;
        moveInput(part, first);
        if (const int error = productByKind(part); error != 0) {
            return error;
        }
    }
    return 0;
}

int rowsProduct(const RowsProduct& work, void*) {
    return productInParts(work, [&](RowsProduct& part, std::int64_t first) {
        part.x = work.x != nullptr ? work.x + first * work.ldx : nullptr;
        part.halfX = work.halfX != nullptr ? work.halfX + first * work.ldx : nullptr;
    });
}

int integerProduct(const IntegerProduct& work, void*) {
    return productInParts(work, [&](IntegerProduct& part, std::int64_t first) {
        part.codes = work.codes + first * work.ldc;
        part.inputScales = work.inputScales + first * work.inputGroups;
    });
}

int cacheAppend(const CacheAppend& work, void*) {
    return teams(warp(), work, 0, work.rows * work.held.heads, appendHead<HostTeam>);
}

template <WeightKind kKind>
int attentionOf(const TokenAttention& work) {
    std::vector<float> room(static_cast<std::size_t>(attentionRoomFloats(work.keys.headDim)));
    const std::int64_t blocks = work.rows * work.keys.heads * headChunks(work) * work.splits;
    return teams(block(), work, 0, blocks,
                 [&](const TokenAttention& a, HostTeam& team, std::int64_t index) {
                     if (team.lane() == 0) {
                         std::fill(room.begin(), room.end(),
                                   NAN);  // nothing says what shared memory holds at first
                     }
                     attendPart<kKind>(a, team, index, room.data());
                 });
}

int tokenAttention(const TokenAttention& work, void*) {
    switch (work.keys.kind) {
    case WeightKind::F32:
        attentionOf<WeightKind::F32>(work);
        break;
    case WeightKind::F16:
        attentionOf<WeightKind::F16>(work);
        break;
    case WeightKind::Int8:
        attentionOf<WeightKind::Int8>(work);
        break;
    case WeightKind::Int4:
        attentionOf<WeightKind::Int4>(work);
        break;
    default:
        return 1;
    }
    return work.splits == 1 ? 0
                            : values(work, work.rows * work.heads * work.keys.headDim, joinValue);
}

}  // namespace

const Table& hostCudaTable() {
    static const Table table{kAbi,
                             "bodies on the CPU",
                             layerNorm,
                             rmsNorm,
                             gateProduct,
                             rope,
                             lookup,
                             roundRows,
                             finishProduct,
                             rowsProduct,
                             integerProduct,
                             cacheAppend,
                             tokenAttention,
                             [](int) { return "the work is not one for this table"; },
                             [](int) -> void* { return nullptr; },
                             [](int, Reason*) { return true; },
                             {}};
    return table;
}

}  // namespace pareto::test
