#include "engine/tasks/divergence.h"

#include "engine/metrics/likelihood.h"
#include "engine/tasks/batching.h"
#include "engine/tasks/windows.h"

namespace pareto::tasks {

namespace {

/// KL sum, tokens with the same top token, tokens: over the predictions of the tokens that are scored.
Result<std::vector<double>> compare(const models::Matrix& original, const models::Matrix& changed,
                                    const Window& window) {
    PARETO_CHECK(checkFinite(original));
    PARETO_CHECK(checkFinite(changed));
    std::vector<double> parts(3, 0.0);
    for (auto i = static_cast<std::int64_t>(window.scoreFrom) - 1; i + 1 < changed.rows; ++i) {
        parts[0] += metrics::klDivergence(original.row(i), changed.row(i));
        parts[1] += metrics::indexOfLargest(original.row(i)) == metrics::indexOfLargest(changed.row(i))
                        ? 1.0
                        : 0.0;
        parts[2] += 1.0;
    }
    return parts;
}

Error otherVocabulary(const EvalRequest& request) {
    return makeError(ErrorCode::TaskUnfit,
                     {{"task", request.task.name},
                      {"model", request.model->model().layout().name},
                      {"reason", "its vocabulary has another size than the original's"}});
}

}  // namespace

Result<EvalResult> runDivergence(const EvalRequest& request, Progress& progress, std::stop_token stop) {
    const auto& task = request.task;
    PARETO_TRY(const auto text, windowText(task, *request.tokenizer, progress, stop));
    progress.begin(Stage::Evaluating, static_cast<std::int64_t>(text.windows.size() * text.size),
                   Unit::Tokens);
    EvalResult result;
    result.metric = "kl_divergence";
    result.dataHash = text.hash;
    const auto compared = [&](std::size_t number) -> Result<ItemResult> {
        const auto& window = text.windows[number];
        const auto ids = text.tokens(window);
        PARETO_TRY(const auto changed, request.model->decoder->logits(ids, stop));
        models::Matrix untouched;
        if (request.original != nullptr) {
            PARETO_TRY(untouched, request.original->decoder->logits(ids, stop));
        }
        const auto& original = request.original != nullptr ? untouched : changed;
        if (original.cols != changed.cols) {
            return otherVocabulary(request);
        }
        PARETO_TRY(auto parts, compare(original, changed, window));
        const double mean = parts[0] / parts[2];
        progress.advance(static_cast<std::int64_t>(text.size) * sizeOf(request.peers));
        return ItemResult{static_cast<std::int64_t>(number), mean, -1, {}, std::move(parts)};
    };
    PARETO_TRY(result.items, together<ItemResult>(request.peers, text.windows.size(), compared, stop));
    measure(result, {"kl_divergence", "top1_agreement"});
    result.details = text.details(task, *request.tokenizer);
    return result;
}

}  // namespace pareto::tasks
