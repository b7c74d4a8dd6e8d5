#include "engine/runtime/thread_memory.h"

namespace pareto::runtime {

std::pmr::memory_resource& threadMemory() {
    constexpr std::size_t kLargest = std::size_t{1} << 22;
    constexpr std::size_t kBlocks = 4;  // that are asked for at once
    thread_local std::pmr::unsynchronized_pool_resource memory{{kBlocks, kLargest}};
    return memory;
}

}  // namespace pareto::runtime
