#pragma once

#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// Perplexity of what the assistant says: each dialogue is rendered by the model's chat template, and the
/// tokens of the assistant's turns with their end marks are scored, in the context of all that stands
/// before. Data: JSON lines with a list of {"role", "content"} under the column of the role "messages". At
/// most `maxLength` tokens of a dialogue are read (and no more than the model has positions); details say
/// how many dialogues were cut, and how many had nothing to score and are no items.
Result<EvalResult> runDialogue(const EvalRequest& request, Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
