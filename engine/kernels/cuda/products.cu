#include <algorithm>

#include "engine/kernels/cuda/launch.cuh"
#include "engine/kernels/cuda/launchers.h"
#include "engine/kernels/cuda/product_bodies.h"

namespace pareto::kernels::cuda {
namespace {

template <WeightKind kKind>
int launchRows(const RowsProduct& work, void* stream) {
    const std::int64_t rows = work.rowEnd - work.rowBegin;
    return work.m == 1 ? launchTeams<WarpTeam, multiplyRow<kKind, 1, WarpTeam>>(work, work.rowBegin,
                                                                                rows, stream)
                       : launchTeams<WarpTeam, multiplyRow<kKind, kProductTokens, WarpTeam>>(
                             work, work.rowBegin, rows, stream);
}

template <WeightKind kKind>
int launchCodes(const IntegerProduct& work, void* stream) {
    const std::int64_t rows = work.rowEnd - work.rowBegin;
    return work.m == 1 ? launchTeams<WarpTeam, multiplyCodes<kKind, 1, WarpTeam>>(
                             work, work.rowBegin, rows, stream)
                       : launchTeams<WarpTeam, multiplyCodes<kKind, kProductTokens, WarpTeam>>(
                             work, work.rowBegin, rows, stream);
}

int launchSome(const RowsProduct& work, void* stream) {
    switch (work.weight.kind) {
    case WeightKind::F8:
        return launchRows<WeightKind::F8>(work, stream);
    case WeightKind::Int16:
        return launchRows<WeightKind::Int16>(work, stream);
    case WeightKind::Int8:
        return launchRows<WeightKind::Int8>(work, stream);
    case WeightKind::Int4:
        return launchRows<WeightKind::Int4>(work, stream);
    case WeightKind::Int3:
        return launchRows<WeightKind::Int3>(work, stream);
    case WeightKind::Int2:
        return launchRows<WeightKind::Int2>(work, stream);
    default:
        return cudaErrorInvalidValue;
    }
}

int launchSome(const IntegerProduct& work, void* stream) {
    switch (work.weight.kind) {
    case WeightKind::Int8:
        return launchCodes<WeightKind::Int8>(work, stream);
    case WeightKind::Int4:
        return launchCodes<WeightKind::Int4>(work, stream);
    case WeightKind::Int3:
        return launchCodes<WeightKind::Int3>(work, stream);
    case WeightKind::Int2:
        return launchCodes<WeightKind::Int2>(work, stream);
    default:
        return cudaErrorInvalidValue;
    }
}

/// kProductTokens inputs at a time; `skip` moves a part's inputs on.
template <typename Work, typename Skip>
int launchParts(const Work& work, void* stream, Skip skip) {
    for (std::int64_t first = 0; first < work.m; first += kProductTokens) {
        Work part = work;
        part.m = std::min<std::int64_t>(kProductTokens, work.m - first);
        part.out += first * work.ldo;
        skip(part, first);
        if (const int error = launchSome(part, stream); error != 0) {
            return error;
        }
    }
    return 0;
}

}  // namespace

int launchRowsProduct(const RowsProduct& work, void* stream) {
    return launchParts(work, stream, [](RowsProduct& part, std::int64_t first) {
        if (part.halfX != nullptr) {
            part.halfX += first * part.ldx;
        } else {
            part.x += first * part.ldx;
        }
    });
}

int launchIntegerProduct(const IntegerProduct& work, void* stream) {
    return launchParts(work, stream, [](IntegerProduct& part, std::int64_t first) {
        part.codes += first * part.ldc;
        part.inputScales += first * part.inputGroups;
    });
}

}  // namespace pareto::kernels::cuda
