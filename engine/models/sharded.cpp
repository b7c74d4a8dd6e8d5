#include "engine/models/sharded.h"

#include <algorithm>
#include <atomic>

#include "engine/models/network.h"
#include "engine/models/shard_words.h"
#include "engine/runtime/failures.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::models {
namespace {

/// Caches a stage, so that one is worked on by each while another one is on its way.
constexpr std::int64_t kCachesOfStage = 2;

std::int64_t nextCache() {
    static std::atomic<std::int64_t> last{0};
    return ++last;
}

/// The format of a cache as a word; absent ones are −1.
std::int64_t wordOf(const std::optional<CacheFormat>& format) { return format ? static_cast<std::int64_t>(*format) : -1; }

Error refused(const std::string& reason) {
    return makeError(ErrorCode::EngineFailure, {{"where", "the model's input"}, {"reason", reason}});
}

Status checkCapacity(const ModelLayout& layout, std::int64_t capacity) {
    if (capacity < 1 || (layout.maxPositions > 0 && capacity > layout.maxPositions)) {
        return refused(std::to_string(capacity) + " tokens a sequence; the model takes 1 to " +
                       std::to_string(layout.maxPositions));
    }
    return Done{};
}

/// What every kind of model shares.
class Lead {
public:
    Lead(ShardedModel model, RunnableModel part) : m_model(std::move(model)), m_part(std::move(part)) {}
    ~Lead() {
        m_part = {};
        (void)partners().tell(words(ShardOp::Forget).words());
    }
    Lead(const Lead&) = delete;
    Lead& operator=(const Lead&) = delete;

    const ShardedModel& model() const { return m_model; }
    const RunnableModel& part() const { return m_part; }
    Partners& partners() const { return *m_model.partners; }
    WordWriter words(ShardOp op) const {
        WordWriter out(op);
        out.put(m_model.number);
        return out;
    }

    /// All hear `what`, then this process does its part of it. Behind that nobody can turn back alone.
    template <typename Work>
    auto together(const WordWriter& what, const std::stop_token& stop, const Work& work) -> decltype(work()) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        PARETO_CHECK(partners().tell(what.words()));
        auto out = work();
        if (!out.ok() && !out.cancelled()) {
            partners().breakUp(errorMessage(out.error()));
        }
        return out;
    }

private:
    ShardedModel m_model;
    RunnableModel m_part;
};

template <typename Base>
class Led : public Base {
public:
    explicit Led(std::shared_ptr<Lead> lead) : m_lead(std::move(lead)) {}
    const ModelLayout& layout() const override { return m_lead->model().layout; }
    const DeviceInfo& device() const override { return own().device(); }
    std::uint64_t bytes() const override { return m_lead->model().bytes; }
    std::string kernelOf(const std::string& layer) const override {
        const auto found = m_lead->model().layers.find(layer);
        return found != m_lead->model().layers.end() ? found->second.kernel : std::string();
    }
    std::uint64_t bytesOf(const std::string& layer) const override {
        const auto found = m_lead->model().layers.find(layer);
        return found != m_lead->model().layers.end() ? found->second.bytes : 0;
    }
    void setObserver(LayerObserver* observer) override { own().setObserver(observer); }

protected:
    Model& own() const { return m_lead->part().model(); }
    std::shared_ptr<Lead> m_lead;
};

class LedEncoder final : public Led<Encoder> {
public:
    using Led::Led;

    Result<Matrix> run(const TokenBatch& batch, std::stop_token stop) override {
        PARETO_CHECK(checkTokens(batch.ids, layout()));
        return m_lead->together(batchWords(ShardOp::Run, batch), stop,
                                [&] { return m_lead->part().encoder->run(batch, {}); });
    }
    Result<TokenMatrix> tokenOutputs(const TokenBatch& batch, const std::vector<std::vector<std::int32_t>>& wanted,
                                     std::stop_token stop) override {
        PARETO_CHECK(checkTokens(batch.ids, layout()));
        return m_lead->together(batchWords(ShardOp::TokenOutputs, batch).put(wanted), stop,
                                [&] { return m_lead->part().encoder->tokenOutputs(batch, wanted, {}); });
    }
    Result<Matrix> hiddenStates(const TokenBatch& batch, std::stop_token stop) override {
        PARETO_CHECK(checkTokens(batch.ids, layout()));
        return m_lead->together(batchWords(ShardOp::HiddenStates, batch), stop,
                                [&] { return m_lead->part().encoder->hiddenStates(batch, {}); });
    }

private:
    WordWriter batchWords(ShardOp op, const TokenBatch& batch) const {
        auto out = m_lead->words(op);
        out.put(batch.ids).put(batch.typeIds);
        return out;
    }
};

/// Caches of neighbouring sequences.
class LedCache final : public KvCache {
public:
    struct Piece {
        std::int64_t number = 0;
        std::unique_ptr<KvCache> own;  ///< of this process's part
    };
    LedCache(std::shared_ptr<Lead> lead, std::vector<Piece> pieces) : m_lead(std::move(lead)), m_pieces(std::move(pieces)) {}
    ~LedCache() override {
        for (const auto& piece : m_pieces) {
            tell(WordWriter(ShardOp::DropCache).put(piece.number));
        }
    }

    std::int64_t batch() const override {
        std::int64_t out = 0;
        for (const auto& piece : m_pieces) {
            out += piece.own->batch();
        }
        return out;
    }
    std::int64_t length(std::int64_t sequence) const override {
        const auto [piece, local] = placeOf(sequence);
        return m_pieces[piece].own->length(local);
    }
    std::int64_t length() const override {
        std::int64_t out = 0;
        for (const auto& piece : m_pieces) {
            out = std::max(out, piece.own->length());
        }
        return out;
    }
    std::uint64_t bytes() const override {
        std::uint64_t out = 0;
        for (const auto& piece : m_pieces) {
            out += piece.own->bytes();
        }
        return out;
    }
    void truncate(std::int64_t sequence, std::int64_t length) override {
        const auto [piece, local] = placeOf(sequence);
        tell(WordWriter(ShardOp::Truncate).put(m_pieces[piece].number).put(local).put(length));
        m_pieces[piece].own->truncate(local, length);
    }
    /// Sequences that stay in their order stay in their piece.
    void reorder(std::span<const std::int64_t> parents) override {
        std::vector<Piece> left;
        std::int64_t first = 0;
        auto next = parents.begin();
        for (auto& piece : m_pieces) {
            const std::int64_t end = first + piece.own->batch();
            std::vector<std::int32_t> local;
            for (; next != parents.end() && (*next < end || &piece == &m_pieces.back()); ++next) {
                local.push_back(static_cast<std::int32_t>(*next - first));
            }
            first = end;
            if (local.empty()) {
                tell(WordWriter(ShardOp::DropCache).put(piece.number));
                continue;
            }
            tell(WordWriter(ShardOp::Reorder).put(piece.number).put(std::span(local)));
            piece.own->reorder(std::vector<std::int64_t>(local.begin(), local.end()));
            left.push_back(std::move(piece));
        }
        m_pieces = std::move(left);
    }

    const std::vector<Piece>& pieces() const { return m_pieces; }

private:
    /// Where it fails the next step does, and says why.
    void tell(const WordWriter& what) const { (void)m_lead->partners().tell(what.words()); }

    std::pair<std::size_t, std::int64_t> placeOf(std::int64_t sequence) const {
        std::size_t piece = 0;
        while (sequence >= m_pieces[piece].own->batch() && piece + 1 < m_pieces.size()) {
            sequence -= m_pieces[piece++].own->batch();
        }
        return {piece, sequence};
    }

    std::shared_ptr<Lead> m_lead;
    std::vector<Piece> m_pieces;
};

Status checkStep(const IdLists& ids, const LedCache& cache, const ModelLayout& layout) {
    PARETO_CHECK(checkTokens(ids, layout));
    if (static_cast<std::int64_t>(ids.size()) != cache.batch()) {
        return refused(std::to_string(ids.size()) + " sequences are fed to a cache of " + std::to_string(cache.batch()));
    }
    return Done{};
}

class LedDecoder final : public Led<Decoder> {
public:
    using Led::Led;

    Result<std::unique_ptr<KvCache>> newCache(std::int64_t batch, const CacheOptions& options) override {
        if (batch < 1) {
            return refused("a cache of no sequences");
        }
        PARETO_CHECK(checkCapacity(layout(), options.capacity));
        const int stages = m_lead->partners().place().pp;
        const std::int64_t count = stages == 1 || options.mixed ? 1 : std::min<std::int64_t>(batch, kCachesOfStage * stages);
        auto words = m_lead->words(ShardOp::NewCaches);
        words.put(count);
        std::vector<std::int64_t> sizes;
        std::vector<LedCache::Piece> pieces;
        for (std::int64_t i = 0; i < count; ++i) {
            sizes.push_back(batch * (i + 1) / count - batch * i / count);
            pieces.push_back({nextCache(), nullptr});
            words.put(pieces.back().number).put(sizes.back());
        }
        words.put(options.capacity).put(wordOf(options.format));
        return m_lead->together(words, {}, [&]() -> Result<std::unique_ptr<KvCache>> {
            for (std::size_t i = 0; i < pieces.size(); ++i) {
                PARETO_TRY(pieces[i].own, m_lead->part().decoder->newCache(sizes[i], options));
            }
            return std::unique_ptr<KvCache>(std::make_unique<LedCache>(m_lead, std::move(pieces)));
        });
    }

    Result<Matrix> step(const IdLists& ids, KvCache& cache, std::stop_token stop) override {
        return steps(ids, cache, false, stop);
    }
    Result<Matrix> stepAll(const IdLists& ids, KvCache& cache, std::stop_token stop) override {
        return steps(ids, cache, true, stop);
    }
    Result<Matrix> logits(const std::vector<std::int32_t>& ids, std::stop_token stop) override {
        PARETO_TRY(const auto cache, newCache(1, {static_cast<std::int64_t>(ids.size())}));
        return stepAll({ids}, *cache, stop);
    }
    Result<std::vector<float>> negativeLogLikelihoods(const std::vector<std::int32_t>& ids, std::stop_token stop) override {
        PARETO_CHECK(checkTokens({ids}, layout()));
        auto words = m_lead->words(ShardOp::Likelihoods);
        words.put(std::span(ids));
        return m_lead->together(words, stop, [&] { return m_lead->part().decoder->negativeLogLikelihoods(ids, {}); });
    }

private:
    Result<Matrix> steps(const IdLists& ids, KvCache& cache, bool everyToken, const std::stop_token& stop) {
        const auto& led = static_cast<LedCache&>(cache);
        PARETO_CHECK(checkStep(ids, led, layout()));
        auto words = m_lead->words(ShardOp::Step);
        words.put(everyToken ? 1 : 0).put(static_cast<std::int64_t>(led.pieces().size()));
        std::vector<CacheStep> parts;
        auto next = ids.begin();
        for (const auto& piece : led.pieces()) {
            const auto end = next + piece.own->batch();
            parts.push_back({IdLists(next, end), piece.own.get()});
            words.put(piece.number).put(parts.back().ids);
            next = end;
        }
        return m_lead->together(words, stop, [&] {
            return dynamic_cast<StagedDecoder&>(*m_lead->part().decoder).steps(parts, everyToken);
        });
    }
};

class LedSeq2Seq final : public Led<Seq2Seq> {
public:
    using Led::Led;

    Result<std::unique_ptr<KvCache>> encode(const TokenBatch& sources, std::int64_t copies, const CacheOptions& options,
                                            std::stop_token stop) override {
        PARETO_CHECK(checkTokens(sources.ids, layout()));
        PARETO_CHECK(checkCapacity(layout(), options.capacity));
        const std::int64_t number = nextCache();
        auto words = m_lead->words(ShardOp::EncodeSources);
        words.put(sources.ids).put(copies).put(number).put(options.capacity).put(wordOf(options.format));
        return m_lead->together(words, stop, [&]() -> Result<std::unique_ptr<KvCache>> {
            std::vector<LedCache::Piece> pieces(1);
            pieces[0].number = number;
            PARETO_TRY(pieces[0].own, m_lead->part().seq2seq->encode(sources, copies, options, {}));
            return std::unique_ptr<KvCache>(std::make_unique<LedCache>(m_lead, std::move(pieces)));
        });
    }
    Result<Matrix> step(const IdLists& ids, KvCache& cache, std::stop_token stop) override {
        const auto& led = static_cast<LedCache&>(cache);
        PARETO_CHECK(checkStep(ids, led, layout()));
        auto words = m_lead->words(ShardOp::Step);
        words.put(0).put(1).put(led.pieces()[0].number).put(ids);
        return m_lead->together(words, stop, [&] { return m_lead->part().seq2seq->step(ids, *led.pieces()[0].own, {}); });
    }
    Result<Matrix> logits(const std::vector<std::int32_t>& source, const std::vector<std::int32_t>& target,
                          std::stop_token stop) override {
        PARETO_CHECK(checkTokens({source, target}, layout()));
        auto words = m_lead->words(ShardOp::TargetLogits);
        words.put(std::span(source)).put(std::span(target));
        return m_lead->together(words, stop, [&] { return m_lead->part().seq2seq->logits(source, target, {}); });
    }
    Result<Matrix> encoderStates(const std::vector<std::int32_t>& source, std::stop_token stop) override {
        PARETO_CHECK(checkTokens({source}, layout()));
        auto words = m_lead->words(ShardOp::EncoderStates);
        words.put(std::span(source));
        return m_lead->together(words, stop, [&] { return m_lead->part().seq2seq->encoderStates(source, {}); });
    }
};

}  // namespace

Result<RunnableModel> prepareShard(const Shard& shard, const DeviceOptions& options, Partners& partners, Progress& progress,
                                   std::stop_token stop) {
    PARETO_TRY(auto device, runtime::openDevice(options.device, options.threads));
    if (stop.stop_requested()) {
        return Cancelled{};
    }
    return runtime::guarded("packing the weights", [&]() -> Result<RunnableModel> {
        const HeldTensors held(shard.model);
        PrepareInputs inputs{held, device, progress, stop};
        inputs.shard = &shard;
        inputs.partners = &partners;
        return prepareGraph(inputs);
    });
}

RunnableModel leadShards(ShardedModel model, RunnableModel part) {
    RunnableModel out;
    const auto kind = model.layout.kind();
    auto lead = std::make_shared<Lead>(std::move(model), std::move(part));
    switch (kind) {
        case ModelKind::Encoder: out.encoder = std::make_unique<LedEncoder>(std::move(lead)); break;
        case ModelKind::Decoder: out.decoder = std::make_unique<LedDecoder>(std::move(lead)); break;
        case ModelKind::Seq2Seq: out.seq2seq = std::make_unique<LedSeq2Seq>(std::move(lead)); break;
    }
    return out;
}

Status tellPrepare(Partners& partners, std::int64_t number, bool original, const std::vector<std::int32_t>& stageStarts) {
    return partners.tell(WordWriter(ShardOp::Prepare).put(number).put(original ? 1 : 0).put(stageStarts).words());
}

Status tellEnd(Partners& partners) { return partners.tell(WordWriter(ShardOp::End).words()); }

Status tellMeasureLink(Partners& partners) { return partners.tell(WordWriter(ShardOp::MeasureLink).words()); }

Status tellCompareClocks(Partners& partners) { return partners.tell(WordWriter(ShardOp::CompareClocks).words()); }

Status tellRecord(Partners& partners, bool on) {
    return partners.tell(WordWriter(ShardOp::Record).put(on ? 1 : 0).words());
}

Status tellReport(Partners& partners) { return partners.tell(WordWriter(ShardOp::Report).words()); }

}  // namespace pareto::models
