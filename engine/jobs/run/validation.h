#pragma once

#include <functional>
#include <stop_token>

#include "engine/core/progress.h"
#include "engine/jobs/run/training_data.h"
#include "engine/tasks/peers.h"
#include "engine/train/trainer.h"

namespace pareto::jobs {

/// Runs a model as it will run, on the set's validation rows: accuracy of classes, F1 of entities, Spearman's correlation
/// of scores, perplexity of texts and of targets, the share of a context's windows whose answer is found to the token
/// (exact_match). Of embedders that learn from `teacher` (may be null for others): the mean
/// cosine to what it gives (fidelity_cosine). Empty: nothing validates. `peers`: share the work, may be null; all come to the
/// same.
std::function<Result<train::Validated>(const LoadedModel&, std::stop_token)> validatorOf(
    const TrainingSet& set, const models::DeviceOptions& options, const LoadedModel* teacher, Progress& progress,
    tasks::Peers* peers = nullptr);

}  // namespace pareto::jobs
