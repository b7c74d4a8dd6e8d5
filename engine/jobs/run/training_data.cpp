#include "engine/jobs/run/training_data.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "engine/core/hash.h"
#include "engine/core/random.h"
#include "engine/metrics/classes.h"
#include "engine/metrics/likelihood.h"
#include "engine/tasks/batching.h"
#include "engine/tasks/classification.h"
#include "engine/tasks/task_data.h"
#include "engine/tasks/windows.h"

namespace pareto::jobs {
namespace {

namespace fs = std::filesystem;
using train::Example;
using train::Objective;

constexpr std::int64_t kWindow = 256;            ///< tokens of a text's example where the step says none
constexpr std::int64_t kValidationTokens = 4096; ///< in a batch
constexpr std::size_t kMostWindows = 64;         ///< that validate a decoder

/// What says that there are no such rows, not that they are wrong.
bool isAbsent(const Error& error) {
    return error.code == ErrorCode::FileMissing || error.code == ErrorCode::DataEmpty ||
           error.code == ErrorCode::DataColumnMissing;
}

Error untrainable(const Task& task, const ModelLayout& layout) {
    return makeError(ErrorCode::TaskUnfit,
                     {{"task", task.name},
                      {"model", layout.name},
                      {"reason", "tasks of the kind " + std::string(nameOf(task.kind)) +
                                     " cannot be trained on yet (classification, perplexity, and fidelity for "
                                     "distillation can)"}});
}

/// A file without splits of its own is used as a whole.
Task splitOf(Task task, const std::string& split) {
    task.split = split;
    task.limit = 0;
    return task;
}

Result<tasks::TaskRows> readRows(const Task& task, bool labels, Progress& progress, std::stop_token stop) {
    auto rows = tasks::readTaskRows(task, labels, progress, stop);
    std::error_code ignored;
    const bool wholeFile = !rows.ok() && !rows.cancelled() && rows.error().code == ErrorCode::DataColumnMissing &&
                           !fs::is_directory(task.data, ignored) && task.split == "train";
    return wholeFile ? tasks::readTaskRows(splitOf(task, ""), labels, progress, stop) : std::move(rows);
}

Result<std::vector<Example>> examplesOf(const tasks::TaskRows& rows, const Task& task, const RecoverSpec& spec,
                                        const text::Tokenizer& tokenizer, const ModelLayout& layout, bool labels,
                                        Progress& progress, std::stop_token stop) {
    const std::int64_t longest = spec.maxLength > 0 ? spec.maxLength : task.maxLength;
    PARETO_TRY(auto sequences, tasks::tokenizeRows(rows.rows, {tokenizer, longest}, progress, stop));
    std::vector<int> classes(rows.rows.size(), -1);
    if (labels) {
        PARETO_TRY(classes, tasks::labelClasses(rows, task, layout.labels));
    }
    std::vector<Example> out;
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        if (sequences[i].ids.empty()) {
            continue;
        }
        Example example;
        example.ids = std::move(sequences[i].ids);
        example.typeIds = std::move(sequences[i].typeIds);
        example.label = classes[i];
        out.push_back(std::move(example));
    }
    return out;
}

std::vector<Example> windowsOf(const tasks::WindowedText& text) {
    std::vector<Example> out;
    for (const auto& window : text.windows) {
        Example example;
        example.ids = text.tokens(window);
        out.push_back(std::move(example));
    }
    return out;
}

/// Draws `limit` of the training examples (0: all).
void keepDrawn(std::vector<Example>& examples, std::int64_t limit, std::uint64_t seed) {
    if (limit <= 0 || limit >= static_cast<std::int64_t>(examples.size())) {
        return;
    }
    std::vector<Example> kept;
    for (const auto index : tasks::drawnIndices(examples.size(), limit, seed)) {
        kept.push_back(std::move(examples[index]));
    }
    examples = std::move(kept);
}

/// Takes a share of the training examples away for validation.
void holdOut(TrainingSet& set, double share, std::uint64_t seed) {
    auto& all = set.training.examples;
    const auto count = static_cast<std::int64_t>(std::llround(share * static_cast<double>(all.size())));
    if (count < 1 || count >= static_cast<std::int64_t>(all.size())) {
        return;
    }
    std::vector<bool> held(all.size(), false);
    for (const auto index : tasks::drawnIndices(all.size(), count, seed)) {
        held[index] = true;
    }
    std::vector<Example> left;
    for (std::size_t i = 0; i < all.size(); ++i) {
        (held[i] ? set.validation : left).push_back(std::move(all[i]));
    }
    all = std::move(left);
    set.notes.push_back(std::to_string(count) + " of the training rows validate: the data has no split for it");
}

Result<TrainingSet> readTexts(const RecoverSpec& spec, const Task& task, bool labels, const text::Tokenizer& tokenizer,
                              const ModelLayout& layout, std::uint64_t seed, Progress& progress,
                              std::stop_token stop) {
    TrainingSet set;
    set.source = task.name;
    set.training.objective = labels ? Objective::Classes : Objective::None;
    PARETO_TRY(const auto rows, readRows(splitOf(task, spec.split), labels, progress, stop));
    set.hash = rows.hash;
    PARETO_TRY(set.training.examples, examplesOf(rows, task, spec, tokenizer, layout, labels, progress, stop));
    keepDrawn(set.training.examples, spec.limit, seed);
    if (spec.validation.empty() || spec.validation == spec.split) {
        holdOut(set, spec.holdOut, seed);
        return set;
    }
    const auto validation = tasks::readTaskRows(splitOf(task, spec.validation), labels, progress, stop);
    if (validation.cancelled()) {
        return Cancelled{};
    }
    if (validation.ok()) {
        PARETO_TRY(set.validation,
                   examplesOf(validation.value(), task, spec, tokenizer, layout, labels, progress, stop));
        set.hash += validation.value().hash;
    } else if (isAbsent(validation.error())) {
        holdOut(set, spec.holdOut, seed);
    } else {
        return validation.error();
    }
    return set;
}

Result<TrainingSet> readText(const RecoverSpec& spec, Task task, const text::Tokenizer& tokenizer,
                             const ModelLayout& layout, std::uint64_t seed, Progress& progress, std::stop_token stop) {
    TrainingSet set;
    set.source = task.name;
    set.training.objective = Objective::NextToken;
    task.window = spec.maxLength > 0 ? spec.maxLength : kWindow;
    if (layout.maxPositions > 0) {
        task.window = std::min(task.window, layout.maxPositions);
    }
    task.limit = 0;
    task.protocol = "gptq";
    PARETO_TRY(const auto text, tasks::windowText(task, tokenizer, progress, stop));
    set.hash = text.hash;
    set.training.examples = windowsOf(text);
    keepDrawn(set.training.examples, spec.limit, seed);
    holdOut(set, spec.holdOut, seed);
    return set;
}

std::vector<text::TokenSequence> sequencesOf(const std::vector<Example>& examples) {
    std::vector<text::TokenSequence> out;
    for (const auto& example : examples) {
        text::TokenSequence sequence;
        sequence.ids = example.ids;
        sequence.typeIds = example.typeIds;
        out.push_back(std::move(sequence));
    }
    return out;
}

/// The outputs of an encoder for every example.
Result<models::Matrix> outputsOf(const LoadedModel& model, const std::vector<Example>& examples,
                                 const models::DeviceOptions& options, Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto ready, models::prepareModel(model, options, progress, stop));
    return tasks::encodeAll(*ready.encoder, sequencesOf(examples), kValidationTokens, progress, stop);
}

Result<train::Validated> accuracyOf(const LoadedModel& model, const std::vector<Example>& examples,
                                    const models::DeviceOptions& options, Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto logits, outputsOf(model, examples, options, progress, stop));
    const auto& classes = model.layout.labels;
    metrics::Confusion confusion(classes.size());
    for (std::size_t i = 0; i < examples.size(); ++i) {
        confusion.add(static_cast<std::size_t>(examples[i].label),
                      metrics::indexOfLargest(logits.row(static_cast<std::int64_t>(i))));
    }
    train::Validated out{"accuracy", metrics::accuracy(confusion), true};
    if (classes.size() <= kMostConfusionClasses) {
        out.confusion = ConfusionMatrix{classes, confusion.rows()};
    }
    return out;
}

Result<train::Validated> perplexityOf(const LoadedModel& model, const std::vector<Example>& examples,
                                      const models::DeviceOptions& options, Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto ready, models::prepareModel(model, options, progress, stop));
    double sum = 0.0;
    std::int64_t tokens = 0;
    const std::size_t count = std::min(examples.size(), kMostWindows);
    progress.begin(Stage::Evaluating, static_cast<std::int64_t>(count), Unit::Samples);
    for (std::size_t i = 0; i < count; ++i) {
        PARETO_TRY(const auto losses, ready.decoder->negativeLogLikelihoods(examples[i].ids, stop));
        sum += std::accumulate(losses.begin(), losses.end(), 0.0);
        tokens += static_cast<std::int64_t>(losses.size());
        progress.advance();
    }
    return train::Validated{"perplexity", std::exp(sum / static_cast<double>(std::max<std::int64_t>(1, tokens))), false};
}

double meanCosine(const models::Matrix& a, const models::Matrix& b) {
    double sum = 0.0;
    for (std::int64_t row = 0; row < a.rows; ++row) {
        sum += tasks::cosine(a.row(row), b.row(row));
    }
    return sum / static_cast<double>(std::max<std::int64_t>(1, a.rows));
}

}  // namespace

Result<Task> recoverTask(const RecoverSpec& spec) {
    const bool isText = spec.source.ends_with(".txt");
    if (!isText) {
        return loadTask(spec.source);
    }
    Task task;
    task.name = fs::path(spec.source).filename().string();
    task.kind = TaskKind::Perplexity;
    task.data = fs::absolute(fs::path(spec.source)).string();
    task.format = DataFormat::Text;
    return task;
}

Result<std::vector<std::string>> recoveredClasses(const Recipe& recipe, Progress& progress, std::stop_token stop) {
    for (const auto& step : recipe.recover) {
        if (step.method != RecoverMethod::Train) {
            continue;
        }
        PARETO_TRY(const auto task, recoverTask(step));
        if (task.kind == TaskKind::Classification) {
            PARETO_TRY(const auto rows, readRows(splitOf(task, step.split), true, progress, stop));
            return tasks::classNames(rows, task);
        }
    }
    return std::vector<std::string>();
}

Result<TrainingSet> readTrainingSet(const RecoverSpec& spec, const text::Tokenizer& tokenizer,
                                    const ModelLayout& layout, std::uint64_t seed, Progress& progress,
                                    std::stop_token stop) {
    PARETO_TRY(const auto task, recoverTask(spec));
    if (task.kind == TaskKind::Classification && layout.isClassifier() && layout.labels.size() > 1) {
        return readTexts(spec, task, true, tokenizer, layout, seed, progress, stop);
    }
    if (task.kind == TaskKind::Perplexity && layout.isDecoder()) {
        return readText(spec, task, tokenizer, layout, seed, progress, stop);
    }
    if ((task.kind == TaskKind::Fidelity || task.kind == TaskKind::Classification) && layout.isEncoder() &&
        task.format != DataFormat::Text && spec.distil) {
        return readTexts(spec, task, false, tokenizer, layout, seed, progress, stop);
    }
    return untrainable(task, layout);
}

std::function<Result<train::Validated>(const LoadedModel&, std::stop_token)> validatorOf(
    const TrainingSet& set, const models::DeviceOptions& options, const LoadedModel* teacher, Progress& progress) {
    if (set.validation.empty()) {
        return {};
    }
    const auto& examples = set.validation;
    switch (set.training.objective) {
    case Objective::Classes:
        return [&examples, options, &progress](const LoadedModel& model, std::stop_token stop) {
            return accuracyOf(model, examples, options, progress, std::move(stop));
        };
    case Objective::NextToken:
        return [&examples, options, &progress](const LoadedModel& model, std::stop_token stop) {
            return perplexityOf(model, examples, options, progress, std::move(stop));
        };
    case Objective::None: {
        if (teacher == nullptr || teacher->layout.outputs != Outputs::Embedding) {
            return {};
        }
        auto wanted = std::make_shared<models::Matrix>();  // asked for once
        return [&examples, options, teacher, wanted, &progress](const LoadedModel& model,
                                                               std::stop_token stop) -> Result<train::Validated> {
            if (wanted->rows == 0) {
                PARETO_TRY(*wanted, outputsOf(*teacher, examples, options, progress, stop));
            }
            PARETO_TRY(const auto outputs, outputsOf(model, examples, options, progress, stop));
            return train::Validated{"fidelity_cosine", meanCosine(outputs, *wanted), true};
        };
    }
    case Objective::Score:
    case Objective::TokenClasses:
        break;
    }
    return {};
}

}  // namespace pareto::jobs
