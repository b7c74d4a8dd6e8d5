#pragma once

#include <cstddef>
#include <span>

namespace pareto::metrics {

/// KL(original ‖ changed) in nats of the distributions whose logits these are; in fp64. Rows of equal
/// length, not empty. Infinite where the changed model excludes what the original does not.
double klDivergence(std::span<const float> original, std::span<const float> changed);
/// Index of the largest value, the first of equals.
std::size_t indexOfLargest(std::span<const float> values);
std::size_t indexOfLargest(std::span<const double> values);

/// exp of the mean negative log likelihood of a row of sums (nats, tokens).
double perplexity(std::span<const double> row);

/// Which choice a model takes by log likelihoods of the choices' texts (nats): the largest, or the
/// largest by unit of length where `lengths` are given (lm-evaluation-harness: characters for its
/// acc_norm, bytes for its acc_bytes). A length of 0 counts as 1.
std::size_t likeliest(std::span<const double> logLikelihoods, std::span<const double> lengths = {});

}  // namespace pareto::metrics
