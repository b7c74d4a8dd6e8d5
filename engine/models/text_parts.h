#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/models/model.h"

namespace pareto::models {

/// Texts [first, end) of a batch.
struct TextPart {
    std::size_t first = 0;
    std::size_t end = 0;
    std::int64_t tokens = 0;
};

/// A batch as neighbouring parts of at least so many tokens, as far as it has them: each text is in one.
std::vector<TextPart> partsOfTokens(const std::vector<std::vector<std::int32_t>>& ids, std::int64_t tokens);

/// A batch as parts that `threads` threads take one after the other as they come free, each through the whole model: what a part
/// computes stays in its thread's caches, and nobody waits before the end. One part, whose products all threads share, where the
/// batch cannot be divided so that they end at about the same time, or is too small.
std::vector<TextPart> partsOfThreads(const std::vector<std::vector<std::int32_t>>& ids, int threads);

TokenBatch textsOf(const TokenBatch& batch, const TextPart& part);

}  // namespace pareto::models
