#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/spec/recipe.h"
#include "engine/spec/task.h"
#include "engine/text/tokenizer.h"
#include "engine/train/trainer.h"

namespace pareto::jobs {

/// What a recovery step learns from, and what tells whether it got better.
struct TrainingSet {
    train::TrainingData training;
    std::vector<train::Example> validation;  ///< empty: nothing validates
    std::string source;                      ///< name of the task, or the text's path
    std::string hash;                        ///< of the files' bytes and of what was chosen of them
    std::vector<std::string> notes;
};

/// The task that a recovery step names; a plain text becomes a perplexity task of its own. TaskInvalid, FileMissing.
Result<Task> recoverTask(const RecoverSpec& spec);

/// The classes that a classifier must have for the recipe's recovery; empty: no step trains on such a task.
/// Errors of the task's data.
Result<std::vector<std::string>> recoveredClasses(const Recipe& recipe, Progress& progress, std::stop_token stop);

/// Tokenized rows of a step's task for a model. Rows for validation are those of the split of that name, else a share
/// of the training rows drawn by `seed` (and the notes say so). TaskUnfit for kinds of tasks that cannot be trained on.
Result<TrainingSet> readTrainingSet(const RecoverSpec& spec, const text::Tokenizer& tokenizer,
                                    const ModelLayout& layout, std::uint64_t seed, Progress& progress,
                                    std::stop_token stop);

/// Runs a model as it will run, on the set's validation rows: accuracy of classes, perplexity of texts. Of embedders:
/// the mean cosine to what `teacher` gives (fidelity_cosine), which may be null for others.
std::function<Result<train::Validated>(const LoadedModel&, std::stop_token)> validatorOf(
    const TrainingSet& set, const models::DeviceOptions& options, const LoadedModel* teacher, Progress& progress);

}  // namespace pareto::jobs
