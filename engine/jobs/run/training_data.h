#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/jobs/run/training_rows.h"
#include "engine/spec/recipe.h"
#include "engine/spec/task.h"
#include "engine/train/example.h"

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

/// A head that the recipe's recovery needs and the model has not: a classifier for a classification, a tagger with the
/// task's tags where not all of them are the model's, an answer head. Outputs::Embedding: none. Errors of the task's data.
struct NewHead {
    Outputs outputs = Outputs::Embedding;
    std::vector<std::string> labels;
};
Result<NewHead> recoveredHead(const ModelLayout& layout, const Recipe& recipe, Progress& progress, std::stop_token stop);

/// Tokenized rows of a step's task for a model. Rows for validation are those of the split of that name, else a share
/// of the training rows drawn by `seed` (and the notes say so). TaskUnfit for kinds of tasks that cannot be trained on.
Result<TrainingSet> readTrainingSet(const RecoverSpec& spec, const Tokenizers& tokenizers,
                                    const ModelLayout& layout, std::uint64_t seed, Progress& progress,
                                    std::stop_token stop);

}  // namespace pareto::jobs
