#include "engine/compress/second_order.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

#include "engine/compress/quantize/rtn.h"
#include "engine/weights/codes.h"
#include "engine/weights/rounding.h"

namespace pareto::compress {

namespace {

using rounding::Step;

constexpr std::int64_t kGrainValues = 1 << 13;

std::int64_t roundDown(std::int64_t value, std::int64_t unit) {
    return std::max(unit, value / unit * unit);
}

class SecondOrder {
public:
    SecondOrder(const Tensor& weight, const ColumnWork& work, const InputStatistics& statistics,
                const LayerContext& context)
        : m_work(work),
          m_statistics(statistics),
          m_context(context),
          m_rows(weight.shape[0]),
          m_cols(weight.shape[1]),
          m_group(work.codes && work.codes->granularity == Granularity::Group
                      ? work.codes->groupSize
                      : 0),
          // Groups are of columns as they lie; another order meets all of them at once.
          m_liveGroups(m_group > 0 && !work.staticGroups && !work.actOrder),
          m_values(dequantize(weight, context.parallel)) {}

    Result<Tensor> run() {
        PARETO_CHECK(checkFits(m_values, m_work.codes ? m_work.codes->format : NumberFormat::F32,
                               m_context.label, m_context.parallel));
        zeroDeadColumns();
        order();
        PARETO_CHECK(factor());
        findSteps();
        reorderValues();
        if (m_work.codes) {
            m_codes.resize(m_values.size());
        }
        for (std::int64_t begin = 0; begin < m_cols;) {
            if (m_context.stop.stop_requested()) {
                return Cancelled{};
            }
            const std::int64_t end = std::min(blockEnd(begin), m_cols);
            block(begin, end);
            if (m_unusable.load() != 0) {
                return badValues(m_context.label, m_unusable.load(),
                                 "they came up while errors were passed on; the products of inputs "
                                 "are too close to singular");
            }
            begin = end;
        }
        if (m_work.codes) {
            return packCodes();
        }
        return denseTensor(Shape{m_rows, m_cols}, m_values);
    }

private:
    bool pruning() const { return m_work.pattern.isGrouped() || m_work.pattern.ratio > 0.0; }
    bool dead(std::int64_t col) const { return !(diagonal(col) > 0.0F); }
    float diagonal(std::int64_t col) const {
        return m_statistics.hessian[static_cast<std::size_t>(col * m_cols + col)];
    }
    float* row(std::int64_t index) { return m_values.data() + index * m_cols; }

    template <typename Body>
    void forRows(std::int64_t valuesPerRow, Body&& body) {
        const std::int64_t grain =
            std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, valuesPerRow));
        m_context.parallel(m_rows, grain, [&](std::int64_t begin, std::int64_t end) {
            std::vector<float> scratch;
            for (std::int64_t index = begin; index < end; ++index) {
                body(index, scratch);
            }
        });
    }

    void zeroDeadColumns() {
        for (std::int64_t col = 0; col < m_cols; ++col) {
            for (std::int64_t index = 0; dead(col) && index < m_rows; ++index) {
                row(index)[col] = 0.0F;
            }
        }
    }

    void order() {
        m_order.resize(static_cast<std::size_t>(m_cols));
        std::iota(m_order.begin(), m_order.end(), std::int64_t{0});
        if (m_work.actOrder) {
            std::stable_sort(m_order.begin(), m_order.end(), [&](std::int64_t a, std::int64_t b) {
                return diagonal(a) > diagonal(b);
            });
        }
    }

    Status factor() {
        const auto n = static_cast<std::size_t>(m_cols);
        const double mean = meanLiveSquare(m_statistics);
        std::vector<double> h(n * n);
        for (std::size_t i = 0; i < n; ++i) {
            const float* from = m_statistics.hessian.data() + m_order[i] * m_cols;
            for (std::size_t j = 0; j < n; ++j) {
                h[i * n + j] = from[m_order[j]];
            }
            h[i * n + i] = (dead(m_order[i]) ? mean : h[i * n + i]) + m_work.damping * mean;
        }
        if (!m_context.math->inverseFactor(h, m_cols)) {
            return badValues(m_context.label, 0,
                             "the products of its inputs are not positive definite, even damped");
        }
        m_factor.resize(n * n);
        std::transform(h.begin(), h.end(), m_factor.begin(),
                       [](double value) { return static_cast<float>(value); });
        return Done{};
    }

    /// Every step that is known before the first column is set.
    void findSteps() {
        if (!m_work.codes) {
            return;
        }
        m_grid = rounding::codesOf(m_work.codes->format);
        m_perTensor = m_work.codes->granularity == Granularity::Tensor;
        m_stepsPerRow = m_perTensor ? 0 : groupsPerRow(*m_work.codes, m_cols);
        if (m_perTensor) {
            m_steps = {rounding::stepOfMatrix({m_values, m_rows, m_cols}, *m_work.codes,
                                              m_context.stop, m_context.parallel)};
            return;
        }
        m_steps.resize(static_cast<std::size_t>(m_rows * m_stepsPerRow));
        if (m_liveGroups) {
            return;
        }
        const std::int64_t length = m_group > 0 ? m_group : m_cols;
        forRows(m_cols, [&](std::int64_t index, std::vector<float>& scratch) {
            for (std::int64_t at = 0; at < m_stepsPerRow; ++at) {
                findStep(index, at * length, length, scratch);
            }
        });
    }

    void findStep(std::int64_t index, std::int64_t begin, std::int64_t length,
                  std::vector<float>& scratch) {
        m_steps[static_cast<std::size_t>(index * m_stepsPerRow + begin / length)] =
            rounding::stepOf(row(index) + begin, std::min(length, m_cols - begin), *m_work.codes,
                             scratch);
    }

    const Step& stepAt(std::int64_t index, std::int64_t col) const {
        const std::int64_t group = m_group > 0 ? col / m_group : 0;
        return m_steps[static_cast<std::size_t>(index * m_stepsPerRow + group)];
    }

    void reorderValues() {
        if (m_work.actOrder) {
            forRows(m_cols, [&](std::int64_t index, std::vector<float>& scratch) {
                scratch.assign(row(index), row(index) + m_cols);
                for (std::size_t at = 0; at < m_order.size(); ++at) {
                    row(index)[at] = scratch[static_cast<std::size_t>(m_order[at])];
                }
            });
        }
        if (m_work.keepZeros) {
            m_zeros.resize(m_values.size());
            std::transform(m_values.begin(), m_values.end(), m_zeros.begin(),
                           [](float value) { return value == 0.0F ? 1 : 0; });
        }
    }

    /// Where the block that begins at `begin` ends, see the header.
    std::int64_t blockEnd(std::int64_t begin) const {
        const std::int64_t pattern =
            m_work.pattern.isGrouped() ? m_work.pattern.groupOf : m_work.pattern.tileCols;
        const std::int64_t size = std::max<std::int64_t>(1, m_work.blockSize);
        if (!m_liveGroups) {
            return begin + roundDown(size, pattern);
        }
        if (m_group > size && m_group % pattern == 0) {
            return std::min(begin + roundDown(size, pattern), (begin / m_group + 1) * m_group);
        }
        return begin + roundDown(size, std::lcm(m_group, pattern));
    }

    void block(std::int64_t begin, std::int64_t end) {
        const std::int64_t width = end - begin;
        m_errors.resize(static_cast<std::size_t>(m_rows * width));
        m_removed.assign(static_cast<std::size_t>(m_rows * width), 0);
        if (pruning() && !m_work.pattern.isGrouped()) {
            chooseOfBlock(begin, end);
        }
        forRows(width * width / 2, [&](std::int64_t index, std::vector<float>& scratch) {
            solveRow(index, begin, end, scratch);
        });
        if (end == m_cols) {
            return;
        }
        MatrixProduct rest;
        rest.rows = m_rows;
        rest.cols = m_cols - end;
        rest.depth = width;
        rest.a = m_errors.data();
        rest.strideA = width;
        rest.b = m_factor.data() + begin * m_cols + end;
        rest.c = m_values.data() + end;
        rest.strideB = rest.strideC = m_cols;
        rest.alpha = -1.0F;
        rest.beta = 1.0F;
        m_context.math->multiply(rest);
    }

    /// (w / U_ii)², or rather its root: the same order.
    float saliency(float value, std::int64_t col) const {
        return std::fabs(value) / m_factor[static_cast<std::size_t>(col * m_cols + col)];
    }

    /// The share of a block's values, over all rows, that falls. Floors of running totals, so that the
    /// whole loses floor(ratio · n).
    void chooseOfBlock(std::int64_t begin, std::int64_t end) {
        const std::int64_t width = end - begin;
        std::vector<float> scores(m_removed.size());
        forRows(width, [&](std::int64_t index, std::vector<float>&) {
            for (std::int64_t col = begin; col < end; ++col) {
                scores[static_cast<std::size_t>(index * width + col - begin)] =
                    saliency(row(index)[col], col);
            }
        });
        if (m_work.pattern.isTiled()) {
            chooseTilesOfBlock(begin, end, scores);
            return;
        }
        const std::int64_t remove =
            m_work.pattern.removedOf(m_rows * end) - m_work.pattern.removedOf(m_rows * begin);
        std::vector<std::int64_t> chosen(static_cast<std::size_t>(remove));
        chooseLowest(scores, remove, chosen.data());
        for (const std::int64_t at : chosen) {
            m_removed[static_cast<std::size_t>(at)] = 1;
        }
    }

    /// The same of tiles, by Σ (w / U_ii)².
    void chooseTilesOfBlock(std::int64_t begin, std::int64_t end, std::vector<float>& roots) {
        std::transform(roots.begin(), roots.end(), roots.begin(),
                       [](float root) { return root * root; });
        const auto upTo = [&](std::int64_t col) {
            return m_work.pattern.tilesOf(m_rows, col).removed(m_work.pattern.ratio);
        };
        const TileGrid grid = m_work.pattern.tilesOf(m_rows, end - begin);
        std::vector<std::int64_t> chosen(static_cast<std::size_t>(upTo(end) - upTo(begin)));
        chooseLowest(scoresOfTiles(roots, grid, m_context.parallel), upTo(end) - upTo(begin),
                     chosen.data());
        for (const std::int64_t at : placesOfTiles(chosen, grid)) {
            m_removed[static_cast<std::size_t>(at)] = 1;
        }
    }

    void chooseOfGroup(std::int64_t index, std::int64_t col, std::uint8_t* removed,
                       std::vector<float>& scratch) {
        const std::int64_t count = std::min<std::int64_t>(m_work.pattern.groupOf, m_cols - col);
        const std::int64_t remove = std::max<std::int64_t>(0, count - m_work.pattern.keepOf);
        scratch.resize(static_cast<std::size_t>(count));
        for (std::int64_t at = 0; at < count; ++at) {
            scratch[static_cast<std::size_t>(at)] = saliency(row(index)[col + at], col + at);
        }
        std::vector<std::int64_t> chosen(static_cast<std::size_t>(remove));
        chooseLowest(scratch, remove, chosen.data());
        for (const std::int64_t at : chosen) {
            removed[at] = 1;
        }
    }

    void solveRow(std::int64_t index, std::int64_t begin, std::int64_t end,
                  std::vector<float>& scratch) {
        const std::int64_t width = end - begin;
        float* values = row(index);
        float* errors = m_errors.data() + index * width;
        std::uint8_t* removed = m_removed.data() + index * width;
        for (std::int64_t i = begin; i < end; ++i) {
            const float* factorRow = m_factor.data() + i * m_cols;
            if (m_liveGroups && i % m_group == 0) {
                findStep(index, i, m_group, scratch);
            }
            if (m_work.pattern.isGrouped() && i % m_work.pattern.groupOf == 0) {
                chooseOfGroup(index, i, removed + (i - begin), scratch);
            }
            const bool falls = removed[i - begin] != 0 || isKeptZero(index, i);
            const float before = values[i];
            if (!std::isfinite(before)) {
                m_unusable.fetch_add(1);
                return;
            }
            values[i] = settle(index, i, falls);
            const float error = (before - values[i]) / factorRow[i];
            errors[i - begin] = error;
            if (error != 0.0F) {
                for (std::int64_t j = i + 1; j < end; ++j) {
                    values[j] -= error * factorRow[j];
                }
            }
        }
    }

    bool isKeptZero(std::int64_t index, std::int64_t at) const {
        return m_work.keepZeros && m_zeros[static_cast<std::size_t>(index * m_cols + at)] != 0;
    }

    /// The value that the column `at` (in order of processing) keeps for good; notes its code.
    float settle(std::int64_t index, std::int64_t at, bool falls) {
        const float value = falls ? 0.0F : row(index)[at];
        if (!m_work.codes) {
            return value;
        }
        const std::int64_t col = m_order[static_cast<std::size_t>(at)];
        const Step& step = stepAt(index, col);
        const float code = falls ? step.zero : rounding::codeOf(value, step, m_grid);
        m_codes[static_cast<std::size_t>(index * m_cols + col)] = static_cast<std::int16_t>(code);
        return rounding::valueOf(code, step);
    }

    Tensor packCodes() const {
        const NumberFormat format = m_work.codes->format;
        const std::int64_t stride = codeBytes(format, m_cols);
        Buffer codes = Buffer::create(
            static_cast<std::size_t>(m_rows * stride), [&](std::span<std::byte> bytes) {
                auto* out = reinterpret_cast<std::uint8_t*>(bytes.data());
                for (std::int64_t index = 0; index < m_rows; ++index) {
                    codes::write(format, m_codes.data() + index * m_cols, m_cols, out + index * stride);
                }
            });
        return rounding::assemble(Shape{m_rows, m_cols}, *m_work.codes, std::move(codes), m_steps);
    }

    const ColumnWork& m_work;
    const InputStatistics& m_statistics;
    const LayerContext& m_context;
    std::int64_t m_rows;
    std::int64_t m_cols;
    std::int64_t m_group;
    bool m_liveGroups;
    bool m_perTensor = false;
    std::int64_t m_stepsPerRow = 0;  ///< 0 per tensor
    rounding::Codes m_grid;
    std::vector<float> m_values;  ///< [rows][cols] in order of processing, settled up to a block
    std::vector<std::int64_t> m_order;  ///< column of each place in the order of processing
    std::vector<float> m_factor;        ///< U [cols][cols], in order of processing
    std::vector<Step> m_steps;          ///< [rows][groups as the columns lie]
    std::vector<std::int16_t> m_codes;  ///< [rows][cols] as the columns lie
    std::vector<std::uint8_t> m_zeros;  ///< [rows][cols] in order of processing
    std::vector<float> m_errors;        ///< [rows][width] of the block
    std::vector<std::uint8_t> m_removed;
    std::atomic<std::int64_t> m_unusable{0};
};

}  // namespace

Result<Tensor> secondOrder(const Tensor& weight, const ColumnWork& work,
                           const InputStatistics& statistics, const LayerContext& context) {
    PARETO_CHECK(checkStatistics(statistics, weight, {Statistic::Hessian}, context.label));
    return SecondOrder(weight, work, statistics, context).run();
}

}  // namespace pareto::compress
