#include <algorithm>
#include <cmath>

#include "engine/core/random.h"
#include "engine/stats/stats.h"

namespace pareto::stats {
namespace {

/// Draws positions with replacement. A 32-bit multiply instead of a division: its bias is below
/// n / 2³².
class Resampler {
public:
    explicit Resampler(std::uint64_t seed) : m_random(seed, "bootstrap") {}
    std::size_t draw(std::size_t n) {
        return static_cast<std::size_t>((static_cast<std::uint64_t>(m_random.next()) * n) >> 32);
    }

private:
    RandomStream m_random;
};

Interval percentiles(std::span<const double> replicates, double confidence) {
    const double tail = (1.0 - confidence) / 2.0;
    return {quantile(replicates, tail), quantile(replicates, 1.0 - tail)};
}

/// Interval of a statistic that draws its own sample.
template <typename Statistic>
Interval resample(const BootstrapOptions& options, Statistic&& statistic) {
    Resampler resampler(options.seed);
    std::vector<double> replicates;
    replicates.reserve(static_cast<std::size_t>(options.resamples));
    for (int i = 0; i < options.resamples; ++i) {
        replicates.push_back(statistic(resampler));
    }
    return percentiles(replicates, options.confidence);
}

void addTo(std::vector<double>& sum, std::span<const double> row) {
    for (std::size_t i = 0; i < sum.size(); ++i) {
        sum[i] += row[i];
    }
}

bool excludes(const Interval& interval, double value) {
    return value < interval.low || value > interval.high;
}

}  // namespace

Interval bootstrap(std::span<const double> values,
                   const std::function<double(std::span<const double>)>& statistic,
                   const BootstrapOptions& options) {
    if (values.size() < 2) {
        const double only = statistic(values);
        return {only, only};
    }
    std::vector<double> sample(values.size());
    return resample(options, [&](Resampler& resampler) {
        for (auto& value : sample) {
            value = values[resampler.draw(values.size())];
        }
        return statistic(sample);
    });
}

Interval bootstrapMean(std::span<const double> values, const BootstrapOptions& options) {
    if (values.size() < 2) {
        const double only = mean(values);
        return {only, only};
    }
    return resample(options, [&](Resampler& resampler) {
        double sum = 0.0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            sum += values[resampler.draw(values.size())];
        }
        return sum / static_cast<double>(values.size());
    });
}

PairedDifference pairedDifference(std::span<const double> a, std::span<const double> b,
                                  const BootstrapOptions& options) {
    const std::size_t n = std::min(a.size(), b.size());
    std::vector<double> differences(n);
    for (std::size_t i = 0; i < n; ++i) {
        differences[i] = b[i] - a[i];
    }
    PairedDifference result;
    result.n = static_cast<std::int64_t>(n);
    result.difference = mean(differences);
    result.interval = bootstrapMean(differences, options);
    result.significant = n >= 2 && excludes(result.interval, 0.0);
    return result;
}

PairedDifference pairedRatio(std::span<const double> a, std::span<const double> b,
                             const BootstrapOptions& options) {
    const std::size_t n = std::min(a.size(), b.size());
    PairedDifference result;
    result.n = static_cast<std::int64_t>(n);
    result.difference = median(b.first(n)) / median(a.first(n));
    if (n < 2) {
        result.interval = {result.difference, result.difference};
        return result;
    }
    std::vector<double> sampleA(n);
    std::vector<double> sampleB(n);
    result.interval = resample(options, [&](Resampler& resampler) {
        for (std::size_t i = 0; i < n; ++i) {
            const auto round = resampler.draw(n);
            sampleA[i] = a[round];
            sampleB[i] = b[round];
        }
        return median(sampleB) / median(sampleA);
    });
    result.significant = excludes(result.interval, 1.0);
    return result;
}

std::vector<double> ItemRows::sum() const {
    std::vector<double> sum(m_width, 0.0);
    for (std::size_t item = 0; item < size(); ++item) {
        addTo(sum, row(item));
    }
    return sum;
}

Interval bootstrapRows(const ItemRows& rows, const RowStatistic& statistic,
                       const BootstrapOptions& options) {
    if (rows.size() < 2) {
        const double only = statistic(rows.sum());
        return {only, only};
    }
    std::vector<double> sum(rows.width());
    return resample(options, [&](Resampler& resampler) {
        std::fill(sum.begin(), sum.end(), 0.0);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            addTo(sum, rows.row(resampler.draw(rows.size())));
        }
        return statistic(sum);
    });
}

PairedDifference pairedRows(const ItemRows& a, const ItemRows& b, const RowStatistic& statistic,
                            const BootstrapOptions& options) {
    const std::size_t n = std::min(a.size(), b.size());
    std::vector<double> sumA(a.width(), 0.0);
    std::vector<double> sumB(b.width(), 0.0);
    for (std::size_t i = 0; i < n; ++i) {
        addTo(sumA, a.row(i));
        addTo(sumB, b.row(i));
    }
    PairedDifference result;
    result.n = static_cast<std::int64_t>(n);
    result.difference = statistic(sumB) - statistic(sumA);
    if (n < 2) {
        result.interval = {result.difference, result.difference};
        return result;
    }
    result.interval = resample(options, [&](Resampler& resampler) {
        std::fill(sumA.begin(), sumA.end(), 0.0);
        std::fill(sumB.begin(), sumB.end(), 0.0);
        for (std::size_t i = 0; i < n; ++i) {
            const auto item = resampler.draw(n);
            addTo(sumA, a.row(item));
            addTo(sumB, b.row(item));
        }
        return statistic(sumB) - statistic(sumA);
    });
    result.significant = excludes(result.interval, 0.0);
    return result;
}

}  // namespace pareto::stats
