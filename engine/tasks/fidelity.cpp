#include "engine/tasks/fidelity.h"

#include <cmath>
#include <numeric>
#include <set>

#include "engine/core/random.h"
#include "engine/records/measured.h"
#include "engine/stats/stats.h"
#include "engine/tasks/batching.h"
#include "engine/tasks/divergence.h"
#include "engine/tasks/task_data.h"

namespace pareto::tasks {

namespace {

constexpr int kSpearmanResamples = 500;

struct Pair {
    std::size_t first = 0;
    std::size_t second = 0;
    double before = 0.0;  ///< similarity under the untouched model
    double after = 0.0;
};

/// Every pair of n texts, or kMaxPairs different ones drawn with the seed.
std::vector<Pair> drawPairs(std::size_t n, std::uint64_t seed) {
    std::vector<Pair> pairs;
    if (n * (n - 1) / 2 <= kMaxPairs) {
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = i + 1; j < n; ++j) {
                pairs.push_back({i, j});
            }
        }
        return pairs;
    }
    RandomStream random(seed, "task.pairs");
    std::set<std::pair<std::size_t, std::size_t>> drawn;
    while (drawn.size() < kMaxPairs) {
        const auto i = static_cast<std::size_t>(random.below(n));
        const auto j = static_cast<std::size_t>(random.below(n));
        if (i != j) {
            drawn.insert({std::min(i, j), std::max(i, j)});
        }
    }
    for (const auto& [i, j] : drawn) {
        pairs.push_back({i, j});
    }
    return pairs;
}

/// Spearman's correlation with each text counted as often as it was drawn; a pair counts the product.
double spearmanOf(std::span<const double> drawn, const std::vector<Pair>& pairs, std::size_t n) {
    std::vector<int> times(n, 0);
    for (const auto index : drawn) {
        ++times[static_cast<std::size_t>(index)];
    }
    std::vector<double> before;
    std::vector<double> after;
    for (const auto& pair : pairs) {
        for (int k = times[pair.first] * times[pair.second]; k > 0; --k) {
            before.push_back(pair.before);
            after.push_back(pair.after);
        }
    }
    return before.size() < 2 ? std::nan("") : stats::spearman(before, after);
}

/// Absent where the correlation is not defined: fewer than three texts, or all similarities equal.
std::optional<Measurement> spearmanMeasurement(const models::Matrix& before,
                                               const models::Matrix& after, std::uint64_t seed) {
    const auto n = static_cast<std::size_t>(before.rows);
    if (n < 3) {
        return std::nullopt;
    }
    auto pairs = drawPairs(n, seed);
    for (auto& pair : pairs) {
        const auto i = static_cast<std::int64_t>(pair.first);
        const auto j = static_cast<std::int64_t>(pair.second);
        pair.before = cosine(before.row(i), before.row(j));
        pair.after = cosine(after.row(i), after.row(j));
    }
    std::vector<double> indices(n);
    std::iota(indices.begin(), indices.end(), 0.0);
    const auto value = spearmanOf(indices, pairs, n);
    if (std::isnan(value)) {
        return std::nullopt;
    }
    // A resample may hold too few different pairs for a correlation; it then says nothing new.
    const auto statistic = [&](std::span<const double> drawn) {
        const auto resampled = spearmanOf(drawn, pairs, n);
        return std::isnan(resampled) ? value : resampled;
    };
    const auto interval =
        stats::bootstrap(indices, statistic, {.resamples = kSpearmanResamples, .seed = seed});
    return Measurement{"fidelity_spearman", value, interval.low, interval.high,
                       static_cast<std::int64_t>(pairs.size())};
}

}  // namespace

Result<EvalResult> runFidelity(const EvalRequest& request, Progress& progress,
                               std::stop_token stop) {
    if (request.model->decoder) {
        return runDivergence(request, progress, stop);
    }
    const auto& task = request.task;
    PARETO_TRY(const auto data, readTaskRows(task, false, progress, stop));
    PARETO_TRY(const auto sequences,
               tokenizeRows(data.rows, {*request.tokenizer, task.maxLength}, progress, stop));
    PARETO_TRY(const auto after, encodeAll(*request.model->encoder, sequences,
                                           request.batchTokens, progress, stop, request.peers));
    models::Matrix before;
    if (request.original != nullptr) {
        PARETO_TRY(before, encodeAll(*request.original->encoder, sequences, request.batchTokens,
                                     progress, stop, request.peers));
    } else {
        before = after;
    }
    if (before.cols != after.cols) {
        return makeError(ErrorCode::TaskUnfit,
                         {{"task", task.name},
                          {"model", request.model->model().layout().name},
                          {"reason", "its embeddings have another width than the original's"}});
    }
    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = data.hash;
    std::vector<double> cosines;
    for (std::int64_t i = 0; i < after.rows; ++i) {
        cosines.push_back(cosine(before.row(i), after.row(i)));
        result.items.push_back({data.rows[static_cast<std::size_t>(i)].row, cosines.back(), -1});
    }
    const auto interval = stats::bootstrapMean(cosines);
    result.measurements.push_back(measuredFrom("fidelity_cosine", stats::mean(cosines), interval.low,
                                               interval.high,
                                               static_cast<std::int64_t>(cosines.size())));
    if (const auto spearman = spearmanMeasurement(before, after, task.seed)) {
        result.measurements.push_back(*spearman);
    }
    result.details = {{"texts", after.rows},
                      {"rows_available", data.available},
                      {"width", after.cols},
                      {"cosine_worst", stats::quantile(cosines, 0.0)},
                      {"cosine_p05", stats::quantile(cosines, 0.05)}};
    return result;
}

}  // namespace pareto::tasks
