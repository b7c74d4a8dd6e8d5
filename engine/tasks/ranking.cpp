#include <algorithm>
#include <filesystem>

#include "engine/tasks/batching.h"
#include "engine/tasks/retrieval.h"
#include "engine/tasks/retrieval_data.h"

namespace pareto::tasks {

namespace {

namespace fs = std::filesystem;

/// The documents that each query's candidates are, by query id.
Result<io::BeirQrels> readCandidates(const Task& task, const RetrievalData& data, Progress& progress,
                                     std::stop_token stop) {
    const auto file = (fs::path(task.data) / "candidates" / (data.split + ".tsv")).string();
    std::error_code ignored;
    if (fs::exists(file, ignored)) {
        return io::readBeirQrels(file, progress, stop);
    }
    io::BeirQrels judged;
    for (const auto& query : data.queries) {
        judged[query.id] = query.judgements;
    }
    return judged;
}

/// Texts of the documents that are candidates of a query; the rest of the corpus passes by.
Result<std::unordered_map<std::string, std::string>> readDocuments(
    const RetrievalData& data, const io::BeirQrels& candidates, Progress& progress,
    std::stop_token stop) {
    std::unordered_map<std::string, std::string> documents;
    for (const auto& query : data.queries) {
        if (const auto own = candidates.find(query.id); own != candidates.end()) {
            for (const auto& [id, grade] : own->second) {
                documents.emplace(id, std::string());
            }
        }
    }
    PARETO_CHECK(io::readBeirTexts(
        data.files.corpus,
        [&](io::BeirText text) -> Status {
            if (const auto wanted = documents.find(text.id); wanted != documents.end()) {
                wanted->second = text.joined();
            }
            return Done{};
        },
        progress, stop));
    return documents;
}

Result<std::vector<metrics::ScoredDocument>> order(
    const EvalRequest& request, const Query& query,
    const std::unordered_map<std::string, int>& candidates,
    const std::unordered_map<std::string, std::string>& documents, std::stop_token stop) {
    std::vector<metrics::ScoredDocument> ranked;
    for (const auto& [id, grade] : candidates) {
        ranked.push_back({id, 0.0F});
    }
    std::sort(ranked.begin(), ranked.end(), metrics::ranksBefore);
    std::vector<TextRow> pairs;
    for (const auto& document : ranked) {
        pairs.push_back({query.row, 0, query.text, documents.at(document.id), true, {}});
    }
    Progress part;
    PARETO_TRY(const auto sequences,
               tokenizeRows(pairs, {*request.tokenizer, request.task.maxLength}, part, stop));
    PARETO_TRY(const auto scores, encodeAll(*request.model->encoder, sequences, request.batchTokens,
                                            part, stop));
    for (std::size_t i = 0; i < ranked.size(); ++i) {
        ranked[i].score = scores.row(static_cast<std::int64_t>(i)).front();
    }
    metrics::rankDocuments(ranked);
    return ranked;
}

}  // namespace

Result<EvalResult> runRanking(const EvalRequest& request, Progress& progress, std::stop_token stop) {
    const auto& task = request.task;
    PARETO_TRY(const auto data, readRetrievalData(task, progress, stop));
    PARETO_TRY(const auto candidates, readCandidates(task, data, progress, stop));
    PARETO_TRY(const auto documents, readDocuments(data, candidates, progress, stop));
    progress.begin(Stage::Evaluating, static_cast<std::int64_t>(data.queries.size()), Unit::Samples);
    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = data.hash;
    const auto rank = [&](std::size_t number) -> Result<ItemResult> {
        const auto& query = data.queries[number];
        std::vector<metrics::ScoredDocument> ranked;
        if (const auto own = candidates.find(query.id); own != candidates.end()) {
            PARETO_TRY(ranked, order(request, query, own->second, documents, stop));
        }
        progress.advance(sizeOf(request.peers));
        return rankingItem(query, ranked);
    };
    PARETO_TRY(result.items, together<ItemResult>(request.peers, data.queries.size(), rank, stop));
    measureRankings(result);
    result.details = {{"documents", documents.size()}, {"queries_available", data.available}};
    return result;
}

}  // namespace pareto::tasks
