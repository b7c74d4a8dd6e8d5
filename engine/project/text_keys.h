#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pareto::project {

/// White space (Unicode's) at the ends gone, every other run of it one space.
std::string cleanText(std::string_view text);

/// Words in lower case: runs of letters, marks, digits and connectors; an ideograph is a word of its own.
std::vector<std::string> wordsOf(std::string_view text);

/// What two texts share that say the same in other capitals and punctuation: the words, one space
/// between them; of a text without words the text itself.
std::string textKey(const std::vector<std::string>& words, const std::string& text);

/// Distinct n-grams of words as 64-bit hashes, ascending. A text with fewer than n words has one, of all
/// its words; one without words that of `text`.
std::vector<std::uint64_t> wordGrams(const std::vector<std::string>& words, std::size_t n,
                                     const std::string& text);

}  // namespace pareto::project
