#pragma once

#include <cstdint>
#include <vector>

#include "engine/text/unicode.h"

namespace pareto::text {

/// Characters [begin, end) of a text.
struct Range {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};

/// A text on its way through the pre-tokenizers: one buffer of characters, cut into words.
struct Words {
    Chars chars;
    std::vector<Range> ranges;

    std::size_t bytes() const {
        return chars.capacity() * sizeof(Char) + ranges.capacity() * sizeof(Range);
    }
};

}  // namespace pareto::text
