#include "engine/runtime/torch_ops.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/round.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/where.h>
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
    case kernels::Act::None:
        return x;
    case kernels::Act::Gelu:
        return at::gelu(x, "none");
    case kernels::Act::GeluTanh:
        return at::gelu(x, "tanh");
    case kernels::Act::Relu:
        return at::relu(x);
    case kernels::Act::Silu:
        return at::silu(x);
    case kernels::Act::Tanh:
        return at::tanh(x);
    }
    return x;
}

at::Tensor unpackBits(const at::Tensor& bytes, std::int64_t cols, int bits) {
    if (bits == 4) {
        const at::Tensor pairs =
            at::stack({bytes.bitwise_and(15), bytes.bitwise_right_shift(4)}, -1);
        return pairs.reshape({bytes.size(0), -1}).slice(1, 0, cols).to(at::kFloat) - 8.0;
    }
    // Single bits of a row, then `bits` of them a code.
    std::vector<at::Tensor> single;
    for (int bit = 0; bit < 8; ++bit) {
        single.push_back(bytes.bitwise_right_shift(bit).bitwise_and(1));
    }
    const at::Tensor all =
        at::stack(single, -1).reshape({bytes.size(0), -1}).slice(1, 0, cols * bits);
    const at::Tensor codes = all.reshape({bytes.size(0), cols, bits});
    at::Tensor out = codes.select(2, 0).to(at::kFloat);
    for (int bit = 1; bit < bits; ++bit) {
        out = out + codes.select(2, bit).to(at::kFloat) * static_cast<double>(1 << bit);
    }
    return out - static_cast<double>(1 << (bits - 1));
}

at::Tensor unpackFloat8(const at::Tensor& bytes) {
    return bytes.view(at::kFloat8_e4m3fn).to(at::kFloat);
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

ActivationCodes activationCodes(const at::Tensor& x, std::int64_t group, int bits,
                                float fixedScale, const at::Tensor& largest) {
    const double half = bits == 8 ? 128.0 : 32768.0;
    const std::int64_t cols = x.size(1);
    const std::int64_t length = group == 0 ? cols : group;
    const std::int64_t groups = (cols + length - 1) / length;
    const at::Tensor padded = at::constant_pad_nd(x, {0, groups * length - cols}, 0.0)
                                  .reshape({x.size(0), groups, length});
    at::Tensor scale = fixedScale > 0.0F ? at::full({x.size(0), groups, 1},
                                                    static_cast<double>(fixedScale), x.options())
                       : largest.defined() ? largest.unsqueeze(2) / (half - 0.5)
                                           : padded.abs().amax({2}, true) / (half - 0.5);
    const at::Tensor safe = at::where(scale > 0, scale, at::ones_like(scale));
    const at::Tensor codes = at::clamp(at::round(padded / safe), -half, half - 1.0);
    return {codes.reshape({x.size(0), groups * length}).slice(1, 0, cols), scale.squeeze(2)};
}

at::Tensor roundActivations(const at::Tensor& x, std::int64_t group, int bits, float fixedScale,
                            const at::Tensor& largest) {
    const auto rounded = activationCodes(x, group, bits, fixedScale, largest);
    const std::int64_t length = group == 0 ? x.size(1) : group;
    return scaleGroups(rounded.codes, rounded.scales, {}, length).contiguous();
}

}  // namespace pareto::runtime
