#include "engine/compress/prune/compensation.h"

#include <algorithm>
#include <cmath>

#include "engine/compress/quantize/rtn.h"

namespace pareto::compress {

namespace {

std::vector<std::int64_t> othersThan(std::span<const std::int64_t> kept, std::int64_t cols) {
    std::vector<std::int64_t> out;
    auto next = kept.begin();
    for (std::int64_t col = 0; col < cols; ++col) {
        if (next != kept.end() && *next == col) {
            ++next;
        } else {
            out.push_back(col);
        }
    }
    return out;
}

/// Some columns of a matrix [rows][cols].
std::vector<float> gather(std::span<const float> values, std::int64_t cols,
                          std::span<const std::int64_t> columns) {
    std::vector<float> out;
    out.reserve(values.size() / static_cast<std::size_t>(cols) * columns.size());
    for (std::size_t row = 0; row < values.size(); row += static_cast<std::size_t>(cols)) {
        for (const std::int64_t col : columns) {
            out.push_back(values[row + static_cast<std::size_t>(col)]);
        }
    }
    return out;
}

/// A·B of row-major matrices, B [depth][cols].
std::vector<float> product(const std::vector<float>& a, const std::vector<float>& b,
                           std::int64_t depth, const LayerContext& context) {
    MatrixProduct p;
    p.rows = static_cast<std::int64_t>(a.size()) / depth;
    p.depth = depth;
    p.cols = static_cast<std::int64_t>(b.size()) / depth;
    std::vector<float> out(static_cast<std::size_t>(p.rows * p.cols));
    p.a = a.data();
    p.b = b.data();
    p.c = out.data();
    p.strideA = depth;
    p.strideB = p.strideC = p.cols;
    context.math->multiply(p);
    return out;
}

/// B ↦ B · (H_kk + damping)⁻¹ by its factor, H⁻¹ = UᵀU.
class KeptInverse {
public:
    Status factor(const InputStatistics& statistics, std::span<const std::int64_t> kept,
                  double damping, const LayerContext& context) {
        m_n = static_cast<std::int64_t>(kept.size());
        const auto n = kept.size();
        const double mean = meanLiveSquare(statistics);
        std::vector<double> h(n * n);
        for (std::size_t i = 0; i < n; ++i) {
            const float* from = statistics.hessian.data() + kept[i] * statistics.cols;
            for (std::size_t j = 0; j < n; ++j) {
                h[i * n + j] = static_cast<double>(from[kept[j]]);
            }
            double& square = h[i * n + i];
            square = (square > 0.0 ? square : mean) + damping * mean;
        }
        if (!context.math->inverseFactor(h, m_n)) {
            return badValues(context.label, 0,
                             "the products of its inputs are not positive definite, even damped");
        }
        m_upper.resize(n * n);
        m_lower.resize(n * n);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                m_upper[i * n + j] = m_lower[j * n + i] = static_cast<float>(h[i * n + j]);
            }
        }
        return Done{};
    }

    std::vector<float> apply(const std::vector<float>& b, const LayerContext& context) const {
        return product(product(b, m_lower, m_n, context), m_upper, m_n, context);
    }

private:
    std::int64_t m_n = 0;
    std::vector<float> m_upper;  ///< U
    std::vector<float> m_lower;  ///< Uᵀ
};

}  // namespace

Result<Tensor> compensateByLeastSquares(const Tensor& weight, std::span<const std::int64_t> kept,
                                        const InputStatistics& statistics, double damping,
                                        const LayerContext& context) {
    PARETO_CHECK(checkStatistics(statistics, weight, {Statistic::Hessian}, context.label));
    const std::vector<float> values = dequantize(weight, context.parallel);
    PARETO_CHECK(checkFits(values, NumberFormat::F32, context.label, context.parallel));
    const std::int64_t rows = weight.shape[0];
    const std::int64_t cols = weight.shape[1];
    const auto count = static_cast<std::int64_t>(kept.size());
    const std::vector<std::int64_t> removed = othersThan(kept, cols);
    std::vector<float> out = gather(values, cols, kept);
    if (rows == 0 || removed.empty()) {
        return denseTensor(Shape{rows, count}, out);
    }
    KeptInverse inverse;
    PARETO_CHECK(inverse.factor(statistics, kept, damping, context));
    if (context.stop.stop_requested()) {
        return Cancelled{};
    }
    std::vector<float> between;  // H_rk
    for (const std::int64_t col : removed) {
        const std::span<const float> all(statistics.hessian.data() + col * cols,
                                         static_cast<std::size_t>(cols));
        const auto part = gather(all, cols, kept);
        between.insert(between.end(), part.begin(), part.end());
    }
    const auto pull = product(gather(values, cols, removed), between,
                              static_cast<std::int64_t>(removed.size()), context);
    const std::vector<float> change = inverse.apply(pull, context);
    std::transform(out.begin(), out.end(), change.begin(), out.begin(), std::plus<>());
    const auto bad =
        std::count_if(out.begin(), out.end(), [](float value) { return !std::isfinite(value); });
    if (bad != 0) {
        return badValues(context.label, bad,
                         "they came up while the kept inputs made up for removed ones");
    }
    return denseTensor(Shape{rows, count}, out);
}

Result<Tensor> compensateByBias(const Tensor& weight, const Tensor* bias,
                                std::span<const std::int64_t> kept,
                                const InputStatistics& statistics, const LayerContext& context) {
    PARETO_CHECK(checkStatistics(statistics, weight, {Statistic::Means}, context.label));
    PARETO_CHECK(checkFinite(weight, context.label, context.parallel));
    const std::int64_t rows = weight.shape[0];
    const std::int64_t cols = weight.shape[1];
    const std::vector<std::int64_t> removed = othersThan(kept, cols);
    std::vector<float> out =
        bias != nullptr ? dequantize(*bias) : std::vector<float>(static_cast<std::size_t>(rows));
    std::vector<float> line(static_cast<std::size_t>(cols));
    for (std::int64_t row = 0; row < rows; ++row) {
        dequantizeRow(weight, row, line.data());
        double sum = 0.0;
        for (const std::int64_t col : removed) {
            const auto at = static_cast<std::size_t>(col);
            sum += static_cast<double>(line[at]) * statistics.means[at];
        }
        out[static_cast<std::size_t>(row)] += static_cast<float>(sum);
    }
    return denseTensor(Shape{rows}, out);
}

}  // namespace pareto::compress
