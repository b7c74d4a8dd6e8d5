#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pareto::bench {

/// Makes the peak start again at what is resident now. False where the system does not allow it: the
/// peak is then that of the process since it started.
bool resetPeakMemory();
/// Most bytes that were resident at once (VmHWM); 0 where /proc cannot be read.
std::uint64_t peakMemory();
std::uint64_t residentMemory();
/// Bytes this process can still take: the system's estimate (MemAvailable), the cgroup's limit and
/// the address space limit, whichever is least. 0: unknown.
std::uint64_t availableMemory();
/// Gives freed memory back to the system and drops the mapped pages of these files, so that a peak
/// measured afterwards counts what the model needs, not what making it needed. Pages that are still
/// used come back from the page cache by themselves.
void releaseUnusedMemory(const std::vector<std::string>& mappedFiles);

}  // namespace pareto::bench
