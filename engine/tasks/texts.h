#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// What a model is asked, and the texts that would be right.
struct PromptedText {
    std::int64_t row = 0;
    std::string prompt;
    std::vector<std::string> references;  ///< at least one
};
struct PromptedTexts {
    std::string hash;            ///< SHA-256 of the file's bytes
    std::int64_t available = 0;  ///< before `limit`
    std::string pattern;         ///< of prompts, with a place for the row's text
    std::vector<PromptedText> list;
};
/// Rows of a translation or generation task for a model of that kind. Errors of readDataRows, DataRowInvalid for an
/// empty target.
Result<PromptedTexts> readPromptedTexts(const Task& task, ModelKind kind, Progress& progress, std::stop_token stop);

/// Texts that a model makes of prompts (a decoder's continuation, an encoder-decoder model's output), in
/// the prompts' order: greedy, or by beam search where the task says so, at most Task::maxTokens tokens
/// each. Prompts longer than Task::maxLength lose their end.
Result<std::vector<std::string>> generateTexts(const EvalRequest& request,
                                               const PromptedTexts& prompts,
                                               Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
