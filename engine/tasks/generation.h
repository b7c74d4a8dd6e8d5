#pragma once

#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// Summaries and other texts with a reference: the mean F1 of ROUGE-L (headline), ROUGE-1 and ROUGE-2 as
/// rouge_score without stemming. A row's target is one reference or a JSON list of them, the best counts.
/// Prompts: `prompt` filled with {text}; without one the text itself for encoder-decoder models, and the
/// text with "TL;DR:" behind it for decoders (Radford et al. 2019).
Result<EvalResult> runGeneration(const EvalRequest& request, Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
