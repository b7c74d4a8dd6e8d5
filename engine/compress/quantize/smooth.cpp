#include "engine/compress/quantize/smooth.h"

#include <algorithm>
#include <cmath>

#include "engine/compress/quantize/rtn.h"
#include "engine/compress/scaled_error.h"

namespace pareto::compress {

namespace {

constexpr int kAlphaSteps = 20;
/// Of the kernels: scale = max|x| / 127.5.
constexpr double kHalfCodes = 127.5;

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

/// Σ_g Δ_g² / 12 · energy of the group's columns.
double inputRoundingError(const InputStatistics& statistics, const std::vector<float>& scales,
                          const std::vector<double>& energy, const WeightFormat& format) {
    const bool fixed = format.activations == Activations::Int8Static;
    const std::size_t cols = scales.size();
    const std::size_t length =
        format.activationGroup > 0 ? static_cast<std::size_t>(format.activationGroup) : cols;
    double total = 0.0;
    for (std::size_t begin = 0; begin < cols; begin += length) {
        const std::size_t end = std::min(begin + length, cols);
        double square = 0.0;
        double sum = 0.0;
        for (std::size_t col = begin; col < end; ++col) {
            const double largest = statistics.largest[col];
            const double now = fixed ? largest * largest : static_cast<double>(statistics.meanSquares[col]);
            square = std::max(square, now / (static_cast<double>(scales[col]) * scales[col]));
            sum += energy[col];
        }
        const double peaks = fixed ? 1.0 : 2.0 * std::log(std::max(2.0, static_cast<double>(end - begin)));
        total += peaks * square / (kHalfCodes * kHalfCodes) / 12.0 * sum;
    }
    return total;
}

}  // namespace

std::vector<float> smoothScales(std::span<const Tensor> linears, const InputStatistics& statistics,
                                double alpha) {
    return scalesOf(statistics.largest, largestWeights(linears, statistics.cols), alpha);
}

Result<SmoothChoice> searchSmoothing(std::span<const Tensor> linears, const WeightFormat& format,
                                     const InputStatistics& statistics,
                                     const LayerContext& context) {
    for (const Tensor& weight : linears) {
        PARETO_CHECK(checkStatistics(statistics, weight, {Statistic::Hessian, Statistic::Largest, Statistic::MeanSquares},
                                     context.label));
        PARETO_CHECK(checkFinite(weight, context.label, context.parallel));
    }
    const std::vector<float> weights = largestWeights(linears, statistics.cols);
    SmoothChoice best;
    for (int step = -1; step <= kAlphaSteps; ++step) {  // −1: no smoothing
        SmoothChoice now;
        if (step >= 0) {
            now.alpha = static_cast<double>(step) / kAlphaSteps;
            now.scales = scalesOf(statistics.largest, weights, *now.alpha);
        } else {
            now.scales.assign(weights.size(), 1.0F);
        }
        for (const Tensor& weight : linears) {
            PARETO_TRY(const ScaledError error,
                       scaledError(weight, now.scales, format, statistics, context));
            now.error +=
                error.output + inputRoundingError(statistics, now.scales, error.columnEnergy, format);
        }
        now.plainError = step < 0 ? now.error : best.plainError;
        if (step < 0 || now.error < best.error) {
            best = std::move(now);
        }
    }
    return best;
}

}  // namespace pareto::compress
