#include "engine/text/regex.h"

#include <unicode/regex.h>
#include <unicode/unistr.h>

#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

constexpr std::size_t kMaxPatternBytes = 64 * 1024;
/// ICU counts these in steps of about a millisecond.
constexpr std::int32_t kTimeLimit = 2000;

/// ICU's \s is narrower than Unicode's White_Space, which the other engines mean.
std::string rewritten(const std::string& pattern) {
    std::string out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] != '\\' || i + 1 == pattern.size()) {
            out += pattern[i];
            continue;
        }
        const char next = pattern[++i];
        if (next == 's') {
            out += "\\p{White_Space}";
        } else if (next == 'S') {
            out += "\\P{White_Space}";
        } else {
            out += '\\';
            out += next;
        }
    }
    return out;
}

}  // namespace

struct Regex::State {
    std::unique_ptr<icu::RegexPattern> pattern;
};

Regex::Regex(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Regex::~Regex() = default;

Result<std::shared_ptr<const Regex>> Regex::compile(const std::string& pattern,
                                                    const std::string& file) {
    if (pattern.size() > kMaxPatternBytes) {
        return tokenizerError(file, "one of its patterns is longer than 64 KiB");
    }
    UErrorCode status = U_ZERO_ERROR;
    UParseError where{};
    auto state = std::make_unique<State>();
    state->pattern.reset(icu::RegexPattern::compile(
        icu::UnicodeString::fromUTF8(rewritten(pattern)), 0, where, status));
    if (U_FAILURE(status) || state->pattern == nullptr) {
        return tokenizerError(file, "the pattern " + pattern.substr(0, 200) +
                                        " is not valid (" +
                                        u_errorName(status) + ")");
    }
    return std::shared_ptr<const Regex>(new Regex(std::move(state)));
}

std::string Regex::quoted(const std::string& text) {
    std::string out;
    for (const char c : text) {
        const bool sign = static_cast<unsigned char>(c) < 0x80 && c > 0x20 &&
                          !((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
        out += sign ? std::string("\\") + c : std::string(1, c);
    }
    return out;
}

struct RegexScanner::State {
    std::unique_ptr<icu::RegexMatcher> matcher;
    icu::UnicodeString text;
    std::vector<std::uint32_t> places;  ///< UTF-16 index -> character index
};

RegexScanner::RegexScanner(const Regex& regex) : m_state(std::make_unique<State>()) {
    UErrorCode status = U_ZERO_ERROR;
    m_state->matcher.reset(regex.m_state->pattern->matcher(status));
    if (m_state->matcher != nullptr) {
        m_state->matcher->setTimeLimit(kTimeLimit, status);
    }
}
RegexScanner::~RegexScanner() = default;

void RegexScanner::matches(const Chars& chars, Range within, std::vector<Range>& out) {
    out.clear();
    if (m_state->matcher == nullptr) {
        return;
    }
    auto& text = m_state->text;
    auto& places = m_state->places;
    text.remove();
    places.clear();
    for (std::uint32_t i = within.begin; i < within.end; ++i) {
        text.append(static_cast<UChar32>(standInForRegex(chars[i].code)));
        places.resize(static_cast<std::size_t>(text.length()), i);
    }
    places.push_back(within.end);
    m_state->matcher->reset(text);
    UErrorCode status = U_ZERO_ERROR;
    while (m_state->matcher->find(status) && U_SUCCESS(status)) {
        const auto begin = m_state->matcher->start(status);
        const auto end = m_state->matcher->end(status);
        if (begin < end) {
            out.push_back({places[static_cast<std::size_t>(begin)],
                           places[static_cast<std::size_t>(end)]});
        }
    }
}

}  // namespace pareto::text
