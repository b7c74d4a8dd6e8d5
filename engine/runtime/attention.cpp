#include <algorithm>
#include <cmath>

#include <ATen/ops/arange.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "engine/runtime/ops.h"
#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {
namespace {

/// Query rows one task handles: the keys are transposed once a task, so not too few.
constexpr std::int64_t kTaskRows = 8 * kernels::kAttentionRows;

/// Memory of a thread that outlives the call: attention asks for it in every task.
float* threadScratch(std::size_t floats) {
    thread_local std::vector<float> memory;
    if (memory.size() < floats) {
        memory.resize(floats);
    }
    return memory.data();
}

float attentionScale(std::int64_t headDim) {
    return 1.0F / std::sqrt(static_cast<float>(headDim));
}

struct EncoderTask {
    std::int64_t begin = 0;   ///< first row of the sequence
    std::int64_t length = 0;
    std::int64_t head = 0;
    std::int64_t row = 0;     ///< first query row, inside the sequence
};

struct EncoderInputs {
    const float* q;
    const float* k;
    const float* v;
    float* out;
    std::int64_t stride;
    std::int64_t headDim;
};

void runEncoderTask(const Device& device, const EncoderTask& task, const EncoderInputs& in) {
    const std::int64_t columns = kernels::attentionScratchColumns(task.length);
    float* scratch = threadScratch(
        static_cast<std::size_t>((in.headDim + kernels::kAttentionRows) * columns));
    float* keys = scratch + kernels::kAttentionRows * columns;
    const std::int64_t start = task.begin * in.stride + task.head * in.headDim;
    device.table->transpose(in.k + start, in.stride, task.length, in.headDim, keys, columns);
    kernels::AttentionTile tile;
    tile.ldq = tile.ldv = tile.ldo = in.stride;
    tile.keys = keys;
    tile.ldk = columns;
    tile.v = in.v + start;
    tile.length = task.length;
    tile.headDim = in.headDim;
    tile.scale = attentionScale(in.headDim);
    tile.scores = scratch;
    const std::int64_t end = std::min(task.length, task.row + kTaskRows);
    for (std::int64_t row = task.row; row < end; row += kernels::kAttentionRows) {
        tile.rows = std::min(kernels::kAttentionRows, end - row);
        tile.q = in.q + start + row * in.stride;
        tile.out = in.out + start + row * in.stride;
        device.table->attention(tile);
    }
}

at::Tensor encoderAttentionOnDevice(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                    std::span<const std::int64_t> starts, const HeadShape& shape) {
    at::Tensor out = at::empty_like(q);
    for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
        const auto heads = [&](const at::Tensor& x) {
            return x.slice(0, starts[i], starts[i + 1])
                .view({1, starts[i + 1] - starts[i], shape.heads, shape.headDim})
                .transpose(1, 2);
        };
        const at::Tensor one = at::scaled_dot_product_attention(heads(q), heads(k), heads(v));
        out.slice(0, starts[i], starts[i + 1])
            .copy_(one.transpose(1, 2).reshape({starts[i + 1] - starts[i], q.size(1)}));
    }
    return out;
}

}  // namespace

at::Tensor encoderAttention(const Device& device, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, std::span<const std::int64_t> starts,
                            const HeadShape& shape) {
    if (device.cuda) {
        return encoderAttentionOnDevice(q, k, v, starts, shape);
    }
    at::Tensor out = emptyFloats(device, q.sizes());
    std::vector<EncoderTask> tasks;
    for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
        const std::int64_t length = starts[i + 1] - starts[i];
        for (std::int64_t head = 0; head < shape.heads; ++head) {
            for (std::int64_t row = 0; row < length; row += kTaskRows) {
                tasks.push_back({starts[i], length, head, row});
            }
        }
    }
    const EncoderInputs inputs{q.const_data_ptr<float>(),      k.const_data_ptr<float>(),
                               v.const_data_ptr<float>(),      out.mutable_data_ptr<float>(),
                               shape.heads * shape.headDim, shape.headDim};
    parallel(static_cast<std::int64_t>(tasks.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            runEncoderTask(device, tasks[static_cast<std::size_t>(i)], inputs);
        }
    });
    return out;
}

BlockCache::BlockCache(const Device& device, std::int64_t batch, std::int64_t capacity,
                       const HeadShape& shape)
    : m_shape(shape), m_batch(batch), m_capacity(capacity) {
    const std::int64_t d = shape.headDim;
    m_keys = std::make_unique<at::Tensor>(
        device.cuda ? emptyFloats(device, {batch, shape.kvHeads, capacity, d})
                    : emptyFloats(device, {batch, shape.kvHeads, d, capacity}));
    m_values = std::make_unique<at::Tensor>(emptyFloats(device, {batch, shape.kvHeads, capacity, d}));
}

BlockCache::~BlockCache() = default;
BlockCache::BlockCache(BlockCache&&) noexcept = default;

void BlockCache::reorder(std::span<const std::int64_t> parents) {
    const at::Tensor index =
        at::tensor(at::ArrayRef<std::int64_t>(parents.data(), parents.size()),
                   at::TensorOptions().dtype(at::kLong))
            .to(m_keys->device());
    *m_keys = m_keys->index_select(0, index);
    *m_values = m_values->index_select(0, index);
}

std::uint64_t BlockCache::bytes() const { return m_keys->nbytes() + m_values->nbytes(); }

void BlockCache::append(const Device& device, const at::Tensor& k, const at::Tensor& v,
                        std::int64_t past, std::int64_t tokens) {
    const std::int64_t d = m_shape.headDim;
    const std::int64_t width = m_shape.kvHeads * d;
    const float* fromK = k.const_data_ptr<float>();
    const float* fromV = v.const_data_ptr<float>();
    float* keys = m_keys->mutable_data_ptr<float>();
    float* values = m_values->mutable_data_ptr<float>();
    for (std::int64_t b = 0; b < m_batch; ++b) {
        for (std::int64_t h = 0; h < m_shape.kvHeads; ++h) {
            const std::int64_t from = b * tokens * width + h * d;
            const std::int64_t to = (b * m_shape.kvHeads + h) * d * m_capacity;
            device.table->transpose(fromK + from, width, tokens, d, keys + to + past, m_capacity);
            for (std::int64_t t = 0; t < tokens; ++t) {
                std::memcpy(values + to + (past + t) * d, fromV + from + t * width,
                            static_cast<std::size_t>(d) * sizeof(float));
            }
        }
    }
}

at::Tensor BlockCache::attend(const Device& device, const at::Tensor& q, const at::Tensor& k,
                              const at::Tensor& v, std::int64_t past) {
    const std::int64_t tokens = q.size(0) / m_batch;
    if (device.cuda) {
        return attendOnDevice(q, k, v, past, tokens);
    }
    append(device, k, v, past, tokens);
    at::Tensor out = emptyFloats(device, q.sizes());
    const std::int64_t d = m_shape.headDim;
    const std::int64_t width = m_shape.heads * d;
    const std::int64_t sharing = m_shape.heads / m_shape.kvHeads;
    const bool decoding = tokens == 1;
    // One token: the query heads that share keys are rows of one tile. More: rows are positions.
    const std::int64_t rowsOf = decoding ? sharing : tokens;
    const std::int64_t tiles = (rowsOf + kernels::kAttentionRows - 1) / kernels::kAttentionRows;
    const std::int64_t heads = decoding ? m_shape.kvHeads : m_shape.heads;
    const float* fromQ = q.const_data_ptr<float>();
    float* to = out.mutable_data_ptr<float>();
    const float* keys = m_keys->const_data_ptr<float>();
    const float* values = m_values->const_data_ptr<float>();
    const auto run = [&](std::int64_t task) {
        // Long tiles last in the numbering would all fall to one thread: mix them.
        const std::int64_t head = task % heads;
        const std::int64_t b = task / heads % m_batch;
        const std::int64_t first = task / heads / m_batch * kernels::kAttentionRows;
        kernels::AttentionTile tile;
        tile.rows = std::min(kernels::kAttentionRows, rowsOf - first);
        tile.length = decoding ? past + 1 : past + first + tile.rows;
        const std::int64_t kv = decoding ? head : head / sharing;
        const std::int64_t at = (b * m_shape.kvHeads + kv) * d * m_capacity;
        tile.keys = keys + at;
        tile.ldk = m_capacity;
        tile.v = values + at;
        tile.ldv = d;
        tile.headDim = d;
        tile.scale = attentionScale(d);
        tile.causal = !decoding;
        tile.firstPosition = past + first;
        const std::int64_t start = decoding ? b * width + (head * sharing + first) * d
                                            : (b * tokens + first) * width + head * d;
        tile.ldq = tile.ldo = decoding ? d : width;
        tile.q = fromQ + start;
        tile.out = to + start;
        tile.scores = threadScratch(static_cast<std::size_t>(
            kernels::kAttentionRows * kernels::attentionScratchColumns(tile.length)));
        device.table->attention(tile);
    };
    const std::int64_t tasks = tiles * heads * m_batch;
    const std::int64_t products = std::max<std::int64_t>(1, (past + tokens) * d * std::min(rowsOf, kernels::kAttentionRows));
    const std::int64_t grain = std::max<std::int64_t>(1, (std::int64_t{1} << 15) / products);
    // Causal tiles grow with their position: thread t takes every n-th tile instead of a stretch.
    const std::int64_t lanes = std::clamp<std::int64_t>(tasks / grain, 1, device.threads);
    parallel(lanes, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t lane = begin; lane < end; ++lane) {
            for (std::int64_t task = lane; task < tasks; task += lanes) {
                run(task);
            }
        }
    });
    return out;
}

at::Tensor BlockCache::attendOnDevice(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                      std::int64_t past, std::int64_t tokens) {
    const auto split = [&](const at::Tensor& x, std::int64_t heads) {
        return x.view({m_batch, tokens, heads, m_shape.headDim}).transpose(1, 2);
    };
    m_keys->slice(2, past, past + tokens).copy_(split(k, m_shape.kvHeads));
    m_values->slice(2, past, past + tokens).copy_(split(v, m_shape.kvHeads));
    const at::Tensor keys = m_keys->slice(2, 0, past + tokens);
    const at::Tensor values = m_values->slice(2, 0, past + tokens);
    std::optional<at::Tensor> mask;
    if (past > 0 && tokens > 1) {
        const auto options = at::TensorOptions().device(q.device()).dtype(at::kLong);
        const at::Tensor rows = at::arange(past, past + tokens, options).unsqueeze(1);
        mask = at::arange(0, past + tokens, options).unsqueeze(0).le(rows);
    }
    const at::Tensor out =
        at::scaled_dot_product_attention(split(q, m_shape.heads), keys, values, mask, 0.0,
                                         past == 0 && tokens > 1, std::nullopt, true);
    return out.transpose(1, 2).reshape({m_batch * tokens, m_shape.heads * m_shape.headDim});
}

}  // namespace pareto::runtime
