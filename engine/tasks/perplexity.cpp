#include "engine/tasks/perplexity.h"

#include <cmath>

#include "engine/tasks/windows.h"

namespace pareto::tasks {

namespace {

/// One item a window: mean loss, and its parts.
Result<std::vector<ItemResult>> scoreWindows(const EvalRequest& request, const WindowedText& text,
                                             Progress& progress, std::stop_token stop) {
    const auto size = static_cast<std::size_t>(request.task.window);
    progress.begin(Stage::Evaluating, static_cast<std::int64_t>(text.windows.size() * size),
                   Unit::Tokens);
    const auto score = [&](std::size_t number) -> Result<ItemResult> {
        const auto& window = text.windows[number];
        PARETO_TRY(const auto losses,
                   request.model->decoder->negativeLogLikelihoods(text.tokens(window), stop));
        double nats = 0.0;
        for (std::size_t i = window.scoreFrom; i < size; ++i) {
            nats += static_cast<double>(losses[i - 1]);
        }
        if (!std::isfinite(nats)) {
            return makeError(ErrorCode::EngineFailure,
                             {{"where", "the evaluation"},
                              {"reason", "the model's likelihoods are not finite numbers"}});
        }
        const auto scored = static_cast<double>(size - window.scoreFrom);
        progress.advance(static_cast<std::int64_t>(size) * sizeOf(request.peers));
        return ItemResult{static_cast<std::int64_t>(number), nats / scored, -1, {}, {nats, scored}};
    };
    return together<ItemResult>(request.peers, text.windows.size(), score, stop);
}

}  // namespace

Result<EvalResult> runPerplexity(const EvalRequest& request, Progress& progress,
                                 std::stop_token stop) {
    const auto& task = request.task;
    PARETO_TRY(const auto text, windowText(task, *request.tokenizer, progress, stop));
    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = text.hash;
    PARETO_TRY(result.items, scoreWindows(request, text, progress, stop));
    measure(result, {"perplexity"});
    result.details = text.details(task, *request.tokenizer);
    return result;
}

}  // namespace pareto::tasks
