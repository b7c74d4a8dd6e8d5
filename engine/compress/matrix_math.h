#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pareto::compress {

/// C = beta · C + alpha · A · B, all fp32 and row-major: A [rows][depth], B [depth][cols],
/// C [rows][cols]. Strides count values from one row to the next. C overlaps neither A nor B.
/// beta = 0 overwrites whatever C held, NaN included.
struct MatrixProduct {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::int64_t depth = 0;
    const float* a = nullptr;
    std::int64_t strideA = 0;
    const float* b = nullptr;
    std::int64_t strideB = 0;
    float* c = nullptr;
    std::int64_t strideC = 0;
    float alpha = 1.0F;
    float beta = 0.0F;
};

/// The operations of linear algebra that calibrated compression spends its time in. The process
/// brings libtorch's; compression itself knows no library (as with ParallelFor). Thread-safe.
class MatrixMath {
public:
    MatrixMath() = default;
    MatrixMath(const MatrixMath&) = delete;
    MatrixMath& operator=(const MatrixMath&) = delete;
    virtual ~MatrixMath() = default;

    virtual void multiply(const MatrixProduct& product) const = 0;

    /// `h` [n][n], symmetric and positive definite, becomes the upper triangular U with h⁻¹ = UᵀU and
    /// zeros below its diagonal: cholesky(cholesky_inverse(cholesky(h)), upper = true) of GPTQ and
    /// SparseGPT. False when `h` is not positive definite or not finite; `h` is garbage then.
    virtual bool inverseFactor(std::span<double> h, std::int64_t n) const = 0;

    /// Singular values of `a` [rows][cols], falling, min(rows, cols) of them: roots of the eigenvalues of the
    /// smaller product of a with itself, in fp64, so that those below 10⁻⁸ of the largest say nothing.
    virtual std::vector<double> singularValues(std::span<const float> a, std::int64_t rows,
                                               std::int64_t cols) const = 0;

    /// Of a symmetric `a` [n][n]: eigenvalues, falling, as the answer, and unit eigenvectors as the columns of `a`,
    /// each with its largest component positive.
    virtual std::vector<double> eigenvectors(std::span<double> a, std::int64_t n) const = 0;
};

/// For implementations: eigenvalues and eigenvectors (columns of [n][n]) in any order, made what eigenvectors() says.
std::vector<double> inEigenOrder(std::vector<double> values, std::span<double> vectors, std::int64_t n);

/// Plain loops on the calling thread, the same bytes everywhere.
const MatrixMath& plainMath();

}  // namespace pareto::compress
