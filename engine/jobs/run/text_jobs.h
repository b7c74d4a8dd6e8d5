#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/run/model_cache.h"

namespace pareto::jobs {

struct Classification {
    std::string label;
    std::vector<double>
        scores;  ///< softmax over the classes; sigmoid of each where they do not exclude each other
    std::optional<double> score;  ///< of a model with one output: its value (regression, ranking)
    std::vector<std::string>
        chosen;  ///< classes above one half where they do not exclude each other
};
struct ClassifyResult {
    std::vector<std::string> labels;    ///< names of the classes
    std::vector<Classification> items;  ///< one a text
    bool severalClasses = false;        ///< a text may have several
};
/// {"label", "scores"} of the first text, {"items": […]} of all; items of models with one output have
/// "score", too, and where classes do not exclude each other "labels".
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
