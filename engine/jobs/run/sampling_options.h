#pragma once

#include "engine/jobs/api/jobs.h"
#include "engine/models/generate.h"
#include "engine/text/tokenizer.h"

namespace pareto::jobs {

/// Absent: as the model says.
std::optional<models::CacheFormat> cacheFormatOf(const SamplingParams& sampling);

/// What is asked for, together with what the model and its tokenizer ask for (stop tokens, ids that
/// never come).
models::GenerateOptions generateOptions(const SamplingParams& sampling, const ModelLayout& layout,
                                        const text::Tokenizer& tokenizer);

/// A text as the tokens of a source; TargetInvalid, naming `field`, when there are none or more than the
/// model has positions for.
Result<std::vector<std::int32_t>> tokensOf(const std::string& text, const std::string& field,
                                           const ModelLayout& layout,
                                           const text::Tokenizer& tokenizer,
                                           const text::EncodeOptions& encode = {});

}  // namespace pareto::jobs
