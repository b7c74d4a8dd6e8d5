#pragma once

#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// Multiple choice by likelihood: the choice that the model finds likeliest behind the prompt
/// ("accuracy"), and the one likeliest by character of its text ("accuracy_normalized", what
/// lm-evaluation-harness calls acc_norm). A row's choices are a JSON list, or the object with "text" and
/// "label" that data sets of ARC's kind have; its label is a choice's number from 0, its label or text, or
/// a letter from A. The default prompt is "{context}\nQuestion: {text}\nAnswer:", without a context's line
/// where the task has none; a space stands between prompt and choice.
Result<EvalResult> runChoices(const EvalRequest& request, Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
