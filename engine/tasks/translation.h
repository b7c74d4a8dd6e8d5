#pragma once

#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// Translation by an encoder-decoder model: corpus BLEU (headline) and chrF2 with sacreBLEU's defaults. A
/// row's target is one reference or a JSON list of them. `prompt` stands before the source ("translate
/// English to French: " for T5), or has a place for it ("{source}").
Result<EvalResult> runTranslation(const EvalRequest& request, Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
