#include "engine/tasks/translation.h"

#include "engine/metrics/bleu.h"
#include "engine/metrics/chrf.h"
#include "engine/tasks/texts.h"

namespace pareto::tasks {

namespace {

/// The score of one sentence is its BLEU over the orders it has; the corpus's is of the summed parts.
ItemResult itemOf(std::int64_t row, const std::string& hypothesis,
                  const std::vector<std::string>& references) {
    const auto words = metrics::bleuRow(hypothesis, references);
    const auto characters = metrics::chrfRow(hypothesis, references);
    ItemResult item{row, metrics::bleu(words, true), -1, answerOf(hypothesis), {words.begin(), words.end()}};
    item.parts.insert(item.parts.end(), characters.begin(), characters.end());
    return item;
}

}  // namespace

Result<EvalResult> runTranslation(const EvalRequest& request, Progress& progress, std::stop_token stop) {
    const auto& task = request.task;
    PARETO_TRY(const auto data, readPromptedTexts(task, ModelKind::Seq2Seq, progress, stop));
    PARETO_TRY(const auto hypotheses, generateTexts(request, data, progress, stop));
    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = data.hash;
    for (std::size_t i = 0; i < hypotheses.size(); ++i) {
        result.items.push_back(itemOf(data.list[i].row, hypotheses[i], data.list[i].references));
    }
    measure(result, {"bleu", "chrf"});
    result.details = {{"rows_available", data.available}, {"beams", task.beams}};
    return result;
}

}  // namespace pareto::tasks
