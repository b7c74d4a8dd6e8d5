#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/models/model.h"
#include "engine/tasks/peers.h"
#include "engine/tasks/task_data.h"
#include "engine/text/tokenizer.h"

namespace pareto::tasks {

/// Groups items of similar length: no batch holds more than `batchTokens` tokens with its padding
/// (a longer single item stands alone), and padding is at most an eighth of it. Longest first, so
/// that a lack of memory shows at once. Every index appears exactly once.
std::vector<std::vector<std::size_t>> makeBatches(const std::vector<std::int64_t>& lengths,
                                                  std::int64_t batchTokens);

struct EncodeTexts {
    const text::Tokenizer& tokenizer;
    std::int64_t maxLength = 256;
};
/// Ids of every row, truncated to maxLength.
Result<std::vector<text::TokenSequence>> tokenizeRows(const std::vector<TextRow>& rows,
                                                      const EncodeTexts& options,
                                                      Progress& progress, std::stop_token stop);

/// Runs every sequence through the encoder in batches, which peers share; row i of the result belongs to sequence i.
Result<models::Matrix> encodeAll(models::Encoder& encoder,
                                 const std::vector<text::TokenSequence>& sequences,
                                 std::int64_t batchTokens, Progress& progress,
                                 std::stop_token stop, Peers* peers = nullptr);

/// EngineFailure unless all values are finite: a score must never be computed from what is no number.
Status checkFinite(const models::Matrix& outputs);

/// Cosine of the angle between two vectors of one length; 0 when either is 0.
double cosine(std::span<const float> a, std::span<const float> b);

}  // namespace pareto::tasks
