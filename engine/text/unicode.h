#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pareto::text {

/// A character of a text on its way through the tokenizer, with the bytes of the input it came from.
struct Char {
    char32_t code = 0;
    std::int32_t begin = 0;
    std::int32_t end = 0;
};
using Chars = std::vector<Char>;

/// Invalid UTF-8 becomes U+FFFD, spanning the bytes it stands for.
Chars decodeUtf8(std::string_view text);
/// The same into a buffer that is emptied first and keeps its memory.
void decodeUtf8(std::string_view text, Chars& out);
void appendUtf8(std::string& out, char32_t code);
inline std::uint32_t utf8Length(char32_t code) {
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}
std::string encodeUtf8(const Chars& chars);

/// A character of a rewritten text: `change` is 0 when it takes the place of an old one, 1 when it is
/// put in, -n when n old ones after its own go.
struct Change {
    char32_t code;
    int change;
};
/// Rewrites the text; where the new characters stand in the input is counted as the `tokenizers` package
/// counts it. `spare` is a buffer.
void transform(Chars& chars, const std::vector<Change>& changes, Chars& spare);

enum class NormalForm { Nfc, Nfd, Nfkc, Nfkd };
void normalize(Chars& chars, NormalForm form, Chars& spare);

// Classes are those of the `tokenizers` package, which in places knows another Unicode than ICU does:
// unicode_exceptions.h lists the differences.

bool isSpaceBeyondAscii(char32_t code);
/// Unicode White_Space.
inline bool isSpace(char32_t code) {
    return code < 0x80 ? code == U' ' || (code >= U'\t' && code <= U'\r') : isSpaceBeyondAscii(code);
}
/// General categories Nd, Nl, No.
bool isNumeric(char32_t code);
/// The nonspacing marks that BERT's normalizer strips.
bool isBertMark(char32_t code);
/// Any mark: what the normalizer StripAccents takes away.
bool isMark(char32_t code);
/// A character of the same class for one that this ICU is too old to know, else itself.
char32_t standInForRegex(char32_t code);
/// What the usual patterns of byte-level tokenizers tell apart: \p{L}, \p{N}, \s, and the rest.
enum class PatternClass : std::uint8_t { Other, Letter, Number, Space };
PatternClass patternClass(char32_t code);
/// What BERT's normalizer removes: control, format and private use characters, except tab and line
/// breaks.
bool isBertControl(char32_t code);
bool isBertPunctuation(char32_t code);
/// The ideographs around which BERT's normalizer puts spaces.
bool isChineseCharacter(char32_t code);
/// Letters, marks, digits and connectors (\w).
bool isWordCharacter(char32_t code);
/// Appends the full lower-case mapping that does not depend on context.
void appendLowercase(Chars& out, const Char& c);

}  // namespace pareto::text
