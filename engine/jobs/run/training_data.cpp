#include "engine/jobs/run/training_data.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "engine/tasks/classification.h"
#include "engine/tasks/tagging.h"
#include "engine/tasks/task_data.h"
#include "engine/tasks/windows.h"

namespace pareto::jobs {
namespace {

namespace fs = std::filesystem;
using train::Example;
using train::Objective;

constexpr std::int64_t kWindow = 256;            ///< tokens of a text's example where the step says none

/// What says that there are no such rows, not that they are wrong.
bool isAbsent(const Error& error) {
    return error.code == ErrorCode::FileMissing || error.code == ErrorCode::DataEmpty ||
           error.code == ErrorCode::DataColumnMissing;
}

Error untrainable(const Task& task, const ModelLayout& layout) {
    return makeError(ErrorCode::TaskUnfit,
                     {{"task", task.name},
                      {"model", layout.name},
                      {"reason", "such a model cannot be trained on a task of the kind " + std::string(nameOf(task.kind)) +
                                     " (encoders: classification, token-classification, qa, similarity, and fidelity to "
                                     "distil; decoders: perplexity; encoder-decoder models: translation, generation)"}});
}

/// A file without splits of its own is used as a whole.
Task splitOf(Task task, const std::string& split) {
    task.split = split;
    task.limit = 0;
    return task;
}

bool isFolder(const Task& task) {
    std::error_code ignored;
    return fs::is_directory(task.data, ignored);
}

/// Whether one file holds all rows and cannot say which split each belongs to.
bool isUndivided(const Task& task) {
    return !isFolder(task) && (task.format == DataFormat::Conll || task.format == DataFormat::Squad);
}

/// The rows that are learned from, read by `read`: of a table that says no splits, all.
template <typename Read>
auto ownRows(const Task& task, const std::string& split, const Read& read) {
    auto rows = read(splitOf(task, split));
    const bool wholeFile = !rows.ok() && !rows.cancelled() && rows.error().code == ErrorCode::DataColumnMissing &&
                           !isFolder(task) && split == "train";
    return wholeFile ? read(splitOf(task, "")) : std::move(rows);
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

/// Cosines are to be 0 for the lowest score that was given and 1 for the highest.
void bringToCosines(std::vector<Example>& examples) {
    float low = std::numeric_limits<float>::infinity();
    float high = -low;
    for (const auto& example : examples) {
        low = std::min(low, example.score);
        high = std::max(high, example.score);
    }
    for (auto& example : examples) {
        example.score = high > low ? (example.score - low) / (high - low) : 1.0F;
    }
}

struct Reading {
    const RecoverSpec& spec;
    const Task& task;
    const Tokenizers& tokenizers;
    const ModelLayout& layout;
    std::uint64_t seed = 0;
};

Result<TrainingSet> readTable(const Reading& in, Objective objective, Progress& progress, std::stop_token stop) {
    TrainingSet set;
    set.source = in.task.name;
    set.training.objective = objective;
    const std::int64_t longest = in.spec.maxLength > 0 ? in.spec.maxLength : in.task.maxLength;
    const auto read = [&](Task split) {
        return readExamples({std::move(split), objective, longest, in.tokenizers, in.layout}, progress, stop);
    };
    PARETO_TRY(auto rows, ownRows(in.task, in.spec.split, read));
    set.hash = rows.hash;
    set.training.examples = std::move(rows.examples);
    keepDrawn(set.training.examples, in.spec.limit, in.seed);
    const bool divided = !in.spec.validation.empty() && in.spec.validation != in.spec.split && !isUndivided(in.task);
    if (divided) {
        auto validation = read(splitOf(in.task, in.spec.validation));
        if (validation.ok()) {
            set.validation = std::move(validation->examples);
            set.hash += validation->hash;
        } else if (validation.cancelled()) {
            return Cancelled{};
        } else if (!isAbsent(validation.error())) {
            return validation.error();
        }
    }
    if (set.validation.empty()) {
        holdOut(set, in.spec.holdOut, in.seed);
    }
    if (objective == Objective::Similarity) {
        bringToCosines(set.training.examples);
    }
    return set;
}

Result<TrainingSet> readText(const Reading& in, Progress& progress, std::stop_token stop) {
    TrainingSet set;
    set.source = in.task.name;
    set.training.objective = Objective::NextToken;
    Task task = in.task;
    task.window = in.spec.maxLength > 0 ? in.spec.maxLength : kWindow;
    if (in.layout.maxPositions > 0) {
        task.window = std::min(task.window, in.layout.maxPositions);
    }
    task.limit = 0;
    task.protocol = "gptq";
    PARETO_TRY(const auto text, tasks::windowText(task, in.tokenizers.texts, progress, stop));
    set.hash = text.hash;
    set.training.examples = windowsOf(text);
    keepDrawn(set.training.examples, in.spec.limit, in.seed);
    holdOut(set, in.spec.holdOut, in.seed);
    return set;
}

/// The tags to be learned; none where the model has all of them.
Result<std::vector<std::string>> newTags(const ModelLayout& layout, const Task& task, const std::string& split,
                                         Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto sentences,
               ownRows(task, split, [&](const Task& own) { return tasks::readSentences(own, progress, stop); }));
    const auto isKnown = [&](const tasks::TaggedSentence& sentence) {
        const auto classes = tasks::tagClasses(sentence, task, layout.labels);
        return std::find(classes.begin(), classes.end(), -1) == classes.end();
    };
    if (layout.outputs == Outputs::TokenClasses && std::all_of(sentences.list.begin(), sentences.list.end(), isKnown)) {
        return std::vector<std::string>();
    }
    return tasks::tagNames(sentences, task);
}

Result<std::vector<std::string>> newClasses(const Task& task, const std::string& split, Progress& progress,
                                            std::stop_token stop) {
    PARETO_TRY(const auto rows,
               ownRows(task, split, [&](const Task& own) { return tasks::readTaskRows(own, true, progress, stop); }));
    return tasks::classNames(rows, task);
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

Result<NewHead> recoveredHead(const ModelLayout& layout, const Recipe& recipe, Progress& progress, std::stop_token stop) {
    NewHead out;
    for (const auto& step : recipe.recover) {
        if (step.method != RecoverMethod::Train || !layout.isEncoder()) {
            continue;
        }
        PARETO_TRY(const auto task, recoverTask(step));
        if (task.kind == TaskKind::Classification && !layout.isClassifier()) {
            PARETO_TRY(out.labels, newClasses(task, step.split, progress, stop));
            out.outputs = Outputs::Classes;
            return out;
        }
        if (task.kind == TaskKind::TokenClassification) {
            PARETO_TRY(out.labels, newTags(layout, task, step.split, progress, stop));
            out.outputs = out.labels.empty() ? Outputs::Embedding : Outputs::TokenClasses;
            return out;
        }
        if (task.kind == TaskKind::QuestionAnswering && layout.outputs != Outputs::AnswerSpan) {
            out.outputs = Outputs::AnswerSpan;
            return out;
        }
    }
    return out;
}

Result<TrainingSet> readTrainingSet(const RecoverSpec& spec, const Tokenizers& tokenizers,
                                    const ModelLayout& layout, std::uint64_t seed, Progress& progress,
                                    std::stop_token stop) {
    PARETO_TRY(const auto task, recoverTask(spec));
    const auto objective = objectiveFor(task, layout, spec);
    if (!objective) {
        return untrainable(task, layout);
    }
    const Reading reading{spec, task, tokenizers, layout, seed};
    return *objective == Objective::NextToken ? readText(reading, progress, std::move(stop))
                                              : readTable(reading, *objective, progress, std::move(stop));
}

}  // namespace pareto::jobs
