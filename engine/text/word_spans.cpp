#include "engine/text/word_spans.h"

#include "engine/text/unicode.h"

namespace pareto::text {

std::vector<Span> wordSpans(std::string_view text) {
    std::vector<Span> words;
    bool inside = false;
    for (const Char& c : decodeUtf8(text)) {
        if (isSpace(c.code)) {
            inside = false;
        } else if (isBertPunctuation(c.code) || isChineseCharacter(c.code)) {
            words.push_back({c.begin, c.end});
            inside = false;
        } else if (inside) {
            words.back().end = c.end;
        } else {
            words.push_back({c.begin, c.end});
            inside = true;
        }
    }
    return words;
}

}  // namespace pareto::text
