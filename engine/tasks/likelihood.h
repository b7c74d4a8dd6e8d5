#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/models/model.h"
#include "engine/text/tokenizer.h"

namespace pareto::tasks {

struct EndingScorer {
    models::Decoder& decoder;
    const text::Tokenizer& tokenizer;
    std::int64_t maxLength = 0;  ///< tokens; 0: as many as the model has positions
};

/// ln p(ending | context) for each ending, in nats, summed over the ending's tokens. Context and ending
/// are tokenized together and split where the context's own tokens end, white space at the context's
/// end counts for the ending, and what is too long loses its beginning (lm-evaluation-harness). An
/// empty context is the beginning-of-text or end-of-text token. EngineFailure when the model's
/// likelihoods are not finite.
Result<std::vector<double>> scoreEndings(const EndingScorer& scorer, const std::string& context,
                                         std::span<const std::string> endings, std::stop_token stop);

}  // namespace pareto::tasks
