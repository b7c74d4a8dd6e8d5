#include "engine/runtime/torch_ops.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/round.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <ATen/ops/constant_pad_nd.h>

#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {

at::Tensor idsOnDevice(const Device& device, std::span<const std::int32_t> ids) {
    auto* data = const_cast<std::int32_t*>(ids.data());
    const at::Tensor host = at::from_blob(data, {static_cast<std::int64_t>(ids.size())},
                                          at::TensorOptions().dtype(at::kInt));
    return host.to(at::kLong).to(torchDevice(device));
}

at::Tensor torchActivation(const at::Tensor& x, kernels::Act act) {
    switch (act) {
        case kernels::Act::None: return x;
        case kernels::Act::Gelu: return at::gelu(x, "none");
        case kernels::Act::GeluTanh: return at::gelu(x, "tanh");
        case kernels::Act::Relu: return at::relu(x);
        case kernels::Act::Silu: return at::silu(x);
        case kernels::Act::Tanh: return at::tanh(x);
    }
    return x;
}

at::Tensor unpackNibbles(const at::Tensor& bytes, std::int64_t cols) {
    const at::Tensor pairs = at::stack({bytes.bitwise_and(15), bytes.bitwise_right_shift(4)}, -1);
    return pairs.reshape({bytes.size(0), -1}).slice(1, 0, cols).to(at::kFloat) - 8.0;
}

at::Tensor scaleGroups(const at::Tensor& codes, const at::Tensor& scales, const at::Tensor& zeros,
                       std::int64_t length) {
    const auto widened = [&](const at::Tensor& perGroup) {
        return perGroup.size(1) == 1
                   ? perGroup
                   : at::repeat_interleave(perGroup, length, 1).slice(1, 0, codes.size(1));
    };
    const at::Tensor centred = zeros.defined() ? codes - widened(zeros.to(at::kFloat)) : codes;
    return centred * widened(scales);
}

at::Tensor roundActivations(const at::Tensor& x, std::int64_t group) {
    const std::int64_t cols = x.size(1);
    const std::int64_t length = group == 0 ? cols : group;
    const std::int64_t groups = (cols + length - 1) / length;
    const at::Tensor padded = at::constant_pad_nd(x, {0, groups * length - cols}, 0.0)
                                  .reshape({x.size(0), groups, length});
    const at::Tensor scale = padded.abs().amax({2}, true) / 127.5;
    const at::Tensor safe = at::where(scale > 0, scale, at::zeros_like(scale) + 1.0);
    const at::Tensor codes = at::clamp(at::round(padded / safe), -128, 127);
    return (codes * scale).reshape({x.size(0), groups * length}).slice(1, 0, cols).contiguous();
}

}  // namespace pareto::runtime
