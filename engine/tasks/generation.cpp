#include "engine/tasks/generation.h"

#include "engine/metrics/rouge.h"
#include "engine/tasks/texts.h"

namespace pareto::tasks {

Result<EvalResult> runGeneration(const EvalRequest& request, Progress& progress, std::stop_token stop) {
    const auto& task = request.task;
    PARETO_TRY(const auto data,
               readPromptedTexts(task, request.model->model().layout().kind(), progress, stop));
    PARETO_TRY(const auto texts, generateTexts(request, data, progress, stop));
    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = data.hash;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto scores = metrics::rouge(data.list[i].references, texts[i]);
        result.items.push_back({data.list[i].row, scores.rougeL.f1, -1, answerOf(texts[i]),
                                {scores.rouge1.f1, scores.rouge2.f1, scores.rougeL.f1}});
    }
    measure(result, {"rouge_l", "rouge_1", "rouge_2"});
    result.details = {{"rows_available", data.available}, {"prompt", data.pattern}, {"beams", task.beams}};
    return result;
}

}  // namespace pareto::tasks
