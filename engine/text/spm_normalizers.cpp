#include <array>

#include "engine/text/normalizer.h"

namespace pareto::text {
namespace {

constexpr char32_t kSpaceMark = 0x2581;

void appendReplacement(std::vector<Change>& changes, std::size_t oldCount, std::string_view text) {
    const Chars chars = decodeUtf8(text);
    for (const Char& c : chars) {
        changes.push_back({c.code, 0});
    }
    for (std::size_t i = oldCount; i < chars.size(); ++i) {
        changes[changes.size() - 1 - (i - oldCount)].change = 1;
    }
    if (chars.size() < oldCount && !changes.empty()) {
        changes.back().change -= static_cast<int>(oldCount - chars.size());
    }
}

class Precompiled : public Normalizer {
public:
    explicit Precompiled(Charsmap charsmap) : m_charsmap(std::move(charsmap)) {
        for (char32_t code = 0; code < m_changes.size(); ++code) {
            const char byte = static_cast<char>(code);
            m_changes[code] = m_charsmap.shortest({&byte, 1}).length > 0;
        }
    }

    void apply(Chars& chars, Workspace& work) const override {
        bool touched = false;
        for (const Char& c : chars) {
            touched = touched || c.code >= m_changes.size() || m_changes[c.code];
        }
        if (!touched) {
            return;
        }
        work.graphemes.cut(chars, work.ranges);
        std::vector<Change> changes;
        changes.reserve(chars.size());
        bool modified = false;
        for (const Range& grapheme : work.ranges) {
            modified = append(chars, grapheme, work.bytes, changes) || modified;
        }
        if (modified) {
            transform(chars, changes, work.chars);
        }
    }

private:
    static constexpr std::size_t kLongestGrapheme = 6;

    bool append(const Chars& chars, Range grapheme, std::string& bytes,
                std::vector<Change>& changes) const {
        const std::size_t count = grapheme.end - grapheme.begin;
        const char32_t first = chars[grapheme.begin].code;
        if (count == 1 && first < m_changes.size() && !m_changes[first]) {
            changes.push_back({first, 0});
            return false;
        }
        if (count > 1) {
            bytes.clear();
            for (std::size_t i = grapheme.begin; i < grapheme.end; ++i) {
                appendUtf8(bytes, chars[i].code);
            }
            const auto match =
                bytes.size() < kLongestGrapheme ? m_charsmap.shortest(bytes) : Charsmap::Match{};
            if (match.length > 0) {
                appendReplacement(changes, count, match.replacement);
                return true;
            }
        }
        bool modified = false;
        for (std::size_t i = grapheme.begin; i < grapheme.end; ++i) {
            bytes.clear();
            appendUtf8(bytes, chars[i].code);
            const auto match = m_charsmap.shortest(bytes);
            if (match.length > 0) {
                appendReplacement(changes, 1, match.replacement);
                modified = true;
            } else {
                changes.push_back({chars[i].code, 0});
            }
        }
        return modified;
    }

    Charsmap m_charsmap;
    std::array<bool, 128> m_changes{};  ///< ASCII characters that the table replaces
};

class SentencePieceNormalizer : public Normalizer {
public:
    SentencePieceNormalizer(Charsmap charsmap, SentencePieceRules rules)
        : m_charsmap(std::move(charsmap)), m_rules(rules) {}

    void apply(Chars& chars, Workspace& work) const override {
        replaceAll(chars, work);
        Chars& out = work.chars;
        out.clear();
        bool afterSpace = m_rules.removeExtraWhitespaces;
        for (const Char& c : chars) {
            const bool space = c.code == U' ';
            if (space && afterSpace && m_rules.removeExtraWhitespaces) {
                continue;
            }
            if (out.empty() && m_rules.addDummyPrefix) {
                out.push_back({kSpaceMark, c.begin, c.begin});
            }
            out.push_back({space ? kSpaceMark : c.code, c.begin, c.end});
            afterSpace = space;
        }
        while (m_rules.removeExtraWhitespaces && !out.empty() && out.back().code == kSpaceMark) {
            out.pop_back();
        }
        chars.swap(out);
    }

private:
    void replaceAll(Chars& chars, Workspace& work) const {
        if (m_charsmap.empty()) {
            return;
        }
        work.bytes.clear();
        std::vector<std::size_t> begins;
        for (const Char& c : chars) {
            begins.push_back(work.bytes.size());
            appendUtf8(work.bytes, c.code);
        }
        begins.push_back(work.bytes.size());
        Chars& out = work.chars;
        out.clear();
        for (std::size_t i = 0; i < chars.size();) {
            const auto match = m_charsmap.longest(std::string_view(work.bytes).substr(begins[i]));
            if (match.length == 0) {
                out.push_back(chars[i++]);
                continue;
            }
            const std::size_t stop = begins[i] + match.length;
            std::size_t last = i;
            while (begins[last + 1] < stop) {
                ++last;
            }
            for (const Char& c : decodeUtf8(match.replacement)) {
                out.push_back({c.code, chars[i].begin, chars[last].end});
            }
            i = last + 1;
        }
        chars.swap(out);
    }

    Charsmap m_charsmap;
    SentencePieceRules m_rules;
};

}  // namespace

NormalizerPointer makePrecompiled(Charsmap charsmap) {
    return std::make_shared<Precompiled>(std::move(charsmap));
}

NormalizerPointer makeSentencePieceNormalizer(Charsmap charsmap, SentencePieceRules rules) {
    return std::make_shared<SentencePieceNormalizer>(std::move(charsmap), rules);
}

}  // namespace pareto::text
