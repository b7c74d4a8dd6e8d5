#include "engine/compress/prune/allocation.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <mutex>

#include "engine/compress/quantize/rtn.h"

namespace pareto::compress {

namespace {

constexpr double kMostRatio = 0.99;
constexpr std::int64_t kGrainValues = 1 << 16;
/// Magnitudes are 31 bits, looked at in two parts.
constexpr int kLowBits = 15;

/// Calls body(row of fp32 values, begin) for all rows, or pieces of a vector.
template <typename Body>
void forRows(const Tensor& weight, const LayerContext& context, Body&& body) {
    const std::int64_t cols = weight.shape[weight.shape.rank() - 1];
    const std::int64_t rows = cols == 0 ? 0 : weight.shape.elements() / cols;
    const std::int64_t grain =
        std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, cols));
    context.parallel(rows, grain, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> line(static_cast<std::size_t>(cols));
        body(begin, end, line);
    });
}

/// Counts of equal numbers, whoever counted.
class Histogram {
public:
    explicit Histogram(std::size_t bins) : m_counts(bins) {}
    void add(const std::vector<std::int64_t>& part) {
        const std::lock_guard lock(m_mutex);
        std::transform(part.begin(), part.end(), m_counts.begin(), m_counts.begin(), std::plus<>());
    }
    /// The bin that holds the number of this rank (from 1), which becomes its rank within the bin.
    std::uint32_t find(std::int64_t& rank) const {
        std::uint32_t bin = 0;
        while (rank > m_counts[bin]) {
            rank -= m_counts[bin++];
        }
        return bin;
    }

private:
    std::mutex m_mutex;
    std::vector<std::int64_t> m_counts;
};

std::uint32_t magnitudeBits(float value) {
    return std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFFU;
}

/// The magnitude of the given rank (from 1) among all weights, as its bits; `rank` becomes that among those
/// which equal it.
class RankSearch {
public:
    RankSearch(std::span<const NamedWeight> weights, const LayerContext& context)
        : m_weights(weights), m_context(context) {}

    Result<std::uint32_t> run(std::int64_t& rank) {
        PARETO_TRY(const std::uint32_t high,
                   pass(std::size_t{1} << (31 - kLowBits), rank, [](std::uint32_t bits) {
                       return static_cast<std::int64_t>(bits >> kLowBits);
                   }));
        PARETO_TRY(const std::uint32_t low,
                   pass(std::size_t{1} << kLowBits, rank, [&](std::uint32_t bits) {
                       const std::uint32_t mask = (1U << kLowBits) - 1;
                       return bits >> kLowBits == high ? static_cast<std::int64_t>(bits & mask)
                                                       : -1;
                   }));
        return high << kLowBits | low;
    }

private:
    /// `binOf` a magnitude's bits; negative: not counted.
    template <typename BinOf>
    Result<std::uint32_t> pass(std::size_t bins, std::int64_t& rank, BinOf&& binOf) {
        Histogram all(bins);
        for (const NamedWeight& one : m_weights) {
            if (m_context.stop.stop_requested()) {
                return Cancelled{};
            }
            std::atomic<std::int64_t> bad{0};
            forRows(*one.weight, m_context,
                    [&](std::int64_t begin, std::int64_t end, std::vector<float>& line) {
                        std::vector<std::int64_t> counts(bins);
                        for (std::int64_t row = begin; row < end; ++row) {
                            dequantizeRow(*one.weight, row, line.data());
                            for (const float value : line) {
                                if (const std::int64_t bin = binOf(magnitudeBits(value));
                                    bin >= 0) {
                                    ++counts[static_cast<std::size_t>(bin)];
                                }
                                if (!std::isfinite(value)) {
                                    bad.fetch_add(1);
                                }
                            }
                        }
                        all.add(counts);
                    });
            if (bad.load() != 0) {
                return badValues({m_context.label.model, one.name}, bad.load(),
                                 "no recipe step can work with them");
            }
        }
        return all.find(rank);
    }

    std::span<const NamedWeight> m_weights;
    const LayerContext& m_context;
};

}  // namespace

Result<double> outlierShare(const Tensor& weight, const InputStatistics& statistics,
                            double threshold, const LayerContext& context) {
    PARETO_CHECK(checkStatistics(statistics, weight, {Statistic::MeanSquares}, context.label));
    PARETO_CHECK(checkFinite(weight, context.label, context.parallel));
    std::vector<float> norms(statistics.meanSquares);
    std::transform(norms.begin(), norms.end(), norms.begin(),
                   [](float square) { return std::sqrt(square); });
    std::vector<double> sums(static_cast<std::size_t>(weight.shape[0]));
    std::atomic<std::int64_t> above{0};
    const auto scored = [&](std::int64_t row, std::vector<float>& line) {
        dequantizeRow(weight, row, line.data());
        std::transform(line.begin(), line.end(), norms.begin(), line.begin(),
                       [](float value, float norm) { return std::fabs(value) * norm; });
    };
    forRows(weight, context, [&](std::int64_t begin, std::int64_t end, std::vector<float>& line) {
        for (std::int64_t row = begin; row < end; ++row) {
            scored(row, line);
            for (const float score : line) {
                sums[static_cast<std::size_t>(row)] += static_cast<double>(score);
            }
        }
    });
    double total = 0.0;
    for (const double sum : sums) {
        total += sum;
    }
    const auto count = static_cast<double>(weight.shape.elements());
    const double limit = threshold * total / std::max(1.0, count);
    forRows(weight, context, [&](std::int64_t begin, std::int64_t end, std::vector<float>& line) {
        for (std::int64_t row = begin; row < end; ++row) {
            scored(row, line);
            above.fetch_add(std::count_if(line.begin(), line.end(), [&](float score) {
                return static_cast<double>(score) > limit;
            }));
        }
    });
    return static_cast<double>(above.load()) / std::max(1.0, count);
}

std::vector<double> outlierWeighedRatios(std::span<const double> shares,
                                         std::span<const std::int64_t> parameters, double ratio,
                                         double reach) {
    if (shares.empty() || ratio >= kMostRatio) {
        return std::vector<double>(shares.size(), kMostRatio);
    }
    const auto [least, most] = std::minmax_element(shares.begin(), shares.end());
    const double span = *most - *least;
    const double low = std::max(0.0, ratio - reach);
    const double high = std::min(kMostRatio, ratio + reach);
    std::vector<double> out(shares.size());
    const auto shifted = [&](double shift) {
        double sum = 0.0;
        double weight = 0.0;
        for (std::size_t at = 0; at < shares.size(); ++at) {
            const double fall = span > 0.0 ? (shares[at] - *least) / span * 2.0 * reach : 0.0;
            out[at] = std::clamp(shift - fall, low, high);
            sum += out[at] * static_cast<double>(parameters[at]);
            weight += static_cast<double>(parameters[at]);
        }
        return sum / weight;
    };
    // The mean rises with the shift; halving a span below 1 a hundred times leaves its last bit.
    double from = low;
    double to = high + 2.0 * reach;
    for (int step = 0; step < 100; ++step) {
        const double middle = (from + to) / 2.0;
        (shifted(middle) < ratio ? from : to) = middle;
    }
    shifted(to);
    return out;
}

Result<std::vector<std::int64_t>> shareByMagnitude(std::span<const NamedWeight> weights,
                                                   double ratio, const LayerContext& context) {
    std::int64_t count = 0;
    for (const NamedWeight& one : weights) {
        count += one.weight->shape.elements();
    }
    std::vector<std::int64_t> out(weights.size());
    std::int64_t equal = static_cast<std::int64_t>(ratio * static_cast<double>(count));
    if (equal <= 0) {
        return out;
    }
    PARETO_TRY(const std::uint32_t threshold, RankSearch(weights, context).run(equal));
    for (std::size_t at = 0; at < weights.size(); ++at) {
        if (context.stop.stop_requested()) {
            return Cancelled{};
        }
        const Tensor& weight = *weights[at].weight;
        std::atomic<std::int64_t> below{0};
        std::atomic<std::int64_t> same{0};
        forRows(weight, context,
                [&](std::int64_t begin, std::int64_t end, std::vector<float>& line) {
                    for (std::int64_t row = begin; row < end; ++row) {
                        dequantizeRow(weight, row, line.data());
                        below.fetch_add(std::count_if(line.begin(), line.end(), [&](float value) {
                            return magnitudeBits(value) < threshold;
                        }));
                        same.fetch_add(std::count_if(line.begin(), line.end(), [&](float value) {
                            return magnitudeBits(value) == threshold;
                        }));
                    }
                });
        const std::int64_t taken = std::min(equal, same.load());
        equal -= taken;
        out[at] = below.load() + taken;
    }
    return out;
}

double ratioOf(std::int64_t removed, std::int64_t count) {
    // Half a value more, so that no rounding of the quotient falls below the number.
    return removed >= count ? 1.0
                            : (static_cast<double>(removed) + 0.5) / static_cast<double>(count);
}

}  // namespace pareto::compress
