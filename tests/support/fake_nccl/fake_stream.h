// A queue of work as the played NCCL knows it: what a cudaStream_t of the tests points to.
#pragma once

#include <atomic>

namespace pareto::test {

struct FakeStream {
    std::atomic<int> queued{0};  ///< calls that are not through
};

}  // namespace pareto::test
