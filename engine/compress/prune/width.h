#pragma once

#include <span>
#include <vector>

#include "engine/compress/input_statistics.h"

namespace pareto::compress {

/// The principal axes of a residual stream as its norms see it: the eigenvectors of Σ x̂·x̂ᵀ over the norms of all
/// blocks, x̂ = x / √(mean x²), by falling eigenvalue (SliceGPT, Ashkboos et al. 2024, arXiv 2401.15024, which has an
/// own rotation for each block and matrices between them; here one serves all, and nothing is added to the model).
class PrincipalAxes {
public:
    explicit PrincipalAxes(std::int64_t width);

    /// What a layer behind a norm of weight `norm` [width] reads, norm applied. Needs the Hessian.
    void add(const InputStatistics& statistics, std::span<const float> norm);

    /// Finds the axes; `share` becomes what the first `kept` of them hold of the sum of squares. Once.
    /// [width][width], an axis a column.
    std::vector<double> find(std::int64_t kept, const MatrixMath& math, double& share);

private:
    std::int64_t m_width;
    std::vector<double> m_products;  ///< [width][width]
};

}  // namespace pareto::compress
