#pragma once

#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// Accuracy (headline) and macro-averaged F1 over the classes that occur in the data or are predicted,
/// each with a percentile bootstrap over rows. Details: the confusion matrix (rows: label, columns:
/// prediction) and the names of the classes.
Result<EvalResult> runClassification(const EvalRequest& request, Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
