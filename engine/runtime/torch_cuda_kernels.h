#pragma once

// Torch headers: only for .cpp files of runtime/ and models/. Launching our CUDA kernels on tensors.
#include <memory>
#include <stdexcept>
#include <string>

#include <ATen/core/Tensor.h>
#include <c10/core/DeviceGuard.h>

#include "engine/kernels/cuda/cuda_table.h"
#include "engine/runtime/block_cache.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {

/// Null where libtorch's operations are used: no plugin, and wherever gradients are wanted.
inline const kernels::cuda::Table* ownKernels(const Device& device) {
    return device.gradients ? nullptr : device.cudaTable;
}

/// Queues `work` behind what libtorch's operations have queued. Throws what the launch says.
template <typename Work>
void launch(const Device& device, int (*kernel)(const Work&, void*), const Work& work) {
    const c10::DeviceGuard guard(torchDevice(device));
    const auto* table = device.cudaTable;
    if (const int error = kernel(work, table->currentStream(device.index)); error != 0) {
        throw std::runtime_error("a kernel of " + std::string(table->name) +
                                 " could not be started on " + device.name + ": " +
                                 table->errorText(error));
    }
}

/// Of each row of a step, on the device: where it stands in its sequence, and which one that is. int32 [rows].
struct DeviceRows {
    at::Tensor positions;
    at::Tensor sequences;
    /// The step is recorded, or may be: positions change behind the host's back, so nothing may be chosen by them.
    /// They stay below `reach`.
    bool fixed = false;
    std::int64_t reach = 0;
};

/// Rows of a step for our kernels; null where there are none.
std::shared_ptr<const DeviceRows> rowsOnDevice(const Device& device, const StepRows& step);

}  // namespace pareto::runtime
