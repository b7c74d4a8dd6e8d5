#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// Sentence similarity: Spearman's correlation (headline) of the cosine of two texts' embeddings with the
/// score that people gave the pair, and Pearson's (STS-B and its kin; any scale). A classifier with one class reads both
/// texts at once, and its output stands in the cosine's place.
Result<EvalResult> runSimilarity(const EvalRequest& request, Progress& progress, std::stop_token stop);

struct ScoredPair {
    std::int64_t row = 0;
    std::int64_t line = 0;  ///< in the file, for messages
    std::string first;
    std::string second;
    double score = 0.0;
};
struct ScoredPairs {
    std::string hash;            ///< SHA-256 of the file's bytes
    std::int64_t available = 0;  ///< before `limit`
    std::vector<ScoredPair> list;
};
/// Rows of the task's split. Errors of readDataRows, DataRowInvalid for a score that is no number.
Result<ScoredPairs> readScoredPairs(const Task& task, Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
