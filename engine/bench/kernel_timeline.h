#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/records/profile.h"

namespace pareto::bench {

/// Records what a GPU does, kernel by kernel, while it lives: CUPTI through libtorch's Kineto. One at a time in a process;
/// costs time, so what is timed is timed elsewhere.
class KernelTimeline {
public:
    enum class Of {
        Gpu,  ///< kernels and copies
        Cpu,  ///< libtorch's operations: what there is without a GPU, for tests
    };
    explicit KernelTimeline(Of of);
    ~KernelTimeline();  ///< ends it where finish() was not called
    KernelTimeline(const KernelTimeline&) = delete;
    KernelTimeline& operator=(const KernelTimeline&) = delete;

    /// Nothing here, when the pass begins: the zero of the events' times.
    void setStart();
    struct Recorded {
        std::vector<KernelEvent> kernels;  ///< by time; those before the start are left out
        std::string whyNone;               ///< in English, where there are none
    };
    /// Ends the recording. Whatever libtorch throws is the reason why there are none.
    Recorded finish();

private:
    const Of m_of;
    bool m_running = false;
    std::string m_problem;
    std::int64_t m_startNs = 0;  ///< system clock, which Kineto brings all its times to
};

}  // namespace pareto::bench
