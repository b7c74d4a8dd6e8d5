#pragma once

#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/kernels/kernel_table.h"

namespace pareto::kernels::cuda {
struct Table;
}

namespace pareto::runtime {

/// Where a model computes. On "cpu" the kernels of `table` and libtorch's pool; on "cuda:N", and wherever
/// gradients are wanted, libtorch's operations; on "cuda:N" the kernels of `cudaTable` too.
struct Device {
    std::string name = "cpu";
    bool cuda = false;
    int index = 0;
    int capability = 0;  ///< of a CUDA device: 10 · major + minor of its compute capability (8.9: 89)
    int threads = 1;
    const kernels::KernelTable* table = nullptr;
    /// Our own kernels beside libtorch's operations, for pointers of this device; null: `cudaTableProblem` says why.
    const kernels::cuda::Table* cudaTable = nullptr;
    std::string cudaTableProblem;
    bool gradients = false;  ///< operations leave a graph to differentiate; weights are fp32 parameters

    bool usesTorch() const { return cuda || gradients || cudaTable != nullptr; }
};

/// Cores this process may use: its affinity mask, cut by a cgroup's CPU quota (v1 and v2).
int usableCores();

/// Applies the thread count (0: usableCores()) to libtorch's pool and checks the device.
/// DeviceUnavailable with the reason, UsageUnknown for a bad $PARETO_ISA.
Result<Device> openDevice(const std::string& name, int threads);

/// Empty when at least one CUDA device can be used, else why not.
std::string cudaProblem();
int cudaDeviceCount();

}  // namespace pareto::runtime
