#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/error.h"

/// The NVIDIA driver as it says itself, without libtorch: its library is opened at run time and only the few functions
/// below are called (CUDA Driver API, "Initialization", "Version Management", "Device Management").
namespace pareto::runtime {

/// One GPU in the driver's own order, which CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER decide: GPU i is "cuda:i".
struct GpuFacts {
    std::string name;                ///< "NVIDIA H100 80GB HBM3"
    int capability = 0;              ///< 10 · major + minor of its compute capability (8.9: 89)
    std::uint64_t memoryBytes = 0;   ///< all of it, free or not
    std::string pciId;               ///< "0000:81:00.0"; empty: not said
    std::string uuid;                ///< "GPU-5a2c…", of a MIG instance its own; empty: not said
};

struct CudaDriver {
    enum class State {
        Missing,   ///< no libcuda.so.1
        Failed,    ///< there, but it does not start: `error`, `errorName`, `errorText`
        NoGpu,     ///< starts and sees no GPU
        Ready,
    };
    State state = State::Missing;
    int version = 0;              ///< newest CUDA it knows, 1000 · major + 10 · minor; 0: not said
    std::string release;          ///< "580.95.05", of the kernel's module; empty: not said
    int installedGpus = -1;       ///< that the kernel's module has, visible or not; -1: not known
    std::optional<std::string> visibleDevices;  ///< $CUDA_VISIBLE_DEVICES where it is set
    int error = 0;                ///< CUresult of cuInit or of the call that failed
    std::string errorName;        ///< "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"
    std::string errorText;        ///< what the driver, or the loader, says of it
    std::vector<GpuFacts> gpus;
};

/// Where the driver is looked for.
struct CudaPlaces {
    std::string library = "libcuda.so.1";
    std::string moduleFolder = "/proc/driver/nvidia";  ///< with `version` and a folder `gpus`
};
CudaDriver readCudaDriver(const CudaPlaces& places = {});

/// "13.0" of 13000.
std::string cudaVersionText(int version);

/// What libtorch's CUDA half was built for.
struct TorchCuda {
    int version = 0;                ///< as CudaDriver::version; 0: built without CUDA
    std::vector<int> binaries;      ///< capabilities with machine code (sm_…); both empty: not known
    std::vector<int> portable;      ///< capabilities with PTX (compute_…), which later GPUs translate
};
/// The lists in what libtorch says of its compiler: "…-gencode;arch=compute_90,code=sm_90;…".
TorchCuda torchCudaOf(int version, const std::string& compilerFlags);

/// Why no GPU at all can be used with this libtorch; absent: nothing known speaks against it. One code for each
/// reason: GpuDriverMissing, GpuDriverFailed, GpuHidden, GpuNone, GpuDriverOld. `device` is what was asked for.
std::optional<Error> driverProblem(const CudaDriver& driver, int torchCuda, const std::string& device);
/// GpuUnsupported: libtorch has no code that this GPU runs. Machine code runs on its own major version from its minor
/// version on, PTX on everything later.
std::optional<Error> gpuProblem(const GpuFacts& gpu, const TorchCuda& torch, const std::string& device);

/// "cuda:0 NVIDIA H100 80GB HBM3 (sm_90, 85.0 GB)"; decimal GB, as the rest of the program.
std::string deviceLine(int index, const GpuFacts& gpu);

}  // namespace pareto::runtime
