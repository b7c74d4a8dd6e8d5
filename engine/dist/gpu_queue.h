#pragma once

#include <functional>
#include <memory>

#include "engine/core/result.h"

namespace pareto::dist {

/// The work that waits for a GPU, in order. Of one thread.
class GpuQueue {
public:
    virtual ~GpuQueue() = default;
    /// What `call` answers, which is called with the GPU as the thread's current one; `stream` (a cudaStream_t) is the queue.
    /// What runtime::asError says of a GPU that fails.
    virtual Result<int> call(const std::function<int(void* stream)>& call) = 0;
    /// Whether all that was queued is done; or the same.
    virtual Result<bool> idle() = 0;
};

/// That of libtorch's operations of this thread on cuda:`index`.
std::unique_ptr<GpuQueue> torchQueue(int index);

}  // namespace pareto::dist
