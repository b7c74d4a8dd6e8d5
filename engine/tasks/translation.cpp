#include "engine/tasks/translation.h"

#include <array>

#include "engine/metrics/bleu.h"
#include "engine/metrics/chrf.h"
#include "engine/tasks/task_data.h"
#include "engine/tasks/texts.h"

namespace pareto::tasks {

namespace {

constexpr std::array<std::string_view, 2> kRoles{"source", "target"};

std::string promptOf(const Task& task, const std::string& source) {
    return task.prompt.find("{source}") == std::string::npos
               ? task.prompt + source
               : fillTemplate(task.prompt, {{"source", source}});
}

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
    PARETO_TRY(const auto data, readDataRows(task, kRoles, progress, stop));
    std::vector<std::string> prompts;
    std::vector<std::vector<std::string>> references;
    for (const auto& row : data.rows) {
        prompts.push_back(promptOf(task, row.values[0]));
        references.push_back(textsOfCell(row.values[1]));
        if (references.back().empty()) {
            return data.invalid(row.line, "the target is empty");
        }
    }
    PARETO_TRY(const auto hypotheses, generateTexts(request, prompts, progress, stop));
    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = data.hash;
    for (std::size_t i = 0; i < hypotheses.size(); ++i) {
        result.items.push_back(itemOf(data.rows[i].row, hypotheses[i], references[i]));
    }
    measure(result, {"bleu", "chrf"});
    result.details = {{"rows_available", data.available}, {"beams", task.beams}};
    return result;
}

}  // namespace pareto::tasks
