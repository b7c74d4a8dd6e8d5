#pragma once

#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// Sentence similarity: Spearman's correlation (headline) of the cosine of two texts' embeddings with the
/// score that people gave the pair, and Pearson's (STS-B and its kin; any scale).
Result<EvalResult> runSimilarity(const EvalRequest& request, Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
