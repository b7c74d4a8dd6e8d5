#pragma once

#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// Retrieval over a corpus in BEIR's layout: each query's documents in the order of the cosines of
/// embeddings, equal ones as trec_eval orders them. Documents pass by in chunks: of a corpus of any size
/// a thousand documents, the queries' vectors and 100 ids a query are held. A document with the query's
/// own id is not counted, as BEIR does.
Result<EvalResult> runRetrieval(const EvalRequest& request, Progress& progress, std::stop_token stop);

/// The same figures for a cross-encoder that orders given candidates by its score of (query, document):
/// those of candidates/<split>.tsv in the folder (query-id, corpus-id and a number that is not used,
/// between tabs), where there is none the query's judged documents.
Result<EvalResult> runRanking(const EvalRequest& request, Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
