#pragma once

#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// Token classification: the first token of a word decides its tag, and entities count as seqeval counts
/// them (headline: micro F1). Data: CoNLL columns, or JSON lines with lists of words and of tags (names,
/// or numbers of the model's labels). Words beyond `maxLength` tokens get "O"; details say how many, and
/// hold the table of types.
Result<EvalResult> runTagging(const EvalRequest& request, Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
