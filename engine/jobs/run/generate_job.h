#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/run/model_cache.h"
#include "engine/models/speculative.h"

namespace pareto::jobs {

struct GenerateResult {
    std::string text;
    std::vector<std::int32_t> ids;       ///< new tokens only
    std::int64_t promptTokens = 0;
    std::int64_t reusedTokens = 0;       ///< of the prompt, still held from the turn before
    double firstTokenMs = 0.0;
    double tokensPerSecond = 0.0;        ///< after the first; 0 when there is only one
    bool stopped = false;                ///< by a stop token or a stop text, not by max_tokens
    std::optional<models::SpeculativeFigures> draft;
};
Json toJson(const GenerateResult& result);

/// Continues the prompt, or answers the turns of a dialogue; an encoder-decoder model answers the
/// prompt. Each piece of text goes to the sink as {"text": "…", "tokens_per_s": …} as soon as it is
/// certain. What a decoder computed for a prompt is kept with its model: the next turn of the same
/// dialogue begins where it ended. A draft is kept ready in the same way, with a cache of its own.
Result<GenerateResult> runGenerate(ModelCache& cache, const GenerateParams& params,
                                   Progress& progress, std::stop_token stop, RunSink& sink);

}  // namespace pareto::jobs
