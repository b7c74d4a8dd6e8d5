#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/stats/stats.h"

namespace pareto::stats {
namespace {

/// Ranks from 1; equal values share the mean of their ranks.
std::vector<double> ranks(std::span<const double> values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> out(values.size());
    for (std::size_t begin = 0; begin < order.size();) {
        std::size_t end = begin + 1;
        while (end < order.size() && values[order[end]] == values[order[begin]]) {
            ++end;
        }
        const double shared = static_cast<double>(begin + end + 1) / 2.0;
        for (std::size_t i = begin; i < end; ++i) {
            out[order[i]] = shared;
        }
        begin = end;
    }
    return out;
}

/// A correlation of these is defined, as far as NaN and counts go.
bool comparable(std::span<const double> a, std::span<const double> b) {
    const auto isNaN = [](double value) { return std::isnan(value); };
    return a.size() == b.size() && a.size() >= 2 && std::none_of(a.begin(), a.end(), isNaN) &&
           std::none_of(b.begin(), b.end(), isNaN);
}

}  // namespace

double mcnemar(std::int64_t onlyA, std::int64_t onlyB) {
    // McNemar 1947, exact form: under the null hypothesis each discordant pair falls to either side
    // with probability 1/2. Logarithms of factorials keep large counts finite.
    const std::int64_t n = onlyA + onlyB;
    const std::int64_t fewer = std::min(onlyA, onlyB);
    const double logHalf = static_cast<double>(n) * std::log(0.5);
    double tail = 0.0;
    for (std::int64_t k = 0; k <= fewer; ++k) {
        const double logChoose = std::lgamma(static_cast<double>(n) + 1.0) -
                                 std::lgamma(static_cast<double>(k) + 1.0) -
                                 std::lgamma(static_cast<double>(n - k) + 1.0);
        tail += std::exp(logChoose + logHalf);
    }
    return std::min(1.0, 2.0 * tail);
}

double pearson(std::span<const double> a, std::span<const double> b) {
    if (!comparable(a, b)) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const double meanA = mean(a);
    const double meanB = mean(b);
    double product = 0.0;
    double squareA = 0.0;
    double squareB = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        product += (a[i] - meanA) * (b[i] - meanB);
        squareA += (a[i] - meanA) * (a[i] - meanA);
        squareB += (b[i] - meanB) * (b[i] - meanB);
    }
    return squareA > 0.0 && squareB > 0.0 ? product / std::sqrt(squareA * squareB)
                                          : std::numeric_limits<double>::quiet_NaN();
}

double spearman(std::span<const double> a, std::span<const double> b) {
    return comparable(a, b) ? pearson(ranks(a), ranks(b)) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace pareto::stats
