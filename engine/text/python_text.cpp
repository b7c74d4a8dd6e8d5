#include "engine/text/python_text.h"

#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "engine/text/unicode.h"

namespace pareto::text {

std::string lowercase(std::string_view text) {
    auto unicode = icu::UnicodeString::fromUTF8(
        icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
    unicode.toLower(icu::Locale::getRoot());
    std::string out;
    unicode.toUTF8String(out);
    return out;
}

bool isPythonSpace(char32_t code) { return isSpace(code) || (code >= 0x1C && code <= 0x1F); }

std::vector<std::string> splitWords(std::string_view text) {
    std::vector<std::string> words;
    std::size_t begin = 0;
    const auto take = [&](std::size_t end) {
        if (end > begin) {
            words.emplace_back(text.substr(begin, end - begin));
        }
    };
    for (const Char& c : decodeUtf8(text)) {
        if (isPythonSpace(c.code)) {
            take(static_cast<std::size_t>(c.begin));
            begin = static_cast<std::size_t>(c.end);
        }
    }
    take(text.size());
    return words;
}

bool isAlphanumeric(char32_t code) {
    return (U_GET_GC_MASK(static_cast<UChar32>(code)) & (U_GC_L_MASK | U_GC_N_MASK)) != 0;
}

}  // namespace pareto::text
