#include "engine/tasks/task_runner.h"

#include <array>
#include <chrono>
#include <cmath>

#include "engine/metrics/item_metrics.h"
#include "engine/tasks/answering.h"
#include "engine/tasks/choices.h"
#include "engine/tasks/classification.h"
#include "engine/tasks/dialogue.h"
#include "engine/tasks/fidelity.h"
#include "engine/tasks/generation.h"
#include "engine/tasks/perplexity.h"
#include "engine/tasks/retrieval.h"
#include "engine/tasks/similarity.h"
#include "engine/tasks/tagging.h"
#include "engine/tasks/translation.h"

namespace pareto::tasks {

namespace {

using Runner = Result<EvalResult> (*)(const EvalRequest&, Progress&, std::stop_token);

struct Entry {
    TaskKind kind;
    Runner run;
};

constexpr std::array kRunners{
    Entry{TaskKind::Classification, runClassification},
    Entry{TaskKind::TokenClassification, runTagging},
    Entry{TaskKind::MultipleChoice, runChoices},
    Entry{TaskKind::QuestionAnswering, runAnswering},
    Entry{TaskKind::Translation, runTranslation},
    Entry{TaskKind::Generation, runGeneration},
    Entry{TaskKind::Perplexity, runPerplexity},
    Entry{TaskKind::Dialogue, runDialogue},
    Entry{TaskKind::Fidelity, runFidelity},
    Entry{TaskKind::Similarity, runSimilarity},
    Entry{TaskKind::Retrieval, runRetrieval},
    Entry{TaskKind::Ranking, runRanking},
};

std::string nameOfTask(const Task& task) {
    return task.name.empty() ? std::string(nameOf(task.kind)) : task.name;
}

}  // namespace

void measure(EvalResult& result, std::initializer_list<std::string_view> keys) {
    for (const auto key : keys) {
        auto measurement = metrics::measureItems(key, result.items);
        if (std::isfinite(measurement.value) || result.measurements.empty()) {
            result.measurements.push_back(std::move(measurement));
        }
    }
}

std::string answerOf(std::string text) {
    if (text.size() > kMostAnswerBytes) {
        std::size_t end = kMostAnswerBytes;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
            --end;
        }
        text.resize(end);
    }
    return text;
}

Result<EvalResult> evaluate(const EvalRequest& request, Progress& progress, std::stop_token stop) {
    const auto& layout = request.model->model().layout();
    if (auto reason = whyUnfit(request.task, layout); !reason.empty()) {
        return makeError(ErrorCode::TaskUnfit, {{"task", nameOfTask(request.task)},
                                                {"model", layout.name},
                                                {"reason", std::move(reason)}});
    }
    for (const auto& entry : kRunners) {
        if (entry.kind != request.task.kind) {
            continue;
        }
        const auto start = std::chrono::steady_clock::now();
        auto result = entry.run(request, progress, stop);
        if (result.ok()) {
            result->seconds =
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        }
        return result;
    }
    return makeError(ErrorCode::TaskUnfit, {{"task", nameOfTask(request.task)},
                                            {"model", layout.name},
                                            {"reason", "no runner knows this kind of task"}});
}

}  // namespace pareto::tasks
