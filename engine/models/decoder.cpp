#include <algorithm>
#include <cmath>

#include <ATen/ops/index_select.h>
#include <ATen/ops/logsumexp.h>

#include "engine/models/network.h"
#include "engine/runtime/ops.h"
#include "engine/runtime/torch_layers.h"
#include "engine/runtime/torch_ops.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::models {
namespace {

using runtime::LayerStore;
using runtime::Linear;
using runtime::LinearInput;

struct NormWeight {
    std::string phase;
    at::Tensor weight;
};

struct Block {
    Linear query, key, value, output, gate, up, down;
    NormWeight attentionNorm, ffnNorm;
    runtime::HeadShape shape;
    std::string scores, product;
};

class Cache final : public KvCache {
public:
    std::int64_t batch() const override { return sequences; }
    std::int64_t length(std::int64_t) const override { return m_length; }
    std::int64_t length() const override { return m_length; }
    void truncate(std::int64_t, std::int64_t length) override { m_length = std::min(m_length, length); }
    void reorder(std::span<const std::int64_t> parents) override {
        for (auto& block : blocks) {
            block.reorder(parents);
        }
    }
    std::uint64_t bytes() const override {
        std::uint64_t out = 0;
        for (const auto& block : blocks) {
            out += block.bytes();
        }
        return out;
    }

    std::vector<runtime::BlockCache> blocks;
    std::int64_t sequences = 0;
    std::int64_t capacity = 0;
    std::int64_t m_length = 0;
};

Error refused(const std::string& reason) {
    return makeError(ErrorCode::EngineFailure, {{"where", "the model's input"}, {"reason", reason}});
}

/// ln(e^a + e^b) without overflow.
double addLogs(double a, double b) {
    const double high = std::max(a, b);
    const double low = std::min(a, b);
    return std::isinf(low) ? high : high + std::log1p(std::exp(low - high));
}

class TransformerDecoder final : public Decoder {
public:
    explicit TransformerDecoder(const PrepareInputs& inputs)
        : m_layout(inputs.model.layout),
          m_device(inputs.device),
          m_info(infoOf(inputs.device)),
          m_store(inputs.model, inputs.device, inputs.progress),
          m_rope(inputs.model.layout.headDim, inputs.model.layout.ropes.front().theta) {
        m_finalNorm = norm("decoder.norm");
        m_head = m_store.layer("lm_head");
        for (const auto& info : m_layout.blocks) {
            m_blocks.push_back(block(info));
        }
    }

    const ModelLayout& layout() const override { return m_layout; }
    const DeviceInfo& device() const override { return m_info; }
    std::uint64_t bytes() const override { return m_store.bytes(); }
    std::string kernelOf(const std::string& layer) const override {
        return m_store.has(layer) ? m_store.layer(layer).weight->kernelName() : std::string();
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
            auto cache = std::make_unique<Cache>();
            cache->sequences = batch;
            cache->capacity = capacity;
            for (const auto& block : m_blocks) {
                cache->blocks.emplace_back(m_device, batch, capacity, block.shape);
            }
            return std::unique_ptr<KvCache>(std::move(cache));
        });
    }

    Result<Matrix> step(const std::vector<std::vector<std::int32_t>>& ids, KvCache& cache,
                        std::stop_token stop) override {
        auto& state = static_cast<Cache&>(cache);
        PARETO_CHECK(checkStep(ids, state));
        return runtime::guarded("running the decoder", [&]() -> Result<Matrix> {
            PARETO_TRY(at::Tensor hidden, decode(ids, state, stop));
            const auto tokens = static_cast<std::int64_t>(ids.front().size());
            if (tokens > 1) {
                hidden = hidden.view({state.sequences, tokens, m_layout.hidden})
                             .select(1, tokens - 1)
                             .contiguous();
            }
            return toMatrix(headLogits(finalNorm(hidden)));
        });
    }

    Result<Matrix> logits(const std::vector<std::int32_t>& ids, std::stop_token stop) override {
        PARETO_TRY(auto cache, newCache(1, {static_cast<std::int64_t>(ids.size()), CacheFormat::F32}));
        auto& state = static_cast<Cache&>(*cache);
        PARETO_CHECK(checkStep({ids}, state));
        return runtime::guarded("running the decoder", [&]() -> Result<Matrix> {
            PARETO_TRY(at::Tensor hidden, decode({ids}, state, stop));
            return toMatrix(headLogits(finalNorm(hidden)));
        });
    }

    Result<std::vector<float>> negativeLogLikelihoods(const std::vector<std::int32_t>& ids,
                                                      std::stop_token stop) override {
        PARETO_TRY(auto cache, newCache(1, {static_cast<std::int64_t>(ids.size()), CacheFormat::F32}));
        auto& state = static_cast<Cache&>(*cache);
        PARETO_CHECK(checkStep({ids}, state));
        return runtime::guarded("running the decoder", [&]() -> Result<std::vector<float>> {
            PARETO_TRY(at::Tensor hidden, decode({ids}, state, stop));
            const auto predicted = static_cast<std::int64_t>(ids.size()) - 1;
            if (predicted == 0) {
                return std::vector<float>();
            }
            return likelihoods(finalNorm(hidden.slice(0, 0, predicted).contiguous()), ids, stop);
        });
    }

private:
    NormWeight norm(const std::string& name) const { return {name, m_store.plain(name + ".weight")}; }

    Block block(const BlockInfo& info) const {
        Block out;
        const std::string attention = info.name + ".attention";
        const std::string ffn = info.name + ".ffn";
        out.query = m_store.layer(attention + ".query");
        out.key = m_store.layer(attention + ".key");
        out.value = m_store.layer(attention + ".value");
        out.output = m_store.layer(attention + ".output");
        out.gate = m_store.layer(ffn + ".gate");
        out.up = m_store.layer(ffn + ".up");
        out.down = m_store.layer(ffn + ".down");
        out.attentionNorm = norm(attention + ".norm");
        out.ffnNorm = norm(ffn + ".norm");
        out.shape = {info.heads, info.kvHeads, m_layout.headDim};
        out.scores = attention + ".scores";
        out.product = ffn + ".product";
        return out;
    }

    Status checkStep(const std::vector<std::vector<std::int32_t>>& ids, const Cache& cache) const {
        PARETO_CHECK(checkTokens(ids, m_layout));
        if (static_cast<std::int64_t>(ids.size()) != cache.sequences) {
            return refused(std::to_string(ids.size()) + " sequences, the cache was made for " +
                           std::to_string(cache.sequences));
        }
        for (const auto& sequence : ids) {
            if (sequence.size() != ids.front().size()) {
                return refused("the sequences of a step differ in length");
            }
        }
        const auto tokens = static_cast<std::int64_t>(ids.front().size());
        if (cache.m_length + tokens > cache.capacity) {
            return refused("the key/value cache holds " + std::to_string(cache.capacity) +
                           " tokens a sequence");
        }
        return Done{};
    }

    at::Tensor linear(const Linear& layer, LinearInput& x) {
        const Phase phase(m_observer, layer.name);
        return layer.run(x);
    }

    at::Tensor normalized(at::Tensor& stream, const at::Tensor* add, const NormWeight& by) {
        const Phase phase(m_observer, by.phase);
        return runtime::rmsNorm(m_device, stream, add, by.weight, m_layout.normEpsilon);
    }

    at::Tensor finalNorm(at::Tensor hidden) { return normalized(hidden, nullptr, m_finalNorm); }

    at::Tensor headLogits(const at::Tensor& hidden) {
        LinearInput x(m_device, hidden);
        return linear(m_head, x);
    }

    at::Tensor attend(const Block& block, const at::Tensor& input, runtime::BlockCache& cache,
                      const Cache& state) {
        LinearInput x(m_device, input);
        at::Tensor q = linear(block.query, x);
        at::Tensor k = linear(block.key, x);
        const at::Tensor v = linear(block.value, x);
        at::Tensor context;
        {
            const Phase phase(m_observer, block.scores);
            m_rope.rotate(m_device, q, state.sequences, state.m_length, block.shape.heads);
            m_rope.rotate(m_device, k, state.sequences, state.m_length, block.shape.kvHeads);
            context = cache.attend(m_device, q, k, v, state.m_length);
        }
        LinearInput c(m_device, context);
        return linear(block.output, c);
    }

    at::Tensor feedForward(const Block& block, const at::Tensor& input) {
        LinearInput x(m_device, input);
        const at::Tensor gate = linear(block.gate, x);
        const at::Tensor up = linear(block.up, x);
        at::Tensor product;
        {
            const Phase phase(m_observer, block.product);
            product = runtime::siluMultiply(m_device, gate, up);
        }
        LinearInput p(m_device, product);
        return linear(block.down, p);
    }

    /// The residual stream behind the last block, before the final norm: [batch · tokens][hidden].
    /// The cache counts the tokens only when every block has seen them.
    Result<at::Tensor> decode(const std::vector<std::vector<std::int32_t>>& ids, Cache& state,
                              const std::stop_token& stop) {
        std::vector<std::int32_t> flat;
        for (const auto& sequence : ids) {
            flat.insert(flat.end(), sequence.begin(), sequence.end());
        }
        at::Tensor stream;
        {
            const Phase phase(m_observer, kWord);
            stream = m_store.layer(kWord).weight->lookup(flat);
        }
        at::Tensor pending;  // what the last sublayer adds, not yet in the stream
        for (std::size_t i = 0; i < m_blocks.size(); ++i) {
            if (stop.stop_requested()) {
                return Cancelled{};
            }
            const auto& block = m_blocks[i];
            const at::Tensor forAttention =
                normalized(stream, pending.defined() ? &pending : nullptr, block.attentionNorm);
            pending = attend(block, forAttention, state.blocks[i], state);
            const at::Tensor forFfn = normalized(stream, &pending, block.ffnNorm);
            pending = feedForward(block, forFfn);
        }
        state.m_length += static_cast<std::int64_t>(ids.front().size());
        return pending.defined() ? stream.add_(pending) : stream;
    }

    /// Over slices of the vocabulary, so that logits of long inputs are never all held.
    Result<std::vector<float>> likelihoods(const at::Tensor& hidden,
                                           const std::vector<std::int32_t>& ids,
                                           const std::stop_token& stop) {
        const Phase phase(m_observer, m_head.name);
        const std::int64_t n = hidden.size(0);
        std::vector<double> total(static_cast<std::size_t>(n), -INFINITY);
        std::vector<double> target(static_cast<std::size_t>(n));
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
            const at::Tensor part = m_head.weight->multiply(x, epilogue);
            const at::Tensor sums = at::logsumexp(part, {1}).to(at::kCPU);
            const float* sum = sums.const_data_ptr<float>();
            const at::Tensor host = part.to(at::kCPU);
            const float* values = host.const_data_ptr<float>();
            for (std::int64_t i = 0; i < n; ++i) {
                auto& all = total[static_cast<std::size_t>(i)];
                all = addLogs(all, static_cast<double>(sum[i]));
                const std::int64_t want = ids[static_cast<std::size_t>(i) + 1];
                if (want >= row && want < epilogue.rowEnd) {
                    target[static_cast<std::size_t>(i)] =
                        static_cast<double>(values[i * (epilogue.rowEnd - row) + want - row]);
                }
            }
        }
        std::vector<float> out(static_cast<std::size_t>(n));
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = static_cast<float>(total[i] - target[i]);
        }
        return out;
    }

    static Matrix toMatrix(const at::Tensor& values) {
        const at::Tensor host = values.to(at::kCPU).contiguous();
        const float* data = host.const_data_ptr<float>();
        return {host.size(0), host.size(1), std::vector<float>(data, data + host.numel())};
    }

    /// Logits held at once while likelihoods are computed (8 MiB).
    static constexpr std::int64_t kLogitValues = std::int64_t{1} << 21;
    const std::string kWord = "embeddings.word";

    ModelLayout m_layout;
    runtime::Device m_device;
    DeviceInfo m_info;
    LayerStore m_store;
    runtime::RopeTable m_rope;
    NormWeight m_finalNorm;
    Linear m_head;
    std::vector<Block> m_blocks;
    LayerObserver* m_observer = nullptr;
};

}  // namespace

Result<RunnableModel> prepareDecoder(const PrepareInputs& inputs) {
    RunnableModel out;
    out.decoder = std::make_unique<TransformerDecoder>(inputs);
    return out;
}

}  // namespace pareto::models
