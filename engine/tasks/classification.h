#pragma once

#include "engine/tasks/task_data.h"
#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// Accuracy (headline) and macro-averaged F1 over the classes that occur in the data or are predicted,
/// each with a percentile bootstrap over rows. Details: the confusion matrix (rows: label, columns:
/// prediction) and the names of the classes.
Result<EvalResult> runClassification(const EvalRequest& request, Progress& progress, std::stop_token stop);

/// The class of each row: through Task::labels where it has them, else the name among `names`, else a number.
/// DataRowInvalid names the first row whose label is none.
Result<std::vector<int>> labelClasses(const TaskRows& data, const Task& task, const std::vector<std::string>& names);

/// Names for a classifier that is to be made for a task: Task::labels by their numbers, else the labels of `data` as
/// orderedLabels has them. DataRowInvalid: fewer than two, or more than kMostClasses.
Result<std::vector<std::string>> classNames(const TaskRows& data, const Task& task);
inline constexpr std::size_t kMostClasses = 1000;

}  // namespace pareto::tasks
