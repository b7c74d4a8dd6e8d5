#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"

namespace pareto::text {

/// SentencePiece's "precompiled_charsmap": a double-array trie (Darts) from byte strings to their
/// replacements. Immutable.
class Charsmap {
public:
    struct Match {
        std::size_t length = 0;         ///< bytes of the key; 0: no match
        std::string_view replacement;   ///< UTF-8
    };

    /// `bytes`: size of the trie in bytes (u32, little-endian), trie, zero-ended replacements.
    /// TokenizerInvalid when it is not one.
    static Result<Charsmap> read(std::string bytes, const std::string& file);

    bool empty() const { return m_units.empty(); }
    Match shortest(std::string_view text) const { return find(text, true); }
    Match longest(std::string_view text) const { return find(text, false); }

private:
    Match find(std::string_view text, bool first) const;

    std::vector<std::uint32_t> m_units;
    std::string m_replacements;
};

/// Standard base64 with padding. False when `text` is not that.
bool decodeBase64(std::string_view text, std::string& out);
std::string encodeBase64(std::string_view bytes);

}  // namespace pareto::text
