#include "engine/jobs/run/validation.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "engine/metrics/classes.h"
#include "engine/metrics/entities.h"
#include "engine/metrics/likelihood.h"
#include "engine/stats/stats.h"
#include "engine/tasks/answering.h"
#include "engine/tasks/batching.h"
#include "engine/tasks/token_batches.h"

namespace pareto::jobs {
namespace {

using train::Example;
using train::Objective;
using train::Validated;

constexpr std::int64_t kBatchTokens = 4096;
constexpr std::size_t kMostWindows = 64;   ///< that validate a decoder
constexpr std::size_t kMostTargets = 512;  ///< that validate an encoder-decoder model

/// Who validates: a model on some rows.
struct Validation {
    const std::vector<Example>& examples;
    models::DeviceOptions options;
    Progress& progress;
    tasks::Peers* peers = nullptr;
};

/// The texts of all examples; of pairs one behind the other.
std::vector<text::TokenSequence> sequencesOf(const std::vector<Example>& examples) {
    std::vector<text::TokenSequence> out;
    for (const auto& example : examples) {
        text::TokenSequence sequence;
        sequence.ids = example.ids;
        sequence.typeIds = example.typeIds;
        out.push_back(std::move(sequence));
        if (!example.pair.empty()) {
            out.emplace_back().ids = example.pair;
        }
    }
    return out;
}

/// The outputs of an encoder for every text.
Result<models::Matrix> outputsOf(const Validation& by, const LoadedModel& model, const std::stop_token& stop) {
    PARETO_TRY(const auto ready, models::prepareModel(model, by.options, by.progress, stop));
    return tasks::encodeAll(*ready.encoder, sequencesOf(by.examples), kBatchTokens, by.progress, stop, by.peers);
}

Result<Validated> accuracyOf(const Validation& by, const LoadedModel& model, const std::stop_token& stop) {
    PARETO_TRY(const auto logits, outputsOf(by, model, stop));
    const auto& classes = model.layout.labels;
    metrics::Confusion confusion(classes.size());
    for (std::size_t i = 0; i < by.examples.size(); ++i) {
        confusion.add(static_cast<std::size_t>(by.examples[i].label),
                      metrics::indexOfLargest(logits.row(static_cast<std::int64_t>(i))));
    }
    Validated out{"accuracy", metrics::accuracy(confusion), true};
    if (classes.size() <= kMostConfusionClasses) {
        out.confusion = ConfusionMatrix{classes, confusion.rows()};
    }
    return out;
}

/// Of parts that each answer the sum of their tokens' negative log likelihoods and how many those are.
template <typename One>
Result<Validated> perplexityOfParts(const Validation& by, std::size_t parts, const One& one, const std::stop_token& stop) {
    by.progress.begin(Stage::Evaluating, static_cast<std::int64_t>(parts), Unit::Samples);
    const auto measured = [&](std::size_t i) -> Result<ItemResult> {
        by.progress.advance(tasks::sizeOf(by.peers));
        return one(by.examples[i]);
    };
    PARETO_TRY(const auto all, tasks::together<ItemResult>(by.peers, parts, measured, stop));
    double row[]{0.0, 0.0};
    for (const auto& part : all) {
        if (part.parts.size() != 2) {
            return tasks::unequalParts();
        }
        row[0] += part.parts[0];
        row[1] += part.parts[1];
    }
    row[1] = std::max(1.0, row[1]);
    return Validated{"perplexity", metrics::perplexity(row), false};
}

Result<Validated> perplexityOf(const Validation& by, const LoadedModel& model, const std::stop_token& stop) {
    PARETO_TRY(const auto ready, models::prepareModel(model, by.options, by.progress, stop));
    const auto measured = [&](const Example& example) -> Result<ItemResult> {
        PARETO_TRY(const auto losses, ready.decoder->negativeLogLikelihoods(example.ids, stop));
        return ItemResult{0, 0.0, -1, {}, {std::accumulate(losses.begin(), losses.end(), 0.0), static_cast<double>(losses.size())}};
    };
    return perplexityOfParts(by, std::min(by.examples.size(), kMostWindows), measured, stop);
}

/// −ln of a token's share of the softmax.
double nats(std::span<const float> logits, std::int32_t token) {
    const double largest = *std::max_element(logits.begin(), logits.end());
    double sum = 0.0;
    for (const float logit : logits) {
        sum += std::exp(static_cast<double>(logit) - largest);
    }
    return std::log(sum) + largest - static_cast<double>(logits[static_cast<std::size_t>(token)]);
}

/// With teacher forcing.
Result<Validated> targetPerplexityOf(const Validation& by, const LoadedModel& model, const std::stop_token& stop) {
    PARETO_TRY(const auto ready, models::prepareModel(model, by.options, by.progress, stop));
    const auto measured = [&](const Example& example) -> Result<ItemResult> {
        double sum = 0.0;
        PARETO_TRY(const auto logits, ready.seq2seq->logits(example.ids, decoderInput(example, model.layout.decoderStartId), stop));
        for (std::int64_t row = 0; row < logits.rows; ++row) {
            sum += nats(logits.row(row), example.target[static_cast<std::size_t>(row)]);
        }
        return ItemResult{0, 0.0, -1, {}, {sum, static_cast<double>(logits.rows)}};
    };
    return perplexityOfParts(by, std::min(by.examples.size(), kMostTargets), measured, stop);
}

/// F1 of the entities among the words that are within the length.
Result<Validated> entitiesOf(const Validation& by, const LoadedModel& model, const std::stop_token& stop) {
    PARETO_TRY(const auto ready, models::prepareModel(model, by.options, by.progress, stop));
    std::vector<std::vector<std::int32_t>> wanted;
    for (const auto& example : by.examples) {
        auto& own = wanted.emplace_back();
        for (std::size_t i = 0; i < example.tokenLabels.size(); ++i) {
            if (example.tokenLabels[i] >= 0) {
                own.push_back(static_cast<std::int32_t>(i));
            }
        }
    }
    PARETO_TRY(const auto logits, tasks::encodeTokens(*ready.encoder, sequencesOf(by.examples), wanted, kBatchTokens,
                                                      by.progress, stop, by.peers));
    const auto& labels = model.layout.labels;
    metrics::EntityCounts all;
    for (std::size_t i = 0; i < by.examples.size(); ++i) {
        std::vector<std::string> expected;
        std::vector<std::string> predicted;
        for (std::size_t w = 0; w < wanted[i].size(); ++w) {
            const auto token = static_cast<std::size_t>(wanted[i][w]);
            expected.push_back(labels[static_cast<std::size_t>(by.examples[i].tokenLabels[token])]);
            predicted.push_back(labels[metrics::indexOfLargest(logits[i].row(static_cast<std::int64_t>(w)))]);
        }
        for (const auto& [type, counts] : metrics::countEntities(expected, predicted)) {
            all += counts;
        }
    }
    return Validated{"entity_f1", all.f1(), true};
}

/// Of what a model says of pairs, or of the cosines of their vectors, with the scores that were given.
Result<Validated> correlationOf(const Validation& by, const LoadedModel& model, const std::stop_token& stop) {
    PARETO_TRY(const auto outputs, outputsOf(by, model, stop));
    std::vector<double> said;
    std::vector<double> given;
    for (std::size_t i = 0; i < by.examples.size(); ++i) {
        const auto at = static_cast<std::int64_t>(i);
        said.push_back(by.examples[i].pair.empty() ? static_cast<double>(outputs.row(at)[0])
                                                   : tasks::cosine(outputs.row(2 * at), outputs.row(2 * at + 1)));
        given.push_back(static_cast<double>(by.examples[i].score));
    }
    const double found = stats::spearman(said, given);
    return Validated{"similarity_spearman", std::isfinite(found) ? found : 0.0, true};  // 0: all are one
}

/// The likeliest start and end of an answer among a text's tokens, [tokens][2].
std::pair<std::int32_t, std::int32_t> likeliestSpan(const models::Matrix& logits) {
    constexpr auto kLongest = static_cast<std::int64_t>(tasks::kLongestAnswer);
    std::pair<std::int32_t, std::int32_t> best{0, 0};
    float highest = logits.row(0)[0] + logits.row(0)[1];
    for (std::int64_t start = 1; start < logits.rows; ++start) {
        for (std::int64_t end = start; end < std::min(logits.rows, start + kLongest); ++end) {
            const float score = logits.row(start)[0] + logits.row(end)[1];
            if (score > highest) {
                highest = score;
                best = {static_cast<std::int32_t>(start), static_cast<std::int32_t>(end)};
            }
        }
    }
    return best;
}

/// Share of the windows whose answer, or that there is none, is found to the token.
Result<Validated> exactMatchOf(const Validation& by, const LoadedModel& model, const std::stop_token& stop) {
    PARETO_TRY(const auto ready, models::prepareModel(model, by.options, by.progress, stop));
    PARETO_TRY(const auto logits,
               tasks::encodeTokens(*ready.encoder, sequencesOf(by.examples), {}, kBatchTokens, by.progress, stop, by.peers));
    std::int64_t right = 0;
    for (std::size_t i = 0; i < by.examples.size(); ++i) {
        right += likeliestSpan(logits[i]) == by.examples[i].answer ? 1 : 0;
    }
    return Validated{"exact_match", static_cast<double>(right) / static_cast<double>(by.examples.size()), true};
}

double meanCosine(const models::Matrix& a, const models::Matrix& b) {
    double sum = 0.0;
    for (std::int64_t row = 0; row < a.rows; ++row) {
        sum += tasks::cosine(a.row(row), b.row(row));
    }
    return sum / static_cast<double>(std::max<std::int64_t>(1, a.rows));
}

using Measure = Result<Validated> (*)(const Validation&, const LoadedModel&, const std::stop_token&);

/// Null: what validates needs a teacher.
Measure measureOf(Objective objective) {
    switch (objective) {
        case Objective::Classes: return accuracyOf;
        case Objective::NextToken: return perplexityOf;
        case Objective::Target: return targetPerplexityOf;
        case Objective::TokenClasses: return entitiesOf;
        case Objective::Score:
        case Objective::Similarity: return correlationOf;
        case Objective::AnswerSpan: return exactMatchOf;
        case Objective::None: break;
    }
    return nullptr;
}

}  // namespace

std::function<Result<Validated>(const LoadedModel&, std::stop_token)> validatorOf(
    const TrainingSet& set, const models::DeviceOptions& options, const LoadedModel* teacher, Progress& progress,
    tasks::Peers* peers) {
    if (set.validation.empty()) {
        return {};
    }
    const Validation by{set.validation, options, progress, peers};
    if (const auto measure = measureOf(set.training.objective)) {
        return [by, measure](const LoadedModel& model, std::stop_token stop) { return measure(by, model, stop); };
    }
    if (teacher == nullptr || teacher->layout.outputs != Outputs::Embedding) {
        return {};
    }
    auto wanted = std::make_shared<models::Matrix>();  // asked for once
    return [by, teacher, wanted](const LoadedModel& model, std::stop_token stop) -> Result<Validated> {
        if (wanted->rows == 0) {
            PARETO_TRY(*wanted, outputsOf(by, *teacher, stop));
        }
        PARETO_TRY(const auto outputs, outputsOf(by, model, stop));
        return Validated{"fidelity_cosine", meanCosine(outputs, *wanted), true};
    };
}

}  // namespace pareto::jobs
