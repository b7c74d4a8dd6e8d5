#include "engine/models/shard_run.h"

#include <array>
#include <bit>

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include "engine/models/network.h"
#include "engine/models/text_parts.h"
#include "engine/runtime/failures.h"
#include "engine/runtime/torch_layers.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::models {
namespace {

/// Of a matrix that another process sends: it is made before its values come.
constexpr std::int64_t kMostValues = std::int64_t{1} << 31;

void check(const Status& status) {
    if (!status.ok()) {
        throw runtime::Failure(status.cancelled() ? makeError(ErrorCode::EngineFailure,
                                                              {{"where", "a model in parts"}, {"reason", "it was cancelled"}})
                                                  : status.error());
    }
}

std::span<float> valuesOf(const at::Tensor& tensor) {
    TORCH_CHECK(tensor.is_contiguous() && tensor.scalar_type() == at::kFloat && tensor.is_cpu());
    return {tensor.mutable_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

at::Tensor floats(at::IntArrayRef sizes) { return at::empty(sizes, at::TensorOptions().dtype(at::kFloat)); }

Exchange& exchangeOf(Partners& partners, const runtime::Device& device) {
    auto* onDevice = device.usesTorch() ? partners.onDevice() : nullptr;
    return onDevice != nullptr ? *onDevice : partners;
}

/// Parts one behind the other, of which each has its columns of all rows, as rows.
at::Tensor rowsOfParts(const at::Tensor& parts, const std::vector<std::int64_t>& bounds) {
    const std::int64_t rows = parts.size(0);
    const at::Tensor flat = parts.view({-1});
    std::vector<at::Tensor> pieces;
    for (std::size_t i = 0; i + 1 < bounds.size(); ++i) {
        const std::int64_t width = bounds[i + 1] - bounds[i];
        pieces.push_back(flat.narrow(0, rows * bounds[i], rows * width).view({rows, width}));
    }
    return at::cat(pieces, 1);
}

/// A piece with fewer tokens takes longer than its share.
constexpr std::int64_t kLeastTokens = 64;
constexpr std::int64_t kPiecesOfStage = 4;

}  // namespace

std::vector<TokenBatch> piecesOf(const TokenBatch& batch, int stages) {
    if (stages == 1) {
        return {batch};
    }
    std::int64_t tokens = 0;
    for (const auto& ids : batch.ids) {
        tokens += static_cast<std::int64_t>(ids.size());
    }
    std::vector<TokenBatch> out;
    for (const auto& part : partsOfTokens(batch.ids, std::max(kLeastTokens, tokens / (kPiecesOfStage * stages)))) {
        out.push_back(textsOf(batch, part));
    }
    return out;
}

void appendRows(Matrix& all, const Matrix& more) {
    all.rows += more.rows;
    all.cols = more.cols;
    all.values.insert(all.values.end(), more.values.begin(), more.values.end());
}

at::Tensor joinedProduct(ShardRun* shard, const runtime::Device& device, LayerObserver* observer, const runtime::Linear& layer,
                         const at::Tensor& x) {
    runtime::LinearInput input(device, x, shard != nullptr ? shard->largestOfAll() : nullptr);
    at::Tensor out;
    {
        const Phase phase(observer, layer.name);
        out = layer.run(input);
    }
    if (shard != nullptr) {
        shard->sum(out);
    }
    return out;
}

ShardRun::ShardRun(const Shard& shard, Partners& partners, const runtime::Device& device)
    : m_partners(partners),
      m_exchange(exchangeOf(partners, device)),
      m_device(device),
      m_place(shard.place),
      m_begins(shard.begins()),
      m_ends(shard.ends()),
      m_firstBlock(shard.firstBlock),
      m_encoderBlocks(shard.encoderBlocks),
      m_vocabulary(shard.vocabularyBounds),
      m_largestOfAll([this](std::span<float> values) { check(m_partners.largest(values)); }) {}

/// What the exchange reads and writes: the values themselves, or a copy in memory.
at::Tensor ShardRun::outgoing(const at::Tensor& values) const {
    if (!staged()) {
        return values.contiguous();
    }
    at::Tensor out = floats(values.sizes());
    out.copy_(values);
    return out;
}

at::Tensor ShardRun::roomFor(std::initializer_list<std::int64_t> list) const {
    const at::IntArrayRef sizes(list.begin(), list.size());
    return staged() ? floats(sizes) : runtime::emptyFloats(m_device, sizes);
}

/// The way back of outgoing().
at::Tensor ShardRun::arrived(const at::Tensor& values) const {
    if (!staged()) {
        return values;
    }
    at::Tensor out = runtime::emptyFloats(m_device, values.sizes());
    out.copy_(values);
    return out;
}

std::span<float> ShardRun::spanOf(const at::Tensor& tensor) const {
    TORCH_CHECK(tensor.is_contiguous() && tensor.scalar_type() == at::kFloat);
    TORCH_CHECK(tensor.device() == (staged() ? c10::Device(c10::kCPU) : runtime::torchDevice(m_device)));
    return {tensor.mutable_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

void ShardRun::sum(at::Tensor& values) {
    if (m_place.tp > 1) {
        const at::Tensor held = outgoing(values);
        check(m_exchange.sum(spanOf(held)));
        values = arrived(held);
    }
}

at::Tensor ShardRun::lookup(const runtime::Linear& table, std::span<const std::int32_t> ids) {
    if (m_place.tp == 1) {
        return table.weight->lookup(ids);
    }
    const std::int64_t begin = vocabularyBegin();
    const std::int64_t end = m_vocabulary[static_cast<std::size_t>(m_place.part()) + 1];
    std::vector<std::int32_t> here;
    std::vector<std::int64_t> rows;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] >= begin && ids[i] < end) {
            here.push_back(static_cast<std::int32_t>(ids[i] - begin));
            rows.push_back(static_cast<std::int64_t>(i));
        }
    }
    at::Tensor out = at::zeros({static_cast<std::int64_t>(ids.size()), table.weight->cols()}, runtime::floatOptions(m_device));
    if (!here.empty()) {
        const at::Tensor places = at::from_blob(rows.data(), {static_cast<std::int64_t>(rows.size())},
                                                at::TensorOptions().dtype(at::kLong));
        out.index_copy_(0, places.to(out.device()), table.weight->lookup(here));
    }
    sum(out);
    return out;
}

at::Tensor ShardRun::ofAllParts(const at::Tensor& own) {
    const at::Tensor mine = own.contiguous();
    const std::vector<std::size_t> counts(static_cast<std::size_t>(m_place.tp), static_cast<std::size_t>(mine.numel()));
    at::Tensor all = floats({m_place.tp, mine.size(0), mine.size(1)});
    check(m_partners.gather(valuesOf(mine), counts, valuesOf(all)));
    return all;
}

at::Tensor ShardRun::wholeVocabulary(const at::Tensor& part) {
    if (m_place.tp == 1) {
        return part;
    }
    const at::Tensor mine = outgoing(part);
    const std::int64_t rows = mine.size(0);
    std::vector<std::size_t> counts;
    for (std::size_t i = 0; i + 1 < m_vocabulary.size(); ++i) {
        counts.push_back(static_cast<std::size_t>(rows * (m_vocabulary[i + 1] - m_vocabulary[i])));
    }
    const at::Tensor parts = roomFor({rows, m_vocabulary.back()});
    check(m_exchange.gather(spanOf(mine), counts, spanOf(parts)));
    const at::Tensor held = arrived(parts);
    return rows == 1 ? held : rowsOfParts(held, m_vocabulary);
}

void ShardRun::giveNext(const at::Tensor& states) {
    check(m_exchange.giveNext(spanOf(outgoing(states))));
}

at::Tensor ShardRun::takePrevious(std::initializer_list<std::int64_t> sizes) {
    const at::Tensor out = roomFor(sizes);
    check(m_exchange.takePrevious(spanOf(out)));
    return arrived(out);
}

Matrix ShardRun::deliver(std::optional<Matrix> made) {
    if (m_place.pp == 1) {
        return leads() ? std::move(*made) : Matrix{};
    }
    using Sizes = std::array<std::int64_t, 2>;
    using Words = std::array<float, sizeof(Sizes) / sizeof(float)>;
    if (made && m_place.part() == 0) {
        auto words = std::bit_cast<Words>(Sizes{made->rows, made->cols});
        check(m_partners.giveFirst(words));
        check(m_partners.giveFirst(made->values));
    }
    if (!leads()) {
        return {};
    }
    Words words{};
    check(m_partners.takeLast(words));
    const auto sizes = std::bit_cast<Sizes>(words);
    const std::int64_t most = sizes[1] > 0 ? kMostValues / sizes[1] : 0;
    if (sizes[0] < 0 || sizes[1] < 0 || sizes[0] > most) {
        throw runtime::Failure(makeError(ErrorCode::EngineFailure,
                                         {{"where", "a model in parts"},
                                          {"reason", "the last stage says that its result has " + std::to_string(sizes[0]) +
                                                         " rows of " + std::to_string(sizes[1])}}));
    }
    Matrix out{sizes[0], sizes[1], std::vector<float>(static_cast<std::size_t>(sizes[0] * sizes[1]))};
    check(m_partners.takeLast(out.values));
    return out;
}

}  // namespace pareto::models
