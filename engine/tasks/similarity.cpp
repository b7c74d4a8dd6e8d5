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

}  // namespace

Result<EvalResult> runSimilarity(const EvalRequest& request, Progress& progress, std::stop_token stop) {
    const auto& task = request.task;
    PARETO_TRY(const auto data, readDataRows(task, kRoles, progress, stop));
    std::vector<double> scores;
    std::vector<TextRow> texts;  // first and second of each pair, one behind the other
    for (const auto& row : data.rows) {
        PARETO_TRY(const double score, scoreOf(row, data));
        scores.push_back(score);
        for (const std::size_t side : {0, 1}) {
            texts.push_back({row.row, row.line, row.values[side], {}, false, {}});
        }
    }
    PARETO_TRY(const auto sequences,
               tokenizeRows(texts, {*request.tokenizer, task.maxLength}, progress, stop));
    PARETO_TRY(const auto embeddings, encodeAll(*request.model->encoder, sequences,
                                                request.batchTokens, progress, stop));
    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = data.hash;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const auto first = static_cast<std::int64_t>(2 * i);
        const double similarity = cosine(embeddings.row(first), embeddings.row(first + 1));
        result.items.push_back({data.rows[i].row, similarity, -1, {}, {similarity, scores[i]}});
    }
    measure(result, {"similarity_spearman", "similarity_pearson"});
    result.details = {{"rows_available", data.available}, {"width", embeddings.cols}};
    return result;
}

}  // namespace pareto::tasks
