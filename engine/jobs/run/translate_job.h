#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/run/model_cache.h"

namespace pareto::jobs {

struct Translation {
    std::string text;
    std::int64_t sourceTokens = 0;
    std::int64_t tokens = 0;        ///< of the translation
    double score = 0.0;             ///< beam search: sum of log probabilities / length^penalty
};
struct TranslateResult {
    std::vector<Translation> items;  ///< one a text
    double seconds = 0.0;            ///< encoding and generating, all texts
    double tokensPerSecond = 0.0;    ///< of the translations
};
/// {"text"} of the first text, {"items": […]} of all.
Json toJson(const TranslateResult& result);

/// Encoder-decoder models: every text to its translation, in batches of similar lengths. Each goes to
/// the sink as {"item": i, "text": "…", "tokens_per_s": …} once it is there; a single text without beams
/// in pieces.
Result<TranslateResult> runTranslate(ModelCache& cache, const TranslateParams& params,
                                     Progress& progress, std::stop_token stop, RunSink& sink);

}  // namespace pareto::jobs
