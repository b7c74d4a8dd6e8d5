#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/core/parallel.h"

namespace pareto::runtime {

using RangeBody = void (*)(const void* context, std::int64_t begin, std::int64_t end);

/// body(context, begin, end) over pieces of [0, count) on libtorch's pool, at least `grain` each.
void parallelRange(std::int64_t count, std::int64_t grain, RangeBody body, const void* context);

/// The same for anything callable, without allocating.
template <typename Body>
void parallel(std::int64_t count, std::int64_t grain, const Body& body) {
    parallelRange(
        count, grain,
        [](const void* context, std::int64_t begin, std::int64_t end) {
            (*static_cast<const Body*>(context))(begin, end);
        },
        &body);
}

/// body(context, begin, end) over [0, count), which threads take stretch by stretch as they come free: large ones first,
/// then smaller ones down to `piece`, of which each is a multiple. For work in which a thread that is held up (other
/// programs, slower cores) must not keep all others waiting.
void parallelPieces(std::int64_t count, std::int64_t piece, RangeBody body, const void* context);

template <typename Body>
void inPieces(std::int64_t count, std::int64_t piece, const Body& body) {
    parallelPieces(
        count, piece,
        [](const void* context, std::int64_t begin, std::int64_t end) {
            (*static_cast<const Body*>(context))(begin, end);
        },
        &body);
}

/// Whether the calling thread does a share of such work: what it starts it does alone.
bool sharesWork();

/// Memory of the calling thread that outlives the call, on a cache line; the next call may move it.
float* threadScratch(std::size_t floats);

/// libtorch's pool for the torch-free parts of the engine.
ParallelFor poolParallelFor();
/// Sets the pool's size; returns the size in force.
int setPoolThreads(int threads);
int poolThreads();

}  // namespace pareto::runtime
