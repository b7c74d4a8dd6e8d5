#include "engine/models/generate.h"

#include <algorithm>
#include <chrono>

#include "engine/models/beam_search.h"
#include "engine/models/sampling.h"
#include "engine/models/sequence_cache.h"

namespace pareto::models {
namespace {

using Clock = std::chrono::steady_clock;
using Ids = std::vector<std::int32_t>;

double secondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Error refused(const std::string& reason) {
    return makeError(ErrorCode::EngineFailure, {{"where", "generating text"}, {"reason", reason}});
}

/// Picks token after token for several sequences of one cache; who is ready leaves it.
class Loop {
public:
    Loop(Generator& generator, KvCache& cache, const std::vector<Growing>& starts,
         const GenerateOptions& options)
        : m_generator(generator), m_cache(cache), m_options(options), m_results(starts.size()) {
        for (std::size_t i = 0; i < starts.size(); ++i) {
            const std::string stream = i == 0 ? "sampling" : "sampling." + std::to_string(i);
            m_rows.push_back({i, starts[i], RandomStream(options.seed, stream)});
        }
    }

    /// `onToken` hears of all sequences; `fed` gets the ids that go into the cache. Both are for one
    /// sequence and may be empty.
    void listen(const TokenSink& onToken, Ids* fed) {
        m_onToken = &onToken;
        m_fed = fed;
    }

    Result<std::vector<Generation>> run(Matrix logits, Clock::time_point begin,
                                        const std::stop_token& stop) {
        std::vector<std::int64_t> staying;
        std::vector<Ids> next;
        while (true) {
            staying.clear();
            for (std::size_t i = 0; i < m_rows.size(); ++i) {
                if (grow(m_rows[i], logits, static_cast<std::int64_t>(i), begin)) {
                    staying.push_back(static_cast<std::int64_t>(i));
                }
            }
            if (staying.empty()) {
                return std::move(m_results);
            }
            if (staying.size() < m_rows.size()) {
                leaveOnly(staying);
            }
            next.resize(m_rows.size());
            for (std::size_t i = 0; i < m_rows.size(); ++i) {
                next[i].assign(1, m_rows[i].sequence.ids.back());
            }
            begin = Clock::now();
            PARETO_TRY(logits, m_generator.step(next, m_cache, stop));
            if (m_fed != nullptr) {
                m_fed->push_back(next.front().front());
            }
        }
    }

private:
    struct Row {
        std::size_t item;
        Growing sequence;
        RandomStream random;
    };

    void leaveOnly(const std::vector<std::int64_t>& staying) {
        std::vector<Row> rows;
        for (const auto i : staying) {
            rows.push_back(std::move(m_rows[static_cast<std::size_t>(i)]));
        }
        m_rows.swap(rows);
        m_cache.reorder(staying);
    }

    /// One token; false when the sequence is ready.
    bool grow(Row& row, Matrix& logits, std::int64_t at, Clock::time_point begin) {
        Generation& out = m_results[row.item];
        const std::span<float> scores(logits.values.data() + at * logits.cols,
                                      static_cast<std::size_t>(logits.cols));
        processScores(scores, row.sequence, m_options);
        const auto next = pickToken(scores, m_options, row.random);
        if (row.sequence.made == 0) {
            out.firstTokenSeconds = secondsSince(begin);
        } else {
            out.tokenSeconds.push_back(secondsSince(begin));
        }
        if (isStop(m_options, next)) {
            out.stopped = true;
            return false;
        }
        row.sequence.ids.push_back(next);
        ++row.sequence.made;
        out.ids.push_back(next);
        if (m_onToken != nullptr && *m_onToken && !(*m_onToken)(next)) {
            out.stopped = true;
            return false;
        }
        return row.sequence.made < row.sequence.most;
    }

    Generator& m_generator;
    KvCache& m_cache;
    const GenerateOptions& m_options;
    std::vector<Row> m_rows;
    std::vector<Generation> m_results;
    const TokenSink* m_onToken = nullptr;
    Ids* m_fed = nullptr;
};

/// Every row `copies` times in a row.
Matrix repeated(const Matrix& rows, std::int64_t copies) {
    Matrix out{rows.rows * copies, rows.cols, {}};
    for (std::int64_t i = 0; i < out.rows; ++i) {
        const auto row = rows.row(i / copies);
        out.values.insert(out.values.end(), row.begin(), row.end());
    }
    return out;
}

std::vector<std::int64_t> repeatedRows(std::int64_t rows, std::int64_t copies) {
    std::vector<std::int64_t> out;
    for (std::int64_t i = 0; i < rows * copies; ++i) {
        out.push_back(i / copies);
    }
    return out;
}

void hear(const TokenSink& onToken, const Ids& ids) {
    for (const auto id : ids) {
        if (onToken && !onToken(id)) {
            return;
        }
    }
}

Result<std::vector<Generation>> translateAll(Seq2Seq& model, const TokenBatch& sources,
                                             const GenerateOptions& options, const TokenSink& onToken,
                                             const std::stop_token& stop) {
    PARETO_CHECK(checkOptions(options));
    std::vector<Generation> out(sources.ids.size());
    const auto& layout = model.layout();
    const Growing start{{layout.decoderStartId}, 0, mostTokens(layout, options, 1)};
    if (options.maxTokens > 0) {
        const auto begin = Clock::now();
        PARETO_TRY(const auto cache,
                   model.encode(sources, options.beams, {start.most, options.cacheFormat}, stop));
        const std::vector<Ids> first(static_cast<std::size_t>(cache->batch()), start.ids);
        PARETO_TRY(auto logits, model.step(first, *cache, stop));
        const std::vector<Growing> starts(sources.ids.size(), start);
        if (options.beams > 1) {
            PARETO_TRY(out, beamSearch(model, *cache, std::move(logits), starts, options, stop));
            hear(onToken, out.front().ids);
        } else {
            Loop loop(model, *cache, starts, options);
            loop.listen(onToken, nullptr);
            PARETO_TRY(out, loop.run(std::move(logits), begin, stop));
        }
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i].promptTokens = static_cast<std::int64_t>(sources.ids[i].size());
    }
    return out;
}

}  // namespace

GenerateOptions generateOptionsOf(const ModelLayout& layout) {
    GenerateOptions options;
    if (layout.eosId >= 0) {
        options.stopIds.push_back(layout.eosId);
    }
    for (const auto id : layout.stopIds) {
        if (!isStop(options, id)) {
            options.stopIds.push_back(id);
        }
    }
    options.suppressedIds.assign(layout.suppressedIds.begin(), layout.suppressedIds.end());
    options.forcedBosId = layout.forcedBosId;
    if (layout.family == Family::Marian) {
        // Its generation_config.json says forced_eos_token_id and renormalize_logits.
        options.forcedEosId = layout.eosId;
        options.renormalize = true;
    }
    return options;
}

Result<Generation> generate(Decoder& decoder, const std::vector<std::int32_t>& prompt,
                            const GenerateOptions& options, const TokenSink& onToken,
                            std::stop_token stop) {
    if (options.beams > 1) {
        PARETO_TRY(auto out, generateBatch(decoder, {prompt}, options, stop));
        hear(onToken, out.front().ids);
        return std::move(out.front());
    }
    const auto held = static_cast<std::int64_t>(prompt.size());
    const std::int64_t more = std::max<std::int64_t>(0, mostTokens(decoder.layout(), options, held) - 1);
    PARETO_TRY(const auto cache,
               decoder.newCache(1, {std::max<std::int64_t>(1, held + more), options.cacheFormat}));
    Ids cached;
    return generate(decoder, prompt, *cache, cached, options, onToken, stop);
}

Result<Generation> generate(Decoder& decoder, const std::vector<std::int32_t>& prompt, KvCache& cache,
                            std::vector<std::int32_t>& cached, const GenerateOptions& options,
                            const TokenSink& onToken, std::stop_token stop) {
    PARETO_CHECK(checkOptions(options));
    if (prompt.empty()) {
        return refused("the prompt has no tokens");
    }
    Generation out;
    out.promptTokens = static_cast<std::int64_t>(prompt.size());
    if (options.maxTokens == 0) {
        return out;
    }
    const auto begin = Clock::now();
    const auto rest = keepBeginning(cache, cached, prompt);
    PARETO_TRY(auto logits, decoder.step({rest}, cache, stop));
    cached = prompt;
    Loop loop(decoder, cache, {{prompt, 0, mostTokens(decoder.layout(), options, out.promptTokens)}},
              options);
    loop.listen(onToken, &cached);
    PARETO_TRY(auto made, loop.run(std::move(logits), begin, stop));
    made.front().promptTokens = out.promptTokens;
    made.front().reusedTokens = static_cast<std::int64_t>(prompt.size() - rest.size());
    return std::move(made.front());
}

Result<std::vector<Generation>> generateBatch(Decoder& decoder,
                                              const std::vector<std::vector<std::int32_t>>& prompts,
                                              const GenerateOptions& options, std::stop_token stop) {
    PARETO_CHECK(checkOptions(options));
    std::vector<Growing> starts;
    std::int64_t capacity = 0;
    for (const auto& prompt : prompts) {
        if (prompt.empty()) {
            return refused("a prompt has no tokens");
        }
        const auto held = static_cast<std::int64_t>(prompt.size());
        starts.push_back({prompt, 0, mostTokens(decoder.layout(), options, held)});
        capacity = std::max(capacity, held + std::max<std::int64_t>(1, starts.back().most) - 1);
    }
    std::vector<Generation> out(prompts.size());
    if (options.maxTokens > 0 && !prompts.empty()) {
        const auto begin = Clock::now();
        const auto count = static_cast<std::int64_t>(prompts.size());
        PARETO_TRY(const auto cache, decoder.newCache(count, {capacity, options.cacheFormat, options.beams > 1}));
        PARETO_TRY(auto logits, decoder.step(prompts, *cache, stop));
        if (options.beams > 1) {
            cache->reorder(repeatedRows(count, options.beams));
            PARETO_TRY(out, beamSearch(decoder, *cache, repeated(logits, options.beams), starts, options,
                                       stop));
        } else {
            PARETO_TRY(out, Loop(decoder, *cache, starts, options).run(std::move(logits), begin, stop));
        }
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i].promptTokens = static_cast<std::int64_t>(prompts[i].size());
    }
    return out;
}

Result<std::vector<Generation>> translate(Seq2Seq& model, const TokenBatch& sources,
                                          const GenerateOptions& options, std::stop_token stop) {
    return translateAll(model, sources, options, {}, stop);
}

Result<Generation> translate(Seq2Seq& model, const std::vector<std::int32_t>& source,
                             const GenerateOptions& options, const TokenSink& onToken,
                             std::stop_token stop) {
    PARETO_TRY(auto out, translateAll(model, {{source}, {}}, options, onToken, stop));
    return std::move(out.front());
}

}  // namespace pareto::models
