#pragma once

#include <cstddef>
#include <memory>

namespace pareto {

/// Memory for what stays and is read over and over: a model's weights. What is asked for one after the other lies side by
/// side in regions that ask the system for huge pages (madvise(2), MADV_HUGEPAGE: granted where
/// /sys/kernel/mm/transparent_hugepage/enabled says "always" or "madvise"), for with pages of 4 KiB a token waits for the
/// tables of its weights' addresses, in a virtual machine most of all. On a cache line; the content is undefined. What is let go
/// goes back to the system at once, its addresses when its region is empty. Any thread. std::bad_alloc.
std::shared_ptr<std::byte> lastingMemory(std::size_t size);

}  // namespace pareto
