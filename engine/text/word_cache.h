#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/word_model.h"

namespace pareto::text {

/// The tokens of words met before. Every word has one place; a new one takes it over, so that memory
/// is bounded. For one thread.
class WordCache {
public:
    struct Entry {
        std::string word;
        std::vector<WordToken> tokens;
    };

    /// Longer words are too rare to be worth a place.
    static bool wants(std::string_view word) { return !word.empty() && word.size() <= kLongest; }

    /// The word's place: it holds the word's tokens when its `word` is the same.
    Entry& place(std::string_view word) {
        if (m_entries.empty()) {
            m_entries.resize(kEntries);
        }
        return m_entries[std::hash<std::string_view>{}(word) % kEntries];
    }

private:
    static constexpr std::size_t kEntries = std::size_t{1} << 14;
    static constexpr std::size_t kLongest = 64;
    std::vector<Entry> m_entries;
};

}  // namespace pareto::text
