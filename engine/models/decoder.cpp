#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/logsumexp.h>

#include "engine/models/fixed_step.h"
#include "engine/models/network.h"
#include "engine/models/recompute.h"
#include "engine/models/shard_run.h"
#include "engine/runtime/ops.h"
#include "engine/runtime/rope.h"
#include "engine/runtime/step_graph.h"
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
    at::Tensor weight;  ///< undefined: the family has no such norm
    at::Tensor bias;    ///< LayerNorm only
};

struct Block {
    Linear query, key, value, output;
    Linear gate;        ///< without a weight where the feed-forward part has no gate
    Linear up, down;
    NormWeights attentionNorm, ffnNorm;            ///< before the sublayers
    NormWeights attentionPostNorm, ffnPostNorm;    ///< of what they add (Gemma)
    NormWeights queryNorm, keyNorm;                ///< of each head
    runtime::HeadShape shape;
    runtime::CausalAttention how;
    std::size_t rope = 0;
    std::string scores, product;
};

using Cache = DecoderCache;
using Ids = std::vector<std::vector<std::int32_t>>;

Error refused(const std::string& reason) {
    return makeError(ErrorCode::EngineFailure, {{"where", "the model's input"}, {"reason", reason}});
}

/// ln(e^a + e^b) without overflow.
double addLogs(double a, double b) {
    const double high = std::max(a, b);
    const double low = std::min(a, b);
    return std::isinf(low) ? high : high + std::log1p(std::exp(low - high));
}

class TransformerDecoder final : public Decoder, public StagedDecoder, public BlockGraph, public GradientGraph {
public:
    explicit TransformerDecoder(const PrepareInputs& inputs)
        : m_layout(inputs.model.layout()),
          m_device(inputs.device),
          m_info(infoOf(inputs.device)),
          m_store(inputs.model, inputs.device, inputs.progress, inputs.slots) {
        for (const auto& settings : m_layout.ropes) {
            m_ropes.emplace_back(m_layout.headDim, settings);
        }
        if (inputs.shard != nullptr) {
            m_shard = std::make_unique<ShardRun>(*inputs.shard, *inputs.partners, inputs.device);
        }
        m_finalNorm = norm("decoder.norm");
        if (ends()) {
            m_head = m_store.layer("lm_head");
        }
        for (const auto& info : m_layout.blocks) {
            m_blocks.push_back(block(info));
        }
        if (m_device.cuda || m_device.cudaTable != nullptr) {
            m_stepProblem = m_shard != nullptr ? "other processes hold parts of the model" : runtime::StepGraph::problemOf(m_device);
            m_info.steps = stepsText();
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

    Result<std::unique_ptr<KvCache>> newCache(std::int64_t batch,
                                              const CacheOptions& options) override {
        const std::int64_t capacity = options.capacity;
        if (batch < 1 || capacity < 1 ||
            (m_layout.maxPositions > 0 && capacity > m_layout.maxPositions)) {
            return refused(std::to_string(capacity) + " tokens a sequence; the model takes 1 to " +
                           std::to_string(m_layout.maxPositions));
        }
        return runtime::guarded("making a key/value cache",
                                [&]() -> Result<std::unique_ptr<KvCache>> {
            return std::unique_ptr<KvCache>(
                makeCache(batch, capacity, options.format.value_or(m_layout.cache)));
        });
    }

    Result<Matrix> steps(const std::vector<CacheStep>& steps, bool everyToken) override {
        return runtime::guarded("running the decoder", [&]() -> Result<Matrix> {
            Matrix made;
            for (const auto& [ids, cache] : steps) {
                auto& state = static_cast<Cache&>(*cache);
                PARETO_CHECK(checkStep(ids, state));
                const auto rows = state.rowsOf(ids);
                PARETO_TRY(const at::Tensor hidden, decode(ids, state, {}));
                if (ends()) {
                    appendRows(made, toMatrix(headLogits(finalNorm(everyToken ? hidden : lastOf(hidden, rows)))));
                }
            }
            return delivered(ends() ? std::optional(std::move(made)) : std::nullopt);
        });
    }

    Result<Matrix> step(const Ids& ids, KvCache& cache,
                        std::stop_token stop) override {
        if (isFixedStep(ids, static_cast<Cache&>(cache))) {
            return fixedStep(ids, static_cast<Cache&>(cache), stop);
        }
        const auto step = static_cast<Cache&>(cache).rowsOf(ids);
        return stepped(ids, cache, stop, [&](const at::Tensor& hidden) { return lastOf(hidden, step); });
    }

    Result<Matrix> stepAll(const Ids& ids, KvCache& cache, std::stop_token stop) override {
        return stepped(ids, cache, stop, [](const at::Tensor& hidden) { return hidden; });
    }

    Result<Matrix> logits(const std::vector<std::int32_t>& ids, std::stop_token stop) override {
        PARETO_TRY(auto cache, newCache(1, {static_cast<std::int64_t>(ids.size())}));
        return stepAll({ids}, *cache, stop);
    }

    Result<std::vector<float>> negativeLogLikelihoods(const std::vector<std::int32_t>& ids,
                                                      std::stop_token stop) override {
        PARETO_TRY(auto cache, newCache(1, {static_cast<std::int64_t>(ids.size())}));
        auto& state = static_cast<Cache&>(*cache);
        PARETO_CHECK(checkStep({ids}, state));
        return runtime::guarded("running the decoder", [&]() -> Result<std::vector<float>> {
            PARETO_TRY(at::Tensor hidden, decode({ids}, state, stop));
            const auto predicted = static_cast<std::int64_t>(ids.size()) - 1;
            if (predicted == 0) {
                return std::vector<float>();
            }
            std::optional<Matrix> made;
            if (ends()) {
                PARETO_TRY(auto values, likelihoods(finalNorm(hidden.slice(0, 0, predicted).contiguous()), ids, stop));
                made = Matrix{1, predicted, std::move(values)};
            }
            return delivered(std::move(made)).values;
        });
    }

    Result<at::Tensor> statesOf(const TokenBatch& batch, Inside* inside, std::stop_token stop) override {
        std::size_t longest = 1;
        for (const auto& ids : batch.ids) {
            longest = std::max(longest, ids.size());
        }
        const auto cache = makeCache(static_cast<std::int64_t>(batch.ids.size()), static_cast<std::int64_t>(longest),
                                     NumberFormat::F32);
        PARETO_CHECK(checkStep(batch.ids, *cache));
        if (m_recomputes && inside == nullptr) {
            return statesRecomputed(batch, cache->rowsOf(batch.ids), stop);
        }
        m_inside = inside;
        auto states = decode(batch.ids, *cache, stop);
        m_inside = nullptr;
        return states;
    }

    at::Tensor outputsOf(const at::Tensor& states, const std::vector<std::int64_t>&) override {
        return headLogits(finalNorm(states));
    }

    const LayerStore& store() const override { return m_store; }

    void setDropout(double share) override { m_dropout = share; }
    void setRecompute(bool on) override { m_recomputes = on; }

    Result<HiddenStates> embedTokens(const TokenBatch& batch, std::stop_token) override {
        PARETO_CHECK(checkTokens(batch.ids, m_layout));
        return runtime::guarded("embedding the tokens", [&]() -> Result<HiddenStates> {
            const auto step = Cache(static_cast<std::int64_t>(batch.ids.size()), 0).rowsOf(batch.ids);
            return HiddenStates{toMatrix(embed(batch.ids, step)), step.starts};
        });
    }

    Result<Matrix> runOneBlock(int index, const HiddenStates& hidden, std::stop_token) override {
        return runtime::guarded("running a block", [&]() -> Result<Matrix> {
            return toMatrix(runBlockOn(index, viewOf(hidden.values).clone(), hidden.starts));
        });
    }

    at::Tensor runBlockOn(int index, at::Tensor states, const std::vector<std::int64_t>& starts) override {
        const auto& block = m_blocks.at(static_cast<std::size_t>(index));
        runtime::StepRows step;
        step.starts = starts;
        step.past.assign(starts.size() - 1, 0);
        step.onDevice = runtime::rowsOnDevice(m_device, step);
        std::int64_t longest = 1;
        for (std::size_t s = 0; s < step.sequences(); ++s) {
            longest = std::max(longest, step.tokens(s));
        }
        for (auto& rope : m_ropes) {
            rope.prepare(m_device, step);
        }
        runtime::BlockCache cache(m_device, static_cast<std::int64_t>(step.sequences()), longest, block.shape,
                                  NumberFormat::F32);
        const at::Tensor pending = runInStream(block, states, nullptr, cache, step);
        runtime::addToStream(m_device, states, &pending);
        return states;
    }

private:
    NormWeights norm(const std::string& name) const {
        NormWeights out{name, m_store.plain(name + ".weight"), {}};
        if (m_layout.norm == NormKind::LayerNorm) {
            out.bias = m_store.plain(name + ".bias");
        }
        return out;
    }

    NormWeights optionalNorm(const std::string& name) const {
        return m_layout.hasPlain(name + ".weight") ? norm(name) : NormWeights{};
    }

    Block block(const BlockInfo& info) const {
        Block out;
        const std::string attention = info.name + ".attention";
        const std::string ffn = info.name + ".ffn";
        out.query = m_store.layer(attention + ".query");
        out.key = m_store.layer(attention + ".key");
        out.value = m_store.layer(attention + ".value");
        out.output = m_store.layer(attention + ".output");
        if (m_store.has(ffn + ".gate")) {
            out.gate = m_store.layer(ffn + ".gate");
            out.up = m_store.layer(ffn + ".up");
            out.down = m_store.layer(ffn + ".down");
        } else {
            out.up = m_store.layer(ffn + ".in");
            out.down = m_store.layer(ffn + ".out");
        }
        out.attentionNorm = norm(attention + ".norm");
        out.ffnNorm = norm(ffn + ".norm");
        out.attentionPostNorm = optionalNorm(attention + ".post_norm");
        out.ffnPostNorm = optionalNorm(ffn + ".post_norm");
        out.queryNorm = optionalNorm(attention + ".query_norm");
        out.keyNorm = optionalNorm(attention + ".key_norm");
        out.shape = {info.heads, info.kvHeads, m_layout.headDim};
        out.shape.rounded = out.query.rounded;
        out.how.scale = static_cast<float>(m_layout.attentionScale > 0.0
                                               ? m_layout.attentionScale
                                               : 1.0 / std::sqrt(static_cast<double>(m_layout.headDim)));
        out.how.softcap = static_cast<float>(m_layout.attentionSoftcap);
        out.how.window = info.window;
        out.rope = static_cast<std::size_t>(info.rope);
        out.scores = attention + ".scores";
        out.product = ffn + ".product";
        return out;
    }

    std::unique_ptr<Cache> makeCache(std::int64_t batch, std::int64_t capacity, NumberFormat held) const {
        auto cache = std::make_unique<Cache>(batch, capacity);
        for (const auto& block : m_blocks) {
            cache->blocks.emplace_back(m_device, batch, capacity, block.shape, held);
        }
        return cache;
    }

    Status checkStep(const Ids& ids, const Cache& cache) const {
        PARETO_CHECK(checkTokens(ids, m_layout));
        return cache.check(ids);
    }

    bool ends() const { return m_shard == nullptr || m_shard->ends(); }

    Matrix delivered(std::optional<Matrix> made) { return m_shard != nullptr ? m_shard->deliver(std::move(made)) : std::move(*made); }

    /// Of each sequence's last token.
    at::Tensor lastOf(const at::Tensor& hidden, const runtime::StepRows& step) const {
        return hidden.size(0) > static_cast<std::int64_t>(step.sequences())
                   ? hidden.index_select(0, runtime::idsOnDevice(m_device, lastRows(step)))
                   : hidden;
    }

    /// Logits of those rows that `choose` takes of the last hidden states.
    template <typename Choose>
    Result<Matrix> stepped(const Ids& ids, KvCache& cache, const std::stop_token& stop, Choose choose) {
        auto& state = static_cast<Cache&>(cache);
        PARETO_CHECK(checkStep(ids, state));
        return runtime::guarded("running the decoder", [&]() -> Result<Matrix> {
            PARETO_TRY(const at::Tensor hidden, decode(ids, state, stop));
            return toMatrix(headLogits(finalNorm(choose(hidden))));
        });
    }

    at::Tensor linear(const Linear& layer, LinearInput& x) {
        const Phase phase(m_observer, layer.name);
        return layer.run(x);
    }

    at::Tensor normalized(at::Tensor& stream, const at::Tensor* add, const NormWeights& by) {
        const Phase phase(m_observer, by.phase);
        return by.bias.defined()
                   ? runtime::layerNormOfStream(m_device, stream, add, by.weight, by.bias,
                                                m_layout.normEpsilon)
                   : runtime::rmsNorm(m_device, stream, add, by.weight, m_layout.normEpsilon);
    }

    /// x itself where there is no such norm.
    at::Tensor maybeNormalized(at::Tensor x, const NormWeights& by) {
        return by.weight.defined() ? normalized(x, nullptr, by) : x;
    }

    /// The same with each head by itself.
    at::Tensor headsNormalized(const at::Tensor& x, const NormWeights& by) {
        if (!by.weight.defined() || !m_device.usesTorch()) {
            return maybeNormalized(x, by);
        }
        return maybeNormalized(x.view({-1, m_layout.headDim}), by).view(x.sizes());
    }

    at::Tensor finalNorm(at::Tensor hidden) { return normalized(hidden, nullptr, m_finalNorm); }

    at::Tensor headLogits(const at::Tensor& hidden) {
        LinearInput x(m_device, hidden);
        at::Tensor out = linear(m_head, x);
        capLogits(out);
        return m_shard != nullptr ? m_shard->wholeVocabulary(out) : out;
    }

    void capLogits(at::Tensor& logits) const {
        if (m_layout.logitSoftcap > 0.0) {
            logits = m_device.gradients
                         ? at::tanh(logits / m_layout.logitSoftcap) * m_layout.logitSoftcap
                         : logits.div_(m_layout.logitSoftcap).tanh_().mul_(m_layout.logitSoftcap);
        }
    }

    at::Tensor attend(const Block& block, const at::Tensor& input, runtime::BlockCache& cache,
                      const runtime::StepRows& step) {
        LinearInput x(m_device, input);
        const auto qkv = linearsOf(m_observer, {&block.query, &block.key, &block.value}, x);
        at::Tensor q = headsNormalized(qkv[0], block.queryNorm);
        at::Tensor k = headsNormalized(qkv[1], block.keyNorm);
        at::Tensor context;
        {
            const Phase phase(m_observer, block.scores);
            if (block.rope < m_ropes.size()) {
                m_ropes[block.rope].rotate(m_device, q, block.shape.heads);
                m_ropes[block.rope].rotate(m_device, k, block.shape.kvHeads);
            }
            context = cache.attend(m_device, q, k, qkv[2], step, block.how);
        }
        if (m_inside != nullptr) {
            m_inside->queries.push_back(q);
            m_inside->keys.push_back(k);
            m_inside->values.push_back(qkv[2]);
        }
        return joined(block.output, context);
    }

    at::Tensor joined(const Linear& layer, const at::Tensor& x) {
        return joinedProduct(m_shard.get(), m_device, m_observer, layer, x);
    }

    at::Tensor feedForward(const Block& block, const at::Tensor& input) {
        LinearInput x(m_device, input);
        const kernels::Act act = runtime::actOf(m_layout.activation);
        at::Tensor product;
        if (block.gate.weight == nullptr) {
            const Phase phase(m_observer, block.up.name);
            product = block.up.run(x, act);
        } else {
            const auto both = linearsOf(m_observer, {&block.gate, &block.up}, x);
            const Phase phase(m_observer, block.product);
            product = runtime::activateMultiply(m_device, both[0], both[1], act);
        }
        return joined(block.down, product);
    }

    at::Tensor embed(const Ids& ids, const runtime::StepRows& step) {
        std::vector<std::int32_t> flat;
        std::vector<std::int32_t> positions;
        for (std::size_t s = 0; s < ids.size(); ++s) {
            flat.insert(flat.end(), ids[s].begin(), ids[s].end());
            for (std::int64_t t = 0; t < step.tokens(s); ++t) {
                positions.push_back(static_cast<std::int32_t>(step.past[s] + t + m_layout.positionOffset));
            }
        }
        const auto table = [&](const std::string& name, const std::vector<std::int32_t>& rows) {
            const Phase phase(m_observer, name);
            return m_store.layer(name).weight->lookup(rows);
        };
        at::Tensor stream = m_shard != nullptr ? m_shard->lookup(m_store.layer(kWord), flat) : table(kWord, flat);
        if (m_layout.embeddingScale != 1.0) {
            stream.mul_(m_layout.embeddingScale);
        }
        if (m_layout.positions == Positions::Learned) {
            stream.add_(table(kPosition, positions));
        }
        return stream;
    }

    /// Adds `pending` and what attention adds to the stream; answers what the feed-forward part adds.
    at::Tensor runInStream(const Block& block, at::Tensor& stream, const at::Tensor* pending,
                           runtime::BlockCache& cache, const runtime::StepRows& step) {
        const at::Tensor forAttention = normalized(stream, pending, block.attentionNorm);
        const at::Tensor attended =
            dropped(maybeNormalized(attend(block, forAttention, cache, step), block.attentionPostNorm));
        const at::Tensor forFfn = normalized(stream, &attended, block.ffnNorm);
        const at::Tensor added = dropped(maybeNormalized(feedForward(block, forFfn), block.ffnPostNorm));
        if (m_inside != nullptr) {
            m_inside->hidden.push_back(stream + added);
        }
        return added;
    }

    at::Tensor dropped(const at::Tensor& x) const { return m_dropout > 0.0 ? at::dropout(x, m_dropout, true) : x; }

    Result<at::Tensor> statesRecomputed(const TokenBatch& batch, const runtime::StepRows& step,
                                        const std::stop_token& stop) {
        at::Tensor stream = embed(batch.ids, step);
        for (std::size_t i = 0; i < m_blocks.size(); ++i) {
            if (stop.stop_requested()) {
                return Cancelled{};
            }
            stream = recomputed(stream, [this, index = static_cast<int>(i), starts = step.starts](const at::Tensor& x) {
                return runBlockOn(index, x, starts);
            });
        }
        return stream;
    }

    /// The residual stream behind the last block, before the final norm: [rows][hidden]. The cache
    /// counts the tokens only when every block has seen them.
    Result<at::Tensor> decode(const Ids& ids, Cache& state, const std::stop_token& stop) {
        runtime::StepRows step = state.rowsOf(ids);
        step.onDevice = runtime::rowsOnDevice(m_device, step);
        for (auto& rope : m_ropes) {
            rope.prepare(m_device, step);
        }
        const bool begins = m_shard == nullptr || m_shard->begins();
        at::Tensor stream = begins ? embed(ids, step) : m_shard->takePrevious({step.rows(), m_layout.hidden});
        if (!runBlocks(stream, state, step, stop)) {
            return Cancelled{};
        }
        if (!ends()) {
            m_shard->giveNext(stream);
        }
        state.advance(step);
        return stream;
    }

    /// False when it was stopped.
    bool runBlocks(at::Tensor& stream, Cache& state, const runtime::StepRows& step, const std::stop_token& stop) {
        at::Tensor pending;  // what the last sublayer adds, not yet in the stream
        for (std::size_t i = 0; i < m_blocks.size(); ++i) {
            if (stop.stop_requested()) {
                return false;
            }
            pending = runInStream(m_blocks[i], stream, pending.defined() ? &pending : nullptr, state.blocks[i], step);
        }
        runtime::addToStream(m_device, stream, pending.defined() ? &pending : nullptr);
        return true;
    }

    /// One more token of every sequence, on our CUDA kernels, with nobody listening to single layers; see FixedStep.
    bool isFixedStep(const Ids& ids, const Cache& state) const {
        const auto one = [](const auto& sequence) { return sequence.size() == 1; };
        const auto follows = [&](const auto& rope) { return rope.followsPositions(state.capacity); };
        return m_shard == nullptr && runtime::ownKernels(m_device) != nullptr && m_observer == nullptr &&
               m_layout.headDim <= kernels::cuda::kMostHeadDim && std::all_of(ids.begin(), ids.end(), one) &&
               std::all_of(m_ropes.begin(), m_ropes.end(), follows);
    }

    Result<Matrix> fixedStep(const Ids& ids, Cache& state, const std::stop_token& stop) {
        PARETO_CHECK(checkStep(ids, state));
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        return runtime::guarded("running the decoder", [&]() -> Result<Matrix> {
            if (state.fixed == nullptr) {
                state.fixed = std::make_unique<FixedStep>(m_device, state.batch(), state.capacity);
            }
            FixedStep& fixed = *state.fixed;
            runtime::StepRows step = state.rowsOf(ids);
            step.onDevice = fixed.rows();
            fixed.fill(embed(ids, step), step.past);
            for (auto& rope : m_ropes) {
                rope.prepare(m_device, step);
                if (!fixed.recorded() && m_stepProblem.empty()) {
                    fixed.keep(rope.tablesOnDevice());
                }
            }
            const at::Tensor logits = fixed.run(
                [&] {
                    at::Tensor stream = fixed.embedded().clone();
                    runBlocks(stream, state, step, {});
                    return headLogits(finalNorm(stream));
                },
                m_stepProblem.empty());
            if (!fixed.problem().empty()) {
                m_stepProblem = fixed.problem();
                m_info.steps = stepsText();
            }
            state.advance(step);
            return toMatrix(logits);
        });
    }

    std::string stepsText() const {
        return m_stepProblem.empty() ? "one graph a token" : "launched one by one: " + m_stepProblem;
    }

    /// Over slices of the vocabulary, so that logits of long inputs are never all held.
    Result<std::vector<float>> likelihoods(const at::Tensor& hidden,
                                           const std::vector<std::int32_t>& ids,
                                           const std::stop_token& stop) {
        const Phase phase(m_observer, m_head.name);
        const std::int64_t n = hidden.size(0);
        std::vector<double> total(static_cast<std::size_t>(n), -INFINITY);
        std::vector<double> target(static_cast<std::size_t>(n), -INFINITY);
        const std::int64_t begin = m_shard != nullptr ? m_shard->vocabularyBegin() : 0;
        const std::int64_t slice = std::clamp<std::int64_t>(kLogitValues / n / 16 * 16, 256, 8192);
        LinearInput x(m_device, hidden);
        for (std::int64_t row = 0; row < m_head.weight->rows(); row += slice) {
            if (stop.stop_requested()) {
                return Cancelled{};
            }
            runtime::Epilogue epilogue;
            epilogue.bias = m_head.bias.defined() ? &m_head.bias : nullptr;
            epilogue.rowBegin = row;
            epilogue.rowEnd = std::min(m_head.weight->rows(), row + slice);
            at::Tensor part = m_head.weight->multiply(x, epilogue);
            capLogits(part);
            const at::Tensor sums = at::logsumexp(part, {1}).to(at::kCPU);
            const float* sum = sums.const_data_ptr<float>();
            const at::Tensor host = part.to(at::kCPU);
            const float* values = host.const_data_ptr<float>();
            for (std::int64_t i = 0; i < n; ++i) {
                auto& all = total[static_cast<std::size_t>(i)];
                all = addLogs(all, static_cast<double>(sum[i]));
                const std::int64_t want = ids[static_cast<std::size_t>(i) + 1] - begin;
                if (want >= row && want < epilogue.rowEnd) {
                    target[static_cast<std::size_t>(i)] =
                        static_cast<double>(values[i * (epilogue.rowEnd - row) + want - row]);
                }
            }
        }
        if (m_shard != nullptr) {
            joinLikelihoods(total, target);
        }
        std::vector<float> out(static_cast<std::size_t>(n));
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = static_cast<float>(total[i] - target[i]);
        }
        return out;
    }

    /// Of each part's slice of the vocabulary: sums as logarithms, and the logits wanted where they are in it.
    void joinLikelihoods(std::vector<double>& total, std::vector<double>& target) {
        const auto n = static_cast<std::int64_t>(total.size());
        const at::Tensor own = at::empty({2, n}, at::TensorOptions().dtype(at::kFloat));
        float* values = own.mutable_data_ptr<float>();
        for (std::int64_t i = 0; i < n; ++i) {
            values[i] = static_cast<float>(total[static_cast<std::size_t>(i)]);
            values[n + i] = static_cast<float>(target[static_cast<std::size_t>(i)]);
        }
        const at::Tensor all = m_shard->ofAllParts(own);
        const float* from = all.const_data_ptr<float>();
        std::fill(total.begin(), total.end(), -INFINITY);
        std::fill(target.begin(), target.end(), -INFINITY);
        for (std::int64_t part = 0; part < all.size(0); ++part) {
            for (std::int64_t i = 0; i < n; ++i) {
                auto& sum = total[static_cast<std::size_t>(i)];
                auto& wanted = target[static_cast<std::size_t>(i)];
                sum = addLogs(sum, static_cast<double>(from[2 * part * n + i]));
                wanted = std::max(wanted, static_cast<double>(from[(2 * part + 1) * n + i]));
            }
        }
    }

    /// Logits held at once while likelihoods are computed (8 MiB).
    static constexpr std::int64_t kLogitValues = std::int64_t{1} << 21;
    const std::string kWord = "embeddings.word";
    const std::string kPosition = "embeddings.position";

    ModelLayout m_layout;
    runtime::Device m_device;
    DeviceInfo m_info;
    std::string m_stepProblem;  ///< why steps are not recorded
    LayerStore m_store;
    std::unique_ptr<ShardRun> m_shard;  ///< where other processes hold the rest of the model
    std::vector<runtime::RopeTable> m_ropes;  ///< empty: positions are learned
    NormWeights m_finalNorm;
    Linear m_head;
    std::vector<Block> m_blocks;
    LayerObserver* m_observer = nullptr;
    Inside* m_inside = nullptr;
    double m_dropout = 0.0;  ///< with gradients only
    bool m_recomputes = false;
};

}  // namespace

std::unique_ptr<BlockGraph> decoderBlocks(const PrepareInputs& inputs) {
    return std::make_unique<TransformerDecoder>(inputs);
}

std::unique_ptr<GradientGraph> decoderGradients(const PrepareInputs& inputs) {
    return std::make_unique<TransformerDecoder>(inputs);
}

Result<RunnableModel> prepareDecoder(const PrepareInputs& inputs) {
    RunnableModel out;
    out.decoder = std::make_unique<TransformerDecoder>(inputs);
    return out;
}

}  // namespace pareto::models
