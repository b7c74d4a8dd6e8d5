#include "engine/weights/quantize.h"

#include <algorithm>

#include "engine/core/float8.h"
#include "engine/weights/codes.h"
#include "engine/weights/rounding.h"

namespace pareto {

namespace {

using rounding::Step;

constexpr std::int64_t kGrainValues = 1 << 14;

class Quantizer {
public:
    Quantizer(const MatrixView& matrix, const WeightFormat& format, std::stop_token stop,
              const ParallelFor& parallel)
        : m_matrix(matrix),
          m_format(format),
          m_codes(rounding::codesOf(format.format)),
          m_stop(std::move(stop)),
          m_parallel(parallel) {}

    Result<Tensor> run() {
        const bool perTensor = m_format.granularity == Granularity::Tensor;
        m_groups = perTensor ? 1 : groupsPerRow(m_format, m_matrix.cols);
        m_steps.resize(static_cast<std::size_t>(perTensor ? 1 : m_matrix.rows * m_groups));
        if (perTensor) {
            m_steps[0] = rounding::stepOfMatrix(m_matrix, m_format, m_stop, m_parallel);
        }
        const std::int64_t stride = codeBytes(m_format.format, m_matrix.cols);
        Buffer codes = Buffer::createLasting(
            static_cast<std::size_t>(m_matrix.rows * stride), [&](std::span<std::byte> bytes) {
                forEachRow([&](std::int64_t row, Scratch& scratch) {
                    quantizeRow(row, scratch);
                    codes::write(m_format.format, scratch.codes.data(), m_matrix.cols,
                                 reinterpret_cast<std::uint8_t*>(bytes.data()) + row * stride);
                });
            });
        if (m_stop.stop_requested()) {
            return Cancelled{};
        }
        return rounding::assemble(Shape{m_matrix.rows, m_matrix.cols}, m_format, std::move(codes),
                                  m_steps);
    }

private:
    struct Scratch {
        std::vector<std::int16_t> codes;
        std::vector<float> magnitudes;
    };

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

    void quantizeRow(std::int64_t row, Scratch& scratch) {
        const std::int64_t cols = m_matrix.cols;
        const float* values = m_matrix.values.data() + row * cols;
        const std::int64_t length =
            m_format.granularity == Granularity::Group ? m_format.groupSize : cols;
        scratch.codes.resize(static_cast<std::size_t>(cols));
        const bool perTensor = m_format.granularity == Granularity::Tensor;
        Step* next = m_steps.data() + (perTensor ? 0 : row * m_groups);
        for (std::int64_t begin = 0; begin < cols; begin += length, ++next) {
            const std::int64_t count = std::min(length, cols - begin);
            if (!perTensor) {
                *next = rounding::stepOf(values + begin, count, m_format, scratch.magnitudes);
            }
            const Step step = *next;
            std::int16_t* codes = scratch.codes.data();
            for (std::int64_t col = begin; m_codes.floating && col < begin + count; ++col) {
                codes[col] = floatToFloat8(rounding::codeOf<true>(values[col], step, m_codes));
            }
            for (std::int64_t col = begin; !m_codes.floating && col < begin + count; ++col) {
                codes[col] = static_cast<std::int16_t>(rounding::codeOf(values[col], step, m_codes));
            }
        }
    }

    const MatrixView& m_matrix;
    const WeightFormat& m_format;
    rounding::Codes m_codes;
    std::stop_token m_stop;
    const ParallelFor& m_parallel;
    std::int64_t m_groups = 1;
    std::vector<Step> m_steps;
};

Tensor roundTo16Bits(const MatrixView& matrix, NumberFormat format, const ParallelFor& parallel) {
    const bool half = format == NumberFormat::F16;
    const auto count = matrix.rows * matrix.cols;
    Buffer values = Buffer::createLasting(
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
    if (format.isCoded()) {
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
    const std::int64_t stride = codeBytes(values.format.format, cols);
    const auto* from = reinterpret_cast<const std::uint8_t*>(values.codes.data());
    std::vector<std::int16_t> codes(static_cast<std::size_t>(cols));
    std::vector<std::int32_t> sums(static_cast<std::size_t>(rows * stretches));
    for (std::int64_t row = 0; row < rows; ++row) {
        codes::read(values.format.format, from + row * stride, 0, cols, codes.data());
        for (std::int64_t col = 0; col < cols; ++col) {
            sums[static_cast<std::size_t>(row * stretches + col / length)] +=
                codes[static_cast<std::size_t>(col)];
        }
    }
    return Buffer::copyOf(std::span<const std::int32_t>(sums));
}

}  // namespace pareto
