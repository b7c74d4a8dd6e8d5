#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/io/beir.h"
#include "engine/metrics/ranking.h"
#include "engine/spec/task.h"
#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

struct Query {
    std::int64_t row = 0;  ///< position among the judged queries of queries.jsonl
    std::string id;
    std::string text;
    metrics::Judgements judgements;
};

/// What retrieval and ranking share: a BEIR folder's queries of one split.
struct RetrievalData {
    io::BeirFiles files;
    std::string split;
    std::string hash;             ///< of all three files
    std::int64_t available = 0;   ///< queries before `limit`
    std::vector<Query> queries;
};
/// Queries that the split ("test" where the task says none) judges, `limit` of them drawn. DataEmpty;
/// errors of the files.
Result<RetrievalData> readRetrievalData(const Task& task, Progress& progress, std::stop_token stop);

/// Depth of the rankings that are kept.
inline constexpr std::size_t kDepth = 100;
/// One item a query, from its documents in the order of metrics::rankDocuments: nDCG@10 is its score, the
/// first ten ids its answer.
ItemResult rankingItem(const Query& query, const std::vector<metrics::ScoredDocument>& ranked);
/// nDCG@10 (headline), MRR@10, recall@10 and recall@100 of the items.
void measureRankings(EvalResult& result);

}  // namespace pareto::tasks
