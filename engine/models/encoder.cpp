#include <algorithm>
#include <cmath>
#include <map>

#include <ATen/TensorOperators.h>
#include <ATen/ops/add.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "engine/models/network.h"
#include "engine/models/recompute.h"
#include "engine/models/shard_run.h"
#include "engine/models/text_parts.h"
#include "engine/runtime/ops.h"
#include "engine/runtime/parallel.h"
#include "engine/runtime/relative_bias.h"
#include "engine/runtime/torch_layers.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::models {
namespace {

using runtime::LayerStore;
using runtime::Linear;
using runtime::LinearInput;

struct NormWeights {
    std::string phase;
    at::Tensor weight;
    at::Tensor bias;
};

struct Block {
    Linear query, key, value, output, in, out;
    NormWeights attentionNorm, ffnNorm;
    runtime::HeadShape shape;
    runtime::RelativeBias* bias = nullptr;  ///< null: none
    std::int64_t repeats = 1;
    std::string scores;
};

/// Tokens of all items, one behind the other, without padding.
struct Packed {
    std::vector<std::int32_t> ids, types, positions;
    std::vector<std::int64_t> starts{0};
    std::int64_t longest = 0;
};

class TransformerEncoder final : public Encoder, public BlockGraph, public GradientGraph {
public:
    explicit TransformerEncoder(const PrepareInputs& inputs)
        : m_layout(inputs.model.layout()),
          m_device(inputs.device),
          m_info(infoOf(inputs.device)),
          m_store(inputs.model, inputs.device, inputs.progress, inputs.slots) {
        if (inputs.shard != nullptr) {
            m_shard = std::make_unique<ShardRun>(*inputs.shard, *inputs.partners, inputs.device);
        }
        m_embeddingNorm = norm("embeddings.norm");
        for (const auto& info : m_layout.blocks) {
            m_blocks.push_back(block(info));
        }
        for (const auto& step : m_layout.head) {
            if (step.kind == HeadStep::Kind::LayerNorm) {
                m_headNorms.emplace(step.layer, norm(step.layer));
            }
        }
    }

    const ModelLayout& layout() const override { return m_layout; }
    const DeviceInfo& device() const override { return m_info; }
    std::uint64_t bytes() const override { return m_store.bytes(); }
    std::string kernelOf(const std::string& layer) const override {
        return m_store.kernelOf(layer);
    }
    std::uint64_t bytesOf(const std::string& layer) const override {
        return m_store.has(layer) ? heldBytes(m_store.layer(layer)) : 0;
    }
    void setObserver(LayerObserver* observer) override { m_observer = observer; }

    Result<Matrix> run(const TokenBatch& batch, std::stop_token stop) override {
        if (worksOnTokens()) {
            return makeError(ErrorCode::EngineFailure,
                             {{"where", "running the encoder"},
                              {"reason", "the model's head works on tokens, not on whole texts"}});
        }
        return runtime::guarded("running the encoder", [&] {
            return inPieces(batch, stop, [&](const at::Tensor& hidden, const Packed& packed, std::size_t) {
                return runHead(hidden, packed);
            });
        });
    }

    Result<TokenMatrix> tokenOutputs(const TokenBatch& batch,
                                     const std::vector<std::vector<std::int32_t>>& wanted,
                                     std::stop_token stop) override {
        return runtime::guarded("running the encoder", [&]() -> Result<TokenMatrix> {
            TokenMatrix out;
            for (std::size_t item = 0; item < batch.ids.size(); ++item) {
                const auto rows = wanted.empty() ? batch.ids[item].size() : item < wanted.size() ? wanted[item].size() : 0;
                out.starts.push_back(out.starts.back() + static_cast<std::int64_t>(rows));
            }
            PARETO_TRY(out.values, inPieces(batch, stop, [&](const at::Tensor& hidden, const Packed& packed, std::size_t first) {
                           const at::Tensor rows = wanted.empty() ? hidden : chosenRows(hidden, packed, wanted, first);
                           return m_shard != nullptr && rows.size(0) == 0 ? at::Tensor() : runHead(rows, packed);
                       }));
            return out;
        });
    }

    Result<Matrix> hiddenStates(const TokenBatch& batch, std::stop_token stop) override {
        PARETO_TRY(const auto packed, pack(batch));
        return runtime::guarded("running the encoder", [&]() -> Result<Matrix> {
            PARETO_TRY(const auto rows, inPieces(batch, stop, [](const at::Tensor& hidden, const Packed&, std::size_t) {
                           return hidden;
                       }));
            return rows.rows > 0 ? padded(rows, packed) : rows;
        });
    }

    Result<at::Tensor> statesOf(const TokenBatch& batch, Inside* inside, std::stop_token stop) override {
        PARETO_TRY(auto packed, pack(batch));
        if (m_recomputes && inside == nullptr) {
            return statesRecomputed(packed, stop);
        }
        m_inside = inside;
        auto states = encode(packed, stop);
        m_inside = nullptr;
        return states;
    }

    at::Tensor outputsOf(const at::Tensor& states, const std::vector<std::int64_t>& starts) override {
        Packed packed;
        packed.starts = starts;
        return runHead(states, packed);
    }

    const LayerStore& store() const override { return m_store; }

    void setDropout(double share) override {
        m_dropout = share;
        for (auto& block : m_blocks) {
            block.shape.dropout = share;
        }
    }

    void setRecompute(bool on) override { m_recomputes = on; }

    Result<HiddenStates> embedTokens(const TokenBatch& batch, std::stop_token) override {
        PARETO_TRY(auto packed, pack(batch));
        return runtime::guarded("embedding the tokens", [&]() -> Result<HiddenStates> {
            return HiddenStates{toMatrix(embed(packed)), packed.starts};
        });
    }

    Result<Matrix> runOneBlock(int index, const HiddenStates& hidden, std::stop_token) override {
        return runtime::guarded("running a block", [&]() -> Result<Matrix> {
            return toMatrix(runBlockOn(index, viewOf(hidden.values), hidden.starts));
        });
    }

    at::Tensor runBlockOn(int index, at::Tensor states, const std::vector<std::int64_t>& starts) override {
        const auto& block = m_blocks.at(static_cast<std::size_t>(index));
        Packed packed;
        packed.starts = starts;
        for (std::size_t i = 0; i + 1 < packed.starts.size(); ++i) {
            packed.longest = std::max(packed.longest, packed.starts[i + 1] - packed.starts[i]);
        }
        for (std::int64_t run = 0; run < block.repeats; ++run) {
            states = runBlock(block, states, packed);
        }
        return states;
    }

private:
    NormWeights norm(const std::string& name) const {
        return {name, m_store.plain(name + ".weight"), m_store.plain(name + ".bias")};
    }

    /// Blocks with the same heads left share one.
    runtime::RelativeBias* biasOf(const BlockInfo& info) {
        if (m_layout.relativeBuckets == 0) {
            return nullptr;
        }
        auto& bias = m_biases[info.sourceHeads];
        if (bias == nullptr) {
            bias = std::make_unique<runtime::RelativeBias>(
                m_store.plain("encoder.relative_bias.weight"), info.sourceHeads,
                m_layout.relativeMaxDistance, true);
        }
        return bias.get();
    }

    Block block(const BlockInfo& info) {
        Block out;
        const std::string attention = info.name + ".attention";
        out.query = m_store.layer(attention + ".query");
        out.key = m_store.layer(attention + ".key");
        out.value = m_store.layer(attention + ".value");
        out.output = m_store.layer(attention + ".output");
        out.in = m_store.layer(info.name + ".ffn.in");
        out.out = m_store.layer(info.name + ".ffn.out");
        out.attentionNorm = norm(attention + ".norm");
        out.ffnNorm = norm(info.name + ".ffn.norm");
        out.shape = {info.heads, info.heads, m_layout.headDim};
        out.shape.rounded = out.query.rounded;
        out.bias = biasOf(info);
        out.repeats = info.repeats;
        out.scores = attention + ".scores";
        return out;
    }

    template <typename Head>
    Result<Matrix> wholly(const TokenBatch& batch, std::size_t first, const std::stop_token& stop, const Head& head) {
        PARETO_TRY(const auto packed, pack(batch));
        PARETO_TRY(const at::Tensor hidden, encode(packed, stop));
        return toMatrix(head(hidden, packed, first));
    }

    /// Each part by a thread of its own.
    template <typename Head>
    Result<Matrix> inParts(const TokenBatch& batch, const std::vector<TextPart>& parts, const std::stop_token& stop, const Head& head) {
        for (const auto& block : m_blocks) {
            if (block.bias != nullptr) {
                // Here, before threads share it.
                block.bias->reach(longestOf(batch));
            }
        }
        std::vector<Result<Matrix>> made(parts.size(), Cancelled{});
        runtime::inPieces(static_cast<std::int64_t>(parts.size()), 1, [&](std::int64_t begin, std::int64_t end) {
            const c10::InferenceMode inference(true);  // a thread's own
            for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
                made[i] = wholly(textsOf(batch, parts[i]), parts[i].first, stop, head);
            }
        });
        Matrix all;
        for (const auto& one : made) {
            if (!one.ok()) {
                return one;
            }
            appendRows(all, one.value());
        }
        return all;
    }

    /// What `head` makes of a batch's hidden states, of which it also hears the number of the first item; nothing where it
    /// gives no tensor. Where blocks lie in stages the batch goes in pieces, so that all have something to do.
    template <typename Head>
    Result<Matrix> inPieces(const TokenBatch& batch, const std::stop_token& stop, const Head& head) {
        if (m_shard == nullptr) {
            const bool whole = m_device.usesTorch() || m_observer != nullptr;  // others compute there, or watch layer by layer
            const auto parts = whole ? std::vector<TextPart>() : partsOfThreads(batch.ids, runtime::poolThreads());
            return parts.size() > 1 ? inParts(batch, parts, stop, head) : wholly(batch, 0, stop, head);
        }
        Matrix made;
        std::size_t first = 0;
        for (const auto& piece : piecesOf(batch, m_shard->stages())) {
            PARETO_TRY(const auto packed, pack(piece));
            PARETO_TRY(const at::Tensor hidden, encode(packed, stop));
            if (m_shard->ends()) {
                if (const at::Tensor rows = head(hidden, packed, first); rows.defined()) {
                    appendRows(made, toMatrix(rows));
                }
            }
            first += piece.ids.size();
        }
        return m_shard->deliver(m_shard->ends() ? std::optional(std::move(made)) : std::nullopt);
    }

    static std::int64_t longestOf(const TokenBatch& batch) {
        std::size_t out = 0;
        for (const auto& ids : batch.ids) {
            out = std::max(out, ids.size());
        }
        return static_cast<std::int64_t>(out);
    }

    Result<Packed> pack(const TokenBatch& batch) const {
        PARETO_CHECK(checkTokens(batch.ids, m_layout));
        Packed out;
        for (std::size_t item = 0; item < batch.ids.size(); ++item) {
            const auto& ids = batch.ids[item];
            out.ids.insert(out.ids.end(), ids.begin(), ids.end());
            const bool typed = item < batch.typeIds.size() && !batch.typeIds[item].empty();
            for (std::size_t i = 0; i < ids.size(); ++i) {
                const std::int32_t type =
                    typed && i < batch.typeIds[item].size() ? batch.typeIds[item][i] : 0;
                if (type < 0 || type >= std::max<std::int64_t>(1, m_layout.typeVocabulary)) {
                    return makeError(ErrorCode::EngineFailure,
                                     {{"where", "the model's input"},
                                      {"reason", "the token type " + std::to_string(type) +
                                                     " is not known to the model"}});
                }
                out.types.push_back(type);
            }
            addPositions(ids, out.positions);
            out.starts.push_back(static_cast<std::int64_t>(out.ids.size()));
            out.longest = std::max(out.longest, static_cast<std::int64_t>(ids.size()));
        }
        return out;
    }

    /// Rows of the position table. Families that begin behind the padding's row count no padding, which
    /// a text may name, too (create_position_ids_from_input_ids of transformers).
    void addPositions(const std::vector<std::int32_t>& ids,
                      std::vector<std::int32_t>& positions) const {
        const auto first = static_cast<std::int32_t>(m_layout.positionOffset);
        std::int32_t next = first;
        for (const auto id : ids) {
            positions.push_back(first > 0 && id == first - 1 ? id : next++);
        }
    }

    at::Tensor embed(const Packed& packed) {
        const auto table = [&](const std::string& name, const std::vector<std::int32_t>& ids) {
            const Phase phase(m_observer, name);
            return m_store.layer(name).weight->lookup(ids);
        };
        at::Tensor sum = m_shard != nullptr ? m_shard->lookup(m_store.layer(kWord), packed.ids) : table(kWord, packed.ids);
        if (m_store.has(kPosition)) {
            sum.add_(table(kPosition, packed.positions));
        }
        if (m_store.has(kType)) {
            sum.add_(table(kType, packed.types));
        }
        at::Tensor embedded = dropped(normalized(sum, nullptr, m_embeddingNorm));
        if (!m_store.has(kProjection)) {
            return embedded;
        }
        LinearInput input(m_device, embedded);
        return linear(m_store.layer(kProjection), input);
    }

    at::Tensor normalized(const at::Tensor& x, const at::Tensor* residual, const NormWeights& by) {
        const Phase phase(m_observer, by.phase);
        return runtime::layerNorm(m_device, x, residual, by.weight, by.bias, m_layout.normEpsilon);
    }

    at::Tensor linear(const Linear& layer, LinearInput& x, kernels::Act act = kernels::Act::None) {
        const Phase phase(m_observer, layer.name);
        return layer.run(x, act);
    }

    at::Tensor joined(const Linear& layer, const at::Tensor& x) {
        return joinedProduct(m_shard.get(), m_device, m_observer, layer, x);
    }

    at::Tensor dropped(const at::Tensor& x) const { return m_dropout > 0.0 ? at::dropout(x, m_dropout, true) : x; }

    at::Tensor runBlock(const Block& block, const at::Tensor& hidden, const Packed& packed) {
        LinearInput x(m_device, hidden);
        const auto qkv = linearsOf(m_observer, {&block.query, &block.key, &block.value}, x);
        at::Tensor context;
        {
            const Phase phase(m_observer, block.scores);
            if (block.bias != nullptr) {
                block.bias->reach(packed.longest);
            }
            context = runtime::encoderAttention(m_device, qkv[0], qkv[1], qkv[2], packed.starts, block.shape,
                                                block.bias);
        }
        const at::Tensor attended = normalized(dropped(joined(block.output, context)), &hidden, block.attentionNorm);
        LinearInput a(m_device, attended);
        const at::Tensor inner = linear(block.in, a, runtime::actOf(m_layout.activation));
        const at::Tensor out = normalized(dropped(joined(block.out, inner)), &attended, block.ffnNorm);
        if (m_inside != nullptr) {
            m_inside->queries.push_back(qkv[0]);
            m_inside->keys.push_back(qkv[1]);
            m_inside->values.push_back(qkv[2]);
            m_inside->hidden.push_back(out);
        }
        return out;
    }

    Result<at::Tensor> statesRecomputed(const Packed& packed, const std::stop_token& stop) {
        at::Tensor hidden = embed(packed);
        for (std::size_t i = 0; i < m_blocks.size(); ++i) {
            if (stop.stop_requested()) {
                return Cancelled{};
            }
            hidden = recomputed(hidden, [this, index = static_cast<int>(i), starts = packed.starts](const at::Tensor& x) {
                return runBlockOn(index, x, starts);
            });
        }
        return hidden;
    }

    Result<at::Tensor> encode(const Packed& packed, const std::stop_token& stop) {
        const bool begins = m_shard == nullptr || m_shard->begins();
        at::Tensor hidden = begins ? embed(packed) : m_shard->takePrevious({packed.starts.back(), m_layout.hidden});
        for (const auto& block : m_blocks) {
            for (std::int64_t run = 0; run < block.repeats; ++run) {
                if (stop.stop_requested()) {
                    return Cancelled{};
                }
                hidden = runBlock(block, hidden, packed);
            }
        }
        if (m_shard != nullptr && !m_shard->ends()) {
            m_shard->giveNext(hidden);
        }
        return hidden;
    }

    at::Tensor pool(const at::Tensor& hidden, const Packed& packed, Pooling pooling) {
        const Phase phase(m_observer, kPooling);
        std::vector<at::Tensor> rows;
        for (std::size_t i = 0; i + 1 < packed.starts.size(); ++i) {
            const at::Tensor item = hidden.slice(0, packed.starts[i], packed.starts[i + 1]);
            switch (pooling) {
            case Pooling::Cls:
                rows.push_back(item.select(0, 0));
                break;
            case Pooling::Max:
                rows.push_back(item.amax(0));
                break;
            case Pooling::LastToken:
                rows.push_back(item.select(0, item.size(0) - 1));
                break;
            case Pooling::MeanSqrtLength:
                rows.push_back(item.sum(0) / std::sqrt(static_cast<double>(item.size(0))));
                break;
            case Pooling::WeightedMean: {
                const at::Tensor weights = at::arange(1, item.size(0) + 1, item.options());
                rows.push_back((item * weights.unsqueeze(1)).sum(0) / weights.sum());
                break;
            }
            case Pooling::Mean:
            case Pooling::None:
                rows.push_back(item.mean(0));
                break;
            }
        }
        return at::stack(rows);
    }

    bool worksOnTokens() const {
        return m_layout.outputs == Outputs::TokenClasses ||
               m_layout.outputs == Outputs::AnswerSpan || m_layout.outputs == Outputs::MaskedToken;
    }

    /// The rows of the wanted tokens, item after item, of which the first is number `first` of those that `wanted` is about.
    at::Tensor chosenRows(const at::Tensor& hidden, const Packed& packed,
                          const std::vector<std::vector<std::int32_t>>& wanted, std::size_t first) const {
        std::vector<std::int64_t> rows;
        for (std::size_t item = 0; item + 1 < packed.starts.size(); ++item) {
            if (first + item < wanted.size()) {
                for (const auto token : wanted[first + item]) {
                    const std::int64_t row = packed.starts[item] + token;
                    TORCH_CHECK(token >= 0 && row < packed.starts[item + 1],
                                "a wanted token is outside its text");
                    rows.push_back(row);
                }
            }
        }
        const auto index = at::tensor(rows, at::TensorOptions().dtype(at::kLong));
        return hidden.index_select(0, index.to(hidden.device()));
    }

    /// A layout without a pooling step gets the mean over the tokens, as sentence-transformers does,
    /// unless its head works on tokens.
    at::Tensor runHead(const at::Tensor& hidden, const Packed& packed) {
        at::Tensor x;
        if (worksOnTokens()) {
            x = hidden;
        }
        for (const auto& step : m_layout.head) {
            if (step.kind == HeadStep::Kind::Pool) {
                x = pool(hidden, packed, step.pooling);
                continue;
            }
            if (!x.defined()) {
                x = pool(hidden, packed, Pooling::Mean);
            }
            if (step.kind == HeadStep::Kind::Dense) {
                // transformers drops before the last layer of a head, which makes the classes.
                const bool last = &step == &m_layout.head.back();
                const at::Tensor before = last ? dropped(x) : x;
                LinearInput input(m_device, before);
                x = linear(m_store.layer(step.layer), input, runtime::actOf(step.activation));
                if (m_shard != nullptr && step.layer == kVocabularyHead) {
                    x = m_shard->wholeVocabulary(x);
                }
            } else if (step.kind == HeadStep::Kind::LayerNorm) {
                x = normalized(x, nullptr, m_headNorms.at(step.layer));
            } else {
                // sentence-transformers' Normalize: x / max(|x|, 1e-12)
                x = x / at::norm(x, 2, {1}, true).clamp_min(1e-12);
            }
        }
        return x.defined() ? x : pool(hidden, packed, Pooling::Mean);
    }

    /// Rows of padding are zero.
    static Matrix padded(const Matrix& hidden, const Packed& packed) {
        const auto items = static_cast<std::int64_t>(packed.starts.size()) - 1;
        Matrix out{items * packed.longest, hidden.cols, {}};
        out.values.resize(static_cast<std::size_t>(out.rows * out.cols));
        for (std::int64_t i = 0; i < items; ++i) {
            const std::int64_t begin = packed.starts[static_cast<std::size_t>(i)];
            const std::int64_t end = packed.starts[static_cast<std::size_t>(i) + 1];
            std::copy(hidden.values.begin() + begin * hidden.cols,
                      hidden.values.begin() + end * hidden.cols,
                      out.values.begin() + i * packed.longest * hidden.cols);
        }
        return out;
    }

    const std::string kWord = "embeddings.word";
    const std::string kPosition = "embeddings.position";
    const std::string kType = "embeddings.type";
    const std::string kProjection = "embeddings.projection";
    const std::string kPooling = "pooling";
    const std::string kVocabularyHead = "mlm.decoder";

    ModelLayout m_layout;
    runtime::Device m_device;
    DeviceInfo m_info;
    LayerStore m_store;
    std::unique_ptr<ShardRun> m_shard;  ///< where other processes hold the rest of the model
    NormWeights m_embeddingNorm;
    std::map<std::vector<int>, std::unique_ptr<runtime::RelativeBias>> m_biases;  ///< by heads left
    std::vector<Block> m_blocks;
    std::map<std::string, NormWeights> m_headNorms;
    LayerObserver* m_observer = nullptr;
    Inside* m_inside = nullptr;
    double m_dropout = 0.0;  ///< with gradients only
    bool m_recomputes = false;
};

}  // namespace

std::unique_ptr<BlockGraph> encoderBlocks(const PrepareInputs& inputs) {
    return std::make_unique<TransformerEncoder>(inputs);
}

std::unique_ptr<GradientGraph> encoderGradients(const PrepareInputs& inputs) {
    return std::make_unique<TransformerEncoder>(inputs);
}

Result<RunnableModel> prepareEncoder(const PrepareInputs& inputs) {
    RunnableModel out;
    out.encoder = std::make_unique<TransformerEncoder>(inputs);
    return out;
}

}  // namespace pareto::models
