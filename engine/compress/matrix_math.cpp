#include "engine/compress/matrix_math.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

namespace pareto::compress {

namespace {

/// Columns of B and C that stay in the cache while one row of A is walked.
constexpr std::int64_t kStripe = 512;
/// Rows or columns of a factor that are worked on together.
constexpr std::int64_t kPanel = 16;

/// Eight running sums, so that the loop vectorizes and the order is fixed.
double dot(const double* a, const double* b, std::int64_t count) {
    constexpr std::int64_t kLanes = 8;
    std::array<double, kLanes> sums{};
    std::int64_t at = 0;
    for (; at + kLanes <= count; at += kLanes) {
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
            sums[static_cast<std::size_t>(lane)] += a[at + lane] * b[at + lane];
        }
    }
    double total = 0.0;
    for (const double sum : sums) {
        total += sum;
    }
    for (; at < count; ++at) {
        total += a[at] * b[at];
    }
    return total;
}

void multiplyStripe(const MatrixProduct& p, std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = 0; row < p.rows; ++row) {
        float* c = p.c + row * p.strideC;
        const float* a = p.a + row * p.strideA;
        if (p.beta == 0.0F) {
            std::fill(c + begin, c + end, 0.0F);
        } else if (p.beta != 1.0F) {
            std::transform(c + begin, c + end, c + begin,
                           [&](float value) { return p.beta * value; });
        }
        std::int64_t k = 0;
        for (; k + 4 <= p.depth; k += 4) {
            const std::array<float, 4> by{p.alpha * a[k], p.alpha * a[k + 1], p.alpha * a[k + 2],
                                          p.alpha * a[k + 3]};
            const float* b = p.b + k * p.strideB;
            for (std::int64_t col = begin; col < end; ++col) {
                c[col] += (by[0] * b[col] + by[1] * b[col + p.strideB]) +
                          (by[2] * b[col + 2 * p.strideB] + by[3] * b[col + 3 * p.strideB]);
            }
        }
        for (; k < p.depth; ++k) {
            const float by = p.alpha * a[k];
            const float* b = p.b + k * p.strideB;
            for (std::int64_t col = begin; col < end; ++col) {
                c[col] += by * b[col];
            }
        }
    }
}

/// h = R·Rᵀ with R upper triangular, from the last column to the first; R takes the upper half.
bool factorFromTheEnd(double* h, std::int64_t n) {
    for (std::int64_t end = n; end > 0;) {
        const std::int64_t begin = std::max<std::int64_t>(0, end - kPanel);
        // What the columns behind the panel take from it, while the panel's rows are in the cache.
        for (std::int64_t i = 0; i < end; ++i) {
            for (std::int64_t j = std::max(i, begin); j < end; ++j) {
                h[i * n + j] -= dot(h + i * n + end, h + j * n + end, n - end);
            }
        }
        for (std::int64_t j = end - 1; j >= begin; --j) {
            double* rowJ = h + j * n;
            const std::int64_t rest = end - 1 - j;
            const double square = rowJ[j] - dot(rowJ + j + 1, rowJ + j + 1, rest);
            if (!(square > 0.0) || !std::isfinite(square)) {
                return false;
            }
            rowJ[j] = std::sqrt(square);
            for (std::int64_t i = 0; i < j; ++i) {
                double* rowI = h + i * n;
                rowI[j] = (rowI[j] - dot(rowI + j + 1, rowJ + j + 1, rest)) / rowJ[j];
            }
        }
        end = begin;
    }
    return true;
}

void addScaled(double* to, double by, const double* from, std::int64_t count) {
    for (std::int64_t at = 0; at < count; ++at) {
        to[at] += by * from[at];
    }
}

/// R becomes R⁻¹, from the last row to the first; the lower half becomes zero.
void invertUpper(double* r, std::int64_t n) {
    std::vector<double> panel(static_cast<std::size_t>(kPanel * n));
    for (std::int64_t end = n; end > 0;) {
        const std::int64_t begin = std::max<std::int64_t>(0, end - kPanel);
        std::copy(r + begin * n, r + end * n, panel.begin());
        std::fill(r + begin * n, r + end * n, 0.0);
        const auto factor = [&](std::int64_t i, std::int64_t k) {
            return -panel[static_cast<std::size_t>((i - begin) * n + k)];
        };
        // −R·X of the rows below the panel, in stripes of columns that stay in the cache.
        for (std::int64_t from = end; from < n; from += kStripe / 2) {
            const std::int64_t to = std::min(n, from + kStripe / 2);
            for (std::int64_t k = end; k < to; ++k) {
                const std::int64_t first = std::max(from, k);
                for (std::int64_t i = begin; i < end; ++i) {
                    addScaled(r + i * n + first, factor(i, k), r + k * n + first, to - first);
                }
            }
        }
        for (std::int64_t i = end - 1; i >= begin; --i) {
            double* out = r + i * n;
            for (std::int64_t k = i + 1; k < end; ++k) {
                addScaled(out + k, factor(i, k), r + k * n + k, n - k);
            }
            const double inverse = -1.0 / factor(i, i);
            std::transform(out + i + 1, out + n, out + i + 1,
                           [&](double value) { return value * inverse; });
            out[i] = inverse;
        }
        end = begin;
    }
}

/// a·aᵀ or aᵀ·a, whichever is smaller.
std::vector<double> smallerProduct(std::span<const float> a, std::int64_t rows, std::int64_t cols) {
    const bool byRows = rows <= cols;
    const std::int64_t n = std::min(rows, cols);
    const std::int64_t depth = std::max(rows, cols);
    const auto at = [&](std::int64_t line, std::int64_t k) {
        return static_cast<double>(a[static_cast<std::size_t>(byRows ? line * cols + k : k * cols + line)]);
    };
    std::vector<double> out(static_cast<std::size_t>(n * n));
    for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j <= i; ++j) {
            double sum = 0.0;
            for (std::int64_t k = 0; k < depth; ++k) {
                sum += at(i, k) * at(j, k);
            }
            out[static_cast<std::size_t>(i * n + j)] = out[static_cast<std::size_t>(j * n + i)] = sum;
        }
    }
    return out;
}

/// Jacobi's rotations (Golub & Van Loan, Matrix Computations, section 8.5): the eigenvalues of a symmetric
/// matrix come to stand on its diagonal; `vectors`, unless empty, is multiplied by the rotations.
void diagonalize(std::vector<double>& m, std::int64_t n, std::span<double> vectors = {}) {
    constexpr int kSweeps = 30;
    const auto at = [&](std::int64_t i, std::int64_t j) -> double& { return m[static_cast<std::size_t>(i * n + j)]; };
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
        double off = 0.0;
        double on = 0.0;
        for (std::int64_t p = 0; p < n; ++p) {
            on += at(p, p) * at(p, p);
            for (std::int64_t q = p + 1; q < n; ++q) {
                off += at(p, q) * at(p, q);
                if (at(p, q) == 0.0) {
                    continue;
                }
                const double theta = (at(q, q) - at(p, p)) / (2.0 * at(p, q));
                const double t = std::copysign(1.0, theta) / (std::fabs(theta) + std::sqrt(theta * theta + 1.0));
                const double c = 1.0 / std::sqrt(t * t + 1.0);
                const double s = t * c;
                for (std::int64_t k = 0; k < n; ++k) {
                    const double kp = at(k, p);
                    at(k, p) = c * kp - s * at(k, q);
                    at(k, q) = s * kp + c * at(k, q);
                }
                for (std::int64_t k = 0; k < n && !vectors.empty(); ++k) {
                    double& vp = vectors[static_cast<std::size_t>(k * n + p)];
                    double& vq = vectors[static_cast<std::size_t>(k * n + q)];
                    const double was = vp;
                    vp = c * was - s * vq;
                    vq = s * was + c * vq;
                }
                for (std::int64_t k = 0; k < n; ++k) {
                    const double pk = at(p, k);
                    at(p, k) = c * pk - s * at(q, k);
                    at(q, k) = s * pk + c * at(q, k);
                }
            }
        }
        if (off <= 1e-30 * on) {
            return;
        }
    }
}

class PlainMath final : public MatrixMath {
public:
    void multiply(const MatrixProduct& product) const override {
        for (std::int64_t begin = 0; begin < product.cols; begin += kStripe) {
            multiplyStripe(product, begin, std::min(begin + kStripe, product.cols));
        }
    }

    // h = R·Rᵀ gives h⁻¹ = R⁻ᵀ·R⁻¹, and R⁻¹ is upper triangular with a positive diagonal: the
    // factor asked for, without ever forming the inverse.
    bool inverseFactor(std::span<double> h, std::int64_t n) const override {
        if (!factorFromTheEnd(h.data(), n)) {
            return false;
        }
        invertUpper(h.data(), n);
        return std::all_of(h.begin(), h.end(), [](double value) { return std::isfinite(value); });
    }

    std::vector<double> singularValues(std::span<const float> a, std::int64_t rows,
                                       std::int64_t cols) const override {
        std::vector<double> product = smallerProduct(a, rows, cols);
        const std::int64_t n = std::min(rows, cols);
        diagonalize(product, n);
        std::vector<double> out;
        for (std::int64_t at = 0; at < n; ++at) {
            out.push_back(std::sqrt(std::max(0.0, product[static_cast<std::size_t>(at * n + at)])));
        }
        std::sort(out.begin(), out.end(), std::greater<>());
        return out;
    }

    std::vector<double> eigenvectors(std::span<double> a, std::int64_t n) const override {
        std::vector<double> matrix(a.begin(), a.end());
        std::fill(a.begin(), a.end(), 0.0);
        for (std::int64_t at = 0; at < n; ++at) {
            a[static_cast<std::size_t>(at * n + at)] = 1.0;
        }
        diagonalize(matrix, n, a);
        std::vector<double> values;
        for (std::int64_t at = 0; at < n; ++at) {
            values.push_back(matrix[static_cast<std::size_t>(at * n + at)]);
        }
        return inEigenOrder(std::move(values), a, n);
    }
};

}  // namespace

std::vector<double> inEigenOrder(std::vector<double> values, std::span<double> vectors, std::int64_t n) {
    const auto size = static_cast<std::size_t>(n);
    std::vector<std::size_t> order(size);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
    const std::vector<double> before(vectors.begin(), vectors.end());
    std::vector<double> sorted;
    for (std::size_t to = 0; to < size; ++to) {
        const std::size_t from = order[to];
        sorted.push_back(values[from]);
        double largest = 0.0;
        for (std::size_t row = 0; row < size; ++row) {
            const double value = before[row * size + from];
            largest = std::fabs(value) > std::fabs(largest) ? value : largest;
        }
        for (std::size_t row = 0; row < size; ++row) {
            vectors[row * size + to] = std::copysign(1.0, largest) * before[row * size + from];
        }
    }
    return sorted;
}

const MatrixMath& plainMath() {
    static const PlainMath math;
    return math;
}

}  // namespace pareto::compress
