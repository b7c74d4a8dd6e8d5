#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/core/json.h"
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

/// A piece of text between added tokens, or one of those.
struct TextPart {
    Chars chars;
    std::int32_t id = -1;  ///< of the added token; -1: ordinary text
};

/// The "added_tokens" of a tokenizer.json: found in a text before anything else, longest first.
class AddedTokens {
public:
    static Result<AddedTokens> read(const Json& json, const Normalizer* normalizer,
                                    const std::string& file);

    /// Cuts the text at tokens; text between them has been normalized.
    std::vector<TextPart> split(Chars text, const Normalizer* normalizer) const;
    const std::map<std::int32_t, AddedToken>& tokens() const { return m_tokens; }

private:
    struct Node {
        std::map<char32_t, std::size_t> next;
        std::int32_t id = -1;
    };
    using Trie = std::vector<Node>;

    static void insert(Trie& trie, const Chars& content, std::int32_t id);
    void splitWith(const Trie& trie, const Chars& text, std::vector<TextPart>& out) const;

    std::map<std::int32_t, AddedToken> m_tokens;
    Trie m_raw = Trie(1);         ///< found in the text as it is
    Trie m_normalized = Trie(1);  ///< found after normalization
};

}  // namespace pareto::text
