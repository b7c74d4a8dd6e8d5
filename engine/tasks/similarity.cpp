#include "engine/tasks/similarity.h"

#include <array>
#include <charconv>
#include <cmath>

#include "engine/tasks/batching.h"
#include "engine/tasks/task_data.h"

namespace pareto::tasks {

namespace {

constexpr std::array<std::string_view, 3> kRoles{"text", "pair", "score"};

Result<double> scoreOf(const DataRow& row, const DataRows& data) {
    const auto& cell = row.values[2];
    double score = 0.0;
    const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), score);
    if (problem != std::errc{} || end != cell.data() + cell.size() || !std::isfinite(score)) {
        return data.invalid(row.line, "the score '" + cell + "' is not a number");
    }
    return score;
}

/// The two texts of each pair as one row, or one behind the other.
std::vector<TextRow> textsOf(const ScoredPairs& pairs, bool together) {
    std::vector<TextRow> texts;
    for (const auto& pair : pairs.list) {
        if (together) {
            texts.push_back({pair.row, pair.line, pair.first, pair.second, true, {}});
            continue;
        }
        for (const auto* text : {&pair.first, &pair.second}) {
            texts.push_back({pair.row, pair.line, *text, {}, false, {}});
        }
    }
    return texts;
}

}  // namespace

Result<ScoredPairs> readScoredPairs(const Task& task, Progress& progress, std::stop_token stop) {
    PARETO_TRY(auto data, readDataRows(task, kRoles, progress, std::move(stop)));
    ScoredPairs out{data.hash, data.available, {}};
    for (auto& row : data.rows) {
        PARETO_TRY(const double score, scoreOf(row, data));
        out.list.push_back({row.row, row.line, std::move(row.values[0]), std::move(row.values[1]), score});
    }
    return out;
}

Result<EvalResult> runSimilarity(const EvalRequest& request, Progress& progress, std::stop_token stop) {
    const auto& task = request.task;
    const bool together = request.model->encoder->layout().isClassifier();
    PARETO_TRY(const auto data, readScoredPairs(task, progress, stop));
    PARETO_TRY(const auto sequences,
               tokenizeRows(textsOf(data, together), {*request.tokenizer, task.maxLength}, progress, stop));
    PARETO_TRY(const auto outputs, encodeAll(*request.model->encoder, sequences,
                                             request.batchTokens, progress, stop, request.peers));
    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = data.hash;
    for (std::size_t i = 0; i < data.list.size(); ++i) {
        const auto at = static_cast<std::int64_t>(i);
        const double similarity = together ? static_cast<double>(outputs.row(at)[0])
                                           : cosine(outputs.row(2 * at), outputs.row(2 * at + 1));
        result.items.push_back({data.list[i].row, similarity, -1, {}, {similarity, data.list[i].score}});
    }
    measure(result, {"similarity_spearman", "similarity_pearson"});
    result.details = {{"rows_available", data.available}, {"width", outputs.cols}};
    return result;
}

}  // namespace pareto::tasks
