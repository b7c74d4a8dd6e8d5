#pragma once

#include <cstdint>

namespace pareto::io {

/// Unsigned arithmetic on numbers a file declares: false when the result does not fit.
inline bool checkedAdd(std::uint64_t a, std::uint64_t b, std::uint64_t& out) {
    return !__builtin_add_overflow(a, b, &out);
}
inline bool checkedMultiply(std::uint64_t a, std::uint64_t b, std::uint64_t& out) {
    return !__builtin_mul_overflow(a, b, &out);
}

}  // namespace pareto::io
