#include "engine/compress/prune/fisher.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/compress/quantize/rtn.h"

namespace pareto::compress {

namespace {

constexpr std::int64_t kGrainValues = 1 << 12;

/// [a⁻¹]_jj, with the factor U of a⁻¹ = UᵀU.
double inverseDiagonal(const std::vector<double>& factor, std::size_t n, std::size_t j) {
    double sum = 0.0;
    for (std::size_t row = 0; row <= j; ++row) {
        sum += factor[row * n + j] * factor[row * n + j];
    }
    return sum;
}

/// a⁻¹·b, with that factor.
std::vector<double> solve(const std::vector<double>& factor, const std::vector<double>& b) {
    const std::size_t n = b.size();
    std::vector<double> out(n);
    for (std::size_t row = 0; row < n; ++row) {
        const double* line = factor.data() + row * n;
        const double along = std::inner_product(line + row, line + n, b.begin() + static_cast<std::ptrdiff_t>(row), 0.0);
        for (std::size_t col = row; col < n; ++col) {
            out[col] += line[col] * along;
        }
    }
    return out;
}

class FisherPruning {
public:
    FisherPruning(const Tensor& weight, const BlockFisher& fisher, const FisherOptions& options,
                  const LayerContext& context)
        : m_fisher(fisher),
          m_options(options),
          m_context(context),
          m_values(dequantize(weight, context.parallel)),
          m_damping(options.damping * fisher.meanDiagonal()) {}

    /// Empty when a block cannot be inverted.
    std::vector<float> scores() const {
        std::vector<float> out(m_values.size());
        std::vector<char> failed(static_cast<std::size_t>(m_fisher.rows()));
        forBlocks([&](std::int64_t row, std::int64_t col, std::vector<double>& block, std::size_t n) {
            if (!plainMath().inverseFactor(block, static_cast<std::int64_t>(n))) {
                failed[static_cast<std::size_t>(row)] = 1;
                return;
            }
            const auto at = static_cast<std::size_t>(row * m_fisher.cols() + col);
            for (std::size_t j = 0; j < n; ++j) {
                const double w = m_values[at + j];
                out[at + j] = static_cast<float>(w * w / (2.0 * inverseDiagonal(block, n, j)) / m_damping);
            }
        });
        if (std::any_of(failed.begin(), failed.end(), [](char bad) { return bad != 0; })) {
            out.clear();
        }
        return out;
    }

    /// `fallen` ascending.
    std::vector<float> pruned(const std::vector<std::int64_t>& fallen) const {
        std::vector<char> falls(m_values.size());
        for (const std::int64_t place : fallen) {
            falls[static_cast<std::size_t>(place)] = 1;
        }
        std::vector<float> out = m_values;
        forBlocks([&](std::int64_t row, std::int64_t col, std::vector<double>& block, std::size_t n) {
            const auto at = static_cast<std::size_t>(row * m_fisher.cols() + col);
            std::vector<std::size_t> stays;
            for (std::size_t j = 0; j < n; ++j) {
                if (falls[at + j] == 0) {
                    stays.push_back(j);
                } else {
                    out[at + j] = 0.0F;
                }
            }
            if (stays.empty() || stays.size() == n) {
                return;
            }
            std::vector<double> kept(stays.size() * stays.size());
            std::vector<double> move(stays.size());
            for (std::size_t a = 0; a < stays.size(); ++a) {
                for (std::size_t b = 0; b < stays.size(); ++b) {
                    kept[a * stays.size() + b] = block[stays[a] * n + stays[b]];
                }
                for (std::size_t j = 0; j < n; ++j) {
                    move[a] += falls[at + j] != 0 ? block[stays[a] * n + j] * m_values[at + j] : 0.0;
                }
            }
            if (!plainMath().inverseFactor(kept, static_cast<std::int64_t>(stays.size()))) {
                return;  // scores() found the whole block's factor: only rounding can bring this about
            }
            move = solve(kept, move);
            for (std::size_t a = 0; a < stays.size(); ++a) {
                out[at + stays[a]] += static_cast<float>(move[a]);
            }
        });
        return out;
    }

private:
    template <typename Body>
    void forBlocks(Body&& body) const {
        const std::int64_t grain = std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, m_fisher.cols()));
        m_context.parallel(m_fisher.rows(), grain, [&](std::int64_t begin, std::int64_t end) {
            std::vector<double> block;
            for (std::int64_t row = begin; row < end && !m_context.stop.stop_requested(); ++row) {
                for (std::int64_t col = 0; col < m_fisher.cols(); col += m_fisher.width()) {
                    const auto n = static_cast<std::size_t>(m_fisher.block(row, col, m_damping, block));
                    body(row, col, block, n);
                }
            }
        });
    }

    const BlockFisher& m_fisher;
    const FisherOptions& m_options;
    const LayerContext& m_context;
    std::vector<float> m_values;
    double m_damping;
};

}  // namespace

BlockFisher::BlockFisher(std::int64_t rows, std::int64_t cols, std::int64_t width)
    : m_rows(rows),
      m_cols(cols),
      m_width(std::clamp<std::int64_t>(width, 1, std::max<std::int64_t>(1, cols))),
      m_sums(static_cast<std::size_t>(rows * cols * m_width)) {}

std::uint64_t BlockFisher::bytes(std::int64_t rows, std::int64_t cols, std::int64_t width) {
    return static_cast<std::uint64_t>(rows * cols * std::min(width, cols)) * sizeof(float);
}

void BlockFisher::add(std::span<const float> gradient, const ParallelFor& parallel) {
    const std::int64_t grain = std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, m_cols));
    parallel(m_rows, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const float* g = gradient.data() + row * m_cols;
            for (std::int64_t col = 0; col < m_cols; col += m_width) {
                const std::int64_t n = std::min(m_width, m_cols - col);
                for (std::int64_t j = 0; j < n; ++j) {
                    float* line = m_sums.data() + (row * m_cols + col + j) * m_width;
                    for (std::int64_t k = 0; k < n; ++k) {
                        line[k] += g[col + j] * g[col + k];
                    }
                }
            }
        }
    });
    ++m_samples;
}

double BlockFisher::meanDiagonal() const {
    double sum = 0.0;
    for (std::int64_t at = 0; at < m_rows * m_cols; ++at) {
        sum += m_sums[static_cast<std::size_t>(at * m_width + at % m_cols % m_width)];
    }
    return m_samples > 0 && m_rows * m_cols > 0
               ? sum / static_cast<double>(m_samples) / static_cast<double>(m_rows * m_cols)
               : 0.0;
}

std::int64_t BlockFisher::block(std::int64_t row, std::int64_t col, double damping, std::vector<double>& out) const {
    const std::int64_t n = std::min(m_width, m_cols - col);
    out.resize(static_cast<std::size_t>(n * n));
    for (std::int64_t j = 0; j < n; ++j) {
        const float* line = m_sums.data() + (row * m_cols + col + j) * m_width;
        for (std::int64_t k = 0; k < n; ++k) {
            out[static_cast<std::size_t>(j * n + k)] =
                static_cast<double>(line[k]) / static_cast<double>(std::max<std::int64_t>(1, m_samples)) +
                (j == k ? damping : 0.0);
        }
    }
    return n;
}

Result<Tensor> pruneByFisher(const Tensor& weight, const BlockFisher& fisher, const FisherOptions& options,
                             const LayerContext& context) {
    if (weight.shape.rank() != 2 || weight.shape[0] != fisher.rows() || weight.shape[1] != fisher.cols()) {
        return makeError(ErrorCode::TensorShape,
                         {{"file", context.label.model},
                          {"tensor", context.label.tensor},
                          {"found", weight.shape.text()},
                          {"expected", Shape{fisher.rows(), fisher.cols()}.text()}});
    }
    PARETO_CHECK(checkFinite(weight, context.label, context.parallel));
    const double mean = fisher.meanDiagonal();
    if (!std::isfinite(mean)) {
        return badValues(context.label, 0, "its gradients are not finite");
    }
    if (!(mean > 0.0)) {
        return badValues(context.label, 0, "no gradient reached the layer");
    }
    const FisherPruning pruning(weight, fisher, options, context);
    const auto scores = pruning.scores();
    if (context.stop.stop_requested()) {
        return Cancelled{};
    }
    if (scores.empty()) {
        return badValues(context.label, 0, "a block of its Fisher information cannot be inverted");
    }
    const auto fallen = chooseLowestOfMatrix(scores, fisher.cols(), options.pattern, context.parallel);
    const auto values = pruning.pruned(fallen);
    if (context.stop.stop_requested()) {
        return Cancelled{};
    }
    return denseTensor(weight.shape, values);
}

}  // namespace pareto::compress
