#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/models/model.h"

/// Time and memory on the device that a model runs on. A GPU is asked through libtorch's general interfaces (events,
/// allocator statistics), so that nothing here needs CUDA to build or to start.
namespace pareto::bench {

/// Notes moments and says afterwards when they were.
class PhaseClock {
public:
    virtual ~PhaseClock() = default;
    /// Notes a moment and costs next to nothing: on the CPU now, on a GPU the one at which it has done everything it was
    /// given so far. Index into the next times().
    virtual std::size_t mark() = 0;
    /// Milliseconds of all moments since the last call, on a scale that goes on from call to call. On a GPU it waits for
    /// the last of them, so nothing is left of what was given before.
    virtual std::vector<double> times() = 0;
};

/// The steady clock.
std::unique_ptr<PhaseClock> wallClock();
/// Events on the current stream of a CUDA device (resolution about 0.5 µs). All of it throws what CUDA throws, which
/// jobs turn into errors.
std::unique_ptr<PhaseClock> gpuClock(int index);
/// gpuClock of a model on a GPU, else wallClock.
std::unique_ptr<PhaseClock> clockOf(const models::DeviceInfo& device);

/// Bytes on a GPU as libtorch's caching allocator counts them; other users of the GPU are in `free` only.
struct GpuMemory {
    std::uint64_t peakAllocated = 0;  ///< most that tensors held at once since resetPeakGpuMemory
    std::uint64_t peakReserved = 0;   ///< most that the allocator held at once: tensors and its cache
    std::uint64_t allocated = 0;      ///< now
    std::uint64_t free = 0;           ///< that the driver could still give; 0 with `total` 0: not said
    std::uint64_t total = 0;
};
/// Nothing happens, and nothing is there, before libtorch has used the GPU.
void resetPeakGpuMemory(int index);
std::optional<GpuMemory> gpuMemory(int index);
Json toJson(const GpuMemory& memory);

}  // namespace pareto::bench
