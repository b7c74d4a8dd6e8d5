// Norms, values by themselves, rounding.
#include "engine/kernels/cuda/launch.cuh"
#include "engine/kernels/cuda/launchers.h"
#include "engine/kernels/cuda/norm_bodies.h"
#include "engine/kernels/cuda/rounding_bodies.h"
#include "engine/kernels/cuda/value_bodies.h"

namespace pareto::kernels::cuda {
namespace {

/// Rows of up to so many values are a warp's: heads that are normalized, groups of columns.
constexpr std::int64_t kWarpValues = 512;

template <bool kCentered>
int launchNorm(const NormRows& work, void* stream) {
    return work.width <= kWarpValues ? launchTeams<WarpTeam, normalizeRow<kCentered, WarpTeam>>(
                                           work, 0, work.rows, stream)
                                     : launchTeams<BlockTeam, normalizeRow<kCentered, BlockTeam>>(
                                           work, 0, work.rows, stream);
}

}  // namespace

int launchLayerNorm(const NormRows& work, void* stream) { return launchNorm<true>(work, stream); }
int launchRmsNorm(const NormRows& work, void* stream) { return launchNorm<false>(work, stream); }

int launchGateProduct(const GateProduct& work, void* stream) {
    return launchValues<gateValue>(work, work.count, stream);
}

int launchRope(const RopeRows& work, void* stream) {
    return launchValues<rotatePair>(work, work.rows * work.heads * (work.headDim / 2), stream);
}

int launchLookup(const Lookup& work, void* stream) {
    return launchValues<lookUpValue>(work, work.count * work.table.cols, stream);
}

int launchFinishProduct(const FinishProduct& work, void* stream) {
    return launchValues<finishValue>(work, work.m * work.n, stream);
}

int launchRoundRows(const RoundRows& work, void* stream) {
    const std::int64_t groups = work.rows * work.groups;
    return (work.oneScale ? work.cols : work.groupSize) <= kWarpValues
               ? launchTeams<WarpTeam, roundGroup<WarpTeam>>(work, 0, groups, stream)
               : launchTeams<BlockTeam, roundGroup<BlockTeam>>(work, 0, groups, stream);
}

int launchCacheAppend(const CacheAppend& work, void* stream) {
    return launchTeams<WarpTeam, appendHead<WarpTeam>>(work, 0, work.rows * work.held.heads,
                                                       stream);
}

const char* errorText(int error) { return cudaGetErrorString(static_cast<cudaError_t>(error)); }

int kernelsRunHere() {
    cudaFuncAttributes attributes;
    const cudaError_t error =
        cudaFuncGetAttributes(&attributes, valueKernel<gateValue, GateProduct>);
    cudaGetLastError();  // the answer is all that is wanted of it
    return error;
}

}  // namespace pareto::kernels::cuda
