#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/random.h"
#include "engine/models/generate.h"

namespace pareto::models {

/// One sequence that grows: what came before the new tokens, and they.
struct Growing {
    std::vector<std::int32_t> ids;   ///< prompt (encoder-decoder: the start token), then new tokens
    std::int64_t made = 0;           ///< of them new
    std::int64_t most = 0;           ///< new tokens at most
};

/// EngineFailure that names the first option that cannot be.
Status checkOptions(const GenerateOptions& options);
/// New tokens behind `held` that options and positions allow: the last token picked is never fed back,
/// n new tokens need n − 1 more places.
std::int64_t mostTokens(const ModelLayout& layout, const GenerateOptions& options, std::int64_t held);

/// Changes the scores of the next token (logits or log probabilities) as transformers' logits
/// processors do, in their order: repetition penalty, n-grams, suppressed ids, forced first and last
/// token. What may not come gets −∞.
void processScores(std::span<float> scores, const Growing& sequence, const GenerateOptions& options);

struct TokenChance {
    std::int32_t id = 0;
    double probability = 0.0;
};
/// What is drawn from: temperature, top-k, top-p and min-p in this order (transformers' order), the
/// likeliest first, equal ones by their number. `options.temperature` > 0. Of each cut at least one
/// token is left.
std::vector<TokenChance> chances(std::span<const float> scores, const GenerateOptions& options);

/// The same at any temperature: at 0 the likeliest token alone.
std::vector<TokenChance> nextTokens(std::span<const float> scores, const GenerateOptions& options);
std::int32_t drawToken(const std::vector<TokenChance>& pool, RandomStream& random);
/// Speculative sampling (speculative.h): `proposed`, drawn from `offered`, stays with probability
/// min(1, wanted / offered), else a token is drawn from what `wanted` has more than `offered`. The
/// answer is distributed as `wanted`, and another than `proposed` where that one did not stay.
std::int32_t settleToken(const std::vector<TokenChance>& wanted, const std::vector<TokenChance>& offered,
                         std::int32_t proposed, RandomStream& random);

/// The likeliest token at temperature 0, else one drawn.
std::int32_t pickToken(std::span<const float> scores, const GenerateOptions& options,
                       RandomStream& random);

bool isStop(const GenerateOptions& options, std::int32_t id);

}  // namespace pareto::models
