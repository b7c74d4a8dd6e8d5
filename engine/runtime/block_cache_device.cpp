// A cache on a device with our CUDA kernels: positions lie in its memory, so a step can be recorded and replayed.
#include <algorithm>

#include <ATen/ops/empty_like.h>
#include <ATen/ops/tensor.h>

#include "engine/runtime/block_cache.h"
#include "engine/runtime/torch_cuda_kernels.h"
#include "engine/runtime/weights_impl.h"

namespace pareto::runtime {
namespace {

at::Tensor upload(const Device& device, const std::vector<std::int32_t>& values) {
    return at::tensor(at::ArrayRef<std::int32_t>(values), at::TensorOptions().dtype(at::kInt))
        .to(torchDevice(device));
}

}  // namespace

std::shared_ptr<const DeviceRows> rowsOnDevice(const Device& device, const StepRows& step) {
    if (ownKernels(device) == nullptr) {
        return nullptr;
    }
    std::vector<std::int32_t> positions;
    std::vector<std::int32_t> sequences;
    DeviceRows out;
    for (std::size_t s = 0; s < step.sequences(); ++s) {
        for (std::int64_t t = 0; t < step.tokens(s); ++t) {
            positions.push_back(static_cast<std::int32_t>(step.past[s] + t));
            sequences.push_back(static_cast<std::int32_t>(s));
        }
        out.reach = std::max(out.reach, step.past[s] + step.tokens(s));
    }
    out.positions = upload(device, positions);
    out.sequences = upload(device, sequences);
    return std::make_shared<const DeviceRows>(std::move(out));
}

kernels::cuda::HeldRows BlockCache::heldRows(at::Tensor& codes, at::Tensor& scales) const {
    return {kindOf(m_held),
            codes.mutable_data_ptr(),
            scales.defined() ? scales.mutable_data_ptr<float>() : nullptr,
            m_shape.kvHeads,
            m_shape.headDim,
            m_capacity};
}

void BlockCache::appendOwn(const Device& device, const at::Tensor& x, const StepRows& step,
                           const kernels::cuda::HeldRows& held) const {
    const at::Tensor rows = x.contiguous();
    kernels::cuda::CacheAppend work;
    work.x = rows.const_data_ptr<float>();
    work.ldx = rows.size(1);
    work.rows = rows.size(0);
    work.held = held;
    work.positions = step.onDevice->positions.const_data_ptr<std::int32_t>();
    work.sequences = step.onDevice->sequences.const_data_ptr<std::int32_t>();
    launch(device, device.cudaTable->cacheAppend, work);
}

bool BlockCache::attendsByToken(const Device& device, const StepRows& step,
                                const CausalAttention& how) const {
    if (ownKernels(device) == nullptr || step.onDevice == nullptr || how.bias != nullptr ||
        m_shape.headDim > kernels::cuda::kMostHeadDim) {
        return false;
    }
    for (std::size_t s = 0; s < step.sequences(); ++s) {
        if (step.tokens(s) > kFewTokens) {
            return false;
        }
    }
    return true;
}

at::Tensor BlockCache::attendOwn(const Device& device, const at::Tensor& q, const StepRows& step,
                                 const CausalAttention& how) const {
    const at::Tensor queries = q.contiguous();
    at::Tensor out = at::empty_like(queries);
    kernels::cuda::TokenAttention work;
    work.q = queries.const_data_ptr<float>();
    work.rows = queries.size(0);
    work.heads = m_shape.heads;
    work.keys = heldKeys();
    work.values = heldValues();
    work.positions = step.onDevice->positions.const_data_ptr<std::int32_t>();
    work.sequences = step.onDevice->sequences.const_data_ptr<std::int32_t>();
    work.scale = how.scale;
    work.softcap = how.softcap;
    work.window = how.window;
    work.splits = kernels::cuda::splitsOf(m_capacity, how.window);
    at::Tensor parts;
    at::Tensor logSums;
    if (work.splits > 1) {
        parts = emptyFloats(device, {work.splits, queries.numel()});
        logSums = emptyFloats(device, {work.splits, work.rows * work.heads});
        work.parts = parts.mutable_data_ptr<float>();
        work.logSums = logSums.mutable_data_ptr<float>();
    }
    work.out = out.mutable_data_ptr<float>();
    launch(device, device.cudaTable->tokenAttention, work);
    return out;
}

}  // namespace pareto::runtime
