#include "engine/runtime/ops.h"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/rsqrt.h>

#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_cuda_kernels.h"
#include "engine/runtime/torch_ops.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {
namespace {

/// Values that keep a thread busy longer than handing them out takes.
constexpr std::int64_t kGrainValues = 16384;

std::int64_t grainRows(std::int64_t width) {
    return std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, width));
}

kernels::Norm streamWork(at::Tensor& stream, const at::Tensor* add, const at::Tensor& weight,
                         at::Tensor& out, double epsilon) {
    kernels::Norm work;
    work.x = stream.const_data_ptr<float>();
    work.residual = add != nullptr ? add->const_data_ptr<float>() : nullptr;
    work.weight = weight.const_data_ptr<float>();
    work.out = out.mutable_data_ptr<float>();
    work.sum = add != nullptr ? stream.mutable_data_ptr<float>() : nullptr;
    work.width = weight.numel();
    work.epsilon = static_cast<float>(epsilon);
    return work;
}

/// norm(x + add) by our CUDA kernels; x becomes the sum when `keepsSum`.
at::Tensor ownNorm(const Device& device, const at::Tensor& x, const at::Tensor* add, const at::Tensor& weight,
                   const at::Tensor* bias, double epsilon, bool keepsSum) {
    at::Tensor out = emptyFloats(device, x.sizes());
    kernels::cuda::NormRows work;
    work.x = x.const_data_ptr<float>();
    work.residual = add != nullptr ? add->const_data_ptr<float>() : nullptr;
    work.weight = weight.const_data_ptr<float>();
    work.bias = bias != nullptr ? bias->const_data_ptr<float>() : nullptr;
    work.out = out.mutable_data_ptr<float>();
    work.sum = keepsSum && add != nullptr ? x.mutable_data_ptr<float>() : nullptr;
    work.width = x.size(-1);
    work.epsilon = static_cast<float>(epsilon);
    work.rows = x.numel() / work.width;
    launch(device, bias != nullptr ? device.cudaTable->layerNorm : device.cudaTable->rmsNorm, work);
    return out;
}

/// Whether our CUDA kernels can take the tensors where they lie.
bool isPlain(const at::Tensor& x, const at::Tensor* add) {
    return x.is_contiguous() && (add == nullptr || add->is_contiguous());
}

}  // namespace

void addToStream(const Device& device, at::Tensor& stream, const at::Tensor* add) {
    if (add != nullptr && device.gradients) {
        stream = stream + *add;
    } else if (add != nullptr) {
        stream.add_(*add);
    }
}

at::Tensor layerNorm(const Device& device, const at::Tensor& x, const at::Tensor* residual,
                     const at::Tensor& weight, const at::Tensor& bias, double epsilon) {
    if (ownKernels(device) != nullptr && isPlain(x, residual)) {
        return ownNorm(device, x, residual, weight, &bias, epsilon, false);
    }
    if (device.usesTorch()) {
        const at::Tensor sum = residual != nullptr ? x + *residual : x;
        return at::layer_norm(sum, {sum.size(-1)}, weight, bias, epsilon);
    }
    at::Tensor out = x;
    kernels::Norm work;
    work.x = x.const_data_ptr<float>();
    work.residual = residual != nullptr ? residual->const_data_ptr<float>() : nullptr;
    work.weight = weight.const_data_ptr<float>();
    work.bias = bias.const_data_ptr<float>();
    work.out = out.mutable_data_ptr<float>();
    work.width = x.size(1);
    work.epsilon = static_cast<float>(epsilon);
    parallel(x.size(0), grainRows(work.width), [&](std::int64_t begin, std::int64_t end) {
        device.table->layerNorm(work, begin, end);
    });
    return out;
}

at::Tensor rmsNorm(const Device& device, at::Tensor& stream, const at::Tensor* add,
                   const at::Tensor& weight, double epsilon) {
    if (ownKernels(device) != nullptr && isPlain(stream, add)) {
        return ownNorm(device, stream, add, weight, nullptr, epsilon, true);
    }
    if (device.usesTorch()) {
        addToStream(device, stream, add);
        const at::Tensor scale = at::rsqrt(stream.square().mean({-1}, true) + epsilon);
        return stream * scale * weight;
    }
    at::Tensor out = emptyFloats(device, stream.sizes());
    const kernels::Norm work = streamWork(stream, add, weight, out, epsilon);
    parallel(stream.numel() / work.width, grainRows(work.width), [&](std::int64_t begin, std::int64_t end) {
        device.table->rmsNorm(work, begin, end);
    });
    return out;
}

at::Tensor layerNormOfStream(const Device& device, at::Tensor& stream, const at::Tensor* add,
                             const at::Tensor& weight, const at::Tensor& bias, double epsilon) {
    if (ownKernels(device) != nullptr && isPlain(stream, add)) {
        return ownNorm(device, stream, add, weight, &bias, epsilon, true);
    }
    if (device.usesTorch()) {
        addToStream(device, stream, add);
        return at::layer_norm(stream, {stream.size(-1)}, weight, bias, epsilon);
    }
    at::Tensor out = emptyFloats(device, stream.sizes());
    kernels::Norm work = streamWork(stream, add, weight, out, epsilon);
    work.bias = bias.const_data_ptr<float>();
    parallel(stream.numel() / work.width, grainRows(work.width), [&](std::int64_t begin, std::int64_t end) {
        device.table->layerNorm(work, begin, end);
    });
    return out;
}

at::Tensor activateMultiply(const Device& device, const at::Tensor& gate, const at::Tensor& up,
                            kernels::Act act) {
    if (ownKernels(device) != nullptr && isPlain(gate, &up)) {
        at::Tensor out = gate;
        const kernels::cuda::GateProduct work{out.mutable_data_ptr<float>(), up.const_data_ptr<float>(), gate.numel(),
                                              act};
        launch(device, device.cudaTable->gateProduct, work);
        return out;
    }
    if (device.usesTorch()) {
        return torchActivation(gate, act) * up;
    }
    at::Tensor out = gate;
    float* to = out.mutable_data_ptr<float>();
    const float* by = up.const_data_ptr<float>();
    parallel(gate.numel(), kGrainValues / 2, [&](std::int64_t begin, std::int64_t end) {
        device.table->activateMultiply(to + begin, by + begin, end - begin, act);
    });
    return out;
}

}  // namespace pareto::runtime
