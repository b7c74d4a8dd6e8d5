#pragma once

// Torch headers: only for .cpp files of runtime/ and models/. Plain ATen versions of what the
// kernels do on the CPU, for devices that libtorch drives.
#include <span>

#include <ATen/core/Tensor.h>

#include "engine/kernels/kernel_table.h"
#include "engine/runtime/device.h"

namespace pareto::runtime {

at::Tensor idsOnDevice(const Device& device, std::span<const std::int32_t> ids);
at::Tensor torchActivation(const at::Tensor& x, kernels::Act act);
/// Nibbles (code + 8), even column low, to codes in fp32: [rows][cols].
at::Tensor unpackNibbles(const at::Tensor& bytes, std::int64_t cols);
/// scale · (code − zero) with `length` columns a group; `zeros` may be undefined.
at::Tensor scaleGroups(const at::Tensor& codes, const at::Tensor& scales, const at::Tensor& zeros,
                       std::int64_t length);
/// Inputs as int8 activations would see them (kernels::QuantizeRows), in fp32.
at::Tensor roundActivations(const at::Tensor& x, std::int64_t group);

}  // namespace pareto::runtime
