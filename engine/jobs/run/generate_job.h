#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/run/model_cache.h"

namespace pareto::jobs {

struct GenerateResult {
    std::string text;
    std::vector<std::int32_t> ids;       ///< new tokens only
    std::int64_t promptTokens = 0;
    double firstTokenMs = 0.0;
    double tokensPerSecond = 0.0;        ///< after the first; 0 when there is only one
};
Json toJson(const GenerateResult& result);

/// Continues the prompt (with `chat`: answers it, in ChatML). Each piece of text goes to the sink as
/// {"text": "…"} as soon as it is certain.
Result<GenerateResult> runGenerate(ModelCache& cache, const GenerateParams& params,
                                   Progress& progress, std::stop_token stop, RunSink& sink);

}  // namespace pareto::jobs
