#pragma once

#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// exp of the mean negative log likelihood a token, with a bootstrap over windows. The text is
/// tokenized once, with the special tokens its tokenizer adds. Protocols, for a window of w tokens:
///   gptq       disjoint windows, every token but each first is scored (Frantar et al. 2022);
///   llama.cpp  disjoint windows, only the second half is scored, and where the tokenizer puts a
///              beginning-of-text token before a text, it replaces the first token of each window
///              (llama-perplexity of llama.cpp does both);
///   strided    windows that overlap by half; a token is scored once, in the first window that holds
///              it, so that all but the first w have at least w/2 tokens of context.
/// Without a beginning-of-text token the first token of the text is never scored. What is left of the
/// text behind the last whole window is not used. `limit` counts windows and takes the first ones, as
/// --chunks of llama-perplexity does: windows that follow each other are what others publish.
Result<EvalResult> runPerplexity(const EvalRequest& request, Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
