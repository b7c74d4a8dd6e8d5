#include <algorithm>
#include <cmath>

#include "engine/runtime/ops.h"
#include "engine/runtime/parallel.h"
#include "engine/runtime/relative_bias.h"
#include "engine/runtime/torch_attention.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {
namespace {

/// Query rows one task handles: the keys are transposed once a task, so not too few. Pairs are made once a task, too.
constexpr std::int64_t kTaskRows = 8 * kernels::kAttentionRows;
constexpr std::int64_t kPairTaskRows = 2 * kTaskRows;

struct EncoderTask {
    std::int64_t begin = 0;   ///< first row of the sequence
    std::int64_t length = 0;
    std::int64_t head = 0;
    std::int64_t row = 0;     ///< first query row, inside the sequence
    std::int64_t end = 0;     ///< behind the last
    bool pairs = false;
};

struct EncoderInputs {
    const float* q;
    const float* k;
    const float* v;
    float* out;
    std::int64_t stride;
    std::int64_t headDim;
    float scale;
    const RelativeBias* bias;
};

void runEncoderTask(const Device& device, const EncoderTask& task, const EncoderInputs& in) {
    const std::int64_t columns = kernels::attentionScratchColumns(task.length);
    const std::int64_t pages = (task.length + kernels::kKeyPage - 1) / kernels::kKeyPage;
    const std::int64_t keyFloats = in.headDim * pages * kernels::kKeyPage;
    const std::int64_t queryFloats = kernels::kAttentionRows * in.headDim / 2;
    float* scratch = threadScratch(static_cast<std::size_t>(kernels::kAttentionRows * columns +
                                                            (task.pairs ? 2 * keyFloats + queryFloats : keyFloats)));
    float* keys = scratch + kernels::kAttentionRows * columns;
    const std::int64_t start = task.begin * in.stride + task.head * in.headDim;
    for (std::int64_t key = 0; key < task.length; key += kernels::kKeyPage) {
        device.table->transpose(in.k + start + key * in.stride, in.stride, std::min(kernels::kKeyPage, task.length - key),
                                in.headDim, keys + key * in.headDim, kernels::kKeyPage);
    }
    kernels::AttentionTile tile;
    tile.ldq = tile.ldv = tile.ldo = in.stride;
    tile.keys = keys;
    tile.ldk = kernels::kKeyPage;
    tile.pageStride = in.headDim * kernels::kKeyPage;
    tile.v = in.v + start;
    tile.length = task.length;
    tile.headDim = in.headDim;
    tile.scale = in.scale;
    tile.ldb = -1;
    tile.scores = scratch;
    if (task.pairs) {
        float* keyPairs = keys + keyFloats;
        float* valuePairs = keyPairs + keyFloats / 2;
        toKeyPairs(device, keys, task.length, in.headDim, keyPairs);
        toValuePairs(device, tile.v, in.stride, task.length, in.headDim, valuePairs);
        tile.keys = keyPairs;
        tile.pageStride /= 2;
        tile.v = valuePairs;
        tile.ldv = in.headDim;
        tile.queryPairs = keys + 2 * keyFloats;
    }
    const auto attend = task.pairs ? device.table->attentionPairs : device.table->attention;
    for (std::int64_t row = task.row; row < task.end; row += kernels::kAttentionRows) {
        tile.rows = std::min(kernels::kAttentionRows, task.end - row);
        tile.q = in.q + start + row * in.stride;
        tile.bias = in.bias != nullptr ? in.bias->row(task.head, row) : nullptr;
        tile.out = in.out + start + row * in.stride;
        attend(tile);
    }
}

}  // namespace

float attentionScale(const HeadShape& shape) {
    return shape.scale != 0.0 ? static_cast<float>(shape.scale)
                              : 1.0F / std::sqrt(static_cast<float>(shape.headDim));
}

bool attendsInPairs(const Device& device, const HeadShape& shape, std::int64_t tokens) {
    return tokens >= kPairTokens && shape.rounded && shape.headDim % 2 == 0 && !device.usesTorch() &&
           device.table->attentionPairs != nullptr;
}

void toKeyPairs(const Device& device, const float* pages, std::int64_t count, std::int64_t headDim, float* out) {
    for (std::int64_t first = 0; first < count; first += kernels::kKeyPage) {
        const std::int64_t keys = std::min(kernels::kKeyPage, count - first);
        for (std::int64_t d = 0; d < headDim; d += 2) {
            const float* even = pages + first * headDim + d * kernels::kKeyPage;
            device.table->pairRows(even, even + kernels::kKeyPage, keys, out + (first * headDim + d * kernels::kKeyPage) / 2);
        }
    }
}

void toValuePairs(const Device& device, const float* values, std::int64_t ldv, std::int64_t count, std::int64_t headDim,
                  float* out) {
    for (std::int64_t key = 0; key < count; key += 2) {
        const float* even = values + key * ldv;
        device.table->pairRows(even, key + 1 < count ? even + ldv : nullptr, headDim, out + key / 2 * headDim);
    }
}

at::Tensor encoderAttention(const Device& device, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, std::span<const std::int64_t> starts,
                            const HeadShape& shape, const RelativeBias* bias) {
    if (device.usesTorch()) {
        return attendStretches(device, q, k, v, stretchesOf(starts), {shape, bias});
    }
    at::Tensor out = emptyFloats(device, q.sizes());
    std::vector<EncoderTask> tasks;
    for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
        const std::int64_t length = starts[i + 1] - starts[i];
        const bool pairs = attendsInPairs(device, shape, length);
        const std::int64_t rows = pairs ? kPairTaskRows : kTaskRows;
        for (std::int64_t head = 0; head < shape.heads; ++head) {
            for (std::int64_t row = 0; row < length; row += rows) {
                tasks.push_back({starts[i], length, head, row, std::min(length, row + rows), pairs});
            }
        }
    }
    const EncoderInputs inputs{q.const_data_ptr<float>(),      k.const_data_ptr<float>(),
                               v.const_data_ptr<float>(),      out.mutable_data_ptr<float>(),
                               shape.heads * shape.headDim, shape.headDim,
                               attentionScale(shape), bias};
    parallel(static_cast<std::int64_t>(tasks.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            runEncoderTask(device, tasks[static_cast<std::size_t>(i)], inputs);
        }
    });
    return out;
}

}  // namespace pareto::runtime
