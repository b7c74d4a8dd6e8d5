#pragma once

#include <bitset>
#include <map>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/text/flat_map.h"
#include "engine/text/normalizer.h"

namespace pareto::text {

struct AddedToken {
    std::int32_t id = 0;
    std::string content;
    bool special = false;
    bool singleWord = false;
    bool stripLeft = false;
    bool stripRight = false;
    bool normalized = false;
};

/// The "added_tokens" of a tokenizer.json: found in a text before anything else, longest first.
class AddedTokens {
public:
    static Result<AddedTokens> read(const Json& json, const Normalizer* normalizer,
                                    const std::string& file);

    /// Cuts the text at tokens, into work.parts; text between them has been normalized.
    void split(std::string_view text, const Normalizer* normalizer, Workspace& work) const;
    const std::map<std::int32_t, AddedToken>& tokens() const { return m_tokens; }

private:
    /// Trie of the tokens' characters.
    class Trie {
    public:
        void insert(const Chars& content, std::int32_t id);
        bool empty() const { return m_ids.size() == 1; }
        /// Whether a token may begin with the character; right for nearly all that do not.
        bool mayBegin(char32_t code) const { return m_first[code % kFirst]; }
        /// Token that begins at a place, the longest one, and its length; id -1: none.
        std::int32_t longestAt(const Chars& text, std::size_t at, std::size_t& length) const;

    private:
        static constexpr std::size_t kFirst = 256;
        std::bitset<kFirst> m_first;
        FlatMap<std::uint32_t> m_next;  ///< (node << 32 | character) -> node
        std::vector<std::int32_t> m_ids{-1};
    };

    void splitWith(const Trie& trie, TextPart& part, TextParts& out) const;

    std::map<std::int32_t, AddedToken> m_tokens;
    Trie m_raw;         ///< found in the text as it is
    Trie m_normalized;  ///< found after normalization
};

}  // namespace pareto::text
