#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/run/model_cache.h"

namespace pareto::jobs {

struct Classification {
    std::string label;
    std::vector<double> scores;         ///< softmax over the classes
};
struct ClassifyResult {
    std::vector<std::string> labels;    ///< names of the classes
    std::vector<Classification> items;  ///< one a text
};
/// {"label", "scores"} of the first text, {"items": […]} of all.
Json toJson(const ClassifyResult& result);
Result<ClassifyResult> runClassify(ModelCache& cache, const TextParams& params, Progress& progress,
                                   std::stop_token stop);

struct EmbedResult {
    std::vector<std::vector<float>> vectors;  ///< one a text
};
/// {"vector"} of the first text, {"vectors"} of all.
Json toJson(const EmbedResult& result);
Result<EmbedResult> runEmbed(ModelCache& cache, const TextParams& params, Progress& progress,
                             std::stop_token stop);

}  // namespace pareto::jobs
