#pragma once

#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// How far a decoder moved from the untouched model, on windows of a plain text (those of the task's
/// perplexity protocol): the mean KL divergence of its next-token distributions from the original's in
/// nats (headline), and the share of tokens for which both find the same next token likeliest. At most
/// one window's logits of each model are held.
Result<EvalResult> runDivergence(const EvalRequest& request, Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
