#include "engine/jobs/run/translate_job.h"

#include <algorithm>
#include <chrono>

#include "engine/jobs/run/guarded.h"
#include "engine/jobs/run/ready_model.h"
#include "engine/jobs/run/sampling_options.h"
#include "engine/jobs/run/text_stream.h"
#include "engine/tasks/batching.h"

namespace pareto::jobs {

namespace {

/// Source tokens of a batch, times the beams.
constexpr std::int64_t kBatchTokens = 2048;

class Translator {
public:
    Translator(const TranslateParams& params, models::Seq2Seq& model,
               std::shared_ptr<const text::Tokenizer> tokenizer, Progress& progress, RunSink& sink)
        : m_params(params),
          m_model(model),
          m_tokenizer(std::move(tokenizer)),
          m_options(generateOptions(params.sampling, model.layout(), *m_tokenizer)),
          m_progress(progress),
          m_sink(sink) {}

    Result<TranslateResult> run(std::stop_token stop) {
        std::vector<std::int64_t> lengths;
        for (std::size_t i = 0; i < m_params.texts.size(); ++i) {
            PARETO_TRY(auto ids, tokensOf(m_params.texts[i], "texts[" + std::to_string(i) + "]",
                                          m_model.layout(), *m_tokenizer));
            lengths.push_back(static_cast<std::int64_t>(ids.size()));
            m_sources.push_back(std::move(ids));
        }
        m_result.items.resize(m_sources.size());
        m_start = std::chrono::steady_clock::now();
        if (m_sources.size() == 1) {
            PARETO_CHECK(single(stop));
        } else {
            m_progress.begin(Stage::Generating, static_cast<std::int64_t>(m_sources.size()), Unit::Samples);
            const auto tokens = std::max<std::int64_t>(1, kBatchTokens / m_options.beams);
            for (const auto& batch : tasks::makeBatches(lengths, tokens)) {
                PARETO_CHECK(several(batch, stop));
            }
        }
        m_result.seconds = seconds();
        m_result.tokensPerSecond = rate();
        return std::move(m_result);
    }

private:
    double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count();
    }
    double rate() const {
        const double passed = seconds();
        return passed > 0.0 ? static_cast<double>(m_tokens) / passed : 0.0;
    }

    void send(std::size_t item, const std::string& text) {
        if (!text.empty()) {
            m_sink.partial({{"item", item}, {"text", text}, {"tokens_per_s", rate()}});
        }
    }

    void take(std::size_t item, const models::Generation& made, std::string text) {
        m_result.items[item] = {std::move(text), made.promptTokens,
                                static_cast<std::int64_t>(made.ids.size()), made.score};
    }

    Status single(std::stop_token stop) {
        m_progress.begin(Stage::Generating, m_options.maxTokens, Unit::Tokens);
        TextStream stream(m_tokenizer, m_params.sampling.stopTexts);
        const auto onToken = [&](std::int32_t id) {
            ++m_tokens;
            m_progress.advance();
            send(0, stream.add(id));
            return !stream.stopped();
        };
        PARETO_TRY(const auto made,
                   models::translate(m_model, m_sources.front(), m_options, onToken, stop));
        send(0, stream.finish());
        take(0, made, stream.text());
        return Done{};
    }

    Status several(const std::vector<std::size_t>& batch, std::stop_token stop) {
        models::TokenBatch sources;
        for (const auto item : batch) {
            sources.ids.push_back(m_sources[item]);
        }
        PARETO_TRY(const auto made, models::translate(m_model, sources, m_options, stop));
        for (std::size_t i = 0; i < batch.size(); ++i) {
            TextStream stream(m_tokenizer, m_params.sampling.stopTexts);
            for (const auto id : made[i].ids) {
                stream.add(id);
            }
            stream.finish();
            m_tokens += static_cast<std::int64_t>(made[i].ids.size());
            take(batch[i], made[i], stream.text());
            send(batch[i], stream.text());
            m_progress.advance();
        }
        return Done{};
    }

    const TranslateParams& m_params;
    models::Seq2Seq& m_model;
    std::shared_ptr<const text::Tokenizer> m_tokenizer;
    models::GenerateOptions m_options;
    Progress& m_progress;
    RunSink& m_sink;
    std::vector<std::vector<std::int32_t>> m_sources;
    TranslateResult m_result;
    std::int64_t m_tokens = 0;
    std::chrono::steady_clock::time_point m_start;
};

Result<TranslateResult> translateTexts(ModelCache& cache, const TranslateParams& params,
                                       Progress& progress, std::stop_token stop, RunSink& sink) {
    auto target = params.target;
    target.batch = params.sampling.beams;
    target.generate = params.sampling.maxTokens;
    const ReadyRequest request{params.model, params.recipe, target, false, cacheFormatOf(params.sampling)};
    PARETO_TRY(const auto ready, keptModel(cache, request, progress, stop));
    if (!ready->runnable.seq2seq) {
        return makeError(ErrorCode::TaskUnfit,
                         {{"task", "translate"},
                          {"model", ready->opened->weights.layout.name},
                          {"reason", "it needs an encoder-decoder model"}});
    }
    PARETO_TRY(const auto tokenizer, ready->opened->tokenizer());
    return Translator(params, *ready->runnable.seq2seq, tokenizer, progress, sink).run(stop);
}

}  // namespace

Json toJson(const TranslateResult& result) {
    Json json{{"items", Json::array()},
              {"seconds", result.seconds},
              {"tokens_per_s", result.tokensPerSecond}};
    for (const auto& item : result.items) {
        json["items"].push_back({{"text", item.text},
                                 {"source_tokens", item.sourceTokens},
                                 {"tokens", item.tokens},
                                 {"score", item.score}});
    }
    if (!result.items.empty()) {
        json["text"] = result.items.front().text;
    }
    return json;
}

Result<TranslateResult> runTranslate(ModelCache& cache, const TranslateParams& params,
                                     Progress& progress, std::stop_token stop, RunSink& sink) {
    return guarded(kJobTranslate, [&] { return translateTexts(cache, params, progress, stop, sink); });
}

}  // namespace pareto::jobs
