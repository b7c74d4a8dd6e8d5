#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// Texts that a model makes of prompts (a decoder's continuation, an encoder-decoder model's output), in
/// the prompts' order: greedy, or by beam search where the task says so, at most Task::maxTokens tokens
/// each. Prompts longer than Task::maxLength lose their end.
Result<std::vector<std::string>> generateTexts(const EvalRequest& request,
                                               const std::vector<std::string>& prompts,
                                               Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
