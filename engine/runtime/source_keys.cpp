#include "engine/runtime/source_keys.h"

#include <algorithm>

#include <ATen/core/Tensor.h>

#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_attention.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {
namespace {

/// Multiplications that keep a thread busy longer than handing them out takes.
constexpr std::int64_t kGrainProducts = std::int64_t{1} << 15;

/// Successive query rows that attend to one source, at most a tile of them.
struct Piece {
    std::int64_t row = 0;
    std::int64_t rows = 0;
    std::int64_t source = 0;
};

std::vector<Piece> piecesOf(std::span<const std::int64_t> sources,
                            std::span<const std::int64_t> rows) {
    std::vector<Piece> pieces;
    for (std::size_t first = 0; first < sources.size();) {
        std::size_t last = first + 1;
        while (last < sources.size() && sources[last] == sources[first]) {
            ++last;
        }
        const std::int64_t end = rows[last];
        for (std::int64_t row = rows[first]; row < end; row += kernels::kAttentionRows) {
            pieces.push_back({row, std::min(kernels::kAttentionRows, end - row), sources[first]});
        }
        first = last;
    }
    return pieces;
}

}  // namespace

SourceKeys::SourceKeys(const Device& device, const at::Tensor& k, const at::Tensor& v,
                       std::vector<std::int64_t> starts, const HeadShape& shape)
    : m_shape(shape), m_starts(std::move(starts)), m_values(std::make_unique<at::Tensor>(v)) {
    if (device.usesTorch()) {
        m_keys = std::make_unique<at::Tensor>(k);
        return;
    }
    const std::int64_t d = shape.headDim;
    const std::int64_t width = shape.heads * d;
    m_keys = std::make_unique<at::Tensor>(emptyFloats(device, k.sizes()));
    const float* from = k.const_data_ptr<float>();
    float* to = m_keys->mutable_data_ptr<float>();
    const auto sources = static_cast<std::int64_t>(m_starts.size()) - 1;
    parallel(sources * shape.heads, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task) {
            const auto source = static_cast<std::size_t>(task / shape.heads);
            const std::int64_t head = task % shape.heads;
            const std::int64_t first = m_starts[source];
            const std::int64_t length = m_starts[source + 1] - first;
            device.table->transpose(from + first * width + head * d, width, length, d,
                                    to + first * width + head * d * length, length);
        }
    });
}

SourceKeys::~SourceKeys() = default;
SourceKeys::SourceKeys(SourceKeys&&) noexcept = default;

std::uint64_t SourceKeys::bytes() const { return m_keys->nbytes() + m_values->nbytes(); }

at::Tensor SourceKeys::attend(const Device& device, const at::Tensor& q,
                              std::span<const std::int64_t> sources,
                              std::span<const std::int64_t> rows) const {
    if (device.usesTorch()) {
        return attendOnDevice(device, q, sources, rows);
    }
    at::Tensor out = emptyFloats(device, q.sizes());
    const std::int64_t d = m_shape.headDim;
    const std::int64_t width = m_shape.heads * d;
    const auto pieces = piecesOf(sources, rows);
    const float* fromQ = q.const_data_ptr<float>();
    const float* keys = m_keys->const_data_ptr<float>();
    const float* values = m_values->const_data_ptr<float>();
    float* to = out.mutable_data_ptr<float>();
    const auto run = [&](std::int64_t task) {
        const Piece& piece = pieces[static_cast<std::size_t>(task / m_shape.heads)];
        const std::int64_t head = task % m_shape.heads;
        const auto source = static_cast<std::size_t>(piece.source);
        const std::int64_t first = m_starts[source];
        kernels::AttentionTile tile;
        tile.rows = piece.rows;
        tile.length = m_starts[source + 1] - first;
        tile.headDim = d;
        tile.scale = attentionScale(m_shape);
        tile.keys = keys + first * width + head * d * tile.length;
        tile.ldk = tile.length;
        tile.v = values + first * width + head * d;
        tile.ldq = tile.ldv = tile.ldo = width;
        tile.q = fromQ + piece.row * width + head * d;
        tile.out = to + piece.row * width + head * d;
        tile.scores = threadScratch(static_cast<std::size_t>(
            kernels::kAttentionRows * kernels::attentionScratchColumns(tile.length)));
        device.table->attention(tile);
    };
    const std::int64_t tasks = static_cast<std::int64_t>(pieces.size()) * m_shape.heads;
    const std::int64_t keysOfSource =
        m_values->size(0) / (static_cast<std::int64_t>(m_starts.size()) - 1);
    const std::int64_t products = std::max<std::int64_t>(1, kernels::kAttentionRows * d * keysOfSource);
    parallel(tasks, std::max<std::int64_t>(1, kGrainProducts / products),
             [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t task = begin; task < end; ++task) {
                     run(task);
                 }
             });
    return out;
}

at::Tensor SourceKeys::attendOnDevice(const Device& device, const at::Tensor& q,
                                      std::span<const std::int64_t> sources,
                                      std::span<const std::int64_t> rows) const {
    std::vector<Stretch> stretches;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        const auto source = static_cast<std::size_t>(sources[i]);
        const Stretch own{rows[i], rows[i + 1], m_starts[source], m_starts[source + 1]};
        if (!stretches.empty() && stretches.back().keyBegin == own.keyBegin) {
            stretches.back().queryEnd = own.queryEnd;
        } else if (own.queries() > 0) {
            stretches.push_back(own);
        }
    }
    return attendStretches(device, q, *m_keys, *m_values, stretches, {m_shape});
}

}  // namespace pareto::runtime
