#include "engine/compress/prune/l1_reconstruction.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "engine/compress/quantize/rtn.h"

namespace pareto::compress {

namespace {

constexpr std::int64_t kSampleRows = 128;
constexpr double kLeastLambda = 1e-5;  ///< of the λ at which everything is zero
/// Smaller λ tried behind the one that makes as many zeros as asked, each this many times the one before; the last is 0.
constexpr int kSmallerLambdas = 4;
constexpr double kLambdaStep = 0.25;
/// A smaller λ has to be better by more than rounding.
constexpr double kBetter = 1.0 - 1e-4;
constexpr int kPowerIterations = 60;
constexpr std::int64_t kGrainValues = 1 << 14;

/// Some rows of the problem and where their iteration stands, all [rows][cols].
struct Problem {
    std::int64_t rows = 0;
    std::vector<float> weight;  ///< W
    std::vector<float> target;  ///< W · H
    std::vector<float> now;     ///< Ŵ
};

class L1Reconstruction {
public:
    L1Reconstruction(const Tensor& weight, const L1Options& options,
                     const InputStatistics& statistics, const LayerContext& context)
        : m_options(options),
          m_context(context),
          m_rows(weight.shape[0]),
          m_cols(weight.shape[1]),
          m_values(dequantize(weight, context.parallel)) {
        damp(statistics);
        findSteps();
    }

    Result<L1Solution> run() {
        PARETO_TRY(const double lambda, findLambda());
        Problem all = problemOf(everyRow(1));
        PARETO_CHECK(finish(all, lambda, 2 * m_options.iterations));
        return L1Solution{denseTensor(Shape{m_rows, m_cols}, all.now), lambda};
    }

private:
    bool isNothingRemoved() const { return removed() <= 0; }
    std::int64_t removed() const {
        const SparsityPattern& pattern = m_options.pattern;
        if (pattern.isTiled()) {
            const TileGrid grid = pattern.tilesOf(m_rows, m_cols);
            return grid.valuesIn(grid.removed(pattern.ratio));
        }
        return pattern.isGrouped() ? m_rows * pattern.removedOfRow(m_cols)
                                   : pattern.removedOf(m_rows * m_cols);
    }
    float diagonal(std::int64_t col) const {
        return m_hessian[static_cast<std::size_t>(col * m_cols + col)];
    }

    /// H damped; dead columns get a diagonal and lose their weights.
    void damp(const InputStatistics& statistics) {
        m_hessian = statistics.hessian;
        const double mean = meanLiveSquare(statistics);
        for (std::int64_t col = 0; col < m_cols; ++col) {
            float& square = m_hessian[static_cast<std::size_t>(col * m_cols + col)];
            const bool dead = !(square > 0.0F);
            for (std::int64_t row = 0; dead && row < m_rows; ++row) {
                m_values[static_cast<std::size_t>(row * m_cols + col)] = 0.0F;
            }
            square = static_cast<float>((dead ? mean : square) + m_options.damping * mean);
        }
    }

    /// 1 / (L · H_jj) with L from the power method and 5 % on top, at most the largest row sum.
    void findSteps() {
        const auto n = static_cast<std::size_t>(m_cols);
        std::vector<double> roots(n);
        for (std::size_t i = 0; i < n; ++i) {
            roots[i] = 1.0 / std::sqrt(static_cast<double>(m_hessian[i * n + i]));
        }
        std::vector<double> vector(n, 1.0);
        std::vector<double> next(n);
        double eigenvalue = 1.0;
        double bound = 0.0;
        for (int iteration = 0; iteration < kPowerIterations; ++iteration) {
            double norm = 0.0;
            for (std::size_t i = 0; i < n; ++i) {
                double sum = 0.0;
                double magnitudes = 0.0;
                for (std::size_t j = 0; j < n; ++j) {
                    const double value = roots[i] * m_hessian[i * n + j] * roots[j];
                    sum += value * vector[j];
                    magnitudes += std::fabs(value);
                }
                next[i] = sum;
                norm += sum * sum;
                bound = std::max(bound, magnitudes);
            }
            norm = std::sqrt(norm);
            eigenvalue = iteration == 0 ? norm / std::sqrt(static_cast<double>(n)) : norm;
            for (std::size_t i = 0; i < n && norm > 0.0; ++i) {
                vector[i] = next[i] / norm;
            }
        }
        const double largest = std::min(1.05 * eigenvalue, bound);
        m_steps.resize(n);
        for (std::size_t i = 0; i < n; ++i) {
            m_steps[i] = static_cast<float>(1.0 / (largest * m_hessian[i * n + i]));
        }
    }

    std::vector<std::int64_t> everyRow(std::int64_t stride) const {
        std::vector<std::int64_t> rows;
        for (std::int64_t row = 0; row < m_rows; row += stride) {
            rows.push_back(row);
        }
        return rows;
    }

    /// out = a · H
    void multiply(const std::vector<float>& a, std::vector<float>& out) const {
        MatrixProduct product;
        product.rows = static_cast<std::int64_t>(a.size()) / m_cols;
        product.cols = product.depth = m_cols;
        product.a = a.data();
        product.b = m_hessian.data();
        product.c = out.data();
        product.strideA = product.strideB = product.strideC = m_cols;
        m_context.math->multiply(product);
    }

    Problem problemOf(const std::vector<std::int64_t>& rows) const {
        Problem out;
        out.rows = static_cast<std::int64_t>(rows.size());
        for (const std::int64_t row : rows) {
            const auto from = m_values.begin() + row * m_cols;
            out.weight.insert(out.weight.end(), from, from + m_cols);
        }
        out.now = out.weight;
        out.target.resize(out.now.size());
        multiply(out.now, out.target);
        return out;
    }

    /// FISTA from where the problem stands. `fallen`: what is held at zero; empty: nothing.
    Status iterate(Problem& problem, double lambda, std::span<const std::uint8_t> fallen,
                   int iterations) const {
        std::vector<float> ahead = problem.now;
        std::vector<float> gradient(problem.now.size());
        const auto penalty = static_cast<float>(lambda);
        double inertia = 1.0;
        for (int iteration = 0; iteration < iterations; ++iteration) {
            if (m_context.stop.stop_requested()) {
                return Cancelled{};
            }
            multiply(ahead, gradient);
            const double next = (1.0 + std::sqrt(1.0 + 4.0 * inertia * inertia)) / 2.0;
            const auto momentum = static_cast<float>((inertia - 1.0) / next);
            inertia = next;
            const std::int64_t grain = std::max<std::int64_t>(1, kGrainValues / m_cols);
            m_context.parallel(problem.rows, grain, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t row = begin; row < end; ++row) {
                    const auto from = static_cast<std::size_t>(row * m_cols);
                    for (std::size_t col = 0; col < m_steps.size(); ++col) {
                        const std::size_t at = from + col;
                        const float step = m_steps[col];
                        const float moved = ahead[at] - step * (gradient[at] - problem.target[at]);
                        const float size = std::max(std::fabs(moved) - penalty * step, 0.0F);
                        const bool held = !fallen.empty() && fallen[at] != 0;
                        const float value = held ? 0.0F : std::copysign(size, moved);
                        ahead[at] = value + momentum * (value - problem.now[at]);
                        problem.now[at] = value;
                    }
                }
            });
        }
        const auto bad = std::count_if(problem.now.begin(), problem.now.end(),
                                       [](float value) { return !std::isfinite(value); });
        if (bad != 0) {
            return badValues(m_context.label, bad, "the reconstruction did not converge");
        }
        return Done{};
    }

    /// From where the problem stands: the penalized solution, what falls of it, and the refit of the rest.
    Status finish(Problem& problem, double lambda, int iterations) const {
        if (lambda > 0.0) {
            PARETO_CHECK(iterate(problem, lambda, {}, iterations));
        }
        const std::vector<std::uint8_t> fallen = choose(problem);
        for (std::size_t at = 0; at < problem.now.size(); ++at) {
            problem.now[at] = fallen[at] != 0 ? 0.0F : problem.now[at];
        }
        return iterate(problem, 0.0, fallen, m_options.refitIterations);
    }

    /// tr((W − Ŵ)·H·(W − Ŵ)ᵀ)
    double errorOf(const Problem& problem) const {
        std::vector<float> difference(problem.now.size());
        std::transform(problem.weight.begin(), problem.weight.end(), problem.now.begin(), difference.begin(),
                       std::minus<>());
        std::vector<float> product(difference.size());
        multiply(difference, product);
        double sum = 0.0;
        for (std::size_t at = 0; at < product.size(); ++at) {
            sum += static_cast<double>(difference[at]) * product[at];
        }
        return sum;
    }

    /// Of the λ that makes as many zeros as asked and smaller ones, the one whose rounded and refitted solution is
    /// best.
    Result<double> findLambda() const {
        if (isNothingRemoved()) {
            return 0.0;
        }
        const Problem sample = problemOf(everyRow((m_rows + kSampleRows - 1) / kSampleRows));
        PARETO_TRY(const double largest, sparsestLambda(sample));
        double best = 0.0;
        double least = std::numeric_limits<double>::infinity();
        for (int step = 0; step <= kSmallerLambdas; ++step) {
            const double lambda = step == kSmallerLambdas ? 0.0 : largest * std::pow(kLambdaStep, step);
            Problem tried = sample;
            PARETO_CHECK(finish(tried, lambda, m_options.iterations));
            if (const double error = errorOf(tried); error < least * kBetter) {
                least = error;
                best = lambda;
            }
        }
        return best;
    }

    /// By bisection: the largest met whose solution has not more zeros than asked.
    Result<double> sparsestLambda(Problem sample) const {
        float most = 0.0F;
        for (const float value : sample.target) {
            most = std::max(most, std::fabs(value));
        }
        if (!(most > 0.0F)) {
            return 0.0;
        }
        const double wanted = static_cast<double>(removed()) /
                              static_cast<double>(m_rows * m_cols) *
                              static_cast<double>(sample.now.size());
        double low = std::log(kLeastLambda * most);
        double high = std::log(static_cast<double>(most));
        double taken = std::exp(low);
        for (int attempt = 0; attempt < m_options.lambdas; ++attempt) {
            const double middle = (low + high) / 2.0;
            PARETO_CHECK(iterate(sample, std::exp(middle), {}, m_options.iterations));
            const auto zeros = std::count(sample.now.begin(), sample.now.end(), 0.0F);
            if (static_cast<double>(zeros) <= wanted) {
                low = middle;
                taken = std::exp(middle);
            } else {
                high = middle;
            }
        }
        return taken;
    }

    /// |ŵ| · √H_jj; where ŵ is zero, |w| · √H_jj, scaled so that a tile of them lies below every one that is not.
    std::vector<float> scoresOf(const Problem& problem) const {
        std::vector<float> scores(problem.now.size());
        float least = std::numeric_limits<float>::infinity();
        float most = 0.0F;
        const auto importance = [&](const std::vector<float>& values, std::size_t at) {
            return std::fabs(values[at]) * std::sqrt(diagonal(static_cast<std::int64_t>(at) % m_cols));
        };
        for (std::size_t at = 0; at < scores.size(); ++at) {
            if (problem.now[at] != 0.0F) {
                least = std::min(least, importance(problem.now, at));
            } else {
                most = std::max(most, importance(problem.weight, at));
            }
        }
        const auto tile =
            static_cast<float>(m_options.pattern.tileRows * m_options.pattern.tileCols);
        const float scale =
            !(most > 0.0F) || !std::isfinite(least) ? 1.0F : 0.5F * least / most / tile;
        for (std::size_t at = 0; at < scores.size(); ++at) {
            scores[at] = problem.now[at] != 0.0F ? importance(problem.now, at)
                                                 : importance(problem.weight, at) * scale;
        }
        return scores;
    }

    std::vector<std::uint8_t> choose(const Problem& problem) const {
        const std::vector<float> scores = scoresOf(problem);
        std::vector<std::uint8_t> fallen(scores.size());
        for (const std::int64_t at :
             chooseLowestOfMatrix(scores, m_cols, m_options.pattern, m_context.parallel)) {
            fallen[static_cast<std::size_t>(at)] = 1;
        }
        return fallen;
    }

    const L1Options& m_options;
    const LayerContext& m_context;
    std::int64_t m_rows;
    std::int64_t m_cols;
    std::vector<float> m_values;   ///< W, dead columns zero
    std::vector<float> m_hessian;  ///< damped
    std::vector<float> m_steps;    ///< of each column
};

}  // namespace

Result<L1Solution> pruneL1(const Tensor& weight, const L1Options& options,
                           const InputStatistics& statistics, const LayerContext& context) {
    PARETO_CHECK(checkStatistics(statistics, weight, {Statistic::Hessian}, context.label));
    PARETO_CHECK(checkFinite(weight, context.label, context.parallel));
    return L1Reconstruction(weight, options, statistics, context).run();
}

}  // namespace pareto::compress
