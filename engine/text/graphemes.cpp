#include "engine/text/graphemes.h"

#include <algorithm>

#include <unicode/brkiter.h>
#include <unicode/unistr.h>

namespace pareto::text {
namespace {

/// Below this nothing joins with its neighbour, but a carriage return with its line feed.
constexpr char32_t kFirstJoining = 0x300;

Range single(std::size_t at) {
    return {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + 1)};
}

void cutPlain(const Chars& chars, std::vector<Range>& out) {
    for (std::size_t i = 0; i < chars.size(); ++i) {
        out.push_back(single(i));
        if (chars[i].code == U'\r' && i + 1 < chars.size() && chars[i + 1].code == U'\n') {
            ++out.back().end;
            ++i;
        }
    }
}

}  // namespace

struct Graphemes::State {
    std::unique_ptr<icu::BreakIterator> breaks;
    icu::UnicodeString text;
    std::vector<std::uint32_t> places;  ///< UTF-16 index -> character index
};

Graphemes::Graphemes() = default;
Graphemes::~Graphemes() = default;

void Graphemes::cut(const Chars& chars, std::vector<Range>& out) {
    out.clear();
    const bool plain = std::all_of(chars.begin(), chars.end(),
                                   [](const Char& c) { return c.code < kFirstJoining; });
    if (plain) {
        cutPlain(chars, out);
        return;
    }
    if (m_state == nullptr) {
        m_state = std::make_unique<State>();
        UErrorCode status = U_ZERO_ERROR;
        m_state->breaks.reset(
            icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
    }
    if (m_state->breaks == nullptr) {
        cutPlain(chars, out);
        return;
    }
    auto& [breaks, text, places] = *m_state;
    text.remove();
    places.clear();
    for (std::size_t i = 0; i < chars.size(); ++i) {
        text.append(static_cast<UChar32>(chars[i].code));
        places.resize(static_cast<std::size_t>(text.length()), static_cast<std::uint32_t>(i));
    }
    places.push_back(static_cast<std::uint32_t>(chars.size()));
    breaks->setText(text);
    std::uint32_t begin = 0;
    for (auto at = breaks->next(); at != icu::BreakIterator::DONE; at = breaks->next()) {
        const auto end = places[static_cast<std::size_t>(at)];
        out.push_back({begin, end});
        begin = end;
    }
}

}  // namespace pareto::text
