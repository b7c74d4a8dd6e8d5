#include "engine/tasks/perplexity.h"

#include <cmath>
#include <numeric>

#include "engine/io/table.h"
#include "engine/records/measured.h"
#include "engine/stats/stats.h"
#include "engine/tasks/task_data.h"

namespace pareto::tasks {

namespace {

/// One window of the text: tokens [begin, begin + window), scored from `scoreFrom` (counted in the
/// window, ≥ 1) on.
struct Window {
    std::size_t begin = 0;
    std::size_t scoreFrom = 1;
};

struct Plan {
    std::vector<Window> windows;
    std::size_t available = 0;
    bool bosEachWindow = false;
};

bool startsWithBos(const text::Tokenizer& tokenizer) {
    const auto ids = tokenizer.encode("a").ids;
    return !ids.empty() && tokenizer.bosId() >= 0 && ids.front() == tokenizer.bosId();
}

Plan planWindows(const Task& task, std::size_t tokens, const text::Tokenizer& tokenizer) {
    const auto size = static_cast<std::size_t>(task.window);
    Plan plan;
    if (task.protocol == "strided") {
        const auto stride = std::max<std::size_t>(1, size / 2);
        for (std::size_t begin = 0; begin + size <= tokens; begin += stride) {
            plan.windows.push_back({begin, begin == 0 ? 1 : size - stride});
        }
    } else {
        const bool half = task.protocol == "llama.cpp";
        plan.bosEachWindow = half && startsWithBos(tokenizer);
        for (std::size_t begin = 0; begin + size <= tokens; begin += size) {
            plan.windows.push_back({begin, half ? size / 2 + 1 : 1});
        }
    }
    plan.available = plan.windows.size();
    if (task.limit > 0 && plan.windows.size() > static_cast<std::size_t>(task.limit)) {
        plan.windows.resize(static_cast<std::size_t>(task.limit));
    }
    return plan;
}

struct Score {
    double sum = 0.0;          ///< nats
    std::int64_t tokens = 0;
};

double perplexityOf(std::span<const double> drawn, const std::vector<Score>& scores) {
    double sum = 0.0;
    std::int64_t tokens = 0;
    for (const auto index : drawn) {
        const auto& score = scores[static_cast<std::size_t>(index)];
        sum += score.sum;
        tokens += score.tokens;
    }
    return std::exp(sum / static_cast<double>(tokens));
}

Result<std::vector<Score>> scoreWindows(const EvalRequest& request, const Plan& plan,
                                        const std::vector<std::int32_t>& ids, Progress& progress,
                                        std::stop_token stop) {
    const auto size = static_cast<std::size_t>(request.task.window);
    progress.begin(Stage::Evaluating, static_cast<std::int64_t>(plan.windows.size() * size),
                   Unit::Tokens);
    std::vector<Score> scores;
    for (const auto& window : plan.windows) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        const auto first = ids.begin() + static_cast<std::ptrdiff_t>(window.begin);
        std::vector<std::int32_t> tokens(first, first + static_cast<std::ptrdiff_t>(size));
        if (plan.bosEachWindow) {
            tokens.front() = request.tokenizer->bosId();
        }
        PARETO_TRY(const auto losses,
                   request.model->decoder->negativeLogLikelihoods(tokens, stop));
        Score score;
        for (std::size_t i = window.scoreFrom; i < size; ++i) {
            score.sum += static_cast<double>(losses[i - 1]);
            ++score.tokens;
        }
        if (!std::isfinite(score.sum)) {
            return makeError(ErrorCode::EngineFailure,
                             {{"where", "the evaluation"},
                              {"reason", "the model's likelihoods are not finite numbers"}});
        }
        scores.push_back(score);
        progress.advance(static_cast<std::int64_t>(size));
    }
    return scores;
}

}  // namespace

Result<EvalResult> runPerplexity(const EvalRequest& request, Progress& progress,
                                 std::stop_token stop) {
    const auto& task = request.task;
    progress.begin(Stage::Tokenizing);
    PARETO_TRY(const auto file, taskFile(task));
    PARETO_TRY(const auto text, io::readPlainText(file));
    PARETO_TRY(auto hash, hashFile(file, stop));
    const auto ids = request.tokenizer->encode(text).ids;
    if (stop.stop_requested()) {
        return Cancelled{};
    }
    const auto plan = planWindows(task, ids.size(), *request.tokenizer);
    if (plan.windows.empty()) {
        return makeError(ErrorCode::DataEmpty,
                         {{"file", file}, {"split", task.split.empty() ? "all" : task.split}},
                         std::to_string(ids.size()) + " tokens are fewer than one window of " +
                             std::to_string(task.window));
    }
    PARETO_TRY(const auto scores, scoreWindows(request, plan, ids, progress, stop));

    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = std::move(hash);
    std::vector<double> indices(scores.size());
    std::iota(indices.begin(), indices.end(), 0.0);
    const auto statistic = [&](std::span<const double> drawn) { return perplexityOf(drawn, scores); };
    const auto interval = stats::bootstrap(indices, statistic);
    std::int64_t tokens = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        tokens += scores[i].tokens;
        result.items.push_back({static_cast<std::int64_t>(i),
                                scores[i].sum / static_cast<double>(scores[i].tokens), -1});
    }
    result.measurements.push_back(measuredFrom("perplexity", statistic(indices), interval.low,
                                               interval.high,
                                               static_cast<std::int64_t>(scores.size())));
    result.details = {{"protocol", task.protocol},
                      {"window", task.window},
                      {"windows", scores.size()},
                      {"windows_available", plan.available},
                      {"tokens_scored", tokens},
                      {"tokens_of_text", ids.size()},
                      {"bos_each_window", plan.bosEachWindow},
                      {"bos_at_start", startsWithBos(*request.tokenizer)}};
    return result;
}

}  // namespace pareto::tasks
