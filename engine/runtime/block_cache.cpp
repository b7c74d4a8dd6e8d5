#include "engine/runtime/block_cache.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include "engine/runtime/parallel.h"
#include "engine/runtime/relative_bias.h"
#include "engine/runtime/thread_memory.h"
#include "engine/runtime/torch_cuda_kernels.h"
#include "engine/runtime/torch_ops.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {
namespace {

/// Query rows a task handles when keys and values must be widened or rounded first: not for every tile anew.
constexpr std::int64_t kWidenedRows = 8 * kernels::kAttentionRows;
/// Worth a thread: products of attention, values that are rounded or copied to a cache, and such as are put into pages of keys,
/// where each meets a line of its own.
constexpr std::int64_t kGrainProducts = std::int64_t{1} << 13;
constexpr std::int64_t kGrainValues = std::int64_t{1} << 15;
constexpr std::int64_t kGrainPaged = 512;

std::int64_t pagesOf(std::int64_t tokens) { return (tokens + kernels::kKeyPage - 1) / kernels::kKeyPage; }

/// `count` rows of `dim` values, `ld` apart, into pages of transposed keys, from key `at` of them on.
void toPages(const Device& device, const float* from, std::int64_t ld, std::int64_t count, std::int64_t dim,
             float* pages, std::int64_t at) {
    for (std::int64_t done = 0; done < count;) {
        const std::int64_t column = (at + done) % kernels::kKeyPage;
        const std::int64_t part = std::min(count - done, kernels::kKeyPage - column);
        device.table->transpose(from + done * ld, ld, part, dim, pages + (at + done - column) * dim + column,
                                kernels::kKeyPage);
        done += part;
    }
}

/// Values of a head that share a scale in Int4.
constexpr std::int64_t kInt4Group = 32;

std::int64_t int4Groups(std::int64_t headDim) { return (headDim + kInt4Group - 1) / kInt4Group; }

at::ScalarType scalarOf(NumberFormat held) {
    switch (held) {
        case NumberFormat::F16: return at::kHalf;
        case NumberFormat::Int8: return at::kChar;
        case NumberFormat::Int4: return at::kByte;
        default: return at::kFloat;
    }
}

/// What a task widens, as the kernel wants it: `rows` rows of one head.
kernels::WeightRows packedRows(const at::Tensor& values, const at::Tensor& scales, NumberFormat held,
                               std::int64_t headDim, std::int64_t firstRow, std::int64_t rows) {
    kernels::WeightRows out;
    out.rows = rows;
    out.cols = out.groupSize = headDim;
    out.kind = held == NumberFormat::Int8   ? kernels::WeightKind::Int8
               : held == NumberFormat::Int4 ? kernels::WeightKind::Int4
                                            : kernels::WeightKind::F16;
    if (held == NumberFormat::Int4) {
        out.groups = int4Groups(headDim);
        out.groupSize = kInt4Group;
    }
    out.values = static_cast<const char*>(values.const_data_ptr()) +
                 firstRow * values.size(-1) * static_cast<std::int64_t>(values.element_size());
    out.scales = scales.defined() ? scales.const_data_ptr<float>() + firstRow * out.groups : nullptr;
    return out;
}

/// One head of one token to nibbles; `codes` holds (headDim + 1) / 2 bytes.
void packInt4(const float* x, std::int64_t headDim, std::uint8_t* codes, float* scales) {
    std::fill(codes, codes + (headDim + 1) / 2, std::uint8_t{0});
    for (std::int64_t begin = 0; begin < headDim; begin += kInt4Group) {
        const std::int64_t end = std::min(headDim, begin + kInt4Group);
        float largest = 0.0F;
        for (std::int64_t i = begin; i < end; ++i) {
            largest = std::max(largest, std::fabs(x[i]));
        }
        const float scale = largest / 7.5F;
        const float inverse = scale > 0.0F ? 1.0F / scale : 0.0F;
        scales[begin / kInt4Group] = scale;
        for (std::int64_t i = begin; i < end; ++i) {
            const float code = std::clamp(std::nearbyint(x[i] * inverse), -8.0F, 7.0F) + 8.0F;
            codes[i / 2] = static_cast<std::uint8_t>(codes[i / 2] | static_cast<int>(code) << (i % 2 * 4));
        }
    }
}

/// What packInt4 does, for [rows][heads][dim] on any device: codes and scales.
std::pair<at::Tensor, at::Tensor> packedOnDevice(const at::Tensor& x) {
    const std::int64_t d = x.size(2);
    const std::int64_t groups = int4Groups(d);
    const at::Tensor padded = at::constant_pad_nd(x, {0, groups * kInt4Group - d}, 0.0)
                                  .view({x.size(0), x.size(1), groups, kInt4Group});
    const at::Tensor scale = padded.abs().amax({3}, true) / 7.5;
    const at::Tensor safe = at::where(scale > 0, scale, at::zeros_like(scale) + 1.0);
    const at::Tensor codes = ((padded / safe).round().clamp(-8, 7) + 8).to(at::kByte);
    const at::Tensor pairs = codes.view({x.size(0), x.size(1), groups * kInt4Group / 2, 2});
    const at::Tensor bytes = pairs.select(3, 0).bitwise_or(pairs.select(3, 1).bitwise_left_shift(4));
    return {bytes.slice(2, 0, (d + 1) / 2), scale.squeeze(3)};
}

at::Tensor unpackedOnDevice(const at::Tensor& bytes, const at::Tensor& scales, std::int64_t headDim) {
    auto sizes = bytes.sizes().vec();
    sizes.back() = headDim;
    const at::Tensor codes = unpackBits(bytes.reshape({-1, bytes.size(-1)}), headDim, 4).view(sizes);
    return codes * at::repeat_interleave(scales, kInt4Group, -1).slice(-1, 0, headDim);
}

/// Sequences [from, to) that hold and get as many tokens each.
std::size_t endOfEqual(const StepRows& step, std::size_t from) {
    std::size_t to = from + 1;
    while (to < step.sequences() && step.past[to] == step.past[from] &&
           step.tokens(to) == step.tokens(from)) {
        ++to;
    }
    return to;
}

/// Which keys each of the new tokens sees: [tokens][past + tokens].
at::Tensor visible(std::int64_t past, std::int64_t tokens, std::int64_t window,
                   const at::Tensor& like) {
    const auto options = at::TensorOptions().device(like.device()).dtype(at::kLong);
    const at::Tensor rows = at::arange(past, past + tokens, options).unsqueeze(1);
    const at::Tensor keys = at::arange(0, past + tokens, options).unsqueeze(0);
    at::Tensor mask = keys.le(rows);
    if (window > 0) {
        mask = mask.logical_and(keys.gt(rows - window));
    }
    return mask;
}

}  // namespace

struct BlockCache::Tensors {
    at::Tensor keys, values;
    at::Tensor keyScales, valueScales;  ///< [sequence][head][capacity], Int8; [groups] behind it, Int4

    std::vector<at::Tensor*> all() {
        std::vector<at::Tensor*> out{&keys, &values};
        if (keyScales.defined()) {
            out.insert(out.end(), {&keyScales, &valueScales});
        }
        return out;
    }
};

/// Query rows [rowBegin, rowEnd) of a sequence's step for query heads that share keys and values.
struct BlockCache::Task {
    std::size_t sequence = 0;
    std::int64_t headBegin = 0;
    std::int64_t headEnd = 0;
    std::int64_t rowBegin = 0;
    std::int64_t rowEnd = 0;
    std::int64_t keyBegin = 0;  ///< a multiple of kKeyPage
    std::int64_t keyEnd = 0;    ///< 0: all keys that the rows see
    std::int64_t part = -1;     ///< which part of the keys this is, of one row's; -1: all of them
};

/// What tokens made of parts of their keys.
class BlockCache::Parts {
public:
    Parts(std::int64_t rows, std::int64_t heads, std::int64_t headDim, std::int64_t parts)
        : m_headDim(headDim),
          m_heads(rows * heads),
          m_out(static_cast<std::size_t>(parts * m_heads * headDim)),
          m_logSums(static_cast<std::size_t>(parts * m_heads)) {}

    float* out(std::int64_t part) { return m_out.data() + part * m_heads * m_headDim; }
    float* logSums(std::int64_t part) { return m_logSums.data() + part * m_heads; }

    /// Heads [begin, end) of all rows together: Σ e^(logSum of the part) · part / Σ e^(logSum).
    void join(std::int64_t begin, std::int64_t end, std::int64_t parts, float* to) {
        for (std::int64_t head = begin; head < end; ++head) {
            float largest = -INFINITY;
            for (std::int64_t part = 0; part < parts; ++part) {
                largest = std::max(largest, logSums(part)[head]);
            }
            float total = 0.0F;
            float* sum = to + head * m_headDim;
            std::fill(sum, sum + m_headDim, 0.0F);
            for (std::int64_t part = 0; part < parts; ++part) {
                const float share = std::exp(logSums(part)[head] - largest);
                const float* from = out(part) + head * m_headDim;
                total += share;
                for (std::int64_t i = 0; i < m_headDim; ++i) {
                    sum[i] += share * from[i];
                }
            }
            for (std::int64_t i = 0; i < m_headDim; ++i) {
                sum[i] /= total;
            }
        }
    }

private:
    std::int64_t m_headDim;
    std::int64_t m_heads;
    ThreadArray<float> m_out;
    ThreadArray<float> m_logSums;
};

BlockCache::BlockCache(const Device& device, std::int64_t sequences, std::int64_t capacity,
                       const HeadShape& shape, NumberFormat held)
    : m_shape(shape),
      m_capacity(capacity),
      m_torch(device.usesTorch()),
      m_held(held),
      m_tensors(std::make_unique<Tensors>()) {
    const std::int64_t d = shape.headDim;
    const std::int64_t heads = shape.kvHeads;
    const auto options = floatOptions(device).dtype(scalarOf(held));
    const std::int64_t width = held == NumberFormat::Int4 ? (d + 1) / 2 : d;
    m_tensors->keys = transposedKeys() ? at::empty({sequences, heads, pagesOf(capacity), d, kernels::kKeyPage}, options)
                                       : at::empty({sequences, heads, capacity, width}, options);
    m_tensors->values = at::empty({sequences, heads, capacity, width}, options);
    if (held == NumberFormat::Int8 || held == NumberFormat::Int4) {
        std::vector<std::int64_t> sizes{sequences, heads, capacity};
        if (held == NumberFormat::Int4) {
            sizes.push_back(int4Groups(d));
        }
        m_tensors->keyScales = emptyFloats(device, sizes);
        m_tensors->valueScales = emptyFloats(device, sizes);
    }
}

BlockCache::~BlockCache() = default;
BlockCache::BlockCache(BlockCache&&) noexcept = default;

kernels::cuda::HeldRows BlockCache::heldKeys() const { return heldRows(m_tensors->keys, m_tensors->keyScales); }
kernels::cuda::HeldRows BlockCache::heldValues() const { return heldRows(m_tensors->values, m_tensors->valueScales); }

bool BlockCache::transposedKeys() const { return m_held == NumberFormat::F32 && !m_torch; }

std::int64_t BlockCache::headBytes(NumberFormat held, std::int64_t headDim) {
    constexpr std::int64_t kScale = sizeof(float);
    switch (held) {
        case NumberFormat::F16: return 2 * headDim;
        case NumberFormat::Int8: return headDim + kScale;
        case NumberFormat::Int4: return (headDim + 1) / 2 + int4Groups(headDim) * kScale;
        default: return 4 * headDim;
    }
}

std::uint64_t BlockCache::bytes() const {
    std::uint64_t out = 0;
    for (const at::Tensor* tensor : m_tensors->all()) {
        out += tensor->nbytes();
    }
    return out;
}

void BlockCache::reorder(std::span<const std::int64_t> parents, std::int64_t used) {
    const auto before = m_tensors->keys.size(0);
    const auto count = static_cast<std::int64_t>(parents.size());
    bool same = count == before;
    for (std::size_t i = 0; i < parents.size(); ++i) {
        same = same && parents[i] == static_cast<std::int64_t>(i);
    }
    if (same) {
        return;
    }
    const c10::InferenceMode inference(true);
    const at::Tensor index = at::tensor(at::ArrayRef<std::int64_t>(parents.data(), parents.size()),
                                        at::TensorOptions().dtype(at::kLong))
                                 .to(m_tensors->keys.device());
    for (at::Tensor* tensor : m_tensors->all()) {
        const std::int64_t end = tensor == &m_tensors->keys && transposedKeys() ? pagesOf(used) : used;
        const at::Tensor chosen = tensor->slice(2, 0, end).index_select(0, index);
        if (count != before) {
            auto sizes = tensor->sizes().vec();
            sizes[0] = count;
            *tensor = at::empty(sizes, tensor->options());
        }
        tensor->slice(2, 0, end).copy_(chosen);
    }
}

void BlockCache::appendFloats(const Device& device, const at::Tensor& k, const at::Tensor& v,
                              const StepRows& step) {
    const std::int64_t d = m_shape.headDim;
    const std::int64_t width = m_shape.kvHeads * d;
    const float* fromK = k.const_data_ptr<float>();
    const float* fromV = v.const_data_ptr<float>();
    float* keys = m_tensors->keys.mutable_data_ptr<float>();
    float* values = m_tensors->values.mutable_data_ptr<float>();
    const auto heads = static_cast<std::int64_t>(step.sequences()) * m_shape.kvHeads;
    const std::int64_t headValues = std::max<std::int64_t>(1, step.rows() / static_cast<std::int64_t>(step.sequences()) * d);
    parallel(heads, std::max<std::int64_t>(1, kGrainPaged / headValues), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t head = begin; head < end; ++head) {
            const auto s = static_cast<std::size_t>(head / m_shape.kvHeads);
            const std::int64_t from = step.starts[s] * width + head % m_shape.kvHeads * d;
            const std::int64_t past = step.past[s];
            toPages(device, fromK + from, width, step.tokens(s), d,
                    keys + head * pagesOf(m_capacity) * d * kernels::kKeyPage, past);
            for (std::int64_t t = 0; t < step.tokens(s); ++t) {
                std::memcpy(values + (head * m_capacity + past + t) * d, fromV + from + t * width,
                            static_cast<std::size_t>(d) * sizeof(float));
            }
        }
    });
}

/// F16 and codes.
void BlockCache::appendNarrow(const Device& device, const at::Tensor& x, const StepRows& step, at::Tensor& values,
                              at::Tensor& scales) {
    const std::int64_t d = m_shape.headDim;
    const std::int64_t heads = m_shape.kvHeads;
    const std::int64_t width = heads * d;
    const std::int64_t groups = m_held == NumberFormat::Int4 ? int4Groups(d) : 1;
    const std::int64_t entryBytes = values.size(-1) * static_cast<std::int64_t>(values.element_size());
    const auto sequences = static_cast<std::int64_t>(step.sequences());
    const std::int64_t headValues = std::max<std::int64_t>(1, step.rows() / sequences * d);
    const float* from = x.const_data_ptr<float>();
    auto* to = static_cast<std::byte*>(values.mutable_data_ptr());
    float* toScales = scales.defined() ? scales.mutable_data_ptr<float>() : nullptr;
    ThreadArray<std::uint8_t> codes(m_held == NumberFormat::Int8 ? static_cast<std::size_t>(step.rows() * width) : 0);
    ThreadArray<float> steps(codes.size() / static_cast<std::size_t>(d));
    kernels::QuantizeRows work;
    work.x = from;
    work.k = work.ldx = work.ldc = width;
    work.groups = heads;
    work.groupSize = d;
    work.codes = codes.data();
    work.scales = steps.data();
    const auto put = [&](std::int64_t row, std::int64_t head, std::int64_t place) {
        const std::int64_t at = row * width + head * d;
        std::byte* entry = to + place * entryBytes;
        if (m_held == NumberFormat::F16) {
            std::transform(from + at, from + at + d, reinterpret_cast<at::Half*>(entry), [](float value) { return at::Half(value); });
        } else if (m_held == NumberFormat::Int8) {
            constexpr auto kSign = std::byte{128};  // codes + 128 as signed bytes
            const auto* found = reinterpret_cast<const std::byte*>(codes.data() + at);
            std::transform(found, found + d, entry, [](std::byte code) { return code ^ kSign; });
            toScales[place] = steps[static_cast<std::size_t>(row * heads + head)];
        } else {
            packInt4(from + at, d, reinterpret_cast<std::uint8_t*>(entry), toScales + place * groups);
        }
    };
    if (m_held == NumberFormat::Int8) {
        parallel(step.rows(), std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, width)),
                 [&](std::int64_t begin, std::int64_t end) { device.table->quantizeRows(work, begin, end); });
    }
    parallel(sequences * heads, kGrainValues / headValues + 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const auto s = static_cast<std::size_t>(i / heads);
            for (std::int64_t t = 0; t < step.tokens(s); ++t) {
                put(step.starts[s] + t, i % heads, i * m_capacity + step.past[s] + t);
            }
        }
    });
}

/// Whatever libtorch's device holds them in.
void BlockCache::appendOnDevice(const at::Tensor& x, const StepRows& step, at::Tensor& codes, at::Tensor& scales) {
    at::Tensor rows = x.view({x.size(0), m_shape.kvHeads, m_shape.headDim});
    at::Tensor scale;
    if (m_held == NumberFormat::Int8) {
        scale = rows.abs().amax({2}, true) / 127.5;
        const at::Tensor safe = at::where(scale > 0, scale, at::zeros_like(scale) + 1.0);
        rows = (rows / safe).round().clamp(-128, 127).to(at::kChar);
        scale = scale.squeeze(2);
    } else if (m_held == NumberFormat::Int4) {
        std::tie(rows, scale) = packedOnDevice(rows);
    }
    for (std::size_t s = 0; s < step.sequences(); ++s) {
        const std::int64_t past = step.past[s];
        const auto place = [&](at::Tensor& held, const at::Tensor& from) {
            held.select(0, static_cast<std::int64_t>(s))
                .slice(1, past, past + step.tokens(s))
                .copy_(from.slice(0, step.starts[s], step.starts[s + 1]).transpose(0, 1));
        };
        place(codes, rows);
        if (scale.defined()) {
            place(scales, scale);
        }
    }
}

void BlockCache::append(const Device& device, const at::Tensor& k, const at::Tensor& v,
                        const StepRows& step) {
    if (transposedKeys()) {
        appendFloats(device, k, v, step);
        return;
    }
    if (ownKernels(device) != nullptr && step.onDevice != nullptr) {
        appendOwn(device, k, step, heldKeys());
        appendOwn(device, v, step, heldValues());
        return;
    }
    if (m_torch) {
        appendOnDevice(k, step, m_tensors->keys, m_tensors->keyScales);
        appendOnDevice(v, step, m_tensors->values, m_tensors->valueScales);
        return;
    }
    appendNarrow(device, k, step, m_tensors->keys, m_tensors->keyScales);
    appendNarrow(device, v, step, m_tensors->values, m_tensors->valueScales);
}

/// A few new tokens: the query heads that share keys are rows of one tile. More: rows are positions, and
/// a task is a tile of one head, or more of it where keys and values must be widened or rounded first. The last rows, which
/// see the most keys, come first.
std::pmr::vector<BlockCache::Task> BlockCache::tasksOf(const Device& device, const StepRows& step,
                                                       const CausalAttention& how) const {
    std::pmr::vector<Task> tasks(&threadMemory());
    const std::int64_t sharing = m_shape.heads / m_shape.kvHeads;
    for (std::size_t s = 0; s < step.sequences(); ++s) {
        const std::int64_t tokens = step.tokens(s);
        const bool few = tokens == 1 || (transposedKeys() && tokens <= kFewTokens);
        const bool asHeld = transposedKeys() && !attendsInPairs(device, m_shape, tokens);
        const std::int64_t rows = few ? 1 : asHeld ? kernels::kAttentionRows : kWidenedRows;
        // Where that leaves threads without work each head makes keys and values its own.
        const bool enough = (tokens + rows - 1) / rows * m_shape.kvHeads >= 4 * device.threads;
        const std::int64_t heads = few || (!asHeld && (enough || !transposedKeys())) ? sharing : 1;
        for (std::int64_t row = (tokens - 1) / rows * rows; row >= 0 && row < tokens; row -= rows) {
            const std::int64_t parts = few ? partsOf(device, how, step.past[s] + row) : 1;
            for (std::int64_t head = 0; head < m_shape.heads; head += heads) {
                Task task{s, head, head + heads, row, std::min(tokens, row + rows)};
                if (parts == 1) {
                    tasks.push_back(task);
                    continue;
                }
                const std::int64_t end = step.past[s] + row + 1;
                const std::int64_t begin = firstKey(how, end - 1);
                const std::int64_t pages = pagesOf(end - begin);
                for (task.part = 0; task.part < parts; ++task.part) {
                    task.keyBegin = begin + pages * task.part / parts * kernels::kKeyPage;
                    task.keyEnd = std::min(end, begin + pages * (task.part + 1) / parts * kernels::kKeyPage);
                    tasks.push_back(task);
                }
            }
        }
    }
    return tasks;
}

/// Into how many parts the keys of a token at `position` go: as many as threads where heads don't go evenly over
/// them. What else is in the step does not matter.
std::int64_t BlockCache::partsOf(const Device& device, const CausalAttention& how, std::int64_t position) const {
    const std::int64_t threads = device.threads;
    const bool even = m_shape.kvHeads % threads == 0 || m_shape.kvHeads >= 4 * threads;
    const std::int64_t pages = pagesOf(position + 1 - firstKey(how, position));
    return transposedKeys() && !even && pages >= 2 * threads ? threads : 1;
}

/// Of the keys that a token at `position` sees: where the page of the first one begins.
std::int64_t BlockCache::firstKey(const CausalAttention& how, std::int64_t position) const {
    const std::int64_t first = how.window > 0 ? std::max<std::int64_t>(0, position + 1 - how.window) : 0;
    return first / kernels::kKeyPage * kernels::kKeyPage;
}

/// Keys and values [begin, end) of a key/value head as the kernel reads them: where they lie, or widened
/// into `room`. `begin` is a page's.
BlockCache::HeadView BlockCache::viewOf(const Device& device, std::int64_t head, std::int64_t begin,
                                        std::int64_t end, float* room) const {
    const std::int64_t d = m_shape.headDim;
    if (transposedKeys()) {
        return {m_tensors->keys.const_data_ptr<float>() + (head * pagesOf(m_capacity) * kernels::kKeyPage + begin) * d,
                m_tensors->values.const_data_ptr<float>() + (head * m_capacity + begin) * d};
    }
    const std::int64_t count = end - begin;
    float* keys = room;
    float* values = room + d * pagesOf(count) * kernels::kKeyPage;
    const std::int64_t first = head * m_capacity + begin;
    const auto widen = [&](const at::Tensor& codes, const at::Tensor& scales) {
        device.table->dequantizeRows(packedRows(codes, scales, m_held, d, first, count), 0, count, values, d);
    };
    widen(m_tensors->keys, m_tensors->keyScales);
    toPages(device, values, d, count, d, keys, 0);
    widen(m_tensors->values, m_tensors->valueScales);
    return {keys, values};
}

void BlockCache::run(const Device& device, const Task& task, const StepRows& step, const CausalAttention& how,
                     const float* q, float* out, float* logSums) const {
    const std::int64_t d = m_shape.headDim;
    const std::int64_t width = m_shape.heads * d;
    const std::int64_t past = step.past[task.sequence];
    const std::int64_t start = step.starts[task.sequence];
    const std::int64_t begin = std::max(task.keyBegin, firstKey(how, past + task.rowBegin));
    const std::int64_t end = task.keyEnd > 0 ? task.keyEnd : past + task.rowEnd;
    const std::int64_t columns = kernels::attentionScratchColumns(end - begin);
    const std::int64_t scoreFloats = kernels::kAttentionRows * columns;
    const std::int64_t widened = transposedKeys() ? 0 : d * (pagesOf(end - begin) * kernels::kKeyPage + columns);
    const bool pairs = attendsInPairs(device, m_shape, step.tokens(task.sequence));
    float* scratch =
        threadScratch(static_cast<std::size_t>(scoreFloats + widened + (pairs ? pairFloats(end - begin, d) : 0)));
    const std::int64_t head = static_cast<std::int64_t>(task.sequence) * m_shape.kvHeads +
                              task.headBegin / (m_shape.heads / m_shape.kvHeads);
    const HeadView view = viewOf(device, head, begin, end, scratch + scoreFloats);
    kernels::AttentionTile tile;
    tile.headDim = tile.ldv = d;
    tile.ldk = kernels::kKeyPage;
    tile.pageStride = d * kernels::kKeyPage;
    tile.keys = view.keys;
    tile.v = view.values;
    if (pairs) {
        toPairs(device, tile, end - begin, scratch + scoreFloats + widened);
    }
    const float* keys = tile.keys;
    const float* values = tile.v;
    const std::int64_t entry = pairs ? 2 : 1;  // values of it
    const auto kernel = pairs ? device.table->attentionPairs : device.table->attention;
    tile.scale = how.scale;
    tile.softcap = how.softcap;
    tile.scores = scratch;
    tile.ldb = -1;
    const auto attend = [&](std::int64_t h, std::int64_t row, std::int64_t skip) {
        const std::int64_t from = (start + row) * width + h * d;
        tile.bias = how.bias != nullptr ? how.bias->row(h, past + row) + begin + skip : nullptr;
        tile.keys = keys + skip * d / entry;
        tile.v = values + skip * d / entry;
        tile.q = q + from;
        tile.out = out + from;
        kernel(tile);
    };
    if (task.rowEnd - task.rowBegin == 1) {
        const std::int64_t position = past + task.rowBegin;
        tile.length = end - begin;
        tile.hidden = how.window > 0 ? std::max<std::int64_t>(0, position + 1 - how.window - begin) : 0;
        tile.ldq = tile.ldo = d;
        for (std::int64_t h = task.headBegin; h < task.headEnd; h += kernels::kAttentionRows) {
            tile.rows = std::min(kernels::kAttentionRows, task.headEnd - h);
            tile.logSums = logSums != nullptr ? logSums + h - task.headBegin : nullptr;
            attend(h, task.rowBegin, 0);
        }
        return;
    }
    tile.causal = true;
    tile.window = how.window;
    tile.ldq = tile.ldo = width;
    for (std::int64_t h = task.headBegin; h < task.headEnd; ++h) {
        for (std::int64_t row = task.rowBegin; row < task.rowEnd; row += kernels::kAttentionRows) {
            const std::int64_t first = firstKey(how, past + row);
            tile.rows = std::min(kernels::kAttentionRows, task.rowEnd - row);
            tile.length = past + row + tile.rows - first;
            tile.firstPosition = past + row - first;
            attend(h, row, first - begin);
        }
    }
}

at::Tensor BlockCache::attend(const Device& device, const at::Tensor& q, const at::Tensor& k,
                              const at::Tensor& v, const StepRows& step,
                              const CausalAttention& how) {
    append(device, k, v, step);
    if (attendsByToken(device, step, how)) {
        return attendOwn(device, q, step, how);
    }
    if (device.usesTorch()) {
        return attendOnDevice(q, step, how);
    }
    at::Tensor out = emptyFloats(device, q.sizes());
    const auto tasks = tasksOf(device, step, how);
    std::int64_t products = 1;
    std::int64_t parts = 0;
    for (const auto& task : tasks) {
        const std::int64_t rows = (task.headEnd - task.headBegin) * (task.rowEnd - task.rowBegin);
        const std::int64_t keys = task.keyEnd > 0 ? task.keyEnd - task.keyBegin : step.past[task.sequence] + task.rowEnd;
        products += keys * m_shape.headDim * rows;
        parts = std::max(parts, task.part + 1);
    }
    Parts joined{step.rows(), m_shape.heads, m_shape.headDim, parts};
    const float* from = q.const_data_ptr<float>();
    float* to = out.mutable_data_ptr<float>();
    const auto runTasks = [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const Task& task = tasks[static_cast<std::size_t>(i)];
            const std::int64_t row = step.starts[task.sequence] + task.rowBegin;
            task.part < 0 ? run(device, task, step, how, from, to, nullptr)
                          : run(device, task, step, how, from, joined.out(task.part),
                                joined.logSums(task.part) + row * m_shape.heads + task.headBegin);
        }
    };
    const auto count = static_cast<std::int64_t>(tasks.size());
    if (products < 2 * kGrainProducts) {
        runTasks(0, count);
    } else {
        inPieces(count, 1, runTasks);
    }
    for (const auto& task : tasks) {
        if (task.part == 0) {
            const std::int64_t row = step.starts[task.sequence] + task.rowBegin;
            joined.join(row * m_shape.heads + task.headBegin, row * m_shape.heads + task.headEnd,
                        partsOf(device, how, step.past[task.sequence] + task.rowBegin), to);
        }
    }
    return out;
}

at::Tensor BlockCache::attendOnDevice(const at::Tensor& q, const StepRows& step,
                                      const CausalAttention& how) const {
    at::Tensor out = at::empty_like(q);
    for (std::size_t from = 0; from < step.sequences();) {
        const std::size_t to = endOfEqual(step, from);
        const auto count = static_cast<std::int64_t>(to - from);
        const std::int64_t tokens = step.tokens(from);
        const std::int64_t past = step.past[from];
        const auto held = [&](const at::Tensor& codes, const at::Tensor& scales) {
            const auto cut = [&](const at::Tensor& x) {
                return x.slice(0, static_cast<std::int64_t>(from), static_cast<std::int64_t>(to))
                    .slice(2, 0, past + tokens);
            };
            if (m_held == NumberFormat::Int4) {
                return unpackedOnDevice(cut(codes), cut(scales), m_shape.headDim);
            }
            const at::Tensor wide = cut(codes).to(at::kFloat);
            return scales.defined() ? wide * cut(scales).unsqueeze(3) : wide;
        };
        const at::Tensor keys = held(m_tensors->keys, m_tensors->keyScales);
        const at::Tensor values = held(m_tensors->values, m_tensors->valueScales);
        const at::Tensor query = q.slice(0, step.starts[from], step.starts[to])
                                     .view({count, tokens, m_shape.heads, m_shape.headDim})
                                     .transpose(1, 2);
        const bool cut = how.window > 0 && past + tokens > how.window;
        std::optional<at::Tensor> mask;
        if (cut || how.softcap > 0.0F || ((past > 0 || how.bias != nullptr) && tokens > 1)) {
            mask = visible(past, tokens, how.window, q);
        }
        if (how.bias != nullptr) {
            const at::Tensor added =
                how.bias->matrix(past, tokens, past + tokens).to(q.device()).unsqueeze(0);
            mask = mask ? added.masked_fill(mask->logical_not(), -INFINITY) : added;
        }
        at::Tensor context;
        if (how.softcap > 0.0F) {
            const std::int64_t sharing = m_shape.heads / m_shape.kvHeads;
            const at::Tensor grouped =
                query.reshape({count, m_shape.kvHeads, sharing * tokens, m_shape.headDim});
            at::Tensor scores = at::matmul(grouped, keys.transpose(2, 3)) * how.scale;
            scores = at::tanh(scores / how.softcap) * how.softcap;
            scores = scores.view({count, m_shape.heads, tokens, past + tokens})
                         .masked_fill(mask->logical_not(), -INFINITY);
            const at::Tensor weights =
                at::softmax(scores, -1)
                    .view({count, m_shape.kvHeads, sharing * tokens, past + tokens});
            context =
                at::matmul(weights, values).view({count, m_shape.heads, tokens, m_shape.headDim});
        } else {
            context = at::scaled_dot_product_attention(query, keys, values, mask, 0.0,
                                                       !mask.has_value() && tokens > 1,
                                                       static_cast<double>(how.scale), true);
        }
        out.slice(0, step.starts[from], step.starts[to])
            .copy_(context.transpose(1, 2).reshape({count * tokens, q.size(1)}));
        from = to;
    }
    return out;
}

}  // namespace pareto::runtime
