#include "engine/core/random.h"

#include <cmath>
#include <numbers>

namespace pareto {
namespace {

std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xCBF29CE484222325ULL;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    }
    return hash;
}

}  // namespace

RandomStream::RandomStream(std::uint64_t seed, std::string_view purpose) {
    const std::uint64_t stream = fnv1a(purpose);
    m_key = {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
    m_counter = {0, 0, static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)};
}

void RandomStream::refill() {
    auto counter = m_counter;
    auto key = m_key;
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = 0xD2511F53ULL * counter[0];
        const std::uint64_t b = 0xCD9E8D57ULL * counter[2];
        counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0],
                   static_cast<std::uint32_t>(b),
                   static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1],
                   static_cast<std::uint32_t>(a)};
        key[0] += 0x9E3779B9U;
        key[1] += 0xBB67AE85U;
    }
    m_block = counter;
    m_used = 0;
    if (++m_counter[0] == 0) {
        ++m_counter[1];
    }
}

std::uint32_t RandomStream::next() {
    if (m_used == 4) {
        refill();
    }
    return m_block[static_cast<std::size_t>(m_used++)];
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
    const std::uint64_t limit = bound * (UINT64_MAX / bound);
    std::uint64_t value = next64();
    while (value >= limit) {
        value = next64();
    }
    return value % bound;
}

double RandomStream::normal() {
    const double u = 1.0 - uniform();
    const double v = uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

}  // namespace pareto
