#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace pareto::metrics {

/// The words mteval-v13a and sacreBLEU's "13a" see in a line, joined by single spaces.
std::string tokenize13a(std::string_view line);

/// What one sentence adds to a corpus's BLEU: its length, that of the closest reference, matched
/// n-grams (n = 1…4), n-grams.
using BleuRow = std::array<double, 10>;
/// Against at least one reference; matches are clipped by the largest count in any reference.
BleuRow bleuRow(std::string_view hypothesis, std::span<const std::string> references);

/// Corpus BLEU (0…100) of summed rows with sacreBLEU's defaults: 13a, orders 1 to 4, exponential
/// smoothing of orders without a match, brevity penalty. `effectiveOrder` stops at the longest order
/// the hypotheses have (for single sentences); sacreBLEU's default is off.
double bleu(std::span<const double> row, bool effectiveOrder = false);

}  // namespace pareto::metrics
