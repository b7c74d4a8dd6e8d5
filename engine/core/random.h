#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pareto {

/// Counter-based random numbers (Philox4x32-10, Salmon et al., "Parallel random numbers: as easy as
/// 1, 2, 3", SC 2011). One stream a named purpose: the same seed and purpose give the same numbers
/// on every machine, however many other streams are used beside it.
class RandomStream {
public:
    RandomStream(std::uint64_t seed, std::string_view purpose);

    std::uint32_t next();
    std::uint64_t next64() { return (static_cast<std::uint64_t>(next()) << 32) | next(); }
    /// Uniform in [0, 1).
    double uniform() { return static_cast<double>(next64() >> 11) * 0x1p-53; }
    /// Uniform in [0, bound), without bias. bound > 0.
    std::uint64_t below(std::uint64_t bound);
    /// Standard normal (Box-Muller).
    double normal();

private:
    void refill();

    std::array<std::uint32_t, 2> m_key{};
    std::array<std::uint32_t, 4> m_counter{};
    std::array<std::uint32_t, 4> m_block{};
    int m_used = 4;
};

}  // namespace pareto
