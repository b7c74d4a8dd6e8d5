#include "engine/bench/workload.h"

#include <algorithm>
#include <chrono>

#include "engine/core/random.h"

namespace pareto::bench {

namespace {

using Clock = std::chrono::steady_clock;
using Ids = std::vector<std::vector<std::int32_t>>;

double milliseconds(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

Ids drawIds(std::int64_t batch, std::int64_t length, std::int64_t vocabulary, std::uint64_t seed) {
    RandomStream random(seed, "bench.tokens");
    Ids ids(static_cast<std::size_t>(batch));
    for (auto& sequence : ids) {
        for (std::int64_t i = 0; i < length; ++i) {
            sequence.push_back(
                static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(vocabulary))));
        }
    }
    return ids;
}

/// The head works on whole texts, on every token, or on one masked token a text.
class EncoderWorkload : public Workload {
public:
    EncoderWorkload(models::Encoder& encoder, const Target& target, std::uint64_t seed)
        : m_encoder(encoder) {
        const auto& layout = encoder.layout();
        m_batch.ids = drawIds(target.batch, target.sequence, layout.vocabulary, seed);
        m_wholeTexts = layout.outputs == Outputs::Embedding || layout.outputs == Outputs::Classes;
        if (layout.outputs == Outputs::MaskedToken) {
            m_wanted.assign(m_batch.ids.size(), {0});
        }
    }
    Result<PassTiming> pass(std::stop_token stop) override {
        const auto start = Clock::now();
        if (m_wholeTexts) {
            PARETO_CHECK(m_encoder.run(m_batch, stop));
        } else {
            PARETO_CHECK(m_encoder.tokenOutputs(m_batch, m_wanted, stop));
        }
        const PassTiming timing{milliseconds(start, Clock::now()), 0.0, {}};
        endStep();
        return timing;
    }

private:
    models::Encoder& m_encoder;
    models::TokenBatch m_batch;
    std::vector<std::vector<std::int32_t>> m_wanted;  ///< empty: all tokens
    bool m_wholeTexts = true;
};

/// Greedy generation, whatever tokens come.
class GeneratorWorkload : public Workload {
public:
    GeneratorWorkload(models::Generator& generator, const Target& target, std::uint64_t seed)
        : m_target(target),
          m_prompts(drawIds(target.batch, target.prompt, generator.layout().vocabulary, seed)),
          m_generator(generator) {}
    Result<PassTiming> pass(std::stop_token stop) override {
        PassTiming timing;
        const auto start = Clock::now();
        PARETO_TRY(const auto begun, begin(stop));
        PARETO_TRY(auto next, advance(begun.first, *begun.cache, stop));
        auto last = Clock::now();
        timing.firstTokenMs = milliseconds(start, last);
        endStep();
        for (std::int64_t i = 1; i < m_target.generate; ++i) {
            PARETO_TRY(next, advance(next, *begun.cache, stop));
            const auto now = Clock::now();
            timing.tokenMs.push_back(milliseconds(last, now));
            last = now;
            endStep();
        }
        timing.ms = milliseconds(start, last);
        return timing;
    }

protected:
    struct Begun {
        std::unique_ptr<models::KvCache> cache;
        Ids first;   ///< what the first step feeds
    };
    virtual Result<Begun> begin(std::stop_token stop) = 0;

    const Target m_target;
    const Ids m_prompts;

private:
    /// Feeds the ids and picks each sequence's likeliest next token.
    Result<Ids> advance(const Ids& ids, models::KvCache& cache, std::stop_token stop) {
        PARETO_TRY(const auto logits, m_generator.step(ids, cache, stop));
        Ids next;
        for (std::int64_t i = 0; i < logits.rows; ++i) {
            const auto row = logits.row(i);
            next.push_back({static_cast<std::int32_t>(std::max_element(row.begin(), row.end()) -
                                                      row.begin())});
        }
        return next;
    }

    models::Generator& m_generator;
};

class DecoderWorkload : public GeneratorWorkload {
public:
    DecoderWorkload(models::Decoder& decoder, const Target& target, std::uint64_t seed)
        : GeneratorWorkload(decoder, target, seed), m_decoder(decoder) {}

protected:
    Result<Begun> begin(std::stop_token) override {
        PARETO_TRY(auto cache, m_decoder.newCache(m_target.batch, {m_target.prompt + m_target.generate}));
        return Begun{std::move(cache), m_prompts};
    }

private:
    models::Decoder& m_decoder;
};

/// The prompt is the source, which the first token waits for.
class Seq2SeqWorkload : public GeneratorWorkload {
public:
    Seq2SeqWorkload(models::Seq2Seq& model, const Target& target, std::uint64_t seed)
        : GeneratorWorkload(model, target, seed), m_model(model) {}

protected:
    Result<Begun> begin(std::stop_token stop) override {
        PARETO_TRY(auto cache, m_model.encode({m_prompts, {}}, 1, {m_target.generate}, stop));
        return Begun{std::move(cache),
                     Ids(m_prompts.size(), {m_model.layout().decoderStartId})};
    }

private:
    models::Seq2Seq& m_model;
};

Status checkLength(const char* field, std::int64_t length, std::int64_t positions) {
    if (positions <= 0 || length <= positions) {
        return Done{};
    }
    return makeError(ErrorCode::TargetInvalid,
                     {{"field", field},
                      {"reason", "asks for " + std::to_string(length) +
                                     " tokens; the model has positions for " +
                                     std::to_string(positions)}});
}

}  // namespace

Status checkLengths(const ModelLayout& layout, const Target& target) {
    if (layout.isSeq2Seq()) {
        PARETO_CHECK(checkLength("prompt", target.prompt, layout.maxPositions));
        return checkLength("generate", target.generate, layout.maxPositions);
    }
    if (layout.generates()) {
        return checkLength("prompt + generate", target.prompt + target.generate,
                           layout.maxPositions);
    }
    return checkLength("seq", target.sequence, layout.maxPositions);
}

Result<std::unique_ptr<Workload>> makeWorkload(models::RunnableModel& model, const Target& target,
                                               std::uint64_t seed) {
    PARETO_CHECK(checkLengths(model.model().layout(), target));
    std::unique_ptr<Workload> workload;
    if (model.encoder) {
        workload = std::make_unique<EncoderWorkload>(*model.encoder, target, seed);
    } else if (model.seq2seq) {
        workload = std::make_unique<Seq2SeqWorkload>(*model.seq2seq, target, seed);
    } else {
        workload = std::make_unique<DecoderWorkload>(*model.decoder, target, seed);
    }
    return workload;
}

}  // namespace pareto::bench
