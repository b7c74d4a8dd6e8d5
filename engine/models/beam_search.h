#pragma once

#include "engine/models/sampling.h"

namespace pareto::models {

/// Beam search over a batch of items, each with options.beams rows in a row of the cache, exactly as
/// transformers 4.57 (GenerationMixin._beam_search) keeps its scores: sums of log probabilities after
/// the logits processors, divided by (new tokens, the stop token included)^lengthPenalty; an item ends
/// when no running beam can better its worst finished text (judged at the present length), with
/// earlyStopping as soon as it has `beams` finished ones.
///
/// `logits`: of each row's last token, after the prompts were fed.
Result<std::vector<Generation>> beamSearch(Generator& generator, KvCache& cache, Matrix logits,
                                           const std::vector<Growing>& items,
                                           const GenerateOptions& options, std::stop_token stop);

}  // namespace pareto::models
