#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/models/model.h"

namespace pareto::models {

struct GenerateOptions {
    std::int64_t maxTokens = 64;
    double temperature = 0.0;        ///< 0: greedy
    int topK = 0;                    ///< 0: off
    double topP = 1.0;
    double minP = 0.0;               ///< share of the likeliest token's probability; 0: off
    double repetitionPenalty = 1.0;  ///< Keskar et al. 2019, as transformers applies it; 1: off
    int noRepeatNgram = 0;           ///< no n-gram twice; 0: off
    std::uint64_t seed = 0;
    std::vector<std::int32_t> stopIds;
    std::vector<std::int32_t> suppressedIds;  ///< never picked
    std::int32_t forcedBosId = -1;   ///< the first token, where the model wants one
    std::int32_t forcedEosId = -1;   ///< the last token of a text that reaches maxTokens
    bool renormalize = false;        ///< beam search: what suppressed ids had is shared among the others
    std::optional<CacheFormat> cacheFormat;  ///< absent: as the model's layout says
    int beams = 1;                   ///< more than 1: beam search, no sampling
    double lengthPenalty = 1.0;      ///< beam search: score / length^penalty
    bool earlyStopping = false;      ///< beam search: stop as soon as there are `beams` finished texts
};

/// What the model itself asks for: where texts end, what never comes, what comes first and last.
GenerateOptions generateOptionsOf(const ModelLayout& layout);

struct Generation {
    std::vector<std::int32_t> ids;    ///< new tokens only, the stop token not among them
    double firstTokenSeconds = 0.0;   ///< prefill and first pick (beam search: the whole first step)
    std::vector<double> tokenSeconds; ///< each further token
    std::int64_t promptTokens = 0;
    std::int64_t reusedTokens = 0;    ///< of the prompt, already in the cache
    double score = 0.0;               ///< beam search: sum of log probabilities / length^penalty
    bool stopped = false;             ///< by a stop token or by the caller, not by maxTokens
};

/// Called for every new token; false ends the generation (stop strings, a person). Beam search knows its
/// tokens only in the end.
using TokenSink = std::function<bool(std::int32_t)>;

/// Continues one prompt. `onToken` may be empty.
Result<Generation> generate(Decoder& decoder, const std::vector<std::int32_t>& prompt,
                            const GenerateOptions& options, const TokenSink& onToken,
                            std::stop_token stop);
/// The same with a cache of one sequence that may hold the prompt's beginning from an earlier call
/// (`cached`: the ids it holds, brought up to date): what both have in common is not computed again.
/// The cache has room for prompt and new tokens. No beam search.
Result<Generation> generate(Decoder& decoder, const std::vector<std::int32_t>& prompt, KvCache& cache,
                            std::vector<std::int32_t>& cached, const GenerateOptions& options,
                            const TokenSink& onToken, std::stop_token stop);
/// Several prompts of any lengths at once; greedy, sampled or by beam search. Results in their order.
Result<std::vector<Generation>> generateBatch(Decoder& decoder,
                                              const std::vector<std::vector<std::int32_t>>& prompts,
                                              const GenerateOptions& options, std::stop_token stop);
/// Source texts to target texts.
Result<std::vector<Generation>> translate(Seq2Seq& model, const TokenBatch& sources,
                                          const GenerateOptions& options, std::stop_token stop);
Result<Generation> translate(Seq2Seq& model, const std::vector<std::int32_t>& source,
                             const GenerateOptions& options, const TokenSink& onToken,
                             std::stop_token stop);

}  // namespace pareto::models
