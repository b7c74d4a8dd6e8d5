#pragma once

// Teams of threads on a device (see host_device.h), and kernels that run a body for every index.
#include <cuda_runtime.h>

#include "engine/kernels/cuda/cuda_table.h"
#include "engine/kernels/cuda/host_device.h"

namespace pareto::kernels::cuda {

inline constexpr unsigned kAllLanes = 0xFFFFFFFFU;
inline constexpr int kWarp = 32;
/// Threads of a block, whatever the team.
inline constexpr int kThreads = 128;

template <int kLanes, typename T, typename Join>
PARETO_DEVICE T joinLanes(T value, Join join) {
    for (int distance = kLanes / 2; distance > 0; distance /= 2) {
        value = join(value, __shfl_xor_sync(kAllLanes, value, distance));
    }
    return value;
}

struct Added {
    template <typename T>
    PARETO_DEVICE T operator()(T a, T b) const {
        return a + b;
    }
};
struct Larger {
    PARETO_DEVICE float operator()(float a, float b) const { return fmaxf(a, b); }
};

/// The 32 threads of a warp.
struct WarpTeam {
    static constexpr int kTeamLanes = kWarp;
    PARETO_DEVICE int lane() const { return static_cast<int>(threadIdx.x) % kWarp; }
    PARETO_DEVICE int lanes() const { return kWarp; }
    PARETO_DEVICE float sum(float x) { return joinLanes<kWarp>(x, Added()); }
    PARETO_DEVICE std::int32_t sum(std::int32_t x) { return joinLanes<kWarp>(x, Added()); }
    PARETO_DEVICE float max(float x) { return joinLanes<kWarp>(x, Larger()); }
};

/// The kThreads threads of a block.
struct BlockTeam {
    static constexpr int kTeamLanes = kThreads;
    PARETO_DEVICE int lane() const { return static_cast<int>(threadIdx.x); }
    PARETO_DEVICE int lanes() const { return kThreads; }
    PARETO_DEVICE float sum(float x) { return joinWarps(x, Added()); }
    PARETO_DEVICE std::int32_t sum(std::int32_t x) { return joinWarps(x, Added()); }
    PARETO_DEVICE float max(float x) { return joinWarps(x, Larger()); }
    PARETO_DEVICE float eightSum(float x) { return joinLanes<8>(x, Added()); }
    PARETO_DEVICE float eightMax(float x) { return joinLanes<8>(x, Larger()); }
    PARETO_DEVICE void sync() { __syncthreads(); }

private:
    template <typename T, typename Join>
    PARETO_DEVICE T joinWarps(T value, Join join) {
        __shared__ T warps[kThreads / kWarp];
        value = joinLanes<kWarp>(value, join);
        if (lane() % kWarp == 0) {
            warps[lane() / kWarp] = value;
        }
        __syncthreads();
        value = warps[0];
        for (int i = 1; i < kThreads / kWarp; ++i) {
            value = join(value, warps[i]);
        }
        __syncthreads();  // the next call writes there again
        return value;
    }
};

/// kBody for every index below `count`, a team each; whole teams beyond it leave together.
template <typename Team, auto kBody, typename Work>
__global__ void __launch_bounds__(kThreads)
    teamKernel(const __grid_constant__ Work work, std::int64_t begin, std::int64_t count) {
    constexpr int kTeams = kThreads / Team::kTeamLanes;
    const std::int64_t index = std::int64_t{blockIdx.x} * kTeams + threadIdx.x / Team::kTeamLanes;
    if (index < count) {
        Team team;
        kBody(work, team, begin + index);
    }
}

/// kBody for every index below `count`, a thread each.
template <auto kBody, typename Work>
__global__ void __launch_bounds__(kThreads)
    valueKernel(const __grid_constant__ Work work, std::int64_t count) {
    const std::int64_t index = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
    if (index < count) {
        kBody(work, index);
    }
}

inline unsigned blocksOf(std::int64_t count, std::int64_t each) {
    return static_cast<unsigned>((count + each - 1) / each);
}

template <typename Team, auto kBody, typename Work>
int launchTeams(const Work& work, std::int64_t begin, std::int64_t count, void* stream) {
    if (count > 0) {
        teamKernel<Team, kBody><<<blocksOf(count, kThreads / Team::kTeamLanes), kThreads, 0,
                                  static_cast<cudaStream_t>(stream)>>>(work, begin, count);
    }
    return cudaGetLastError();
}

template <auto kBody, typename Work>
int launchValues(const Work& work, std::int64_t count, void* stream) {
    if (count > 0) {
        valueKernel<kBody>
            <<<blocksOf(count, kThreads), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(work,
                                                                                            count);
    }
    return cudaGetLastError();
}

}  // namespace pareto::kernels::cuda
