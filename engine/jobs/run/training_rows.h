#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/spec/recover.h"
#include "engine/spec/task.h"
#include "engine/text/tokenizer.h"
#include "engine/train/example.h"

namespace pareto::jobs {

/// Of what a model reads, and of what it is to say (the same one for most models).
struct Tokenizers {
    const text::Tokenizer& texts;
    const text::Tokenizer& targets;
};

/// What a model learns a kind of task by; None for embedders that a teacher shows what texts become. Absent: such a model
/// does not learn such a task.
std::optional<train::Objective> objectiveFor(const Task& task, const ModelLayout& layout, const RecoverSpec& spec);

/// Rows of one split as examples for a model.
struct ReadRows {
    Task task;  ///< its split is read, all of it
    train::Objective objective = train::Objective::None;
    std::int64_t maxLength = 256;
    const Tokenizers& tokenizers;
    const ModelLayout& layout;
};
struct TaskExamples {
    std::string hash;  ///< of the file's bytes
    std::vector<train::Example> examples;
};
/// Rows of which nothing can be learned (empty texts, no word within the length) are left out. Errors of the task's data;
/// DataRowInvalid where a label or a tag is none of the model's.
Result<TaskExamples> readExamples(const ReadRows& rows, Progress& progress, std::stop_token stop);

}  // namespace pareto::jobs
