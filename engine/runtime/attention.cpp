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

/// Of `count` keys in pages.
std::int64_t pageFloats(std::int64_t count, std::int64_t headDim) {
    return (count + kernels::kKeyPage - 1) / kernels::kKeyPage * kernels::kKeyPage * headDim;
}

void runEncoderTask(const Device& device, const EncoderTask& task, const EncoderInputs& in) {
    const std::int64_t columns = kernels::attentionScratchColumns(task.length);
    const std::int64_t keyFloats = pageFloats(task.length, in.headDim);
    float* scratch = threadScratch(static_cast<std::size_t>(
        kernels::kAttentionRows * columns + keyFloats + (task.pairs ? pairFloats(task.length, in.headDim) : 0)));
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
        toPairs(device, tile, task.length, keys + keyFloats);
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

void toPairs(const Device& device, kernels::AttentionTile& tile, std::int64_t count, float* room) {
    const std::int64_t d = tile.headDim;
    float* keys = room + kernels::kAttentionRows * d / 2;
    float* values = keys + pageFloats(count, d) / 2;
    for (std::int64_t first = 0; first < count; first += kernels::kKeyPage) {
        for (std::int64_t dim = 0; dim < d; dim += 2) {
            const std::int64_t at = first * d + dim * kernels::kKeyPage;
            const float* even = tile.keys + at;
            device.table->pairRows(even, even + kernels::kKeyPage, std::min(kernels::kKeyPage, count - first), keys + at / 2);
        }
    }
    for (std::int64_t key = 0; key < count; key += 2) {
        const float* even = tile.v + key * tile.ldv;
        device.table->pairRows(even, key + 1 < count ? even + tile.ldv : nullptr, d, values + key / 2 * d);
    }
    tile.queryPairs = room;
    tile.keys = keys;
    tile.pageStride = d * kernels::kKeyPage / 2;
    tile.v = values;
    tile.ldv = d;
}

std::int64_t pairFloats(std::int64_t count, std::int64_t headDim) {
    return kernels::kAttentionRows * headDim / 2 + pageFloats(count, headDim) / 2 + (count + 1) / 2 * headDim;
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
