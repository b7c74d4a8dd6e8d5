#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pareto::compress {

/// An orthogonal matrix Q [width][width] that spreads every value over all: Q = D · (B ⊗ S), with seeded
/// signs D, a base B and Sylvester's Hadamard matrix S of an order 2^k, both scaled to be orthogonal. Where
/// the odd part m of the width is not 1, B is a Hadamard matrix of order 4·m, 8·m … 512 by Paley's
/// constructions, the first there is that divides the width (12, 20, 28, 36, 44, 60, 68, 76, 104 …), and
/// every |Q_ij| is 1/√width; else a seeded random orthogonal one of order m (Gram–Schmidt in fp64).
class Rotation {
public:
    Rotation(std::int64_t width, std::uint64_t seed);

    std::int64_t width() const { return m_width; }
    /// Every value of the matrix has the same magnitude.
    bool isHadamard() const { return m_hadamard; }
    /// values ← values · Q, in fp64; `scratch` may be reused from call to call.
    void apply(std::span<double> values, std::vector<double>& scratch) const;

private:
    std::int64_t m_width = 1;
    std::int64_t m_order = 1;  ///< of the base
    bool m_hadamard = true;
    std::vector<double> m_signs;
    std::vector<double> m_base;  ///< B [order][order]; empty for order 1
};

}  // namespace pareto::compress
