#pragma once

#include <string>

/// Named stretches of time for NVIDIA's own tools (nsys, ncu), through the NVTX that libtorch's CUDA half brings.
namespace pareto::bench {

/// Whether anybody asked ($PARETO_NVTX=1) and libtorch's CUDA half is there.
bool gpuRangesWanted();
void pushGpuRange(const std::string& name);
void popGpuRange();

/// A range for as long as it lives; nothing where none are wanted.
class GpuRange {
public:
    explicit GpuRange(const std::string& name) : m_open(gpuRangesWanted()) {
        if (m_open) {
            pushGpuRange(name);
        }
    }
    ~GpuRange() {
        if (m_open) {
            popGpuRange();
        }
    }
    GpuRange(const GpuRange&) = delete;
    GpuRange& operator=(const GpuRange&) = delete;

private:
    const bool m_open;
};

}  // namespace pareto::bench
