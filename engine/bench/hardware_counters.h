#pragma once

#include <string>
#include <vector>

#include "engine/records/profile.h"

namespace pareto::bench {

/// What the processor counts for the threads that this process has at construction, in their own code (not the
/// system's), from then on. Linux's perf_event_open; many machines, most virtual ones among them, do not offer it.
class HardwareCounters {
public:
    HardwareCounters();
    ~HardwareCounters();
    HardwareCounters(const HardwareCounters&) = delete;
    HardwareCounters& operator=(const HardwareCounters&) = delete;

    /// Why nothing is counted, in English; empty: something is.
    const std::string& whyNot() const { return m_whyNot; }
    /// Since construction; absent where the processor does not count it. Scaled where the system had to share counters.
    HardwareCounts read() const;

private:
    using Descriptors = std::vector<int>;  ///< one a thread; empty: not counted
    Descriptors m_cycles;
    Descriptors m_instructions;
    Descriptors m_cacheMisses;
    std::string m_whyNot;
};

}  // namespace pareto::bench
