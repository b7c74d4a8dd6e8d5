#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/kernels/kernel_table.h"
#include "engine/runtime/cuda_driver.h"

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

/// Applies the thread count (0: usableCores()) to libtorch's pool and checks the device. UsageUnknown for a bad
/// $PARETO_ISA, DeviceUnavailable for a name or a number that is none; of a GPU what cudaProblem says.
Result<Device> openDevice(const std::string& name, int threads);

/// N of "cuda:N" ("cuda" is "cuda:0"); -1: not the name of a CUDA device.
int cudaIndex(const std::string& name);

/// The device of process `localRank` of `processes` on one machine that compute together, the first of them on `name`: a GPU each,
/// one number after the other; "cpu" is everybody's. DeviceUnavailable: the `gpus` that there are do not suffice.
Result<std::string> deviceOfRank(const std::string& name, int localRank, int processes, int gpus);

/// What the NVIDIA driver said when it was first asked; once a process.
const CudaDriver& cudaDriver();
/// Why no GPU can be used here, with a code for each reason: those of driverProblem (cuda_driver.h),
/// GpuLibrariesMissing. Absent: cudaDriver().gpus can, each unless cudaProblem(index) speaks against it
/// (GpuUnsupported, DeviceLost; DeviceUnavailable: there is no such GPU).
std::optional<Error> cudaProblem();
std::optional<Error> cudaProblem(int index);

}  // namespace pareto::runtime
