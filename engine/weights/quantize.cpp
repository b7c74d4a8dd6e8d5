#include "engine/weights/quantize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace pareto {

namespace {

constexpr std::int64_t kGrainValues = 1 << 14;
constexpr double kPercentile = 0.999;
/// Frantar et al., GPTQ, quant.py: grid = 100, maxshrink = 0.8.
constexpr int kShrinkSteps = 80;
constexpr float kShrinkGrid = 100.0F;

struct Codes {
    float low = -128.0F;
    float high = 127.0F;
    float steps = 255.0F;  ///< 2^b − 1
};

Codes codesOf(NumberFormat format) {
    return format == NumberFormat::Int4 ? Codes{-8.0F, 7.0F, 15.0F} : Codes{};
}

struct ValueRange {
    float min = 0.0F;
    float max = 0.0F;
};

struct Step {
    float scale = 1.0F;
    float zero = 0.0F;
};

/// To the nearest integer, ties to even, for |value| < 2^22: what adding and taking away 1.5·2^23
/// leaves in fp32. Unlike std::nearbyint it vectorizes without SSE4.1.
inline float roundToEven(float value) {
    constexpr float kMagic = 12582912.0F;
    return (value + kMagic) - kMagic;
}

inline float codeOf(float value, const Step& step, const Codes& codes) {
    const float scaled = value / step.scale + step.zero;
    return roundToEven(std::min(std::max(scaled, codes.low), codes.high));
}

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
double squaredError(const float* values, std::int64_t count, const Step& step, const Codes& codes) {
    constexpr std::int64_t kLanes = 8;
    std::array<float, kLanes> sums{};
    std::int64_t at = 0;
    for (; at + kLanes <= count; at += kLanes) {
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
            const float value = values[at + lane];
            const float back = step.scale * (codeOf(value, step, codes) - step.zero);
            sums[lane] += (value - back) * (value - back);
        }
    }
    double total = 0.0;
    for (const float sum : sums) {
        total += static_cast<double>(sum);
    }
    for (; at < count; ++at) {
        const float back = step.scale * (codeOf(values[at], step, codes) - step.zero);
        total += static_cast<double>((values[at] - back) * (values[at] - back));
    }
    return total;
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

Step stepOfSegment(const float* values, std::int64_t count, const WeightFormat& format,
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

class Quantizer {
public:
    Quantizer(const MatrixView& matrix, const WeightFormat& format, std::stop_token stop,
              const ParallelFor& parallel)
        : m_matrix(matrix),
          m_format(format),
          m_codes(codesOf(format.format)),
          m_stop(std::move(stop)),
          m_parallel(parallel) {}

    Result<Tensor> run() {
        const bool perTensor = m_format.granularity == Granularity::Tensor;
        if (perTensor) {
            m_tensorStep = stepOfTensor();
        }
        QuantizedValues out;
        out.format = m_format;
        const std::int64_t groups = perTensor ? 1 : groupsPerRow(m_format, m_matrix.cols);
        const std::int64_t scaleCount = perTensor ? 1 : m_matrix.rows * groups;
        std::vector<float> scales(static_cast<std::size_t>(scaleCount));
        std::vector<std::int8_t> zeros(static_cast<std::size_t>(scaleCount));
        if (perTensor) {
            scales[0] = m_tensorStep.scale;
            zeros[0] = static_cast<std::int8_t>(m_tensorStep.zero);
        }
        const std::int64_t stride =
            m_format.format == NumberFormat::Int4 ? (m_matrix.cols + 1) / 2 : m_matrix.cols;
        out.codes = Buffer::create(
            static_cast<std::size_t>(m_matrix.rows * stride), [&](std::span<std::byte> bytes) {
                forEachRow([&](std::int64_t row, Scratch& scratch) {
                    quantizeRow(row, scratch);
                    store(scratch.codes,
                          reinterpret_cast<std::uint8_t*>(bytes.data()) + row * stride);
                    if (!perTensor) {
                        std::copy(scratch.scales.begin(), scratch.scales.end(),
                                  scales.begin() + row * groups);
                        std::copy(scratch.zeros.begin(), scratch.zeros.end(),
                                  zeros.begin() + row * groups);
                    }
                });
            });
        if (m_stop.stop_requested()) {
            return Cancelled{};
        }
        out.scales = Buffer::copyOf(std::span<const float>(scales));
        if (!m_format.symmetric) {
            out.zeroPoints = Buffer::copyOf(std::span<const std::int8_t>(zeros));
        }
        if (m_format.activations == Activations::Int8Dynamic) {
            out.codeSums = sumCodes(out, m_matrix.rows, m_matrix.cols);
        }
        return Tensor{Shape{m_matrix.rows, m_matrix.cols}, std::move(out)};
    }

private:
    struct Scratch {
        std::vector<std::int8_t> codes;
        std::vector<float> scales;
        std::vector<std::int8_t> zeros;
        std::vector<float> magnitudes;
    };

    const float* row(std::int64_t index) const {
        return m_matrix.values.data() + index * m_matrix.cols;
    }

    template <typename Body>
    void forEachRow(Body&& body) {
        const std::int64_t grain =
            std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, m_matrix.cols));
        m_parallel(m_matrix.rows, grain, [&](std::int64_t begin, std::int64_t end) {
            Scratch scratch;
            for (std::int64_t index = begin; index < end && !m_stop.stop_requested(); ++index) {
                body(index, scratch);
            }
        });
    }

    Step stepOfTensor() {
        const std::int64_t count = m_matrix.rows * m_matrix.cols;
        if (m_format.range == RangeMethod::MinMax || m_format.range == RangeMethod::Percentile) {
            std::vector<float> scratch;
            return stepOfSegment(m_matrix.values.data(), count, m_format, scratch);
        }
        const ValueRange range = minMax(m_matrix.values.data(), count);
        std::vector<double> errors(static_cast<std::size_t>(m_matrix.rows));
        return leastSquaredStep(range, m_format.symmetric, m_codes, [&](const Step& step) {
            forEachRow([&](std::int64_t index, Scratch&) {
                errors[static_cast<std::size_t>(index)] =
                    squaredError(row(index), m_matrix.cols, step, m_codes);
            });
            double total = 0.0;  // in row order, whoever computed the parts
            for (const double error : errors) {
                total += error;
            }
            return total;
        });
    }

    void quantizeRow(std::int64_t index, Scratch& scratch) {
        const float* values = row(index);
        const std::int64_t cols = m_matrix.cols;
        const std::int64_t length =
            m_format.granularity == Granularity::Group ? m_format.groupSize : cols;
        scratch.codes.resize(static_cast<std::size_t>(cols));
        scratch.scales.clear();
        scratch.zeros.clear();
        for (std::int64_t begin = 0; begin < cols; begin += length) {
            const std::int64_t count = std::min(length, cols - begin);
            const Step step =
                m_format.granularity == Granularity::Tensor
                    ? m_tensorStep
                    : stepOfSegment(values + begin, count, m_format, scratch.magnitudes);
            scratch.scales.push_back(step.scale);
            scratch.zeros.push_back(static_cast<std::int8_t>(step.zero));
            for (std::int64_t col = begin; col < begin + count; ++col) {
                scratch.codes[static_cast<std::size_t>(col)] =
                    static_cast<std::int8_t>(codeOf(values[col], step, m_codes));
            }
        }
    }

    void store(const std::vector<std::int8_t>& codes, std::uint8_t* out) const {
        if (m_format.format == NumberFormat::Int8) {
            std::memcpy(out, codes.data(), codes.size());
            return;
        }
        for (std::size_t col = 0; col < codes.size(); col += 2) {
            const int low = codes[col] + 8;
            const int high = col + 1 < codes.size() ? codes[col + 1] + 8 : 0;
            out[col / 2] = static_cast<std::uint8_t>(low | (high << 4));
        }
    }

    const MatrixView& m_matrix;
    const WeightFormat& m_format;
    Codes m_codes;
    std::stop_token m_stop;
    const ParallelFor& m_parallel;
    Step m_tensorStep;
};

Tensor roundTo16Bits(const MatrixView& matrix, NumberFormat format, const ParallelFor& parallel) {
    const bool half = format == NumberFormat::F16;
    const auto count = matrix.rows * matrix.cols;
    Buffer values = Buffer::create(
        static_cast<std::size_t>(count) * sizeof(std::uint16_t), [&](std::span<std::byte> bytes) {
            auto* out = reinterpret_cast<std::uint16_t*>(bytes.data());
            parallel(count, kGrainValues, [&](std::int64_t begin, std::int64_t end) {
                std::transform(matrix.values.begin() + begin, matrix.values.begin() + end,
                               out + begin, half ? floatToHalf : floatToBfloat);
            });
        });
    return {Shape{matrix.rows, matrix.cols},
            DenseValues{half ? DType::F16 : DType::BF16, std::move(values)}};
}

}  // namespace

Result<Tensor> quantizeMatrix(const MatrixView& matrix, const WeightFormat& format,
                              std::stop_token stop, const ParallelFor& parallel) {
    if (stop.stop_requested()) {
        return Cancelled{};
    }
    if (format.isInteger()) {
        return Quantizer(matrix, format, std::move(stop), parallel).run();
    }
    if (format.format == NumberFormat::F32) {
        return denseTensor(Shape{matrix.rows, matrix.cols}, matrix.values);
    }
    return roundTo16Bits(matrix, format.format, parallel);
}

Tensor quantizeTensor(std::span<const float> values, std::int64_t rows, std::int64_t cols,
                      const WeightFormat& format, const ParallelFor& parallel) {
    // Without a stop token there is no way to fail.
    return quantizeMatrix({values, rows, cols}, format, {}, parallel).value();
}

Buffer sumCodes(const QuantizedValues& values, std::int64_t rows, std::int64_t cols) {
    const std::int64_t length = values.format.activationGroup > 0 ? values.format.activationGroup
                                                                  : std::max<std::int64_t>(1, cols);
    const std::int64_t stretches = (cols + length - 1) / length;
    const bool nibbles = values.format.format == NumberFormat::Int4;
    const std::int64_t stride = nibbles ? (cols + 1) / 2 : cols;
    const auto* codes = reinterpret_cast<const std::uint8_t*>(values.codes.data());
    std::vector<std::int32_t> sums(static_cast<std::size_t>(rows * stretches));
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::uint8_t* from = codes + row * stride;
        for (std::int64_t col = 0; col < cols; ++col) {
            const int code = nibbles ? ((from[col / 2] >> ((col & 1) * 4)) & 15) - 8
                                     : static_cast<std::int8_t>(from[col]);
            sums[static_cast<std::size_t>(row * stretches + col / length)] += code;
        }
    }
    return Buffer::copyOf(std::span<const std::int32_t>(sums));
}

}  // namespace pareto
