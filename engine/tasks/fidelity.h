#pragma once

#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// How far the outputs moved. Decoders: divergence.h. Encoders: the mean cosine between a text's embedding and the one the untouched
/// model gives it (headline; bootstrap over texts), and the Spearman correlation of the similarities of
/// pairs of texts under both models (at most kMaxPairs pairs, drawn with the seed; the bootstrap
/// resamples texts, not pairs, because pairs that share a text are not independent).
inline constexpr std::size_t kMaxPairs = 4000;
Result<EvalResult> runFidelity(const EvalRequest& request, Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
