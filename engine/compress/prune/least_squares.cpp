#include "engine/compress/prune/least_squares.h"

#include <algorithm>
#include <cmath>

#include "engine/compress/prune/magnitude.h"
#include "engine/compress/prune/wanda.h"

namespace pareto::compress {
namespace {

constexpr double kRho = 1.0;

class Admm {
public:
    Admm(const Tensor& weight, const AdjustOptions& options, const InputStatistics& statistics,
         const LayerContext& context)
        : m_options(options),
          m_statistics(statistics),
          m_context(context),
          m_rows(weight.shape[0]),
          m_cols(weight.shape[1]),
          m_original(dequantize(weight, context.parallel)) {}

    Result<Tensor> run() {
        PARETO_CHECK(factor());
        PARETO_TRY(m_plain, prunedOf(m_original, m_options.pattern.ratio));
        m_now = normalized(m_original);
        product(m_now, m_hessian, m_target);
        m_dual.assign(m_now.size(), 0.0F);
        for (int round = 0; round <= m_options.rounds; ++round) {
            const bool last = round == m_options.rounds;
            PARETO_CHECK(choose(round));
            const int iterations = last ? m_options.iterations : std::max(1, m_options.iterations / 5);
            for (int i = 0; i < iterations; ++i) {
                if (m_context.stop.stop_requested()) {
                    return Cancelled{};
                }
                iterate();
            }
        }
        return better(masked());
    }

private:
    std::size_t at(std::int64_t row, std::int64_t col) const { return static_cast<std::size_t>(row * m_cols + col); }

    /// The Hessian of normalized inputs, damped, and the inverse of it + ρ.
    Status factor() {
        const double mean = meanLiveSquare(m_statistics);
        m_hessian = m_statistics.hessian;
        for (std::int64_t col = 0; col < m_cols; ++col) {
            float& square = m_hessian[at(col, col)];
            square += static_cast<float>(m_options.damping * mean);
            m_norms.push_back(std::sqrt(square));
        }
        std::vector<double> shifted(m_hessian.size());
        for (std::int64_t row = 0; row < m_cols; ++row) {
            for (std::int64_t col = 0; col < m_cols; ++col) {
                float& value = m_hessian[at(row, col)];
                value /= m_norms[static_cast<std::size_t>(row)] * m_norms[static_cast<std::size_t>(col)];
                shifted[at(row, col)] = value + (row == col ? kRho : 0.0);
            }
        }
        if (!m_context.math->inverseFactor(shifted, m_cols)) {
            return badValues(m_context.label, 0, "the inputs' second moments have no inverse: too few or broken samples");
        }
        std::vector<float> upper(shifted.size());
        std::vector<float> lower(shifted.size());
        for (std::int64_t row = 0; row < m_cols; ++row) {
            for (std::int64_t col = 0; col < m_cols; ++col) {
                upper[at(row, col)] = static_cast<float>(shifted[at(row, col)]);
                lower[at(col, row)] = upper[at(row, col)];
            }
        }
        m_inverse.resize(upper.size());
        multiply(lower, upper, m_inverse, m_cols);
        return Done{};
    }

    void multiply(const std::vector<float>& a, const std::vector<float>& b, std::vector<float>& c, std::int64_t rows) const {
        MatrixProduct p;
        p.rows = rows;
        p.cols = m_cols;
        p.depth = m_cols;
        p.a = a.data();
        p.strideA = m_cols;
        p.b = b.data();
        p.strideB = m_cols;
        p.c = c.data();
        p.strideC = m_cols;
        m_context.math->multiply(p);
    }

    void product(const std::vector<float>& a, const std::vector<float>& square, std::vector<float>& out) const {
        out.resize(a.size());
        multiply(a, square, out, m_rows);
    }

    /// Calls `change(place, col)` for each value.
    template <typename Change>
    void eachValue(const Change& change) const {
        constexpr std::int64_t kGrain = 64;
        m_context.parallel(m_rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                for (std::int64_t col = 0; col < m_cols; ++col) {
                    change(at(row, col), static_cast<std::size_t>(col));
                }
            }
        });
    }

    std::vector<float> normalized(const std::vector<float>& values) const {
        std::vector<float> out(values.size());
        eachValue([&](std::size_t place, std::size_t col) { out[place] = values[place] * m_norms[col]; });
        return out;
    }

    /// Weights and dual together, as the weights they stand for.
    std::vector<float> together() const {
        std::vector<float> out(m_now.size());
        eachValue([&](std::size_t place, std::size_t col) { out[place] = (m_now[place] + m_dual[place]) / m_norms[col]; });
        return out;
    }

    Result<std::vector<float>> prunedOf(const std::vector<float>& values, double ratio) const {
        SparsityPattern pattern = m_options.pattern;
        pattern.ratio = ratio;
        const Tensor dense = denseTensor(Shape{m_rows, m_cols}, values);
        if (m_options.method == PruneMethod::Wanda) {
            PARETO_TRY(const Tensor pruned, pruneWanda(dense, pattern, m_statistics, m_context));
            return dequantize(pruned, m_context.parallel);
        }
        return dequantize(pruneMagnitude(dense, pattern, m_context.parallel), m_context.parallel);
    }

    Status choose(int round) {
        const SparsifySpec whole{.begin = 0.0, .end = 1.0};
        const double ratio = sparsityAt(whole, m_options.pattern.ratio, round + 1, m_options.rounds + 1);
        std::vector<float> values = m_plain;
        if (m_options.rounds > 0) {
            PARETO_TRY(values, prunedOf(round == 0 ? m_original : together(), ratio));
        }
        m_stays.resize(values.size());
        eachValue([&](std::size_t place, std::size_t) { m_stays[place] = values[place] != 0.0F; });
        return Done{};
    }

    /// Z = (Ŵ + U) ∘ M, U += Ŵ − Z, Ŵ = (W·H + ρ · (Z − U)) · (H + ρ)⁻¹.
    void iterate() {
        std::vector<float> right(m_now.size());
        eachValue([&](std::size_t place, std::size_t) {
            const float z = m_stays[place] ? m_now[place] + m_dual[place] : 0.0F;
            m_dual[place] += m_now[place] - z;
            right[place] = m_target[place] + static_cast<float>(kRho) * (z - m_dual[place]);
        });
        multiply(right, m_inverse, m_now, m_rows);
    }

    std::vector<float> masked() const {
        auto out = together();
        eachValue([&](std::size_t place, std::size_t) { out[place] = m_stays[place] ? out[place] : 0.0F; });
        return out;
    }

    Tensor better(const std::vector<float>& adjusted) const {
        const bool finite = std::all_of(adjusted.begin(), adjusted.end(), [](float value) { return std::isfinite(value); });
        const bool gains = finite && outputError(m_original, adjusted, m_statistics, m_context) <
                                         outputError(m_original, m_plain, m_statistics, m_context);
        return denseTensor(Shape{m_rows, m_cols}, gains ? adjusted : m_plain);
    }

    const AdjustOptions& m_options;
    const InputStatistics& m_statistics;
    const LayerContext& m_context;
    const std::int64_t m_rows;
    const std::int64_t m_cols;
    const std::vector<float> m_original;
    std::vector<float> m_norms;    ///< of inputs
    std::vector<float> m_hessian;  ///< of normalized inputs
    std::vector<float> m_inverse;
    std::vector<float> m_target;   ///< W · H, normalized as all that follow
    std::vector<float> m_now;      ///< Ŵ
    std::vector<float> m_dual;     ///< U
    std::vector<float> m_plain;    ///< chosen at once, not adjusted
    std::vector<char> m_stays;
};

}  // namespace

Result<Tensor> pruneAdjusted(const Tensor& weight, const AdjustOptions& options, const InputStatistics& statistics,
                             const LayerContext& context) {
    PARETO_CHECK(checkStatistics(statistics, weight, {Statistic::Hessian, Statistic::MeanSquares}, context.label));
    return Admm(weight, options, statistics, context).run();
}

}  // namespace pareto::compress
