#include "engine/compress/hadamard.h"

#include <algorithm>
#include <cmath>

#include "engine/core/random.h"

namespace pareto::compress {

namespace {

/// Of a base; applying it costs as many products a value.
constexpr std::int64_t kMostOrder = 512;

bool isPrime(std::int64_t value) {
    for (std::int64_t by = 2; by * by <= value; ++by) {
        if (value % by == 0) {
            return false;
        }
    }
    return value > 1;
}

/// Jacobsthal's matrix of the prime q: whether i − j is a square (1), none (−1), or zero.
std::vector<double> jacobsthal(std::int64_t q) {
    std::vector<double> character(static_cast<std::size_t>(q), -1.0);
    character[0] = 0.0;
    for (std::int64_t value = 1; value < q; ++value) {
        character[static_cast<std::size_t>(value * value % q)] = 1.0;
    }
    std::vector<double> out(static_cast<std::size_t>(q * q));
    for (std::int64_t i = 0; i < q; ++i) {
        for (std::int64_t j = 0; j < q; ++j) {
            out[static_cast<std::size_t>(i * q + j)] =
                character[static_cast<std::size_t>((i - j + q) % q)];
        }
    }
    return out;
}

/// Paley's conference matrix [q + 1]: a border of ones, its first column negative where q ≡ 3 (mod 4), around
/// Jacobsthal's.
std::vector<double> conference(std::int64_t q) {
    const std::int64_t n = q + 1;
    const std::vector<double> inner = jacobsthal(q);
    std::vector<double> out(static_cast<std::size_t>(n * n));
    for (std::int64_t i = 1; i < n; ++i) {
        out[static_cast<std::size_t>(i)] = 1.0;
        out[static_cast<std::size_t>(i * n)] = q % 4 == 3 ? -1.0 : 1.0;
        std::copy_n(inner.begin() + (i - 1) * q, q, out.begin() + i * n + 1);
    }
    return out;
}

/// A Hadamard matrix (of ±1) of this order by Paley (1933), or nothing.
std::vector<double> paley(std::int64_t order) {
    if (order % 4 == 0 && (order - 1) % 4 == 3 && isPrime(order - 1)) {
        std::vector<double> out = conference(order - 1);  // 1 + C, C antisymmetric
        for (std::int64_t i = 0; i < order; ++i) {
            out[static_cast<std::size_t>(i * order + i)] += 1.0;
        }
        return out;
    }
    const std::int64_t q = order / 2 - 1;
    if (order % 4 != 0 || q % 4 != 1 || !isPrime(q)) {
        return {};
    }
    // C ⊗ (1 1; 1 −1) + 1 ⊗ (1 −1; −1 −1), C symmetric
    const std::vector<double> c = conference(q);
    const std::int64_t n = q + 1;
    std::vector<double> out(static_cast<std::size_t>(order * order));
    for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
            const double value = c[static_cast<std::size_t>(i * n + j)];
            double* at = out.data() + 2 * i * order + 2 * j;
            at[0] = i == j ? 1.0 : value;
            at[1] = at[order] = i == j ? -1.0 : value;
            at[order + 1] = i == j ? -1.0 : -value;
        }
    }
    return out;
}

/// Gram–Schmidt of normal rows, each twice.
std::vector<double> randomOrthogonal(std::int64_t order, RandomStream& random) {
    std::vector<double> out(static_cast<std::size_t>(order * order));
    std::generate(out.begin(), out.end(), [&] { return random.normal(); });
    for (std::int64_t row = 0; row < order; ++row) {
        double* now = out.data() + row * order;
        const auto dot = [&](const double* other) {
            double sum = 0.0;
            for (std::int64_t at = 0; at < order; ++at) {
                sum += now[at] * other[at];
            }
            return sum;
        };
        for (std::int64_t before = 0; before < 2 * row; ++before) {
            const double* other = out.data() + before % row * order;
            const double by = dot(other);
            for (std::int64_t at = 0; at < order; ++at) {
                now[at] -= by * other[at];
            }
        }
        const double length = std::sqrt(dot(now));
        std::transform(now, now + order, now, [&](double value) { return value / length; });
    }
    return out;
}

/// v ← v · S for Sylvester's matrix of ±1, by butterflies.
void sylvester(double* values, std::int64_t count) {
    for (std::int64_t half = 1; half < count; half *= 2) {
        for (std::int64_t begin = 0; begin < count; begin += 2 * half) {
            for (std::int64_t at = begin; at < begin + half; ++at) {
                const double a = values[at];
                const double b = values[at + half];
                values[at] = a + b;
                values[at + half] = a - b;
            }
        }
    }
}

}  // namespace

Rotation::Rotation(std::int64_t width, std::uint64_t seed) : m_width(width) {
    RandomStream random(seed, "rotation " + std::to_string(width));
    m_signs.resize(static_cast<std::size_t>(width));
    std::generate(m_signs.begin(), m_signs.end(),
                  [&] { return random.below(2) == 0 ? 1.0 : -1.0; });
    std::int64_t odd = width;
    while (odd % 2 == 0) {
        odd /= 2;
    }
    if (odd == 1) {
        return;
    }
    for (m_order = 4 * odd; m_base.empty() && m_order <= kMostOrder && width % m_order == 0;
         m_order *= 2) {
        m_base = paley(m_order);
    }
    m_hadamard = !m_base.empty();
    if (m_hadamard) {
        m_order /= 2;  // the one that was found
        const double length = std::sqrt(static_cast<double>(m_order));
        std::transform(m_base.begin(), m_base.end(), m_base.begin(),
                       [&](double one) { return one / length; });
    } else {
        m_order = odd;
        m_base = randomOrthogonal(odd, random);
    }
}

void Rotation::apply(std::span<double> values, std::vector<double>& scratch) const {
    const std::int64_t part = m_width / m_order;
    const double scale = 1.0 / std::sqrt(static_cast<double>(part));
    for (std::size_t at = 0; at < values.size(); ++at) {
        values[at] *= m_signs[at] * scale;
    }
    for (std::int64_t begin = 0; begin < m_width; begin += part) {
        sylvester(values.data() + begin, part);
    }
    if (m_base.empty()) {
        return;
    }
    scratch.assign(values.begin(), values.end());
    std::fill(values.begin(), values.end(), 0.0);
    for (std::int64_t from = 0; from < m_order; ++from) {
        for (std::int64_t to = 0; to < m_order; ++to) {
            const double by = m_base[static_cast<std::size_t>(from * m_order + to)];
            const double* source = scratch.data() + from * part;
            double* target = values.data() + to * part;
            for (std::int64_t at = 0; at < part; ++at) {
                target[at] += by * source[at];
            }
        }
    }
}

}  // namespace pareto::compress
