#pragma once

// Torch headers: only for .cpp files of runtime/ and models/.
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include "engine/core/buffer.h"
#include "engine/core/result.h"
#include "engine/runtime/device.h"
#include "engine/runtime/failures.h"
#include "engine/runtime/torch_recycled.h"

namespace pareto::runtime {

inline c10::Device torchDevice(const Device& device) {
    return device.cuda ? c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(device.index))
                       : c10::Device(c10::DeviceType::CPU);
}

inline at::TensorOptions floatOptions(const Device& device) {
    return at::TensorOptions().dtype(at::kFloat).device(torchDevice(device));
}

/// Uninitialized fp32 on the device.
inline at::Tensor emptyFloats(const Device& device, at::IntArrayRef sizes) {
    if (!device.usesTorch() && c10::InferenceMode::is_enabled()) {
        return recycledFloats(sizes);
    }
    return at::empty(sizes, floatOptions(device));
}

/// A tensor over `buffer`'s bytes without copying; it keeps the bytes alive. libtorch has no
/// read-only tensors: nothing here ever writes to one.
inline at::Tensor viewBuffer(const Buffer& buffer, at::IntArrayRef sizes, at::ScalarType type) {
    auto keep = std::make_shared<Buffer>(buffer);
    auto* data = const_cast<std::byte*>(buffer.data());
    return at::from_blob(data, sizes, [keep](void*) {}, at::TensorOptions().dtype(type));
}

inline bool isAligned(const void* data, std::size_t to) {
    return reinterpret_cast<std::uintptr_t>(data) % to == 0;
}

/// Runs `work` and turns what libtorch throws into an Error (failures.h says which); `where` names the step.
template <typename Work>
auto caught(const std::string& where, const Work& work) -> decltype(work()) {
    try {
        return work();
    } catch (const std::exception& problem) {
        return asError(where, problem);
    }
}

/// The same without a graph to differentiate.
template <typename Work>
auto guarded(const std::string& where, const Work& work) -> decltype(work()) {
    return caught(where, [&] {
        const c10::InferenceMode inference(true);
        return work();
    });
}

}  // namespace pareto::runtime
