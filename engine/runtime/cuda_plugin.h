#pragma once

#include <string>
#include <vector>

#include "engine/kernels/cuda/cuda_table.h"

namespace pareto::runtime {

/// Our CUDA kernels, or why libtorch's operations go on alone.
struct CudaPlugin {
    const kernels::cuda::Table* table = nullptr;
    std::string problem;
};

/// The library at `path`: a table of this program's ABI, or the reason.
CudaPlugin openCudaPlugin(const std::string& path);
/// Where libpareto_cuda.so is looked for, in this order: $PARETO_CUDA_PLUGIN alone where it is set, else beside the
/// program and in the folder lib beside that.
std::vector<std::string> cudaPluginPlaces();
/// The plugin of this process for one device, opened once; libtorch's CUDA half is loaded before. `problem` also says
/// where its kernels were not compiled for the device.
CudaPlugin cudaPluginFor(int device);

}  // namespace pareto::runtime
