#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace pareto::metrics {

/// What one sentence adds to a corpus's chrF: for n = 1…6 character n-grams of the hypothesis, of the
/// reference, and matched.
using ChrfRow = std::array<double, 18>;
/// Against the reference (of at least one) with the best chrF for this sentence.
ChrfRow chrfRow(std::string_view hypothesis, std::span<const std::string> references);

/// chrF2 (0…100) of summed rows with sacreBLEU's defaults: orders 1 to 6, β = 2, no white space, no
/// words, means over the orders that both sides have (Popović 2015).
double chrf(std::span<const double> row);

}  // namespace pareto::metrics
