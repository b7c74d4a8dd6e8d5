#include "engine/compress/quantize/smooth.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "engine/compress/quantize/rtn.h"

namespace pareto::compress {

namespace {

constexpr int kAlphaSteps = 20;
/// Of the kernels: scale = max|x| / 127.5, and the same for 16 bits.
constexpr float kHalfCodes8 = 127.5F;
constexpr float kHalfCodes16 = 32767.5F;

std::vector<float> largestWeights(std::span<const Tensor> linears, std::int64_t cols) {
    std::vector<float> largest(static_cast<std::size_t>(cols));
    std::vector<float> row(largest.size());
    for (const Tensor& weight : linears) {
        for (std::int64_t index = 0; index < weight.shape[0]; ++index) {
            dequantizeRow(weight, index, row.data());
            std::transform(
                row.begin(), row.end(), largest.begin(), largest.begin(),
                [](float value, float most) { return std::max(most, std::fabs(value)); });
        }
    }
    return largest;
}

/// `weights`: max|w_j|.
std::vector<float> scalesOf(const std::vector<float>& inputs, const std::vector<float>& weights,
                            double alpha) {
    std::vector<double> logs(inputs.size());
    double sum = 0.0;
    std::int64_t live = 0;
    const auto isLive = [&](std::size_t col) { return inputs[col] > 0.0F && weights[col] > 0.0F; };
    for (std::size_t col = 0; col < inputs.size(); ++col) {
        if (isLive(col)) {
            logs[col] = alpha * std::log(static_cast<double>(inputs[col])) -
                        (1.0 - alpha) * std::log(static_cast<double>(weights[col]));
            sum += logs[col];
            ++live;
        }
    }
    std::vector<float> scales(inputs.size(), 1.0F);
    for (std::size_t col = 0; live > 0 && col < inputs.size(); ++col) {
        const double exponent = isLive(col) ? logs[col] : sum / static_cast<double>(live);
        scales[col] = static_cast<float>(std::exp(exponent));
    }
    return scales;
}

/// x / s as the kernels would read it, for all of a few samples x.
class SampledInputs {
public:
    SampledInputs(const InputStatistics& statistics, const WeightFormat& format)
        : m_statistics(statistics),
          m_format(format),
          m_cols(static_cast<std::size_t>(statistics.cols)),
          m_half(format.activations == Activations::Int16Dynamic ? kHalfCodes16 : kHalfCodes8),
          m_length(format.activationGroup > 0 ? static_cast<std::size_t>(format.activationGroup) : m_cols) {}

    std::int64_t count() const { return m_statistics.sampled(); }

    /// [cols][count]: a column is a sample.
    std::vector<float> plain() const { return columns({}); }

    /// Divided by the scales and rounded.
    std::vector<float> rounded(std::span<const float> scales) const { return columns(scales); }

private:
    std::vector<float> columns(std::span<const float> scales) const {
        const auto count = static_cast<std::size_t>(this->count());
        std::vector<float> out(m_statistics.sample.size());
        std::vector<float> row(m_cols);
        const float fixed = scales.empty() ? 0.0F : widest(scales);
        for (std::size_t sample = 0; sample < count; ++sample) {
            const float* x = m_statistics.sample.data() + sample * m_cols;
            std::copy(x, x + m_cols, row.begin());
            if (!scales.empty()) {
                round(row, scales, fixed);
            }
            for (std::size_t col = 0; col < m_cols; ++col) {
                out[col * count + sample] = row[col];
            }
        }
        return out;
    }

    /// Of all calibration's tokens.
    float widest(std::span<const float> scales) const {
        float out = 0.0F;
        for (std::size_t col = 0; col < m_cols; ++col) {
            out = std::max(out, m_statistics.largest[col] / scales[col]);
        }
        return out;
    }

    void round(std::vector<float>& row, std::span<const float> scales, float fixed) const {
        std::transform(row.begin(), row.end(), scales.begin(), row.begin(), std::divides<>());
        if (m_format.activations == Activations::None) {
            return;
        }
        for (std::size_t begin = 0; begin < m_cols; begin += m_length) {
            const std::size_t end = std::min(begin + m_length, m_cols);
            float largest = fixed;
            if (m_format.activations != Activations::Int8Static) {
                largest = 0.0F;
                for (std::size_t col = begin; col < end; ++col) {
                    largest = std::max(largest, std::fabs(row[col]));
                }
            }
            const float step = largest / m_half;
            for (std::size_t col = begin; col < end && step > 0.0F; ++col) {
                row[col] = std::clamp(std::nearbyint(row[col] / step), -m_half - 0.5F, m_half - 0.5F) * step;
            }
        }
    }

    const InputStatistics& m_statistics;
    const WeightFormat& m_format;
    std::size_t m_cols;
    float m_half;
    std::size_t m_length;
};

/// One of the linears and what it makes of the samples.
class SampledLinear {
public:
    SampledLinear(const Tensor& weight, const std::vector<float>& samples, std::int64_t count,
                  const LayerContext& context)
        : m_shape(weight.shape), m_values(dequantize(weight, context.parallel)), m_count(count), m_context(context) {
        m_wanted.resize(static_cast<std::size_t>(m_shape[0] * count));
        multiply(m_values, samples, m_wanted, 0.0F);
        m_energy.resize(static_cast<std::size_t>(count));
        addSquares(m_wanted, m_energy);
        auto sorted = m_energy;
        const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
        std::nth_element(sorted.begin(), middle, sorted.end());
        std::transform(m_energy.begin(), m_energy.end(), m_energy.begin(),
                       [&](double energy) { return std::max(energy, *middle); });
    }

    /// See searchSmoothing(). `inputs` x̂ [cols][count].
    Result<double> error(std::span<const float> scales, const std::vector<float>& inputs,
                         const WeightFormat& format) const {
        std::vector<float> scaled(m_values.size());
        for (std::size_t row = 0; row < scaled.size(); row += scales.size()) {
            std::transform(scales.begin(), scales.end(), m_values.begin() + static_cast<std::ptrdiff_t>(row),
                           scaled.begin() + static_cast<std::ptrdiff_t>(row), std::multiplies<>());
        }
        PARETO_TRY(const Tensor rounded, roundToNearest(denseTensor(m_shape, scaled), format, m_context.label,
                                                        m_context.stop, m_context.parallel));
        std::vector<float> difference = m_wanted;
        multiply(dequantize(rounded, m_context.parallel), inputs, difference, -1.0F);
        std::vector<double> squares(m_energy.size());
        addSquares(difference, squares);
        double sum = 0.0;
        for (std::size_t sample = 0; sample < squares.size(); ++sample) {
            sum += m_energy[sample] > 0.0 ? squares[sample] / m_energy[sample] : 0.0;
        }
        return sum / static_cast<double>(m_count);
    }

private:
    /// out = weight · inputs + beta · out
    void multiply(const std::vector<float>& weight, const std::vector<float>& inputs, std::vector<float>& out,
                  float beta) const {
        MatrixProduct product;
        product.rows = m_shape[0];
        product.depth = product.strideA = m_shape[1];
        product.cols = product.strideB = product.strideC = m_count;
        product.a = weight.data();
        product.b = inputs.data();
        product.c = out.data();
        product.beta = beta;
        m_context.math->multiply(product);
    }

    void addSquares(const std::vector<float>& outputs, std::vector<double>& sums) const {
        for (std::size_t at = 0; at < outputs.size(); ++at) {
            sums[at % sums.size()] += static_cast<double>(outputs[at]) * outputs[at];
        }
    }

    Shape m_shape;
    std::vector<float> m_values;
    std::int64_t m_count;
    const LayerContext& m_context;
    std::vector<float> m_wanted;   ///< [rows][count]
    std::vector<double> m_energy;  ///< max(‖W·x‖², their median) of each sample
};

}  // namespace

std::vector<float> smoothScales(std::span<const Tensor> linears, const InputStatistics& statistics,
                                double alpha) {
    return scalesOf(statistics.largest, largestWeights(linears, statistics.cols), alpha);
}

Result<SmoothChoice> searchSmoothing(std::span<const Tensor> linears, const WeightFormat& format,
                                     const InputStatistics& statistics,
                                     const LayerContext& context) {
    for (const Tensor& weight : linears) {
        PARETO_CHECK(checkStatistics(statistics, weight, {Statistic::Largest, Statistic::Sample}, context.label));
        PARETO_CHECK(checkFinite(weight, context.label, context.parallel));
    }
    const std::vector<float> weights = largestWeights(linears, statistics.cols);
    const SampledInputs inputs(statistics, format);
    const std::vector<float> plain = inputs.plain();
    std::vector<SampledLinear> outputs;
    for (const Tensor& weight : linears) {
        outputs.emplace_back(weight, plain, inputs.count(), context);
    }
    SmoothChoice best;
    for (int step = -1; step <= kAlphaSteps; ++step) {  // −1: no smoothing
        SmoothChoice now;
        if (step >= 0) {
            now.alpha = static_cast<double>(step) / kAlphaSteps;
            now.scales = scalesOf(statistics.largest, weights, *now.alpha);
        } else {
            now.scales.assign(weights.size(), 1.0F);
        }
        const auto rounded = inputs.rounded(now.scales);
        for (const SampledLinear& linear : outputs) {
            PARETO_TRY(const double error, linear.error(now.scales, rounded, format));
            now.error += error;
        }
        now.plainError = step < 0 ? now.error : best.plainError;
        if (step < 0 || now.error < best.error) {
            best = std::move(now);
        }
    }
    return best;
}

}  // namespace pareto::compress
