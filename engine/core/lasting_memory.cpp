#include "engine/core/lasting_memory.h"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <new>

#include <sys/mman.h>

namespace pareto {
namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 21;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kLine = 64;
constexpr std::size_t kRegion = std::size_t{1} << 25;

constexpr std::size_t roundUp(std::size_t value, std::size_t step) { return (value + step - 1) / step * step; }

/// Addresses that take no memory before somebody writes to them.
class Region {
public:
    explicit Region(std::size_t size) : m_size(roundUp(size, kHugePage)) {
        const std::size_t mapped = m_size + kHugePage;
        void* memory = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) {
            throw std::bad_alloc();
        }
        const auto begin = reinterpret_cast<std::uintptr_t>(memory);
        const std::uintptr_t first = roundUp(begin, kHugePage);
        if (first > begin) {
            ::munmap(memory, first - begin);
        }
        if (const std::size_t behind = begin + mapped - (first + m_size); behind > 0) {
            ::munmap(reinterpret_cast<void*>(first + m_size), behind);
        }
        m_memory = reinterpret_cast<std::byte*>(first);
        (void)::madvise(m_memory, m_size, MADV_HUGEPAGE);  // without them it is slower, no more
    }
    ~Region() { ::munmap(m_memory, m_size); }
    Region(const Region&) = delete;
    Region& operator=(const Region&) = delete;

    /// Null where there is no more room.
    std::byte* take(std::size_t size) {
        if (m_used + size > m_size) {
            return nullptr;
        }
        m_used += size;
        return m_memory + m_used - size;
    }

private:
    std::byte* m_memory = nullptr;
    const std::size_t m_size;
    std::size_t m_used = 0;
};

/// Pages that belong to it alone.
void giveBack(std::byte* memory, std::size_t size) {
    const auto begin = reinterpret_cast<std::uintptr_t>(memory);
    const std::uintptr_t first = roundUp(begin, kPage);
    const std::uintptr_t last = (begin + size) / kPage * kPage;
    if (last > first) {
        (void)::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
    }
}

std::mutex g_mutex;
std::weak_ptr<Region> g_open;  ///< the one that is not full yet, as long as something lies in it

}  // namespace

std::shared_ptr<std::byte> lastingMemory(std::size_t size) {
    const std::size_t rounded = std::max(kLine, roundUp(size, kLine));
    const std::lock_guard lock(g_mutex);
    auto region = g_open.lock();
    std::byte* memory = region != nullptr ? region->take(rounded) : nullptr;
    if (memory == nullptr) {
        region = std::make_shared<Region>(std::max(kRegion, rounded));
        memory = region->take(rounded);
        g_open = region;
    }
    return {memory, [region, rounded](std::byte* begin) { giveBack(begin, rounded); }};
}

}  // namespace pareto
