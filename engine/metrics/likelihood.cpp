#include "engine/metrics/likelihood.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pareto::metrics {
namespace {

/// Logarithm of the sum of exponentials.
double logSum(std::span<const float> logits) {
    const double largest = *std::max_element(logits.begin(), logits.end());
    if (std::isinf(largest)) {
        return largest;
    }
    double sum = 0.0;
    for (const float logit : logits) {
        sum += std::exp(static_cast<double>(logit) - largest);
    }
    return largest + std::log(sum);
}

template <typename T>
std::size_t firstLargest(std::span<const T> values) {
    return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace

double klDivergence(std::span<const float> original, std::span<const float> changed) {
    const double sumOriginal = logSum(original);
    const double sumChanged = logSum(changed);
    double divergence = 0.0;
    for (std::size_t i = 0; i < original.size(); ++i) {
        const double logP = original[i] - sumOriginal;
        const double p = std::exp(logP);
        if (p > 0.0) {
            divergence += p * (logP - (changed[i] - sumChanged));
        }
    }
    // Rounding of equal rows must not make it negative.
    return std::max(divergence, 0.0);
}

std::size_t indexOfLargest(std::span<const float> values) { return firstLargest(values); }
std::size_t indexOfLargest(std::span<const double> values) { return firstLargest(values); }

double perplexity(std::span<const double> row) { return std::exp(row[0] / row[1]); }

std::size_t likeliest(std::span<const double> logLikelihoods, std::span<const double> lengths) {
    if (lengths.empty()) {
        return indexOfLargest(logLikelihoods);
    }
    std::vector<double> normalized;
    for (std::size_t i = 0; i < logLikelihoods.size(); ++i) {
        normalized.push_back(logLikelihoods[i] / std::max(lengths[i], 1.0));
    }
    return indexOfLargest(normalized);
}

}  // namespace pareto::metrics
