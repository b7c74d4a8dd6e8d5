#pragma once

#include <chrono>
#include <functional>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>

#include "engine/models/model.h"
#include "engine/tasks/task_runner.h"
#include "engine/text/tokenizer.h"
#include "tests/engine/tasks/thread_peers.h"

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
    std::uint64_t bytesOf(const std::string&) const override { return 0; }
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
    /// Token j of an item is answered by `m_onToken(ids of the item, j)`.
    Result<models::TokenMatrix> tokenOutputs(const models::TokenBatch& batch,
                                             const std::vector<std::vector<std::int32_t>>& wanted,
                                             std::stop_token stop) override {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        models::TokenMatrix out;
        for (std::size_t i = 0; i < batch.ids.size(); ++i) {
            std::vector<std::int32_t> positions(batch.ids[i].size());
            std::iota(positions.begin(), positions.end(), 0);
            for (const auto position : wanted.empty() ? positions : wanted[i]) {
                const auto row = m_onToken(batch.ids[i], static_cast<std::size_t>(position));
                out.values.cols = static_cast<std::int64_t>(row.size());
                out.values.values.insert(out.values.values.end(), row.begin(), row.end());
                ++out.values.rows;
            }
            out.starts.push_back(out.values.rows);
        }
        return out;
    }
    Result<models::Matrix> hiddenStates(const models::TokenBatch&, std::stop_token) override {
        return models::Matrix{};
    }
    std::function<void()> m_onRun;
    std::function<std::vector<float>(const std::vector<std::int32_t>&, std::size_t)> m_onToken;

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
    Result<models::Matrix> stepAll(const std::vector<std::vector<std::int32_t>>& ids,
                                   models::KvCache& cache, std::stop_token stop) override {
        return step(ids, cache, stop);
    }
    /// Position i is answered by `m_onLogits(ids, i)`.
    Result<models::Matrix> logits(const std::vector<std::int32_t>& ids, std::stop_token stop) override {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        models::Matrix out;
        for (std::size_t i = 0; m_onLogits && i < ids.size(); ++i) {
            const auto row = m_onLogits(ids, i);
            out.cols = static_cast<std::int64_t>(row.size());
            out.values.insert(out.values.end(), row.begin(), row.end());
            ++out.rows;
        }
        return out;
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
    std::function<std::vector<float>(const std::vector<std::int32_t>&, std::size_t)> m_onLogits;
    std::vector<std::vector<std::int32_t>> m_windows;

private:
    Loss m_loss;
};

/// What a fake generator still has to say: a text a sequence, and how much of it is out.
class TextCache : public models::KvCache {
public:
    struct Sequence {
        std::string text;
        std::int64_t fed = 0;
        std::size_t said = 0;
    };
    std::int64_t batch() const override { return static_cast<std::int64_t>(m_sequences.size()); }
    std::int64_t length(std::int64_t sequence) const override {
        return m_sequences[static_cast<std::size_t>(sequence)].fed;
    }
    std::int64_t length() const override {
        std::int64_t longest = 0;
        for (const auto& sequence : m_sequences) {
            longest = std::max(longest, sequence.fed);
        }
        return longest;
    }
    std::uint64_t bytes() const override { return 0; }
    void truncate(std::int64_t, std::int64_t) override {}
    void reorder(std::span<const std::int64_t> parents) override {
        std::vector<Sequence> next;
        for (const auto parent : parents) {
            next.push_back(m_sequences[static_cast<std::size_t>(parent)]);
        }
        m_sequences = std::move(next);
    }
    std::vector<Sequence> m_sequences;
};

/// A generator that answers each prompt (decoder) or source (encoder-decoder) with `answer(its text)`,
/// a byte a token, then id 3.
using TextAnswer = std::function<std::string(const std::string&)>;
inline constexpr int kEndOfText = 3;

template <typename Base>
class FakeWriter : public FakeModel<Base> {
public:
    FakeWriter(TextAnswer answer, Family family) : m_answer(std::move(answer)) {
        this->m_layout.family = family;
        this->m_layout.name = "fake writer";
        this->m_layout.vocabulary = 256;
        this->m_layout.maxPositions = 4096;
        this->m_layout.eosId = kEndOfText;
        this->m_layout.decoderStartId = 0;
    }
    Result<models::Matrix> step(const std::vector<std::vector<std::int32_t>>& ids, models::KvCache& cache,
                                std::stop_token stop) override {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        auto& sequences = static_cast<TextCache&>(cache).m_sequences;
        models::Matrix out{static_cast<std::int64_t>(ids.size()), 256, {}};
        out.values.assign(ids.size() * 256, 0.0F);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            auto& sequence = sequences[i];
            if (sequence.fed == 0 && this->m_layout.isDecoder()) {
                sequence.text = m_answer(std::string(ids[i].begin(), ids[i].end()));
            }
            sequence.fed += static_cast<std::int64_t>(ids[i].size());
            const auto next = sequence.said < sequence.text.size()
                                  ? static_cast<unsigned char>(sequence.text[sequence.said++])
                                  : static_cast<unsigned char>(kEndOfText);
            out.values[i * 256 + next] = 10.0F;
        }
        return out;
    }

protected:
    TextAnswer m_answer;
};

class FakeTranslator : public FakeWriter<models::Seq2Seq> {
public:
    explicit FakeTranslator(TextAnswer answer) : FakeWriter(std::move(answer), Family::Marian) {}
    Result<std::unique_ptr<models::KvCache>> encode(const models::TokenBatch& sources, std::int64_t copies,
                                                    const models::CacheOptions&, std::stop_token) override {
        auto cache = std::make_unique<TextCache>();
        for (const auto& ids : sources.ids) {
            const TextCache::Sequence sequence{m_answer(std::string(ids.begin(), ids.end()))};
            cache->m_sequences.insert(cache->m_sequences.end(), static_cast<std::size_t>(copies), sequence);
        }
        return std::unique_ptr<models::KvCache>(std::move(cache));
    }
    Result<models::Matrix> logits(const std::vector<std::int32_t>&, const std::vector<std::int32_t>&,
                                  std::stop_token) override {
        return models::Matrix{};
    }
    Result<models::Matrix> encoderStates(const std::vector<std::int32_t>&, std::stop_token) override {
        return models::Matrix{};
    }
};

class FakeContinuer : public FakeWriter<models::Decoder> {
public:
    explicit FakeContinuer(TextAnswer answer) : FakeWriter(std::move(answer), Family::Llama) {}
    Result<std::unique_ptr<models::KvCache>> newCache(std::int64_t batch, const models::CacheOptions&) override {
        auto cache = std::make_unique<TextCache>();
        cache->m_sequences.resize(static_cast<std::size_t>(batch));
        return std::unique_ptr<models::KvCache>(std::move(cache));
    }
    Result<models::Matrix> stepAll(const std::vector<std::vector<std::int32_t>>&, models::KvCache&,
                                   std::stop_token) override {
        return models::Matrix{};
    }
    Result<models::Matrix> logits(const std::vector<std::int32_t>&, std::stop_token) override {
        return models::Matrix{};
    }
    Result<std::vector<float>> negativeLogLikelihoods(const std::vector<std::int32_t>&, std::stop_token) override {
        return std::vector<float>{};
    }
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
            sequence.offsets.emplace_back();
        }
        for (const char c : text) {
            sequence.ids.push_back(static_cast<unsigned char>(c));
            const auto begin = sequence.offsets.empty() ? 0 : sequence.offsets.back().end;
            sequence.offsets.push_back({begin, begin + 1});
        }
        if (options.maxLength > 0 &&
            sequence.ids.size() > static_cast<std::size_t>(options.maxLength)) {
            sequence.ids.resize(static_cast<std::size_t>(options.maxLength));
            sequence.offsets.resize(static_cast<std::size_t>(options.maxLength));
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
        // [1] first [2] part of second [2]
        const auto room = static_cast<std::size_t>(options.maxLength) - first.size() - 3;
        std::vector<text::TokenSequence> windows;
        for (std::size_t begin = 0;; begin += room - static_cast<std::size_t>(options.stride)) {
            text::TokenSequence window;
            const auto add = [&](std::int32_t id, text::Span span, text::Side side) {
                window.ids.push_back(id);
                window.offsets.push_back(span);
                window.sides.push_back(side);
                window.typeIds.push_back(side == text::Side::Second ? 1 : 0);
            };
            const auto addText = [&](std::string_view text, std::size_t from, std::size_t to, text::Side side) {
                for (auto i = from; i < to; ++i) {
                    const auto at = static_cast<std::int32_t>(i);
                    add(static_cast<unsigned char>(text[i]), {at, at + 1}, side);
                }
            };
            add(1, {}, text::Side::Special);
            addText(first, 0, first.size(), text::Side::First);
            add(2, {}, text::Side::Special);
            addText(second, begin, std::min(begin + room, second.size()), text::Side::Second);
            add(2, {}, text::Side::Special);
            windows.push_back(std::move(window));
            if (begin + room >= second.size()) {
                return windows;
            }
        }
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

/// Writes a file of a test's folder; its path.
inline std::string writeFile(const QTemporaryDir& folder, const char* name, const QByteArray& content) {
    const auto path = folder.filePath(QString::fromLatin1(name));
    QDir().mkpath(QFileInfo(path).path());
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size()) {
        qFatal("cannot write a test's file");
    }
    return path.toStdString();
}

/// Whether peers come to the same as one alone. Set to false where a test looks at what the model was asked.
inline bool togetherToo = true;

inline Result<tasks::EvalResult> evaluate(const tasks::EvalRequest& request, std::stop_token stop = {}) {
    Progress progress;
    auto result = tasks::evaluate(request, progress, std::move(stop));
    if (togetherToo) {
        sameTogether(request, result);
    }
    return result;
}

/// For the test function that it lives in.
struct Alone {
    Alone() { togetherToo = false; }
    ~Alone() { togetherToo = true; }
    Alone(const Alone&) = delete;
    Alone& operator=(const Alone&) = delete;
};

/// Evaluates a task with a model that a test made.
inline Result<tasks::EvalResult> evaluate(models::RunnableModel& model, const Task& task,
                                          bool addsBos = false, std::stop_token stop = {},
                                          models::RunnableModel* original = nullptr) {
    tasks::EvalRequest request;
    request.model = &model;
    request.original = original;
    request.tokenizer = std::make_shared<ByteTokenizer>(addsBos);
    request.task = task;
    return evaluate(request, std::move(stop));
}

inline Task taskOf(TaskKind kind, const std::string& data, DataFormat format) {
    Task task;
    task.kind = kind;
    task.data = data;
    task.format = format;
    return task;
}

}  // namespace pareto::fakes
