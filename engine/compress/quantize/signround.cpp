#include "engine/compress/quantize/signround.h"

#include <algorithm>
#include <cmath>

#include "engine/compress/quantize/rtn.h"
#include "engine/weights/codes.h"
#include "engine/weights/rounding.h"

namespace pareto::compress {

namespace {

using rounding::Step;
using Code = std::int16_t;

constexpr std::int64_t kGrainValues = 1 << 13;
constexpr float kLeastFactor = 0.5F;
constexpr float kMostOffset = 0.5F;

/// Values that share a scale.
struct Range {
    Step start;        ///< of round-to-nearest
    float low = 0.0F;  ///< what `start` can say
    float high = 0.0F;
    float alpha = 1.0F;  ///< factor of high, of both ends where symmetric
    float beta = 1.0F;   ///< factor of low
};

/// dL/dα and dL/dβ.
struct RangeGradient {
    double alpha = 0.0;
    double beta = 0.0;
};

float signOf(double value) { return value > 0.0 ? 1.0F : value < 0.0 ? -1.0F : 0.0F; }

class SignRound {
public:
    SignRound(const Tensor& weight, const WeightFormat& format, const SignRoundOptions& options,
              const InputStatistics& statistics, const LayerContext& context)
        : m_format(format),
          m_options(options),
          m_statistics(statistics),
          m_context(context),
          m_rows(weight.shape[0]),
          m_cols(weight.shape[1]),
          m_perTensor(format.granularity == Granularity::Tensor),
          m_length(format.granularity == Granularity::Group ? format.groupSize : m_cols),
          m_perRow(m_perTensor ? 0 : groupsPerRow(format, m_cols)),
          m_grid(rounding::codesOf(format.format)),
          m_values(dequantize(weight, context.parallel)) {}

    Result<Tensor> run() {
        PARETO_CHECK(checkFits(m_values, m_format.format, m_context.label, m_context.parallel));
        findRanges();
        const std::size_t size = m_values.size();
        m_offsets.resize(size);
        m_codes.resize(size);
        m_bestCodes.resize(size);
        m_errors.resize(size);
        m_pull.resize(size);
        m_losses.resize(static_cast<std::size_t>(m_rows));
        m_gradients.resize(m_perTensor ? m_losses.size() : m_ranges.size());
        const float length = 1.0F / static_cast<float>(std::max(1, m_options.steps));
        for (int step = 0; step <= m_options.steps; ++step) {
            if (m_context.stop.stop_requested()) {
                return Cancelled{};
            }
            round();
            keepBest(step == 0);
            if (step < m_options.steps) {
                move(length * (1.0F - static_cast<float>(step) * length));
            }
        }
        return pack();
    }

private:
    template <typename Body>
    void forRows(Body&& body) {
        const std::int64_t grain =
            std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, m_cols));
        m_context.parallel(m_rows, grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                body(row);
            }
        });
    }

    std::size_t rangeAt(std::int64_t row, std::int64_t col) const {
        return m_perTensor ? 0 : static_cast<std::size_t>(row * m_perRow + col / m_length);
    }

    void findRanges() {
        m_ranges.resize(static_cast<std::size_t>(m_perTensor ? 1 : m_rows * m_perRow));
        m_steps.resize(m_ranges.size());
        const auto begin = [&](Range& range, const Step& step) {
            range.start = step;
            range.low = rounding::valueOf(m_grid.low, step);
            range.high = rounding::valueOf(m_grid.high, step);
        };
        if (m_perTensor) {
            begin(m_ranges[0], rounding::stepOfMatrix({m_values, m_rows, m_cols}, m_format,
                                                      m_context.stop, m_context.parallel));
        } else {
            forRows([&](std::int64_t row) {
                std::vector<float> scratch;
                for (std::int64_t col = 0; col < m_cols; col += m_length) {
                    begin(m_ranges[rangeAt(row, col)],
                          rounding::stepOf(m_values.data() + row * m_cols + col,
                                           std::min(m_length, m_cols - col), m_format, scratch));
                }
            });
        }
        std::transform(m_ranges.begin(), m_ranges.end(), m_steps.begin(),
                       [](const Range& range) { return range.start; });
        m_bestSteps = m_steps;
    }

    Step stepFor(const Range& range) const {
        Step step = range.start;
        if (m_format.symmetric) {
            step.scale *= range.alpha;
        } else if (range.alpha < 1.0F || range.beta < 1.0F) {
            WeightFormat plain = m_format;
            plain.range = RangeMethod::MinMax;
            const float ends[] = {range.low * range.beta, range.high * range.alpha};
            std::vector<float> scratch;
            step = rounding::stepOf(ends, 2, plain, scratch);
        }
        return step.scale > 0.0F ? step : range.start;
    }

    float unrounded(std::size_t at, const Step& step) const {
        return m_values[at] / step.scale + step.zero + m_offsets[at];
    }

    /// Codes, errors and each row's loss as offsets and ranges are now; m_pull becomes E·H.
    void round() {
        forRows([&](std::int64_t row) {
            for (std::int64_t col = 0; col < m_cols; ++col) {
                const auto at = static_cast<std::size_t>(row * m_cols + col);
                const Step& step = m_steps[rangeAt(row, col)];
                const float inside =
                    std::min(std::max(unrounded(at, step), m_grid.low), m_grid.high);
                const float code = rounding::roundToEven(inside);
                m_codes[at] = static_cast<Code>(code);
                m_errors[at] = rounding::valueOf(code, step) - m_values[at];
            }
        });
        MatrixProduct product;
        product.rows = m_rows;
        product.cols = product.depth = m_cols;
        product.a = m_errors.data();
        product.b = m_statistics.hessian.data();
        product.c = m_pull.data();
        product.strideA = product.strideB = product.strideC = m_cols;
        m_context.math->multiply(product);
        forRows([&](std::int64_t row) {
            double loss = 0.0;
            for (auto at = static_cast<std::size_t>(row * m_cols);
                 at < static_cast<std::size_t>((row + 1) * m_cols); ++at) {
                loss += static_cast<double>(m_errors[at]) * m_pull[at];
            }
            m_losses[static_cast<std::size_t>(row)] = loss;
        });
    }

    void keepBest(bool first) {
        if (m_perTensor) {
            double loss = 0.0;
            for (const double one : m_losses) {
                loss += one;
            }
            if (first || loss < m_bestLoss) {
                m_bestLoss = loss;
                m_bestCodes = m_codes;
                m_bestSteps = m_steps;
            }
            return;
        }
        if (first) {
            m_bestLosses = m_losses;
            m_bestCodes = m_codes;
            return;
        }
        forRows([&](std::int64_t row) {
            const auto index = static_cast<std::size_t>(row);
            if (m_losses[index] < m_bestLosses[index]) {
                m_bestLosses[index] = m_losses[index];
                std::copy_n(m_codes.begin() + row * m_cols, m_cols,
                            m_bestCodes.begin() + row * m_cols);
                std::copy_n(m_steps.begin() + row * m_perRow, m_perRow,
                            m_bestSteps.begin() + row * m_perRow);
            }
        });
    }

    /// A step against the signs of the gradients.
    void move(float length) {
        std::fill(m_gradients.begin(), m_gradients.end(), RangeGradient{});
        forRows([&](std::int64_t row) {
            for (std::int64_t col = 0; col < m_cols; ++col) {
                const std::size_t range = rangeAt(row, col);
                moveOffset(static_cast<std::size_t>(row * m_cols + col), m_ranges[range],
                           m_steps[range], length,
                           m_gradients[m_perTensor ? static_cast<std::size_t>(row) : range]);
            }
        });
        if (m_perTensor) {
            for (std::size_t row = 1; row < m_gradients.size(); ++row) {
                m_gradients[0].alpha += m_gradients[row].alpha;
                m_gradients[0].beta += m_gradients[row].beta;
            }
        }
        for (std::size_t at = 0; at < m_ranges.size(); ++at) {
            Range& range = m_ranges[at];
            const auto moved = [&](float factor, double gradient) {
                return std::clamp(factor - length * signOf(gradient), kLeastFactor, 1.0F);
            };
            range.alpha = moved(range.alpha, m_gradients[at].alpha);
            range.beta = moved(range.beta, m_gradients[at].beta);
            m_steps[at] = stepFor(range);
        }
    }

    /// With ŵ = s · (code − z), dŵ/dv = s within the range, and, as z is the lower end's code rounded by r,
    ///   within the range  dŵ = (code − z − w/s) · ds,  ds = (high · dα − low · dβ) / (2^b − 1)
    ///   at its ends       dŵ = low · dβ − r · ds  or  high · dα − r · ds;
    /// symmetric: s = α · s₀ and z = 0 throughout.
    void moveOffset(std::size_t at, const Range& range, const Step& step, float length,
                    RangeGradient& gradient) {
        const double pull = m_pull[at];
        const float exact = unrounded(at, step);
        const bool below = exact < m_grid.low;
        const bool above = exact > m_grid.high;
        const float code = m_codes[at];
        if (below || above) {
            if (m_format.symmetric) {
                gradient.alpha += pull * static_cast<double>(code) * range.start.scale;
                return;
            }
            const double rounded = step.zero - (m_grid.low - range.low * range.beta / step.scale);
            const double share = rounded / m_grid.steps;
            gradient.alpha += pull * range.high * ((above ? 1.0 : 0.0) - share);
            gradient.beta += pull * range.low * ((below ? 1.0 : 0.0) + share);
            return;
        }
        const double byScale =
            pull * static_cast<double>(code - step.zero - m_values[at] / step.scale);
        if (m_format.symmetric) {
            gradient.alpha += byScale * range.start.scale;
        } else {
            gradient.alpha += byScale * range.high / m_grid.steps;
            gradient.beta -= byScale * range.low / m_grid.steps;
        }
        if (!m_options.keepZeros || m_values[at] != 0.0F) {
            m_offsets[at] =
                std::clamp(m_offsets[at] - length * signOf(pull), -kMostOffset, kMostOffset);
        }
    }

    Tensor pack() const {
        const std::int64_t stride = codeBytes(m_format.format, m_cols);
        Buffer held = Buffer::create(
            static_cast<std::size_t>(m_rows * stride), [&](std::span<std::byte> bytes) {
                auto* out = reinterpret_cast<std::uint8_t*>(bytes.data());
                for (std::int64_t row = 0; row < m_rows; ++row) {
                    codes::write(m_format.format, m_bestCodes.data() + row * m_cols, m_cols, out + row * stride);
                }
            });
        return rounding::assemble(Shape{m_rows, m_cols}, m_format, std::move(held), m_bestSteps);
    }

    const WeightFormat& m_format;
    const SignRoundOptions& m_options;
    const InputStatistics& m_statistics;
    const LayerContext& m_context;
    std::int64_t m_rows;
    std::int64_t m_cols;
    bool m_perTensor;
    std::int64_t m_length;  ///< columns a scale covers
    std::int64_t m_perRow;  ///< scales; 0 per tensor
    rounding::Codes m_grid;
    std::vector<float> m_values;
    std::vector<float> m_offsets;  ///< v
    std::vector<Range> m_ranges;
    std::vector<Step> m_steps;  ///< of the ranges as they are
    std::vector<Code> m_codes;
    std::vector<float> m_errors;             ///< E
    std::vector<float> m_pull;               ///< E·H, half the gradient by Ŵ
    std::vector<double> m_losses;            ///< of each row
    std::vector<RangeGradient> m_gradients;  ///< of each range; per tensor each row's part
    std::vector<Code> m_bestCodes;
    std::vector<Step> m_bestSteps;
    std::vector<double> m_bestLosses;
    double m_bestLoss = 0.0;
};

}  // namespace

Result<Tensor> quantizeSignRound(const Tensor& weight, const WeightFormat& format,
                                 const SignRoundOptions& options, const InputStatistics& statistics,
                                 const LayerContext& context) {
    if (!format.isInteger()) {
        return roundToNearest(weight, format, context.label, context.stop, context.parallel);
    }
    PARETO_CHECK(checkStatistics(statistics, weight, {Statistic::Hessian}, context.label));
    return SignRound(weight, format, options, statistics, context).run();
}

}  // namespace pareto::compress
