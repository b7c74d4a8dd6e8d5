#pragma once

#include <cstdint>
#include <stop_token>

#include "engine/core/progress.h"
#include "engine/records/profile.h"
#include "engine/runtime/device.h"

namespace pareto::bench {

struct GpuRoofOptions {
    std::uint64_t weightBytes = 0;  ///< that the model holds
    double seconds = 0.6;           ///< at least so long for each roof…
    int rounds = 5;                 ///< …and at least so many rounds, of which the best and the median count
    std::int64_t square = 8192;     ///< of the products; fp32's is half of it
    std::uint64_t copyBytes = std::uint64_t{512} << 20;  ///< of the memory's copy, more than any cache
};

/// What a GPU reaches at most through libtorch, by its own events; see roofs.h for what a roof is.
///
/// Bandwidth, GB/s: a copy on the device, bytes read and written / time; once beyond the caches, once moving as many
/// bytes as the weights hold in all, again and again.
/// fp32 (TF32 as libtorch is set: off), GFLOP/s, and fp16, of which sums are kept in fp32: 2·n³ / time of at::mm.
/// int8, GOP/s: the same of at::_int_mm (int32 sums). A product that this GPU or this libtorch does not have is no roof:
/// 0, and Roofs::int8Way or fp16Way says why.
/// With a `device` that is the CPU the same operations run there (for tests).
Result<Roofs> measureGpuRoofs(const runtime::Device& device, const GpuRoofOptions& options, Progress& progress,
                              std::stop_token stop);

}  // namespace pareto::bench
