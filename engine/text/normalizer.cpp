#include "engine/text/normalizer.h"

#include <algorithm>

#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

constexpr std::size_t kMaxSteps = 32;

bool isAscii(const Chars& chars) {
    return std::all_of(chars.begin(), chars.end(), [](const Char& c) { return c.code < 0x80; });
}

void lowercase(Chars& chars, Chars& spare) {
    if (isAscii(chars)) {
        for (Char& c : chars) {
            c.code = c.code >= U'A' && c.code <= U'Z' ? c.code + 32 : c.code;
        }
        return;
    }
    spare.clear();
    for (const Char& c : chars) {
        appendLowercase(spare, c);
    }
    chars.swap(spare);
}

/// BERT's cleaning: controls away, every white space a space.
void clean(Chars& chars) {
    std::size_t kept = 0;
    for (const Char& c : chars) {
        if (c.code == 0 || c.code == 0xFFFD || isBertControl(c.code)) {
            continue;
        }
        chars[kept++] = {isSpace(c.code) ? U' ' : c.code, c.begin, c.end};
    }
    chars.resize(kept);
}

void spaceIdeographs(Chars& chars, Chars& spare) {
    spare.clear();
    for (const Char& c : chars) {
        const bool ideograph = isChineseCharacter(c.code);
        if (ideograph) {
            spare.push_back({U' ', c.begin, c.end});
        }
        spare.push_back(c);
        if (ideograph) {
            spare.push_back({U' ', c.begin, c.end});
        }
    }
    chars.swap(spare);
}

class BertNormalizer : public Normalizer {
public:
    explicit BertNormalizer(const Json& json)
        : m_clean(flagOf(json, "clean_text", true)),
          m_chinese(flagOf(json, "handle_chinese_chars", true)),
          m_lowercase(flagOf(json, "lowercase", true)),
          m_stripAccents(flagOf(json, "strip_accents", m_lowercase)) {}

    void apply(Chars& chars, Workspace& work) const override {
        if (m_clean) {
            clean(chars);
        }
        const bool ascii = isAscii(chars);
        if (m_chinese && !ascii) {
            spaceIdeographs(chars, work.chars);
        }
        if (m_stripAccents && !ascii) {
            normalize(chars, NormalForm::Nfd, work.chars);
            std::erase_if(chars, [](const Char& c) { return isBertMark(c.code); });
        }
        if (m_lowercase) {
            lowercase(chars, work.chars);
        }
    }

private:
    bool m_clean;
    bool m_chinese;
    bool m_lowercase;
    bool m_stripAccents;
};

class FormNormalizer : public Normalizer {
public:
    explicit FormNormalizer(NormalForm form) : m_form(form) {}
    void apply(Chars& chars, Workspace& work) const override {
        normalize(chars, m_form, work.chars);
    }

private:
    NormalForm m_form;
};

class Lowercase : public Normalizer {
public:
    void apply(Chars& chars, Workspace& work) const override { lowercase(chars, work.chars); }
};

class StripAccents : public Normalizer {
public:
    void apply(Chars& chars, Workspace&) const override {
        std::erase_if(chars, [](const Char& c) { return isMark(c.code); });
    }
};

class Strip : public Normalizer {
public:
    explicit Strip(const Json& json)
        : m_left(flagOf(json, "strip_left", true)), m_right(flagOf(json, "strip_right", true)) {}
    void apply(Chars& chars, Workspace&) const override {
        const auto isWord = [](const Char& c) { return !isSpace(c.code); };
        if (m_right) {
            chars.erase(std::find_if(chars.rbegin(), chars.rend(), isWord).base(), chars.end());
        }
        if (m_left) {
            chars.erase(chars.begin(), std::find_if(chars.begin(), chars.end(), isWord));
        }
    }

private:
    bool m_left;
    bool m_right;
};

class Prepend : public Normalizer {
public:
    explicit Prepend(const std::string& text) : m_text(decodeUtf8(text)) {}
    void apply(Chars& chars, Workspace&) const override {
        if (chars.empty()) {
            return;
        }
        const Char first = chars.front();
        chars.insert(chars.begin(), m_text.begin(), m_text.end());
        for (std::size_t i = 0; i < m_text.size(); ++i) {
            chars[i].begin = first.begin;
            chars[i].end = first.end;
        }
    }

private:
    Chars m_text;
};

/// Every match of a text or pattern becomes `content`, standing where the match's last character stood.
class Replace : public Normalizer {
public:
    Replace(const std::string& literal, std::shared_ptr<const Regex> regex, bool spaceRuns,
            const std::string& content)
        : m_literal(decodeUtf8(literal)),
          m_regex(std::move(regex)),
          m_spaceRuns(spaceRuns),
          m_content(decodeUtf8(content)) {}

    void apply(Chars& chars, Workspace& work) const override {
        std::vector<Range>& found = work.ranges;
        if (m_regex != nullptr) {
            const Range all{0, static_cast<std::uint32_t>(chars.size())};
            work.scannerOf(*m_regex).matches(chars, all, found);
        } else if (m_spaceRuns) {
            findSpaceRuns(chars, found);
        } else {
            findLiteral(chars, found);
        }
        if (found.empty()) {
            return;
        }
        Chars& out = work.chars;
        out.clear();
        std::size_t done = 0;
        for (const Range& match : found) {
            out.insert(out.end(), chars.begin() + static_cast<std::ptrdiff_t>(done),
                       chars.begin() + match.begin);
            const Char& last = chars[match.end - 1];
            for (const Char& c : m_content) {
                out.push_back({c.code, last.begin, last.end});
            }
            done = match.end;
        }
        out.insert(out.end(), chars.begin() + static_cast<std::ptrdiff_t>(done), chars.end());
        chars.swap(out);
    }

private:
    void findLiteral(const Chars& chars, std::vector<Range>& found) const {
        found.clear();
        const auto same = [](const Char& a, const Char& b) { return a.code == b.code; };
        for (auto at = chars.begin();;) {
            at = std::search(at, chars.end(), m_literal.begin(), m_literal.end(), same);
            if (at == chars.end()) {
                return;
            }
            const auto begin = static_cast<std::uint32_t>(at - chars.begin());
            found.push_back({begin, begin + static_cast<std::uint32_t>(m_literal.size())});
            at += static_cast<std::ptrdiff_t>(m_literal.size());
        }
    }
    /// What " {2,}" matches.
    static void findSpaceRuns(const Chars& chars, std::vector<Range>& found) {
        found.clear();
        for (std::uint32_t at = 0; at < chars.size(); ++at) {
            const std::uint32_t begin = at;
            while (at < chars.size() && chars[at].code == U' ') {
                ++at;
            }
            if (at - begin >= 2) {
                found.push_back({begin, at});
            }
        }
    }

    Chars m_literal;
    std::shared_ptr<const Regex> m_regex;
    bool m_spaceRuns;
    Chars m_content;
};

class NormalizerSequence : public Normalizer {
public:
    explicit NormalizerSequence(std::vector<NormalizerPointer> steps) : m_steps(std::move(steps)) {}
    void apply(Chars& chars, Workspace& work) const override {
        for (const auto& step : m_steps) {
            step->apply(chars, work);
        }
    }

private:
    std::vector<NormalizerPointer> m_steps;
};

Result<NormalizerPointer> makeReplace(const Json& json, const std::string& file) {
    const Json& pattern = fieldOf(json, "pattern");
    const std::string literal = textOf(pattern, "String");
    const std::string expression = textOf(pattern, "Regex");
    if (literal.empty() && expression.empty()) {
        return tokenizerError(file, "its normalizer Replace has no pattern");
    }
    std::shared_ptr<const Regex> regex;
    const bool spaceRuns = literal.empty() && expression == " {2,}";
    if (literal.empty() && !spaceRuns) {
        PARETO_TRY(regex, Regex::compile(expression, file));
    }
    return NormalizerPointer(
        std::make_shared<Replace>(literal, std::move(regex), spaceRuns, textOf(json, "content")));
}

Result<NormalizerPointer> makeSequence(const Json& steps, const std::string& file) {
    std::vector<NormalizerPointer> made;
    for (const auto& step : steps) {
        if (textOf(step, "type") == "Sequence") {
            return tokenizerError(file, "its normalizers are nested");
        }
        PARETO_TRY(auto normalizer, makeNormalizer(step, file));
        if (normalizer != nullptr) {
            made.push_back(std::move(normalizer));
        }
    }
    return NormalizerPointer(std::make_shared<NormalizerSequence>(std::move(made)));
}

Result<NormalizerPointer> makeFromTable(const Json& json, const std::string& file) {
    const std::string encoded = textOf(json, "precompiled_charsmap");
    if (encoded.empty()) {
        return NormalizerPointer();  // nothing to replace
    }
    std::string bytes;
    if (!decodeBase64(encoded, bytes)) {
        return tokenizerError(file, "its precompiled_charsmap is not base64");
    }
    PARETO_TRY(auto charsmap, Charsmap::read(std::move(bytes), file));
    return makePrecompiled(std::move(charsmap));
}

}  // namespace

Result<NormalizerPointer> makeNormalizer(const Json& json, const std::string& file) {
    if (json.is_null()) {
        return NormalizerPointer();
    }
    const std::string type = textOf(json, "type");
    if (type == "BertNormalizer") {
        return NormalizerPointer(std::make_shared<BertNormalizer>(json));
    }
    for (const auto& [name, form] :
         {std::pair{"NFC", NormalForm::Nfc}, std::pair{"NFD", NormalForm::Nfd},
          std::pair{"NFKC", NormalForm::Nfkc}, std::pair{"NFKD", NormalForm::Nfkd}}) {
        if (type == name) {
            return NormalizerPointer(std::make_shared<FormNormalizer>(form));
        }
    }
    if (type == "Lowercase") {
        return NormalizerPointer(std::make_shared<Lowercase>());
    }
    if (type == "StripAccents") {
        return NormalizerPointer(std::make_shared<StripAccents>());
    }
    if (type == "Strip") {
        return NormalizerPointer(std::make_shared<Strip>(json));
    }
    if (type == "Prepend") {
        return NormalizerPointer(std::make_shared<Prepend>(textOf(json, "prepend")));
    }
    if (type == "Replace") {
        return makeReplace(json, file);
    }
    if (type == "Precompiled") {
        return makeFromTable(json, file);
    }
    const Json& steps = fieldOf(json, "normalizers");
    if (type == "Sequence" && steps.is_array() && steps.size() <= kMaxSteps) {
        return makeSequence(steps, file);
    }
    return tokenizerError(file, "its normalizer \"" + type +
                                    "\" is not known (known: BertNormalizer, NFC, NFD, NFKC, NFKD, "
                                    "Lowercase, StripAccents, Strip, Prepend, Replace, Precompiled, "
                                    "Sequence)");
}

}  // namespace pareto::text
