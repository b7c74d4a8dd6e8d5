#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace pareto::stats {

struct Interval {
    double low = 0.0;
    double high = 0.0;
};

/// NaN for an empty sample, here and below; standardDeviation needs two values.
double mean(std::span<const double> values);
double standardDeviation(std::span<const double> values);  ///< n − 1 in the divisor
/// Linear interpolation between order statistics (type 7, numpy's default). q in 0…1. NaN in, NaN out.
double quantile(std::span<const double> values, double q);
double median(std::span<const double> values);

/// Percentile bootstrap (Efron 1979) of a statistic of one sample; 95 % unless told otherwise.
/// The same seed gives the same interval. A sample of fewer than 2 values gives [value, value].
struct BootstrapOptions {
    int resamples = 2000;
    double confidence = 0.95;
    std::uint64_t seed = 0;
};
Interval bootstrap(std::span<const double> values,
                   const std::function<double(std::span<const double>)>& statistic,
                   const BootstrapOptions& options = {});
/// The mean's bootstrap interval without copying resamples.
Interval bootstrapMean(std::span<const double> values, const BootstrapOptions& options = {});

/// 95 % interval of a share (Wilson 1927, the score interval): unlike the bootstrap's it keeps a width
/// when all or none succeeded, and it is honest for small n. n = 0: [0, 1].
Interval wilsonInterval(std::int64_t successes, std::int64_t n);

/// Paired comparison of two runs on the same items or in the same timing rounds: mean of b − a with
/// its bootstrap interval; significant when the interval excludes 0.
struct PairedDifference {
    double difference = 0.0;
    Interval interval;
    bool significant = false;
    std::int64_t n = 0;
};
PairedDifference pairedDifference(std::span<const double> a, std::span<const double> b,
                                  const BootstrapOptions& options = {});
/// Ratio of medians b / a over interleaved rounds, with the bootstrap interval over rounds; significant
/// when the interval excludes 1.
PairedDifference pairedRatio(std::span<const double> a, std::span<const double> b,
                             const BootstrapOptions& options = {});
/// Exact two-sided McNemar test on correct/incorrect pairs: p value.
double mcnemar(std::int64_t onlyA, std::int64_t onlyB);

/// What each item adds to a metric that is a function of sums over all items (corpus BLEU: n-gram
/// counts; perplexity: nats and tokens): one row of `width` numbers an item.
class ItemRows {
public:
    explicit ItemRows(std::size_t width) : m_width(width) {}
    void add(std::span<const double> row) { m_values.insert(m_values.end(), row.begin(), row.end()); }
    std::size_t width() const { return m_width; }
    std::size_t size() const { return m_values.size() / m_width; }
    std::span<const double> row(std::size_t item) const {
        return std::span(m_values).subspan(item * m_width, m_width);
    }
    std::vector<double> sum() const;

private:
    std::size_t m_width;
    std::vector<double> m_values;
};
/// The metric of one summed row.
using RowStatistic = std::function<double(std::span<const double>)>;
/// Bootstrap over items of a metric of their sum; nothing about an item is computed again.
Interval bootstrapRows(const ItemRows& rows, const RowStatistic& statistic,
                       const BootstrapOptions& options = {});
/// Paired bootstrap (Koehn 2004) of metric(b) − metric(a): both sides draw the same items. The rows
/// of both are of the same items in the same order; the shorter one says how many.
PairedDifference pairedRows(const ItemRows& a, const ItemRows& b, const RowStatistic& statistic,
                            const BootstrapOptions& options = {});

/// Pearson's correlation; NaN when a side is constant, for fewer than two pairs or any NaN.
double pearson(std::span<const double> a, std::span<const double> b);
/// Spearman rank correlation, ties get mean ranks. NaN as for pearson.
double spearman(std::span<const double> a, std::span<const double> b);

struct Point {
    double x = 0.0;
    double y = 0.0;
};
/// Indices of the points that no other point beats (better or equal in both, better in one), in order
/// of x. NaN coordinates are never on the front. O(n log n).
std::vector<std::size_t> paretoFront(std::span<const Point> points, bool lowerXIsBetter,
                                     bool lowerYIsBetter);

}  // namespace pareto::stats
