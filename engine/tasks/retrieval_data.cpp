#include "engine/tasks/retrieval_data.h"

#include <algorithm>

#include "engine/core/file_hash.h"
#include "engine/core/hash.h"
#include "engine/tasks/task_data.h"

namespace pareto::tasks {

namespace {

constexpr std::size_t kShort = 10;

}  // namespace

Result<RetrievalData> readRetrievalData(const Task& task, Progress& progress, std::stop_token stop) {
    RetrievalData data;
    data.split = task.split.empty() ? "test" : task.split;
    PARETO_TRY(data.files, io::beirFiles(task.data, data.split));
    Sha256 hash;
    for (const auto& file : {data.files.corpus, data.files.queries, data.files.qrels}) {
        PARETO_TRY(const auto one, hashFile(file, stop));
        hash.add(std::as_bytes(std::span(one)));
    }
    data.hash = hash.hex();
    PARETO_TRY(auto qrels, io::readBeirQrels(data.files.qrels, progress, stop));
    std::vector<Query> all;
    PARETO_CHECK(io::readBeirTexts(
        data.files.queries,
        [&](io::BeirText text) -> Status {
            if (const auto judged = qrels.find(text.id); judged != qrels.end()) {
                all.push_back({static_cast<std::int64_t>(all.size()), text.id, text.joined(),
                               std::move(judged->second)});
                qrels.erase(judged);
            }
            return Done{};
        },
        progress, stop));
    if (all.empty()) {
        return makeError(ErrorCode::DataEmpty, {{"file", data.files.queries}, {"split", data.split}});
    }
    data.available = static_cast<std::int64_t>(all.size());
    for (const auto index : drawnIndices(all.size(), task.limit, task.seed)) {
        data.queries.push_back(std::move(all[index]));
    }
    return data;
}

ItemResult rankingItem(const Query& query, const std::vector<metrics::ScoredDocument>& ranked) {
    const auto near = metrics::scoreRanking(ranked, query.judgements, kShort);
    const auto far = metrics::scoreRanking(ranked, query.judgements, kDepth);
    std::string answer;
    for (std::size_t i = 0; i < std::min(kShort, ranked.size()); ++i) {
        answer += (answer.empty() ? "" : " ") + ranked[i].id;
    }
    return {query.row, near.ndcg, -1, answerOf(std::move(answer)),
            {near.ndcg, near.reciprocal, near.recall, far.recall}};
}

void measureRankings(EvalResult& result) {
    measure(result, {"ndcg_10", "mrr_10", "recall_10", "recall_100"});
}

}  // namespace pareto::tasks
