#include "engine/compress/prune/unit_selection.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

#include "engine/compress/prune/compensation.h"
#include "engine/compress/quantize/rtn.h"

namespace pareto::compress {

namespace {

/// Columns whose removal is remembered before the matrices are brought up to date.
constexpr std::int64_t kPending = 64;
constexpr std::int64_t kGrainValues = 1 << 12;

/// `a` [n][n] becomes its lower Cholesky factor; what is above the diagonal is left. False when it is not
/// positive definite.
bool cholesky(double* a, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j <= i; ++j) {
            double sum = a[i * n + j];
            for (std::int64_t k = 0; k < j; ++k) {
                sum -= a[i * n + k] * a[j * n + k];
            }
            if (j < i) {
                a[i * n + j] = sum / a[j * n + j];
            } else if (sum > 0.0 && std::isfinite(sum)) {
                a[i * n + i] = std::sqrt(sum);
            } else {
                return false;
            }
        }
    }
    return true;
}

/// b becomes L⁻¹·b, b [n][count] with rows `stride` apart.
void solveLower(const double* lower, std::int64_t n, double* b, std::int64_t count,
                std::int64_t stride) {
    for (std::int64_t i = 0; i < n; ++i) {
        double* out = b + i * stride;
        for (std::int64_t k = 0; k < i; ++k) {
            const double by = lower[i * n + k];
            const double* from = b + k * stride;
            for (std::int64_t at = 0; at < count; ++at) {
                out[at] -= by * from[at];
            }
        }
        const double inverse = 1.0 / lower[i * n + i];
        for (std::int64_t at = 0; at < count; ++at) {
            out[at] *= inverse;
        }
    }
}

/// L⁻¹·q·L⁻ᵀ, symmetric [n][n].
std::vector<double> whitened(const double* lower, const double* q, std::int64_t n) {
    std::vector<double> out(q, q + n * n);
    for (int side = 0; side < 2; ++side) {
        solveLower(lower, n, out.data(), n, n);
        for (std::int64_t i = 0; i < n; ++i) {
            for (std::int64_t j = 0; j < i; ++j) {
                std::swap(out[static_cast<std::size_t>(i * n + j)],
                          out[static_cast<std::size_t>(j * n + i)]);
            }
        }
    }
    return out;
}

std::vector<float> transposed(const std::vector<float>& values, std::int64_t rows,
                              std::int64_t cols) {
    std::vector<float> out(values.size());
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t col = 0; col < cols; ++col) {
            out[static_cast<std::size_t>(col * rows + row)] =
                values[static_cast<std::size_t>(row * cols + col)];
        }
    }
    return out;
}

/// Positions below are columns of what was left when the matrices were last brought up to date; a removed
/// unit keeps its position until then.
class UnitRemoval {
public:
    UnitRemoval(const Tensor& weight, const SecondOrderUnits& options,
                const InputStatistics& statistics, const LayerContext& context)
        : m_options(options),
          m_statistics(statistics),
          m_context(context),
          m_rows(weight.shape[0]),
          m_cols(weight.shape[1]),
          m_width(options.width),
          m_capacity(std::max(kPending, options.width)),
          m_units(static_cast<std::size_t>(weight.shape[1] / options.width)),
          m_alive(m_units.size(), 1),
          m_scores(m_units.size()) {
        std::iota(m_units.begin(), m_units.end(), std::int64_t{0});
    }

    Status run(std::vector<float> values, UnitSelection& out) {
        PARETO_CHECK(invert());
        gram(std::move(values));
        m_v.resize(static_cast<std::size_t>(m_capacity * m_cols));
        m_u.resize(m_v.size());
        forUnits([&](std::int64_t at) { score(at); });
        for (std::int64_t step = 0; step < m_options.remove; ++step) {
            if (m_context.stop.stop_requested()) {
                return Cancelled{};
            }
            if (m_unusable.load()) {
                return badValues(
                    m_context.label, 0,
                    "the products of its inputs are too close to singular to remove units");
            }
            const std::int64_t at = weakest();
            out.removed.push_back(m_units[static_cast<std::size_t>(at)]);
            out.losses.push_back(m_scores[static_cast<std::size_t>(at)]);
            m_alive[static_cast<std::size_t>(at)] = 0;
            if (step + 1 < m_options.remove) {
                PARETO_CHECK(remove(at));
            }
        }
        for (std::size_t at = 0; at < m_units.size(); ++at) {
            if (m_alive[at] != 0) {
                out.kept.push_back(m_units[at]);
            }
        }
        return Done{};
    }

private:
    std::int64_t positions() const { return static_cast<std::int64_t>(m_units.size()); }
    std::int64_t square() const { return m_width * m_width; }

    template <typename Body>
    void forUnits(Body&& body, std::int64_t valuesEach = 1) {
        const std::int64_t grain = std::max<std::int64_t>(
            1, kGrainValues / std::max<std::int64_t>(1, square() * valuesEach));
        m_context.parallel(positions(), grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t at = begin; at < end; ++at) {
                body(at);
            }
        });
    }

    void multiply(const std::vector<float>& a, const std::vector<float>& b, std::vector<float>& c,
                  std::int64_t depth, float alpha, float beta) const {
        MatrixProduct p;
        p.rows = p.cols = m_cols;
        p.depth = depth;
        p.a = a.data();
        p.b = b.data();
        p.c = c.data();
        p.strideA = depth;
        p.strideB = p.strideC = m_cols;
        p.alpha = alpha;
        p.beta = beta;
        m_context.math->multiply(p);
    }

    /// The blocks on the diagonal of XᵀX, X [rows][cols], in fp64.
    template <typename T>
    std::vector<double> blocksOf(const std::vector<T>& x, std::int64_t rows) {
        std::vector<double> blocks(static_cast<std::size_t>(positions() * square()));
        forUnits(
            [&](std::int64_t at) {
                double* block = blocks.data() + at * square();
                for (std::int64_t row = 0; row < rows; ++row) {
                    const T* from = x.data() + row * m_cols + at * m_width;
                    for (std::int64_t i = 0; i < m_width; ++i) {
                        for (std::int64_t j = 0; j < m_width; ++j) {
                            block[i * m_width + j] +=
                                static_cast<double>(from[i]) * static_cast<double>(from[j]);
                        }
                    }
                }
            },
            rows);
        return blocks;
    }

    Status invert() {
        const auto n = static_cast<std::size_t>(m_cols);
        const double mean = meanLiveSquare(m_statistics);
        std::vector<double> h(m_statistics.hessian.begin(), m_statistics.hessian.end());
        for (std::size_t i = 0; i < n; ++i) {
            double& diagonal = h[i * n + i];
            diagonal = (diagonal > 0.0 ? diagonal : mean) + m_options.damping * mean;
        }
        if (!m_context.math->inverseFactor(h, m_cols)) {
            return badValues(m_context.label, 0,
                             "the products of its inputs are not positive definite, even damped");
        }
        m_inverseBlocks = blocksOf(h, m_cols);
        const std::vector<float> upper(h.begin(), h.end());
        h = {};
        m_inverse.resize(n * n);
        multiply(transposed(upper, m_cols, m_cols), upper, m_inverse, m_cols, 1.0F, 0.0F);
        return Done{};
    }

    void gram(std::vector<float> values) {
        for (std::int64_t col = 0; col < m_cols; ++col) {
            const bool dead =
                !(m_statistics.hessian[static_cast<std::size_t>(col * m_cols + col)] > 0.0F);
            for (std::int64_t row = 0; dead && row < m_rows; ++row) {
                values[static_cast<std::size_t>(row * m_cols + col)] = 0.0F;
            }
        }
        m_gramBlocks = blocksOf(values, m_rows);
        m_gram.resize(static_cast<std::size_t>(m_cols * m_cols));
        multiply(transposed(values, m_rows, m_cols), values, m_gram, m_rows, 1.0F, 0.0F);
    }

    /// tr(D⁻¹·Q) of the unit's blocks of H⁻¹ and WᵀW.
    void score(std::int64_t at) {
        if (m_alive[static_cast<std::size_t>(at)] == 0) {
            return;
        }
        const double* inverse = m_inverseBlocks.data() + at * square();
        const double* q = m_gramBlocks.data() + at * square();
        std::vector<double> lower(inverse, inverse + square());
        if (!cholesky(lower.data(), m_width)) {
            m_unusable.store(true);
            return;
        }
        const std::vector<double> own = whitened(lower.data(), q, m_width);
        double trace = 0.0;
        for (std::int64_t i = 0; i < m_width; ++i) {
            trace += own[static_cast<std::size_t>(i * m_width + i)];
        }
        m_scores[static_cast<std::size_t>(at)] = std::max(0.0, trace);
    }

    std::int64_t weakest() const {
        std::int64_t best = -1;
        for (std::int64_t at = 0; at < positions(); ++at) {
            const auto index = static_cast<std::size_t>(at);
            if (m_alive[index] != 0 &&
                (best < 0 || m_scores[index] < m_scores[static_cast<std::size_t>(best)])) {
                best = at;
            }
        }
        return best;
    }

    /// H⁻¹ −= V·Vᵀ and Q −= U·Vᵀ + V·Uᵀ, with D = L·Lᵀ the unit's block, V = [H⁻¹]_:S·L⁻ᵀ,
    /// G = L⁻¹·Q_SS·L⁻ᵀ and U = Q_:S·L⁻ᵀ − V·G/2: what W −= W_S·D⁻¹·[H⁻¹]_S: does to both.
    Status remove(std::int64_t at) {
        if (m_pending + m_width > m_capacity) {
            at = applyPending(at);
        }
        std::vector<double> lower(m_inverseBlocks.begin() + at * square(),
                                  m_inverseBlocks.begin() + (at + 1) * square());
        if (!cholesky(lower.data(), m_width)) {
            m_unusable.store(true);
            return Done{};
        }
        const std::vector<double> own =
            whitened(lower.data(), m_gramBlocks.data() + at * square(), m_width);
        const std::int64_t grain =
            std::max<std::int64_t>(1, kGrainValues / (m_width * (m_width + m_pending)));
        m_context.parallel(positions(), grain, [&](std::int64_t begin, std::int64_t end) {
            appendFactors(at, lower.data(), own.data(), begin * m_width, end * m_width);
            for (std::int64_t unit = begin; unit < end; ++unit) {
                updateBlocks(unit);
                score(unit);
            }
        });
        m_pending += m_width;
        return Done{};
    }

    void appendFactors(std::int64_t unit, const double* lower, const double* own,
                       std::int64_t begin, std::int64_t end) {
        const std::int64_t count = end - begin;
        double* v = m_v.data() + m_pending * m_cols + begin;
        double* u = m_u.data() + m_pending * m_cols + begin;
        for (std::int64_t i = 0; i < m_width; ++i) {
            const std::int64_t owner = unit * m_width + i;
            double* toV = v + i * m_cols;
            double* toU = u + i * m_cols;
            const float* inverse = m_inverse.data() + owner * m_cols + begin;
            const float* q = m_gram.data() + owner * m_cols + begin;
            std::copy(inverse, inverse + count, toV);
            std::copy(q, q + count, toU);
            for (std::int64_t k = 0; k < m_pending; ++k) {
                const double* fromV = m_v.data() + k * m_cols;
                const double* fromU = m_u.data() + k * m_cols;
                const double byV = fromV[owner];
                const double byU = fromU[owner];
                for (std::int64_t col = 0; col < count; ++col) {
                    toV[col] -= byV * fromV[begin + col];
                    toU[col] -= byV * fromU[begin + col] + byU * fromV[begin + col];
                }
            }
        }
        solveLower(lower, m_width, v, count, m_cols);
        solveLower(lower, m_width, u, count, m_cols);
        for (std::int64_t i = 0; i < m_width; ++i) {
            for (std::int64_t k = 0; k < m_width; ++k) {
                const double by = 0.5 * own[k * m_width + i];
                for (std::int64_t col = 0; col < count; ++col) {
                    u[i * m_cols + col] -= by * v[k * m_cols + col];
                }
            }
        }
    }

    void updateBlocks(std::int64_t unit) {
        double* inverse = m_inverseBlocks.data() + unit * square();
        double* q = m_gramBlocks.data() + unit * square();
        for (std::int64_t k = 0; k < m_width; ++k) {
            const double* v = m_v.data() + (m_pending + k) * m_cols + unit * m_width;
            const double* u = m_u.data() + (m_pending + k) * m_cols + unit * m_width;
            for (std::int64_t i = 0; i < m_width; ++i) {
                for (std::int64_t j = 0; j < m_width; ++j) {
                    inverse[i * m_width + j] -= v[i] * v[j];
                    q[i * m_width + j] -= u[i] * v[j] + v[i] * u[j];
                }
            }
        }
    }

    /// Brings both matrices up to date, without the units that are gone but for `keep`, which is going;
    /// where that one is then.
    std::int64_t applyPending(std::int64_t keep) {
        std::vector<std::int64_t> stays;
        for (std::int64_t at = 0; at < positions(); ++at) {
            if (m_alive[static_cast<std::size_t>(at)] != 0 || at == keep) {
                stays.push_back(at);
            }
        }
        const std::int64_t before = m_cols;
        const std::vector<std::int64_t> columns = columnsOfUnits(stays, m_width);
        m_cols = static_cast<std::int64_t>(columns.size());
        compact(m_inverse, columns, columns, before);
        compact(m_gram, columns, columns, before);
        std::vector<std::int64_t> pending(static_cast<std::size_t>(m_pending));
        std::iota(pending.begin(), pending.end(), std::int64_t{0});
        compact(m_v, pending, columns, before);
        compact(m_u, pending, columns, before);
        const auto size = static_cast<std::ptrdiff_t>(m_pending * m_cols);
        const std::vector<float> v(m_v.begin(), m_v.begin() + size);
        std::vector<float> both = v;
        multiply(transposed(v, m_pending, m_cols), v, m_inverse, m_pending, -1.0F, 1.0F);
        std::vector<float> other(m_u.begin(), m_u.begin() + size);
        both.insert(both.end(), other.begin(), other.end());
        other.insert(other.end(), v.begin(), v.end());
        multiply(transposed(both, 2 * m_pending, m_cols), other, m_gram, 2 * m_pending, -1.0F,
                 1.0F);
        std::int64_t where = 0;
        for (std::size_t at = 0; at < stays.size(); ++at) {
            const auto from = static_cast<std::size_t>(stays[at]);
            m_units[at] = m_units[from];
            m_alive[at] = m_alive[from];
            m_scores[at] = m_scores[from];
            std::copy_n(m_inverseBlocks.begin() + stays[at] * square(), square(),
                        m_inverseBlocks.begin() + static_cast<std::int64_t>(at) * square());
            std::copy_n(m_gramBlocks.begin() + stays[at] * square(), square(),
                        m_gramBlocks.begin() + static_cast<std::int64_t>(at) * square());
            where = stays[at] == keep ? static_cast<std::int64_t>(at) : where;
        }
        m_units.resize(stays.size());
        m_alive.resize(stays.size());
        m_scores.resize(stays.size());
        m_pending = 0;
        return where;
    }

    /// Some rows and columns of a matrix whose rows were `before` long, moved together at its beginning.
    template <typename T>
    static void compact(std::vector<T>& matrix, const std::vector<std::int64_t>& rows,
                        const std::vector<std::int64_t>& columns, std::int64_t before) {
        auto to = matrix.begin();
        for (const std::int64_t row : rows) {
            for (const std::int64_t col : columns) {
                *to++ = matrix[static_cast<std::size_t>(row * before + col)];
            }
        }
    }

    const SecondOrderUnits& m_options;
    const InputStatistics& m_statistics;
    const LayerContext& m_context;
    std::int64_t m_rows;
    std::int64_t m_cols;  ///< columns at hand, and the length of a row of everything below
    std::int64_t m_width;
    std::int64_t m_capacity;
    std::vector<std::int64_t> m_units;    ///< which unit is at a position
    std::vector<std::uint8_t> m_alive;    ///< of each position
    std::vector<double> m_scores;         ///< of each position
    std::vector<float> m_inverse;         ///< H⁻¹ without what is pending
    std::vector<float> m_gram;            ///< Q = WᵀW without what is pending
    std::vector<double> m_inverseBlocks;  ///< [positions][width][width] of H⁻¹, up to date
    std::vector<double> m_gramBlocks;
    std::vector<double> m_v;  ///< Vᵀ of what is pending [pending][cols]
    std::vector<double> m_u;
    std::int64_t m_pending = 0;
    std::atomic<bool> m_unusable{false};
};

}  // namespace

std::vector<std::int64_t> columnsOfUnits(std::span<const std::int64_t> units, std::int64_t width) {
    std::vector<std::int64_t> columns;
    columns.reserve(units.size() * static_cast<std::size_t>(width));
    for (const std::int64_t unit : units) {
        for (std::int64_t at = 0; at < width; ++at) {
            columns.push_back(unit * width + at);
        }
    }
    return columns;
}

Result<std::vector<double>> unitFluctuation(const Tensor& weight, std::int64_t width,
                                            const InputStatistics& statistics,
                                            const LayerContext& context) {
    PARETO_CHECK(checkStatistics(statistics, weight, {Statistic::MeanSquares, Statistic::Means},
                                 context.label));
    PARETO_CHECK(checkFinite(weight, context.label, context.parallel));
    const std::int64_t cols = weight.shape[1];
    std::vector<double> squares(static_cast<std::size_t>(cols));
    std::vector<float> line(squares.size());
    for (std::int64_t row = 0; row < weight.shape[0]; ++row) {
        dequantizeRow(weight, row, line.data());
        for (std::size_t col = 0; col < line.size(); ++col) {
            squares[col] += static_cast<double>(line[col]) * line[col];
        }
    }
    std::vector<double> out(static_cast<std::size_t>(cols / width));
    for (std::size_t col = 0; col < squares.size(); ++col) {
        const double mean = statistics.means[col];
        const double variance = std::max(0.0, statistics.meanSquares[col] - mean * mean);
        out[col / static_cast<std::size_t>(width)] += variance * squares[col];
    }
    return out;
}

Result<UnitSelection> selectBySecondOrder(const Tensor& weight, const SecondOrderUnits& options,
                                          const InputStatistics& statistics,
                                          const LayerContext& context) {
    PARETO_CHECK(checkStatistics(statistics, weight, {Statistic::Hessian}, context.label));
    std::vector<float> values = dequantize(weight, context.parallel);
    PARETO_CHECK(checkFits(values, NumberFormat::F32, context.label, context.parallel));
    UnitSelection out;
    PARETO_CHECK(UnitRemoval(weight, options, statistics, context).run(std::move(values), out));
    PARETO_TRY(out.weight, compensateByLeastSquares(weight, columnsOfUnits(out.kept, options.width),
                                                    statistics, options.damping, context));
    return out;
}

}  // namespace pareto::compress
