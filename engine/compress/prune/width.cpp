#include "engine/compress/prune/width.h"

#include <numeric>

namespace pareto::compress {

PrincipalAxes::PrincipalAxes(std::int64_t width)
    : m_width(width), m_products(static_cast<std::size_t>(width * width)) {}

void PrincipalAxes::add(const InputStatistics& statistics, std::span<const float> norm) {
    const auto width = static_cast<std::size_t>(m_width);
    for (std::size_t row = 0; row < width; ++row) {
        for (std::size_t col = 0; col < width; ++col) {
            // A channel that the norm silences is not seen there.
            const double by = static_cast<double>(norm[row]) * norm[col];
            m_products[row * width + col] +=
                by != 0.0 ? static_cast<double>(statistics.hessian[row * width + col]) / by : 0.0;
        }
    }
}

std::vector<double> PrincipalAxes::find(std::int64_t kept, const MatrixMath& math, double& share) {
    const auto values = math.eigenvectors(m_products, m_width);
    const double all = std::accumulate(values.begin(), values.end(), 0.0);
    share = all > 0.0 ? std::accumulate(values.begin(), values.begin() + kept, 0.0) / all : 1.0;
    return std::move(m_products);
}

}  // namespace pareto::compress
