#include "engine/weights/rounding.h"

#include <array>
#include <cmath>

#include "engine/core/float8.h"

namespace pareto::rounding {

namespace {

constexpr std::int64_t kGrainValues = 1 << 14;
constexpr double kPercentile = 0.999;
/// Frantar et al., GPTQ, quant.py: grid = 100, maxshrink = 0.8.
constexpr int kShrinkSteps = 80;
constexpr float kShrinkGrid = 100.0F;

struct ValueRange {
    float min = 0.0F;
    float max = 0.0F;
};

Step stepFor(ValueRange range, bool symmetric, const Codes& codes) {
    Step step;
    if (symmetric) {
        step.scale = std::max(-range.min, range.max) / (codes.steps / 2.0F);
    } else {
        range.min = std::min(range.min, 0.0F);
        range.max = std::max(range.max, 0.0F);
        // In double: max − min of finite floats may overflow.
        step.scale = static_cast<float>((static_cast<double>(range.max) - range.min) / codes.steps);
    }
    if (!(step.scale > 0.0F)) {
        return {};  // only zeros, or so small that the scale underflows: every code is 0
    }
    if (!symmetric) {
        const float zero = codes.low - range.min / step.scale;
        step.zero = roundToEven(std::min(std::max(zero, codes.low), codes.high));
    }
    return step;
}

ValueRange minMax(const float* values, std::int64_t count) {
    ValueRange range;
    if (count > 0) {
        const auto [low, high] = std::minmax_element(values, values + count);
        range = {*low, *high};
    }
    return range;
}

/// The smallest magnitude that at least 99.9 % of the values do not exceed (nearest rank).
float percentileOfMagnitude(const float* values, std::int64_t count, std::vector<float>& scratch) {
    scratch.resize(static_cast<std::size_t>(count));
    std::transform(values, values + count, scratch.begin(),
                   [](float value) { return std::fabs(value); });
    const auto rank =
        static_cast<std::int64_t>(std::ceil(kPercentile * static_cast<double>(count)));
    const auto nth = scratch.begin() + std::max<std::int64_t>(rank, 1) - 1;
    std::nth_element(scratch.begin(), nth, scratch.end());
    return *nth;
}

/// Σ (w − ŵ)². Eight running sums, so that the loop vectorizes and the order is fixed.
template <bool kFloating>
double squaredErrorOf(const float* values, std::int64_t count, const Step& step, const Codes& codes) {
    constexpr std::int64_t kLanes = 8;
    std::array<float, kLanes> sums{};
    std::int64_t at = 0;
    for (; at + kLanes <= count; at += kLanes) {
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
            const float value = values[at + lane];
            const float back = step.scale * (codeOf<kFloating>(value, step, codes) - step.zero);
            sums[lane] += (value - back) * (value - back);
        }
    }
    double total = 0.0;
    for (const float sum : sums) {
        total += static_cast<double>(sum);
    }
    for (; at < count; ++at) {
        const float back = step.scale * (codeOf<kFloating>(values[at], step, codes) - step.zero);
        total += static_cast<double>((values[at] - back) * (values[at] - back));
    }
    return total;
}

double squaredError(const float* values, std::int64_t count, const Step& step, const Codes& codes) {
    return codes.floating ? squaredErrorOf<true>(values, count, step, codes)
                          : squaredErrorOf<false>(values, count, step, codes);
}

/// Tries the shrink factors 1, 0.99 … 0.21 of a range; the widest wins a tie.
template <typename ErrorOf>
Step leastSquaredStep(const ValueRange& range, bool symmetric, const Codes& codes,
                      ErrorOf&& errorOf) {
    Step best = stepFor(range, symmetric, codes);
    double bestError = errorOf(best);
    for (int shrink = 1; shrink < kShrinkSteps && bestError > 0.0; ++shrink) {
        const float factor = 1.0F - static_cast<float>(shrink) / kShrinkGrid;
        const Step step = stepFor({range.min * factor, range.max * factor}, symmetric, codes);
        if (const double error = errorOf(step); error < bestError) {
            best = step;
            bestError = error;
        }
    }
    return best;
}

ValueRange clipTo(const ValueRange& range, float magnitude) {
    return {std::max(range.min, -magnitude), std::min(range.max, magnitude)};
}

}  // namespace

Codes codesOf(NumberFormat format) {
    if (format == NumberFormat::F8) {
        return {-kLargestFloat8, kLargestFloat8, 2.0F * kLargestFloat8, true};
    }
    const auto half = static_cast<float>(1 << (bitsOf(format) - 1));
    return {-half, half - 1.0F, 2.0F * half - 1.0F};
}

Step stepOf(const float* values, std::int64_t count, const WeightFormat& format,
            std::vector<float>& scratch) {
    const Codes codes = codesOf(format.format);
    ValueRange range = minMax(values, count);
    if (format.range == RangeMethod::Mse) {
        return leastSquaredStep(range, format.symmetric, codes, [&](const Step& step) {
            return squaredError(values, count, step, codes);
        });
    }
    if (format.range == RangeMethod::Percentile && count > 0) {
        range = clipTo(range, percentileOfMagnitude(values, count, scratch));
    }
    return stepFor(range, format.symmetric, codes);
}

Step stepOfMatrix(const MatrixView& matrix, const WeightFormat& format, const std::stop_token& stop,
                  const ParallelFor& parallel) {
    const std::int64_t count = matrix.rows * matrix.cols;
    if (format.range != RangeMethod::Mse) {
        std::vector<float> scratch;
        return stepOf(matrix.values.data(), count, format, scratch);
    }
    const Codes codes = codesOf(format.format);
    const std::int64_t grain =
        std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, matrix.cols));
    std::vector<double> errors(static_cast<std::size_t>(matrix.rows));
    const ValueRange range = minMax(matrix.values.data(), count);
    return leastSquaredStep(range, format.symmetric, codes, [&](const Step& step) {
        parallel(matrix.rows, grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end && !stop.stop_requested(); ++row) {
                errors[static_cast<std::size_t>(row)] = squaredError(
                    matrix.values.data() + row * matrix.cols, matrix.cols, step, codes);
            }
        });
        double total = 0.0;
        for (const double error : errors) {
            total += error;
        }
        return total;
    });
}

Tensor assemble(Shape shape, const WeightFormat& format, Buffer codes,
                std::span<const Step> steps) {
    QuantizedValues out;
    out.format = format;
    out.codes = std::move(codes);
    std::vector<float> scales(steps.size());
    std::transform(steps.begin(), steps.end(), scales.begin(),
                   [](const Step& step) { return step.scale; });
    out.scales = Buffer::copyOf(std::span<const float>(scales));
    if (!format.symmetric) {
        std::vector<std::int8_t> zeros(steps.size());
        std::transform(steps.begin(), steps.end(), zeros.begin(),
                       [](const Step& step) { return static_cast<std::int8_t>(step.zero); });
        out.zeroPoints = Buffer::copyOf(std::span<const std::int8_t>(zeros));
    }
    if (format.hasCodeSums()) {
        out.codeSums = sumCodes(out, shape[0], shape[1]);
    }
    return Tensor{std::move(shape), std::move(out)};
}

}  // namespace pareto::rounding
