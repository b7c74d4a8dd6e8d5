#include "engine/runtime/ops.h"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>

#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {
namespace {

/// Values that keep a thread busy longer than handing them out takes.
constexpr std::int64_t kGrainValues = 16384;

std::int64_t grainRows(std::int64_t width) {
    return std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, width));
}

}  // namespace

at::Tensor layerNorm(const Device& device, const at::Tensor& x, const at::Tensor* residual,
                     const at::Tensor& weight, const at::Tensor& bias, double epsilon) {
    if (device.cuda) {
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
    if (device.cuda) {
        if (add != nullptr) {
            stream.add_(*add);
        }
        const at::Tensor scale = at::rsqrt(stream.square().mean({-1}, true) + epsilon);
        return stream * scale * weight;
    }
    at::Tensor out = emptyFloats(device, stream.sizes());
    kernels::Norm work;
    work.x = stream.const_data_ptr<float>();
    work.residual = add != nullptr ? add->const_data_ptr<float>() : nullptr;
    work.weight = weight.const_data_ptr<float>();
    work.out = out.mutable_data_ptr<float>();
    work.sum = add != nullptr ? stream.mutable_data_ptr<float>() : nullptr;
    work.width = stream.size(1);
    work.epsilon = static_cast<float>(epsilon);
    parallel(stream.size(0), grainRows(work.width), [&](std::int64_t begin, std::int64_t end) {
        device.table->rmsNorm(work, begin, end);
    });
    return out;
}

at::Tensor siluMultiply(const Device& device, const at::Tensor& gate, const at::Tensor& up) {
    if (device.cuda) {
        return at::silu(gate) * up;
    }
    at::Tensor out = gate;
    float* to = out.mutable_data_ptr<float>();
    const float* by = up.const_data_ptr<float>();
    parallel(gate.numel(), kGrainValues / 2, [&](std::int64_t begin, std::int64_t end) {
        device.table->siluMultiply(to + begin, by + begin, end - begin);
    });
    return out;
}

RopeTable::RopeTable(std::int64_t headDim, double theta) : m_half(headDim / 2), m_theta(theta) {}
RopeTable::~RopeTable() = default;

void RopeTable::grow(std::int64_t positions) {
    const auto have = static_cast<std::int64_t>(m_cosines.size()) / std::max<std::int64_t>(1, m_half);
    if (positions <= have) {
        return;
    }
    const std::int64_t want = std::max(positions, have * 2);
    m_cosines.resize(static_cast<std::size_t>(want * m_half));
    m_sines.resize(static_cast<std::size_t>(want * m_half));
    for (std::int64_t i = 0; i < m_half; ++i) {
        const float exponent = static_cast<float>(2 * i) / static_cast<float>(2 * m_half);
        const float inverse = 1.0F / std::pow(static_cast<float>(m_theta), exponent);
        for (std::int64_t t = have; t < want; ++t) {
            const auto angle = static_cast<double>(static_cast<float>(t) * inverse);
            const auto at = static_cast<std::size_t>(t * m_half + i);
            m_cosines[at] = static_cast<float>(std::cos(angle));
            m_sines[at] = static_cast<float>(std::sin(angle));
        }
    }
}

void RopeTable::rotate(const Device& device, at::Tensor& x, std::int64_t batch, std::int64_t first,
                       std::int64_t heads) {
    const std::int64_t tokens = x.size(0) / batch;
    grow(first + tokens);
    float* cosines = m_cosines.data() + first * m_half;
    float* sines = m_sines.data() + first * m_half;
    if (device.cuda) {
        const auto table = [&](float* values) {
            return at::from_blob(values, {1, tokens, 1, m_half}, at::TensorOptions().dtype(at::kFloat))
                .to(torchDevice(device));
        };
        const at::Tensor c = table(cosines);
        const at::Tensor s = table(sines);
        at::Tensor view = x.view({batch, tokens, heads, 2 * m_half});
        at::Tensor low = view.slice(3, 0, m_half);
        at::Tensor high = view.slice(3, m_half, 2 * m_half);
        const at::Tensor newLow = low * c - high * s;
        const at::Tensor newHigh = high * c + low * s;
        low.copy_(newLow);
        high.copy_(newHigh);
        return;
    }
    for (std::int64_t b = 0; b < batch; ++b) {
        kernels::Rope work;
        work.ldx = x.size(1);
        work.x = x.mutable_data_ptr<float>() + b * tokens * work.ldx;
        work.heads = heads;
        work.headDim = 2 * m_half;
        work.cosines = cosines;
        work.sines = sines;
        parallel(tokens, grainRows(work.ldx), [&](std::int64_t begin, std::int64_t end) {
            device.table->rope(work, begin, end);
        });
    }
}

}  // namespace pareto::runtime
