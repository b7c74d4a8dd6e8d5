#pragma once

#include <array>

namespace pareto::text {

struct CodeRange {
    char32_t first;
    char32_t last;
};

inline constexpr std::array<CodeRange, 1> kMarksKept{{{1, 0}}};
inline constexpr std::array<CodeRange, 1> kControlsKept{{{1, 0}}};
inline constexpr std::array<CodeRange, 1> kPunctuationKept{{{1, 0}}};

}  // namespace pareto::text
