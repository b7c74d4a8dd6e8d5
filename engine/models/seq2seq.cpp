#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>

#include "engine/models/network.h"
#include "engine/models/recompute.h"
#include "engine/models/sequence_cache.h"
#include "engine/models/shard_run.h"
#include "engine/runtime/ops.h"
#include "engine/runtime/relative_bias.h"
#include "engine/runtime/source_keys.h"
#include "engine/runtime/torch_attention.h"
#include "engine/runtime/torch_cuda_kernels.h"
#include "engine/runtime/torch_layers.h"
#include "engine/runtime/torch_ops.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::models {
namespace {

using runtime::LayerStore;
using runtime::Linear;
using runtime::LinearInput;

struct NormWeights {
    std::string phase;
    at::Tensor weight;
    at::Tensor bias;  ///< LayerNorm only
};

struct Attention {
    Linear query, key, value, output;
    NormWeights norm;
    runtime::HeadShape shape;
    std::string scores;
};

/// With a gate: down(act(gate(x)) · up(x)); without: down(act(up(x))).
struct FeedForward {
    Linear gate, up, down;
    NormWeights norm;
    std::string product;
    bool gated = false;
};

struct Block {
    Attention self;
    Attention cross;  ///< decoder only
    FeedForward ffn;
    std::optional<runtime::RelativeBias> bias;
};

/// The hidden states on their way through the blocks. Before a sublayer comes its norm (T5) or behind
/// it (Marian); the sum that the norm is taken of is formed in the same pass.
struct Stream {
    at::Tensor values;
    at::Tensor pending;  ///< what the last sublayer adds, with norms before
};

using Ids = std::vector<std::vector<std::int32_t>>;

class Cache final : public SequenceCache {
public:
    using SequenceCache::SequenceCache;

    void reorder(std::span<const std::int64_t> parents) override {
        SequenceCache::reorder(parents);
        std::vector<std::int64_t> now;
        for (const auto parent : parents) {
            now.push_back(sources[static_cast<std::size_t>(parent)]);
        }
        sources = std::move(now);
    }
    std::uint64_t bytes() const override {
        std::uint64_t out = SequenceCache::bytes();
        for (const auto& block : cross) {
            out += block.bytes();
        }
        return out;
    }

    std::vector<runtime::SourceKeys> cross;
    std::vector<std::int64_t> sources;  ///< of each sequence
};

/// Where the tokens of sources lie: one sequence behind the other, nothing before them.
runtime::StepRows rowsOf(const Ids& sources) {
    return SequenceCache(static_cast<std::int64_t>(sources.size()), 0).rowsOf(sources);
}

/// The last position + 1.
std::int64_t reachOf(const runtime::StepRows& step) {
    std::int64_t reach = 0;
    for (std::size_t s = 0; s < step.sequences(); ++s) {
        reach = std::max(reach, step.past[s] + step.tokens(s));
    }
    return reach;
}

Error refused(const std::string& reason) {
    return makeError(ErrorCode::EngineFailure, {{"where", "the model's input"}, {"reason", reason}});
}

/// A step of the decoder: whose tokens it has, and where their sources lie.
struct DecoderStep {
    const runtime::StepRows& rows;
    std::span<const std::int64_t> sources;  ///< of each sequence
};

class TransformerSeq2Seq final : public Seq2Seq, public GradientGraph {
public:
    explicit TransformerSeq2Seq(const PrepareInputs& inputs)
        : m_layout(inputs.model.layout()),
          m_device(inputs.device),
          m_info(infoOf(inputs.device)),
          m_store(inputs.model, inputs.device, inputs.progress) {
        for (const auto& info : m_layout.blocks) {
            const bool decoder = info.crossAttention >= 0;
            (decoder ? m_decoder : m_encoder).push_back(block(info, decoder));
        }
        if (m_layout.preNorm) {
            m_encoderNorm = norm("encoder.norm");
            m_decoderNorm = norm("decoder.norm");
        }
        if (inputs.shard != nullptr) {
            m_shard = std::make_unique<ShardRun>(*inputs.shard, *inputs.partners, inputs.device);
        }
        if (ends()) {
            m_head = m_store.layer("lm_head");
        }
        if (ends() && m_layout.hasPlain("logits_bias")) {
            // A view from before anybody wants gradients has none: transformers does not learn it either.
            m_head.bias = m_store.plain("logits_bias").view({-1});
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

    Result<std::unique_ptr<KvCache>> encode(const TokenBatch& sources, std::int64_t copies,
                                            const CacheOptions& options,
                                            std::stop_token stop) override {
        PARETO_CHECK(checkTokens(sources.ids, m_layout));
        if (copies < 1 || options.capacity < 1 ||
            (m_layout.maxPositions > 0 && options.capacity > m_layout.maxPositions)) {
            return refused(std::to_string(options.capacity) + " tokens of output; the model takes 1 to " +
                           std::to_string(m_layout.maxPositions));
        }
        return runtime::guarded("running the encoder", [&]() -> Result<std::unique_ptr<KvCache>> {
            const runtime::StepRows source = rowsOf(sources.ids);
            PARETO_TRY(const at::Tensor states, runEncoder(sources.ids, source, stop));
            const auto items = static_cast<std::int64_t>(sources.ids.size());
            auto cache = std::make_unique<Cache>(items * copies, options.capacity);
            for (std::int64_t i = 0; i < items; ++i) {
                cache->sources.insert(cache->sources.end(), static_cast<std::size_t>(copies), i);
            }
            LinearInput x(m_device, states);
            for (const auto& block : m_decoder) {
                cache->blocks.emplace_back(m_device, items * copies, options.capacity,
                                           block.self.shape, options.format.value_or(m_layout.cache));
                cache->cross.push_back(keysOf(block.cross, x, source.starts));
            }
            return std::unique_ptr<KvCache>(std::move(cache));
        });
    }

    Result<Matrix> step(const Ids& ids, KvCache& cache,
                        std::stop_token stop) override {
        auto& state = static_cast<Cache&>(cache);
        PARETO_CHECK(checkStep(ids, state));
        return runtime::guarded("running the decoder", [&]() -> Result<Matrix> {
            const auto step = state.rowsOf(ids);
            PARETO_TRY(at::Tensor hidden, runDecoder(ids, state, stop));
            if (ends() && step.rows() > state.batch()) {
                hidden = hidden.index_select(0, runtime::idsOnDevice(m_device, lastRows(step)));
            }
            return delivered(hidden, [this](const at::Tensor& rows) { return headLogits(rows); });
        });
    }

    Result<Matrix> logits(const std::vector<std::int32_t>& source,
                          const std::vector<std::int32_t>& target, std::stop_token stop) override {
        const CacheOptions options{static_cast<std::int64_t>(target.size())};
        PARETO_TRY(const auto cache, encode({{source}, {}}, 1, options, stop));
        auto& state = static_cast<Cache&>(*cache);
        PARETO_CHECK(checkStep({target}, state));
        return runtime::guarded("running the decoder", [&]() -> Result<Matrix> {
            PARETO_TRY(const at::Tensor hidden, runDecoder({target}, state, stop));
            return delivered(hidden, [this](const at::Tensor& rows) { return headLogits(rows); });
        });
    }

    Result<Matrix> encoderStates(const std::vector<std::int32_t>& source,
                                 std::stop_token stop) override {
        PARETO_CHECK(checkTokens({source}, m_layout));
        return runtime::guarded("running the encoder", [&]() -> Result<Matrix> {
            PARETO_TRY(const at::Tensor states, runEncoder({source}, rowsOf({source}), stop));
            return delivered(states, [](const at::Tensor& rows) { return rows; });
        });
    }

    Result<at::Tensor> statesOf(const TokenBatch& batch, Inside*, std::stop_token stop) override {
        PARETO_CHECK(checkTokens(batch.ids, m_layout));
        PARETO_CHECK(checkTokens(batch.targets, m_layout));
        if (batch.targets.size() != batch.ids.size()) {
            return refused("there are " + std::to_string(batch.ids.size()) + " sources and " +
                           std::to_string(batch.targets.size()) + " targets");
        }
        const runtime::StepRows source = rowsOf(batch.ids);
        const runtime::StepRows target = rowsOf(batch.targets);
        PARETO_TRY(at::Tensor encoded, runEncoder(batch.ids, source, stop));
        std::vector<std::int64_t> own(batch.ids.size());
        std::iota(own.begin(), own.end(), std::int64_t{0});
        const DecoderStep step{target, own};
        Stream stream{dropped(embed(batch.targets, target)), {}};
        for (auto& block : m_decoder) {
            if (stop.stop_requested()) {
                return Cancelled{};
            }
            if (m_recomputes) {
                stream = {recomputedBlock(block, stream.values, encoded, source, step), {}};
            } else {
                teachBlock(block, stream, encoded, source, step);
            }
        }
        return sumOf(stream);
    }

    at::Tensor outputsOf(const at::Tensor& states, const std::vector<std::int64_t>&) override {
        Stream stream{states, {}};
        return headLogits(finish(stream, m_decoderNorm));
    }

    const LayerStore& store() const override { return m_store; }

    void setDropout(double share) override {
        m_dropout = share;
        for (auto* side : {&m_encoder, &m_decoder}) {
            for (auto& block : *side) {
                block.self.shape.dropout = share;
                block.cross.shape.dropout = share;
            }
        }
    }

    void setRecompute(bool on) override { m_recomputes = on; }

private:
    NormWeights norm(const std::string& name) const {
        NormWeights out{name, m_store.plain(name + ".weight"), {}};
        if (m_layout.norm == NormKind::LayerNorm) {
            out.bias = m_store.plain(name + ".bias");
        }
        return out;
    }

    Attention attention(const std::string& name, std::int64_t heads) const {
        const Linear& query = m_store.layer(name + ".query");
        return {query,
                m_store.layer(name + ".key"),
                m_store.layer(name + ".value"),
                m_store.layer(name + ".output"),
                norm(name + ".norm"),
                {heads, heads, m_layout.headDim, m_layout.attentionScale, 0.0, query.rounded},
                name + ".scores"};
    }

    Block block(const BlockInfo& info, bool decoder) const {
        Block out;
        out.self = attention(info.name + ".attention", info.heads);
        if (decoder) {
            out.cross = attention(info.name + ".cross", info.crossHeads);
        }
        const std::string ffn = info.name + ".ffn";
        out.ffn.gated = m_store.has(ffn + ".gate");
        if (out.ffn.gated) {
            out.ffn.gate = m_store.layer(ffn + ".gate");
        }
        out.ffn.up = m_store.layer(ffn + (out.ffn.gated ? ".up" : ".in"));
        out.ffn.down = m_store.layer(ffn + (out.ffn.gated ? ".down" : ".out"));
        out.ffn.norm = norm(ffn + ".norm");
        out.ffn.product = ffn + ".product";
        if (m_layout.positions == Positions::RelativeBias) {
            out.bias.emplace(
                m_store.plain(decoder ? "decoder.relative_bias.weight" : "encoder.relative_bias.weight"),
                info.sourceHeads, m_layout.relativeMaxDistance, !decoder);
        }
        return out;
    }

    bool ends() const { return m_shard == nullptr || m_shard->ends(); }
    /// Whether the blocks here go beyond block `number` of the whole model.
    bool beyond(int number) const {
        return m_shard->firstBlock() + static_cast<int>(m_encoder.size() + m_decoder.size()) > number;
    }
    bool beginsDecoder() const {
        return m_shard == nullptr || (m_shard->firstBlock() <= m_shard->encoderBlocks() && beyond(m_shard->encoderBlocks()));
    }

    /// What `head` makes of the last blocks' states, where the caller is.
    template <typename Head>
    Matrix delivered(const at::Tensor& states, const Head& head) {
        if (m_shard == nullptr) {
            return toMatrix(head(states));
        }
        return m_shard->deliver(ends() ? std::optional(toMatrix(head(states))) : std::nullopt);
    }

    Status checkStep(const Ids& ids, const Cache& cache) const {
        PARETO_CHECK(checkTokens(ids, m_layout));
        return cache.check(ids);
    }

    at::Tensor linear(const Linear& layer, LinearInput& x, kernels::Act act = kernels::Act::None) {
        const Phase phase(m_observer, layer.name);
        return layer.run(x, act);
    }

    at::Tensor joined(const Linear& layer, const at::Tensor& x) {
        return joinedProduct(m_shard.get(), m_device, m_observer, layer, x);
    }

    /// The input of a sublayer.
    at::Tensor enter(Stream& stream, const NormWeights& by) {
        if (!m_layout.preNorm) {
            return stream.values;
        }
        const Phase phase(m_observer, by.phase);
        return runtime::rmsNorm(m_device, stream.values,
                                stream.pending.defined() ? &stream.pending : nullptr, by.weight,
                                m_layout.normEpsilon);
    }

    at::Tensor dropped(const at::Tensor& x) const { return m_dropout > 0.0 ? at::dropout(x, m_dropout, true) : x; }

    /// Takes the output of a sublayer.
    void leave(Stream& stream, const at::Tensor& made, const NormWeights& by) {
        at::Tensor output = dropped(made);
        if (m_layout.preNorm) {
            stream.pending = std::move(output);
            return;
        }
        const Phase phase(m_observer, by.phase);
        stream.values = runtime::layerNorm(m_device, output, &stream.values, by.weight, by.bias,
                                           m_layout.normEpsilon);
    }

    at::Tensor finish(Stream& stream, const NormWeights& by) {
        return m_layout.preNorm ? dropped(enter(stream, by)) : stream.values;
    }

    /// The stream with nothing pending.
    at::Tensor sumOf(Stream& stream) const {
        runtime::addToStream(m_device, stream.values, stream.pending.defined() ? &stream.pending : nullptr);
        stream.pending = at::Tensor();
        return stream.values;
    }

    /// Marian's sines fill the first half of the width and its cosines the second
    /// (MarianSinusoidalPositionalEmbedding of transformers).
    const float* sinusoids(std::int64_t position) {
        const std::int64_t width = m_layout.hidden;
        const std::int64_t sines = (width + 1) / 2;
        for (auto at = static_cast<std::int64_t>(m_sinusoids.size()) / width; at <= position; ++at) {
            for (std::int64_t i = 0; i < width; ++i) {
                const std::int64_t pair = i < sines ? i : i - sines;
                const double angle =
                    static_cast<double>(at) /
                    std::pow(10000.0, 2.0 * static_cast<double>(pair) / static_cast<double>(width));
                m_sinusoids.push_back(
                    static_cast<float>(i < sines ? std::sin(angle) : std::cos(angle)));
            }
        }
        return m_sinusoids.data() + position * width;
    }

    at::Tensor embed(const Ids& ids, const runtime::StepRows& step) {
        const Phase phase(m_observer, kWord);
        std::vector<std::int32_t> flat;
        for (const auto& sequence : ids) {
            flat.insert(flat.end(), sequence.begin(), sequence.end());
        }
        const Linear& table = m_store.layer(kWord);
        at::Tensor out = m_shard != nullptr ? m_shard->lookup(table, flat) : table.weight->lookup(flat);
        if (m_layout.embeddingScale != 1.0) {
            out.mul_(m_layout.embeddingScale);
        }
        if (m_layout.positions == Positions::Sinusoidal) {
            at::Tensor added = at::empty(out.sizes(), at::TensorOptions().dtype(at::kFloat));
            float* to = added.mutable_data_ptr<float>();
            for (std::size_t s = 0; s < step.sequences(); ++s) {
                for (std::int64_t t = 0; t < step.tokens(s); ++t) {
                    to = std::copy_n(sinusoids(step.past[s] + t), m_layout.hidden, to);
                }
            }
            out.add_(added.to(out.device()));
        }
        return out;
    }

    void feedForward(const FeedForward& ffn, Stream& stream) {
        const at::Tensor input = enter(stream, ffn.norm);
        LinearInput x(m_device, input);
        const auto act = runtime::actOf(m_layout.activation);
        at::Tensor inner;
        if (ffn.gated) {
            const auto both = linearsOf(m_observer, {&ffn.gate, &ffn.up}, x);
            const Phase phase(m_observer, ffn.product);
            inner = runtime::activateMultiply(m_device, both[0], both[1], act);
        } else {
            inner = linear(ffn.up, x, act);
        }
        leave(stream, joined(ffn.down, inner), ffn.norm);
    }

    template <typename Attend>
    void selfAttention(const Attention& by, Stream& stream, const Attend& attend) {
        const at::Tensor input = enter(stream, by.norm);
        LinearInput x(m_device, input);
        const auto qkv = linearsOf(m_observer, {&by.query, &by.key, &by.value}, x);
        at::Tensor context;
        {
            const Phase phase(m_observer, by.scores);
            context = attend(qkv[0], qkv[1], qkv[2]);
        }
        leave(stream, joined(by.output, context), by.norm);
    }

    /// What cross-attention reads of sources, whose encoded tokens are given.
    runtime::SourceKeys keysOf(const Attention& by, LinearInput& encoded, const std::vector<std::int64_t>& starts) {
        const at::Tensor k = linear(by.key, encoded);
        const at::Tensor v = linear(by.value, encoded);
        return {m_device, k, v, starts, by.shape};
    }

    void crossAttention(const Attention& by, const runtime::SourceKeys& keys, const DecoderStep& step, Stream& stream) {
        const at::Tensor input = enter(stream, by.norm);
        LinearInput x(m_device, input);
        const at::Tensor q = linear(by.query, x);
        at::Tensor context;
        {
            const Phase phase(m_observer, by.scores);
            context = keys.attend(m_device, q, step.sources, step.rows.starts);
        }
        leave(stream, joined(by.output, context), by.norm);
    }

    static runtime::RelativeBias* biasOf(Block& block, std::int64_t reach) {
        if (!block.bias) {
            return nullptr;
        }
        block.bias->reach(reach);
        return &*block.bias;
    }

    Result<at::Tensor> runEncoder(const Ids& ids, const runtime::StepRows& input,
                                  const std::stop_token& stop) {
        const bool begins = m_shard == nullptr || m_shard->begins();
        Stream stream{begins ? dropped(embed(ids, input)) : m_shard->takePrevious({input.rows(), m_layout.hidden}), {}};
        for (auto& block : m_encoder) {
            if (stop.stop_requested()) {
                return Cancelled{};
            }
            if (m_recomputes) {
                const at::Tensor x = sumOf(stream);
                stream.values = recomputed(x, [this, &block, input](const at::Tensor& before) {
                    Stream own{before, {}};
                    encodeBlock(block, own, input);
                    return sumOf(own);
                });
            } else {
                encodeBlock(block, stream, input);
            }
        }
        if (m_shard == nullptr) {
            return finish(stream, m_encoderNorm);
        }
        // Stages behind the encoder's last block pass its states on: each decoder block reads them.
        const bool ended = !m_encoder.empty() && beyond(m_shard->encoderBlocks() - 1);
        const at::Tensor states = ended ? finish(stream, m_encoderNorm) : sumOf(stream);
        if (!ends()) {
            m_shard->giveNext(states);
        }
        return states;
    }

    void encodeBlock(Block& block, Stream& stream, const runtime::StepRows& input) {
        const auto* bias = biasOf(block, reachOf(input));
        selfAttention(block.self, stream, [&](const auto& q, const auto& k, const auto& v) {
            return runtime::encoderAttention(m_device, q, k, v, input.starts, block.self.shape, bias);
        });
        feedForward(block.ffn, stream);
    }

    /// A block of the decoder over whole targets, with gradients.
    void teachBlock(Block& block, Stream& stream, const at::Tensor& encoded, const runtime::StepRows& source,
                    const DecoderStep& step) {
        runtime::AttentionWork work{block.self.shape, biasOf(block, reachOf(step.rows))};
        work.causal = true;
        selfAttention(block.self, stream, [&](const auto& q, const auto& k, const auto& v) {
            return runtime::attendStretches(m_device, q, k, v, runtime::stretchesOf(step.rows.starts), work);
        });
        LinearInput x(m_device, encoded);
        crossAttention(block.cross, keysOf(block.cross, x, source.starts), step, stream);
        feedForward(block.ffn, stream);
    }

    /// The same, of which nothing is kept. The encoded sources pass through it behind the targets' rows: so their
    /// gradients go back through the encoder once.
    at::Tensor recomputedBlock(Block& block, const at::Tensor& values, at::Tensor& encoded, const runtime::StepRows& source,
                               const DecoderStep& step) {
        const std::int64_t rows = values.size(0);
        const at::Tensor both = recomputed(
            at::cat({values, encoded}),
            [this, &block, rows, source, target = step.rows,
             sources = std::vector<std::int64_t>(step.sources.begin(), step.sources.end())](const at::Tensor& x) {
                const at::Tensor read = x.slice(0, rows);
                Stream own{x.slice(0, 0, rows), {}};
                teachBlock(block, own, read, source, {target, sources});
                return at::cat({sumOf(own), read});
            });
        encoded = both.slice(0, rows);
        return both.slice(0, 0, rows);
    }

    /// [tokens of all sequences][hidden]. The cache counts them when every block has seen them.
    Result<at::Tensor> runDecoder(const Ids& ids, Cache& state, const std::stop_token& stop) {
        runtime::StepRows step = state.rowsOf(ids);
        step.onDevice = runtime::rowsOnDevice(m_device, step);
        if (m_decoder.empty()) {
            state.advance(step);
            return at::Tensor();
        }
        Stream stream{beginsDecoder() ? embed(ids, step) : m_shard->takePrevious({step.rows(), m_layout.hidden}), {}};
        for (std::size_t i = 0; i < m_decoder.size(); ++i) {
            if (stop.stop_requested()) {
                return Cancelled{};
            }
            auto& block = m_decoder[i];
            runtime::CausalAttention how;
            how.scale = runtime::attentionScale(block.self.shape);
            how.bias = biasOf(block, reachOf(step));
            selfAttention(block.self, stream, [&](const auto& q, const auto& k, const auto& v) {
                return state.blocks[i].attend(m_device, q, k, v, step, how);
            });
            crossAttention(block.cross, state.cross[i], {step, state.sources}, stream);
            feedForward(block.ffn, stream);
        }
        state.advance(step);
        if (!ends()) {
            m_shard->giveNext(sumOf(stream));
            return at::Tensor();
        }
        return finish(stream, m_decoderNorm);
    }

    at::Tensor headLogits(const at::Tensor& hidden) {
        const at::Tensor scaled = m_layout.logitScale == 1.0 ? hidden : hidden * m_layout.logitScale;
        LinearInput x(m_device, scaled);
        const at::Tensor out = linear(m_head, x);
        return m_shard != nullptr ? m_shard->wholeVocabulary(out) : out;
    }

    const std::string kWord = "embeddings.word";

    ModelLayout m_layout;
    runtime::Device m_device;
    DeviceInfo m_info;
    LayerStore m_store;
    std::unique_ptr<ShardRun> m_shard;  ///< where other processes hold the rest of the model
    std::vector<Block> m_encoder;
    std::vector<Block> m_decoder;
    NormWeights m_encoderNorm;
    NormWeights m_decoderNorm;
    Linear m_head;
    std::vector<float> m_sinusoids;  ///< [position][hidden], as far as needed
    LayerObserver* m_observer = nullptr;
    double m_dropout = 0.0;  ///< with gradients only
    bool m_recomputes = false;
};

}  // namespace

std::unique_ptr<GradientGraph> seq2seqGradients(const PrepareInputs& inputs) {
    return std::make_unique<TransformerSeq2Seq>(inputs);
}

Result<RunnableModel> prepareSeq2Seq(const PrepareInputs& inputs) {
    RunnableModel out;
    out.seq2seq = std::make_unique<TransformerSeq2Seq>(inputs);
    return out;
}

}  // namespace pareto::models
