#include "engine/compress/quantize/awq.h"

#include <algorithm>
#include <cmath>

#include "engine/compress/quantize/rtn.h"
#include "engine/weights/rounding.h"

namespace pareto::compress {

namespace {

constexpr int kRatios = 20;
/// auto_clip.py: n_grid = 20, max_shrink = 0.5.
constexpr int kClipGrid = 20;
constexpr int kClips = 10;
constexpr float kLeastScale = 1e-4F;
constexpr std::int64_t kGrainValues = 1 << 13;

std::vector<float> scalesOf(const std::vector<float>& magnitudes, double ratio) {
    float quietest = 0.0F;
    for (const float value : magnitudes) {
        if (value > 0.0F && (quietest == 0.0F || value < quietest)) {
            quietest = value;
        }
    }
    std::vector<float> scales(magnitudes.size(), 1.0F);
    if (quietest == 0.0F || ratio == 0.0) {
        return scales;
    }
    std::transform(magnitudes.begin(), magnitudes.end(), scales.begin(), [&](float value) {
        const float seen = std::max(value, quietest);
        return std::max(static_cast<float>(std::pow(static_cast<double>(seen), ratio)),
                        kLeastScale);
    });
    const auto [least, most] = std::minmax_element(scales.begin(), scales.end());
    const auto middle =
        static_cast<float>(std::sqrt(static_cast<double>(*least) * static_cast<double>(*most)));
    std::transform(scales.begin(), scales.end(), scales.begin(),
                   [&](float value) { return value / middle; });
    return scales;
}

/// Rows that the search for scales looks at, of each linear.
constexpr std::int64_t kRowsTried = 256;

/// All rows, or kRowsTried of them spread evenly.
std::vector<float> someRows(const Tensor& weight) {
    const std::int64_t rows = weight.shape[0];
    const std::int64_t cols = weight.shape[1];
    const std::int64_t count = std::min(rows, kRowsTried);
    std::vector<float> out(static_cast<std::size_t>(count * cols));
    for (std::int64_t at = 0; at < count; ++at) {
        dequantizeRow(weight, at * rows / count, out.data() + at * cols);
    }
    return out;
}

/// tr(E·H·Eᵀ) with E = Q(W·s)/s − W. TensorValues when W·s does not fit `format`.
Result<double> scaledError(const std::vector<float>& values, std::span<const float> scales,
                           const WeightFormat& format, const InputStatistics& statistics,
                           const LayerContext& context) {
    const std::size_t cols = scales.size();
    std::vector<float> scaled(values.size());
    for (std::size_t at = 0; at < values.size(); ++at) {
        scaled[at] = values[at] * scales[at % cols];
    }
    const Shape shape{static_cast<std::int64_t>(values.size() / cols), static_cast<std::int64_t>(cols)};
    PARETO_TRY(const Tensor rounded,
               roundToNearest(denseTensor(shape, scaled), format, context.label, context.stop, context.parallel));
    scaled = dequantize(rounded, context.parallel);
    for (std::size_t at = 0; at < scaled.size(); ++at) {
        scaled[at] /= scales[at % cols];
    }
    return outputError(values, scaled, statistics, context);
}

/// The search for one group of columns of all rows.
class GroupClip {
public:
    GroupClip(std::vector<float>& values, std::int64_t cols, const WeightFormat& format,
              const InputStatistics& statistics, const LayerContext& context)
        : m_values(values),
          m_cols(cols),
          m_rows(static_cast<std::int64_t>(values.size()) / cols),
          m_format(format),
          m_codes(rounding::codesOf(format.format)),
          m_statistics(statistics),
          m_context(context) {}

    void clip(std::int64_t begin, std::int64_t count) {
        m_begin = begin;
        m_count = count;
        m_errors.resize(static_cast<std::size_t>(m_rows * count));
        m_products.resize(m_errors.size());
        std::vector<double> best(static_cast<std::size_t>(m_rows));
        std::vector<float> limits(static_cast<std::size_t>(m_rows));
        for (int step = 0; step < kClips && !m_context.stop.stop_requested(); ++step) {
            const float shrink = 1.0F - static_cast<float>(step) / kClipGrid;
            roundAll(shrink);
            multiply();
            for (std::int64_t row = 0; row < m_rows; ++row) {
                const auto at = static_cast<std::size_t>(row);
                if (const double loss = lossOf(row); step == 0 || loss < best[at]) {
                    best[at] = loss;
                    limits[at] = largest(row) * shrink;
                }
            }
        }
        for (std::int64_t row = 0; row < m_rows; ++row) {
            const float limit = limits[static_cast<std::size_t>(row)];
            std::transform(group(row), group(row) + count, group(row),
                           [&](float value) { return std::clamp(value, -limit, limit); });
        }
    }

private:
    float* group(std::int64_t row) { return m_values.data() + row * m_cols + m_begin; }

    float largest(std::int64_t row) {
        float out = 0.0F;
        for (std::int64_t at = 0; at < m_count; ++at) {
            out = std::max(out, std::fabs(group(row)[at]));
        }
        return out;
    }

    void roundAll(float shrink) {
        const std::int64_t grain = std::max<std::int64_t>(1, kGrainValues / m_count);
        m_context.parallel(m_rows, grain, [&](std::int64_t first, std::int64_t last) {
            std::vector<float> clipped(static_cast<std::size_t>(m_count));
            std::vector<float> scratch;
            for (std::int64_t row = first; row < last; ++row) {
                const float limit = largest(row) * shrink;
                std::transform(group(row), group(row) + m_count, clipped.begin(),
                               [&](float value) { return std::clamp(value, -limit, limit); });
                const auto step = rounding::stepOf(clipped.data(), m_count, m_format, scratch);
                float* errors = m_errors.data() + row * m_count;
                for (std::int64_t at = 0; at < m_count; ++at) {
                    const float code =
                        rounding::codeOf(clipped[static_cast<std::size_t>(at)], step, m_codes);
                    errors[at] = rounding::valueOf(code, step) - group(row)[at];
                }
            }
        });
    }

    void multiply() {
        MatrixProduct product;
        product.rows = m_rows;
        product.cols = product.depth = m_count;
        product.a = m_errors.data();
        product.b = m_statistics.hessian.data() + m_begin * m_cols + m_begin;
        product.c = m_products.data();
        product.strideA = product.strideC = m_count;
        product.strideB = m_cols;
        m_context.math->multiply(product);
    }

    double lossOf(std::int64_t row) const {
        const auto from = static_cast<std::size_t>(row * m_count);
        double loss = 0.0;
        for (std::size_t at = from; at < from + static_cast<std::size_t>(m_count); ++at) {
            loss += static_cast<double>(m_errors[at]) * m_products[at];
        }
        return loss;
    }

    std::vector<float>& m_values;
    std::int64_t m_cols;
    std::int64_t m_rows;
    const WeightFormat& m_format;
    rounding::Codes m_codes;
    const InputStatistics& m_statistics;
    const LayerContext& m_context;
    std::int64_t m_begin = 0;
    std::int64_t m_count = 0;
    std::vector<float> m_errors;    ///< [rows][count]
    std::vector<float> m_products;  ///< errors · H_g
};

}  // namespace

Result<AwqScales> searchScales(std::span<const Tensor> linears, const WeightFormat& format,
                               const InputStatistics& statistics, const LayerContext& context) {
    for (const Tensor& weight : linears) {
        PARETO_CHECK(checkStatistics(
            statistics, weight, {Statistic::Hessian, Statistic::MeanMagnitudes}, context.label));
        PARETO_CHECK(checkFinite(weight, context.label, context.parallel));
    }
    std::vector<std::vector<float>> rows;
    std::transform(linears.begin(), linears.end(), std::back_inserter(rows), someRows);
    AwqScales best;
    for (int step = 0; step < kRatios; ++step) {
        AwqScales now;
        now.ratio = static_cast<double>(step) / kRatios;
        now.scales = scalesOf(statistics.meanMagnitudes, now.ratio);
        for (const auto& values : rows) {
            PARETO_TRY(const double error, scaledError(values, now.scales, format, statistics, context));
            now.error += error;
        }
        now.plainError = step == 0 ? now.error : best.plainError;
        if (step == 0 || now.error < best.error) {
            best = std::move(now);
        }
    }
    return best;
}

Result<Tensor> searchClip(const Tensor& weight, const WeightFormat& format,
                          const InputStatistics& statistics, const LayerContext& context) {
    PARETO_CHECK(checkStatistics(statistics, weight, {Statistic::Hessian}, context.label));
    std::vector<float> values = dequantize(weight, context.parallel);
    PARETO_CHECK(checkFits(values, format.format, context.label, context.parallel));
    const std::int64_t cols = weight.shape[1];
    if (format.granularity == Granularity::Tensor || !format.isInteger() || values.empty()) {
        return denseTensor(weight.shape, values);
    }
    const std::int64_t length = format.granularity == Granularity::Group ? format.groupSize : cols;
    GroupClip search(values, cols, format, statistics, context);
    for (std::int64_t begin = 0; begin < cols; begin += length) {
        search.clip(begin, std::min(length, cols - begin));
        if (context.stop.stop_requested()) {
            return Cancelled{};
        }
    }
    return denseTensor(weight.shape, values);
}

}  // namespace pareto::compress
