#include "engine/tasks/generation.h"

#include <array>

#include "engine/metrics/rouge.h"
#include "engine/tasks/task_data.h"
#include "engine/tasks/texts.h"

namespace pareto::tasks {

namespace {

constexpr std::array<std::string_view, 2> kRoles{"text", "target"};

std::string templateFor(const EvalRequest& request) {
    const auto& prompt = request.task.prompt;
    if (!prompt.empty()) {
        // A prefix alone, as T5's tasks have ("summarize: ").
        return prompt.find("{text}") == std::string::npos ? prompt + "{text}" : prompt;
    }
    return request.model->decoder ? "{text}\nTL;DR:" : "{text}";
}

}  // namespace

Result<EvalResult> runGeneration(const EvalRequest& request, Progress& progress, std::stop_token stop) {
    const auto& task = request.task;
    PARETO_TRY(const auto data, readDataRows(task, kRoles, progress, stop));
    const auto prompt = templateFor(request);
    std::vector<std::string> prompts;
    std::vector<std::vector<std::string>> references;
    for (const auto& row : data.rows) {
        prompts.push_back(fillTemplate(prompt, {{"text", row.values[0]}}));
        references.push_back(textsOfCell(row.values[1]));
        if (references.back().empty()) {
            return data.invalid(row.line, "the target is empty");
        }
    }
    PARETO_TRY(const auto texts, generateTexts(request, prompts, progress, stop));
    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = data.hash;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto scores = metrics::rouge(references[i], texts[i]);
        result.items.push_back({data.rows[i].row, scores.rougeL.f1, -1, answerOf(texts[i]),
                                {scores.rouge1.f1, scores.rouge2.f1, scores.rougeL.f1}});
    }
    measure(result, {"rouge_l", "rouge_1", "rouge_2"});
    result.details = {{"rows_available", data.available}, {"prompt", prompt}, {"beams", task.beams}};
    return result;
}

}  // namespace pareto::tasks
