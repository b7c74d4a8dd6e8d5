#include "engine/kernels/cuda/attention_bodies.h"
#include "engine/kernels/cuda/launch.cuh"
#include "engine/kernels/cuda/launchers.h"

namespace pareto::kernels::cuda {
namespace {

template <WeightKind kKind>
__global__ void __launch_bounds__(kThreads)
    attendKernel(const __grid_constant__ TokenAttention work) {
    extern __shared__ float shared[];
    BlockTeam team;
    attendPart<kKind>(work, team, blockIdx.x, shared);
}

template <WeightKind kKind>
void launchParts(const TokenAttention& work, void* stream) {
    const std::int64_t sharing = work.heads / work.keys.heads;
    const std::int64_t blocks =
        work.rows * work.keys.heads * ((sharing + kBlockHeads - 1) / kBlockHeads) * work.splits;
    const auto room =
        static_cast<std::size_t>(attentionRoomFloats(work.keys.headDim)) * sizeof(float);
    attendKernel<kKind>
        <<<static_cast<unsigned>(blocks), kThreads, room, static_cast<cudaStream_t>(stream)>>>(
            work);
}

}  // namespace

int launchTokenAttention(const TokenAttention& work, void* stream) {
    if (work.rows == 0) {
        return 0;
    }
    switch (work.keys.kind) {
    case WeightKind::F32:
        launchParts<WeightKind::F32>(work, stream);
        break;
    case WeightKind::F16:
        launchParts<WeightKind::F16>(work, stream);
        break;
    case WeightKind::Int8:
        launchParts<WeightKind::Int8>(work, stream);
        break;
    case WeightKind::Int4:
        launchParts<WeightKind::Int4>(work, stream);
        break;
    default:
        return cudaErrorInvalidValue;
    }
    const int error = cudaGetLastError();
    return error != 0 || work.splits == 1
               ? error
               : launchValues<joinValue>(work, work.rows * work.heads * work.keys.headDim, stream);
}

}  // namespace pareto::kernels::cuda
