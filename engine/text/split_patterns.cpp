#include "engine/text/split_patterns.h"

namespace pareto::text {
namespace {

bool isLineBreak(char32_t code) { return code == U'\r' || code == U'\n'; }

/// Small letter of an ASCII letter; the long s folds to s as in a case-insensitive pattern.
char32_t folded(char32_t code) {
    return code >= U'A' && code <= U'Z' ? code + 32 : code == 0x17F ? U's' : code;
}

class Scanner {
public:
    Scanner(const Chars& text, Range within) : m_text(text), m_end(within.end) {}

    char32_t code(std::uint32_t at) const { return m_text[at].code; }
    bool is(std::uint32_t at, PatternClass wanted) const {
        return at < m_end && patternClass(code(at)) == wanted;
    }
    std::uint32_t run(std::uint32_t at, PatternClass wanted) const {
        while (is(at, wanted)) {
            ++at;
        }
        return at;
    }
    /// End of 's, 't, 're, 've, 'm, 'll or 'd at an apostrophe, else `at`.
    std::uint32_t contraction(std::uint32_t at, bool anyCase) const {
        const auto letter = [&](std::uint32_t i) {
            return i >= m_end ? U'\0' : anyCase ? folded(code(i)) : code(i);
        };
        const char32_t first = letter(at + 1);
        if (first == U's' || first == U't' || first == U'm' || first == U'd') {
            return at + 2;
        }
        const char32_t second = letter(at + 2);
        const bool two = ((first == U'r' || first == U'v') && second == U'e') ||
                         (first == U'l' && second == U'l');
        return two ? at + 3 : at;
    }
    /// End of "\s+(?!\S)|\s+" where the white space [at, runEnd) begins: the last space before a word
    /// belongs to the word.
    std::uint32_t space(std::uint32_t at, std::uint32_t runEnd) const {
        return runEnd == m_end || runEnd - at == 1 ? runEnd : runEnd - 1;
    }

private:
    const Chars& m_text;
    std::uint32_t m_end;
};

std::uint32_t endOfGpt2(const Scanner& scan, std::uint32_t at) {
    const char32_t code = scan.code(at);
    if (code == U'\'') {
        if (const auto end = scan.contraction(at, false); end > at) {
            return end;
        }
    }
    const std::uint32_t body = code == U' ' ? at + 1 : at;
    for (const auto kind : {PatternClass::Letter, PatternClass::Number, PatternClass::Other}) {
        if (scan.is(body, kind)) {
            return scan.run(body, kind);
        }
    }
    return scan.space(at, scan.run(at, PatternClass::Space));
}

std::uint32_t endOfSpaces(const Scanner& scan, std::uint32_t at) {
    const std::uint32_t end = scan.run(at, PatternClass::Space);
    for (std::uint32_t i = end; i > at; --i) {
        if (isLineBreak(scan.code(i - 1))) {
            return i;
        }
    }
    return scan.space(at, end);
}

template <std::uint32_t Digits>
std::uint32_t endOfLlama3(const Scanner& scan, std::uint32_t at) {
    const char32_t code = scan.code(at);
    if (code == U'\'') {
        if (const auto end = scan.contraction(at, true); end > at) {
            return end;
        }
    }
    const PatternClass kind = patternClass(code);
    if (kind == PatternClass::Letter) {
        return scan.run(at, PatternClass::Letter);
    }
    if (kind == PatternClass::Number) {
        std::uint32_t end = at + 1;
        while (end < at + Digits && scan.is(end, PatternClass::Number)) {
            ++end;
        }
        return end;
    }
    if (!isLineBreak(code) && scan.is(at + 1, PatternClass::Letter)) {
        return scan.run(at + 1, PatternClass::Letter);
    }
    const std::uint32_t body = code == U' ' ? at + 1 : at;
    if (scan.is(body, PatternClass::Other)) {
        std::uint32_t end = scan.run(body, PatternClass::Other);
        while (scan.is(end, PatternClass::Space) && isLineBreak(scan.code(end))) {
            ++end;
        }
        return end;
    }
    return endOfSpaces(scan, at);
}

template <std::uint32_t (*EndOf)(const Scanner&, std::uint32_t)>
void cut(const Chars& text, Range within, std::vector<Range>& out) {
    const Scanner scan(text, within);
    for (std::uint32_t at = within.begin; at < within.end;) {
        const std::uint32_t end = EndOf(scan, at);
        out.push_back({at, end});
        at = end;
    }
}

}  // namespace

SplitFunction splitFunctionOf(std::string_view pattern) {
    return pattern == kGpt2Pattern     ? cut<endOfGpt2>
           : pattern == kLlama3Pattern ? cut<endOfLlama3<3>>
           : pattern == kQwen2Pattern  ? cut<endOfLlama3<1>>
                                       : nullptr;
}

}  // namespace pareto::text
