#pragma once

#include <stop_token>
#include <vector>

#include "engine/core/progress.h"
#include "engine/models/model.h"
#include "engine/tasks/peers.h"
#include "engine/text/tokenizer.h"

namespace pareto::tasks {

/// What the head gives for every token of every sequence, computed in batches, which peers share; matrix i belongs to
/// sequence i. `wanted`: only those tokens (Encoder::tokenOutputs); empty: all.
Result<std::vector<models::Matrix>> encodeTokens(
    models::Encoder& encoder, const std::vector<text::TokenSequence>& sequences,
    const std::vector<std::vector<std::int32_t>>& wanted, std::int64_t batchTokens,
    Progress& progress, std::stop_token stop, Peers* peers = nullptr);

}  // namespace pareto::tasks
