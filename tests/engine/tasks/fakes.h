#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/models/model.h"
#include "engine/text/tokenizer.h"

/// Small models and a tokenizer whose answers a test can work out by hand.
namespace pareto::fakes {

/// Common parts of both fake models.
template <typename Base>
class FakeModel : public Base {
public:
    const ModelLayout& layout() const override { return m_layout; }
    const models::DeviceInfo& device() const override { return m_device; }
    std::uint64_t bytes() const override { return 0; }
    std::string kernelOf(const std::string&) const override { return "fake"; }
    void setObserver(models::LayerObserver* observer) override { m_observer = observer; }

    ModelLayout m_layout;
    models::DeviceInfo m_device;
    models::LayerObserver* m_observer = nullptr;
};

/// Row i of a batch is answered by `answer(ids of i)`.
class FakeEncoder : public FakeModel<models::Encoder> {
public:
    using Answer = std::function<std::vector<float>(const std::vector<std::int32_t>&)>;
    FakeEncoder(Answer answer, std::vector<std::string> labels = {}) : m_answer(std::move(answer)) {
        m_layout.family = Family::Bert;
        m_layout.name = "fake encoder";
        m_layout.labels = std::move(labels);
        m_layout.outputs = m_layout.labels.empty() ? Outputs::Embedding : Outputs::Classes;
        m_layout.vocabulary = 1000;
        m_layout.maxPositions = 512;
    }
    Result<models::Matrix> run(const models::TokenBatch& batch, std::stop_token stop) override {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        if (m_onRun) {
            m_onRun();
        }
        models::Matrix out;
        out.rows = static_cast<std::int64_t>(batch.ids.size());
        for (const auto& ids : batch.ids) {
            const auto row = m_answer(ids);
            out.cols = static_cast<std::int64_t>(row.size());
            out.values.insert(out.values.end(), row.begin(), row.end());
        }
        return out;
    }
    Result<models::TokenMatrix> tokenOutputs(const models::TokenBatch&,
                                             const std::vector<std::vector<std::int32_t>>&,
                                             std::stop_token) override {
        return models::TokenMatrix{};
    }
    Result<models::Matrix> hiddenStates(const models::TokenBatch&, std::stop_token) override {
        return models::Matrix{};
    }
    std::function<void()> m_onRun;

private:
    Answer m_answer;
};

class FakeCache : public models::KvCache {
public:
    std::int64_t batch() const override { return 1; }
    std::int64_t length(std::int64_t) const override { return m_length; }
    std::int64_t length() const override { return m_length; }
    std::uint64_t bytes() const override { return 0; }
    void truncate(std::int64_t, std::int64_t length) override { m_length = length; }
    void reorder(std::span<const std::int64_t>) override {}
    std::int64_t m_length = 0;
};

/// Losses come from `loss(ids, i)`; step() calls `onStep` with the number of tokens fed.
class FakeDecoder : public FakeModel<models::Decoder> {
public:
    using Loss = std::function<float(const std::vector<std::int32_t>&, std::size_t)>;
    explicit FakeDecoder(Loss loss) : m_loss(std::move(loss)) {
        m_layout.family = Family::Llama;
        m_layout.name = "fake decoder";
        m_layout.vocabulary = 16;
        m_layout.maxPositions = 256;
    }
    Result<std::unique_ptr<models::KvCache>> newCache(std::int64_t, const models::CacheOptions&) override {
        std::unique_ptr<models::KvCache> cache = std::make_unique<FakeCache>();
        return cache;
    }
    Result<models::Matrix> step(const std::vector<std::vector<std::int32_t>>& ids,
                                models::KvCache& cache, std::stop_token stop) override {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        static_cast<FakeCache&>(cache).m_length += static_cast<std::int64_t>(ids.front().size());
        if (m_onStep) {
            m_onStep(ids.front().size());
        }
        models::Matrix out;
        out.rows = static_cast<std::int64_t>(ids.size());
        out.cols = m_layout.vocabulary;
        out.values.assign(static_cast<std::size_t>(out.rows * out.cols), 0.0F);
        return out;
    }
    Result<models::Matrix> logits(const std::vector<std::int32_t>&, std::stop_token) override {
        return models::Matrix{};
    }
    Result<std::vector<float>> negativeLogLikelihoods(const std::vector<std::int32_t>& ids,
                                                      std::stop_token stop) override {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        m_windows.push_back(ids);
        std::vector<float> losses;
        for (std::size_t i = 1; i < ids.size(); ++i) {
            losses.push_back(m_loss(ids, i));
        }
        return losses;
    }
    std::function<void(std::size_t)> m_onStep;
    std::vector<std::vector<std::int32_t>> m_windows;

private:
    Loss m_loss;
};

/// One token a byte; optionally a beginning-of-text token (id 0) before a text. Truncates.
class ByteTokenizer : public text::Tokenizer {
public:
    explicit ByteTokenizer(bool addsBos = false) : m_addsBos(addsBos) {}
    text::TokenSequence encode(std::string_view text,
                               const text::EncodeOptions& options = {}) const override {
        text::TokenSequence sequence;
        if (m_addsBos && options.addSpecialTokens) {
            sequence.ids.push_back(0);
        }
        for (const char c : text) {
            sequence.ids.push_back(static_cast<unsigned char>(c));
        }
        if (options.maxLength > 0 &&
            sequence.ids.size() > static_cast<std::size_t>(options.maxLength)) {
            sequence.ids.resize(static_cast<std::size_t>(options.maxLength));
        }
        sequence.typeIds.assign(sequence.ids.size(), 0);
        sequence.sides.assign(sequence.ids.size(), text::Side::First);
        return sequence;
    }
    text::TokenSequence encodePair(std::string_view first, std::string_view second,
                                   const text::EncodeOptions& options = {}) const override {
        return encode(std::string(first) + "|" + std::string(second), options);
    }
    Result<std::vector<text::TokenSequence>> encodeWindows(
        std::string_view first, std::string_view second,
        const text::WindowOptions& options) const override {
        return std::vector{encodePair(first, second, {.maxLength = options.maxLength})};
    }
    std::string decode(const std::vector<std::int32_t>& ids, bool) const override {
        return {ids.begin(), ids.end()};
    }
    std::unique_ptr<text::TextStream> stream(bool) const override {
        class Bytes : public text::TextStream {
            std::string add(std::int32_t id) override { return {static_cast<char>(id)}; }
            std::string finish() override { return {}; }
        };
        return std::make_unique<Bytes>();
    }
    std::int32_t vocabularySize() const override { return 256; }
    std::int32_t padId() const override { return -1; }
    std::int32_t bosId() const override { return m_addsBos ? 0 : -1; }
    std::int32_t eosId() const override { return -1; }
    const std::string& tokenText(std::int32_t) const override { return m_empty; }
    std::int32_t tokenId(const std::string&) const override { return -1; }
    std::string toTokenizerJson() const override { return "{}"; }

private:
    bool m_addsBos;
    std::string m_empty;
};

}  // namespace pareto::fakes
