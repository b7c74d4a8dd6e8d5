#pragma once

#include <cstdint>
#include <stop_token>

#include "engine/core/progress.h"
#include "engine/kernels/kernel_table.h"
#include "engine/records/profile.h"

/// What this machine reaches at most with the threads of the pool as it is set: the roofs of a roofline plot (Williams,
/// Waterman, Patterson 2009). All of them are measured, none is taken from a data sheet, so they are practical roofs: with
/// other programs beside, or a lower clock, they are lower, and a layer can be a little above one.
namespace pareto::bench {

struct RoofOptions {
    std::uint64_t weightBytes = 0;                ///< that the model holds
    const kernels::KernelTable* table = nullptr;  ///< whose products are measured
    double seconds = 0.6;                         ///< at least so long for each roof…
    int rounds = 5;  ///< …and at least so many rounds, of which the best and the median count
};

/// Bandwidth, GB/s (10⁹ bytes): all threads add up the 64-bit words of a buffer with vector additions, each from eight
/// places at a time with prefetching (the most that reading gets here), bytes / time.
/// Twice: over as many bytes as the weights hold, again and again, as one pass of the model after another reads them
/// (where the caches hold them, that is the caches' bandwidth; at least 8 MiB, for less lies beside the cores and would
/// time the loop); and over four times the last-level cache, which is the memory's bandwidth. Models larger than that have
/// one bandwidth, and so have those that were read no faster than memory.
///
/// fp32, GFLOP/s: the faster of the kernel table's own floatGemm on a weight that stays in each core's L2 cache, and of at::mm of two
/// square matrices (libtorch's library, MKL on x86); operations / time. Roofs::fp32Way says which.
///
/// fp16: the same of two matrices of bfloat16, where the kernel table attends in it.
///
/// int8, GOP/s: 2·m·rows·cols / time of the kernel table's own int8Gemm on a weight that stays in each core's L2 cache:
/// what the instructions (Roofs::int8Way names them) give once reading is free.
Result<Roofs> measureRoofs(const RoofOptions& options, Progress& progress, std::stop_token stop);

}  // namespace pareto::bench
