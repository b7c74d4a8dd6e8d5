#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/stats/stats.h"

namespace pareto::stats {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double mean(std::span<const double> values) {
    double sum = 0.0;
    for (const double value : values) {
        sum += value;
    }
    return values.empty() ? kNaN : sum / static_cast<double>(values.size());
}

double standardDeviation(std::span<const double> values) {
    if (values.size() < 2) {
        return kNaN;
    }
    // Two passes: one over squares would lose digits when the mean is large against the spread.
    const double center = mean(values);
    double sum = 0.0;
    for (const double value : values) {
        sum += (value - center) * (value - center);
    }
    return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double quantile(std::span<const double> values, double q) {
    const bool anyNaN =
        std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
    if (values.empty() || anyNaN || !(q >= 0.0 && q <= 1.0)) {
        return kNaN;
    }
    std::vector<double> copy(values.begin(), values.end());
    const double position = q * static_cast<double>(copy.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const auto at = copy.begin() + static_cast<std::ptrdiff_t>(below);
    std::nth_element(copy.begin(), at, copy.end());
    if (below + 1 == copy.size()) {
        return *at;
    }
    const double next = *std::min_element(at + 1, copy.end());
    const double share = position - static_cast<double>(below);
    // Not low + share · (next − low) when there is nothing to add: infinities would become NaN.
    return share == 0.0 ? *at : *at + share * (next - *at);
}

Interval wilsonInterval(std::int64_t successes, std::int64_t n) {
    if (n <= 0) {
        return {0.0, 1.0};
    }
    constexpr double kZ = 1.959963984540054;  // the normal distribution's 97.5 % quantile
    const auto count = static_cast<double>(n);
    const double share = static_cast<double>(successes) / count;
    const double scale = 1.0 + kZ * kZ / count;
    const double center = (share + kZ * kZ / (2.0 * count)) / scale;
    const double half =
        kZ / scale * std::sqrt(share * (1.0 - share) / count + kZ * kZ / (4.0 * count * count));
    // At the ends the formula gives 0 and 1 but for rounding.
    return {successes == 0 ? 0.0 : center - half, successes == n ? 1.0 : center + half};
}

double median(std::span<const double> values) { return quantile(values, 0.5); }

}  // namespace pareto::stats
