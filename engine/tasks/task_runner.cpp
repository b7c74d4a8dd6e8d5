#include "engine/tasks/task_runner.h"

#include <array>
#include <chrono>

#include "engine/tasks/classification.h"
#include "engine/tasks/fidelity.h"
#include "engine/tasks/perplexity.h"

namespace pareto::tasks {

namespace {

using Runner = Result<EvalResult> (*)(const EvalRequest&, Progress&, std::stop_token);

struct Entry {
    TaskKind kind;
    Runner run;
};

constexpr std::array kRunners{
    Entry{TaskKind::Classification, runClassification},
    Entry{TaskKind::Perplexity, runPerplexity},
    Entry{TaskKind::Fidelity, runFidelity},
};

std::string nameOfTask(const Task& task) {
    return task.name.empty() ? std::string(nameOf(task.kind)) : task.name;
}

}  // namespace

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
