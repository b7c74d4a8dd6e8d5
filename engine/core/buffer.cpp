#include "engine/core/buffer.h"

#include <sys/mman.h>
#include <unistd.h>

namespace pareto {

void Buffer::releasePages() const {
    if (!m_mapped) {
        return;
    }
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(m_data);
    const std::uintptr_t first = (begin + page - 1) / page * page;
    const std::uintptr_t end = (begin + m_size) / page * page;
    if (first < end) {
        ::madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
    }
}

}  // namespace pareto
