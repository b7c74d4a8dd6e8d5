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
void appendUtf8(std::string& out, char32_t code);
std::string encodeUtf8(const Chars& chars);

enum class NormalForm { Nfc, Nfd, Nfkc, Nfkd };
Chars normalize(const Chars& chars, NormalForm form);

// Classes are those of the `tokenizers` package, which in places knows another Unicode than ICU does:
// unicode_exceptions.h lists the differences.

/// Unicode White_Space.
bool isSpace(char32_t code);
/// General categories Nd, Nl, No.
bool isNumeric(char32_t code);
/// The nonspacing marks that BERT's normalizer strips.
bool isBertMark(char32_t code);
/// Any mark: what the normalizer StripAccents takes away.
bool isMark(char32_t code);
/// A character of the same class for one that this ICU is too old to know, else itself.
char32_t standInForRegex(char32_t code);
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
