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
/// Codes of `bits` < 8 bits as engine/weights/codes.h packs them, to fp32: [rows][cols].
at::Tensor unpackBits(const at::Tensor& bytes, std::int64_t cols, int bits);
/// E4M3 bits (bytes) to the numbers they stand for, fp32.
at::Tensor unpackFloat8(const at::Tensor& bytes);
/// scale · (code − zero) with `length` columns a group; `zeros` may be undefined.
at::Tensor scaleGroups(const at::Tensor& codes, const at::Tensor& scales, const at::Tensor& zeros,
                       std::int64_t length);
/// Inputs as codes of 8 or 16 `bits` (kernels::QuantizeRows, LinearInput::rounded16), whole numbers in fp32, with a
/// scale for each row and group of columns (0: all). `fixedScale` above 0: every group's. `largest`: where it is defined, the
/// magnitudes that rows are rounded by in place of their own (LinearInput::largestOnDevice).
struct ActivationCodes {
    at::Tensor codes;   ///< [m][cols]
    at::Tensor scales;  ///< [m][groups]
};
ActivationCodes activationCodes(const at::Tensor& x, std::int64_t group, int bits,
                                float fixedScale, const at::Tensor& largest = {});
/// The same brought back to fp32: inputs as activations of 8 or 16 `bits` would see them.
at::Tensor roundActivations(const at::Tensor& x, std::int64_t group, int bits, float fixedScale,
                            const at::Tensor& largest = {});

}  // namespace pareto::runtime
