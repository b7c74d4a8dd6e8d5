#pragma once

#include <cstdint>
#include <functional>

namespace pareto {

/// Runs body(begin, end) over pieces of [0, count), possibly at the same time. The process has one
/// thread pool (libtorch's); torch-free code gets it injected through this type.
using ParallelFor =
    std::function<void(std::int64_t count, std::int64_t grain,
                       const std::function<void(std::int64_t begin, std::int64_t end)>& body)>;

/// Everything on the calling thread.
inline void serialFor(std::int64_t count, std::int64_t /*grain*/,
                      const std::function<void(std::int64_t, std::int64_t)>& body) {
    if (count > 0) {
        body(0, count);
    }
}

}  // namespace pareto
