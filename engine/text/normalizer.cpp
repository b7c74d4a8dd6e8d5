#include "engine/text/normalizer.h"

#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

constexpr std::size_t kMaxSteps = 32;

template <typename Predicate>
Chars without(Chars chars, Predicate predicate) {
    std::erase_if(chars, [&](const Char& c) { return predicate(c.code); });
    return chars;
}

Chars lowercased(const Chars& chars) {
    Chars out;
    out.reserve(chars.size());
    for (const Char& c : chars) {
        appendLowercase(out, c);
    }
    return out;
}

/// BERT's cleaning: controls away, every white space a space.
Chars cleaned(const Chars& chars) {
    Chars out;
    out.reserve(chars.size());
    for (const Char& c : chars) {
        if (c.code == 0 || c.code == 0xFFFD || isBertControl(c.code)) {
            continue;
        }
        out.push_back({isSpace(c.code) ? U' ' : c.code, c.begin, c.end});
    }
    return out;
}

Chars withSpacedIdeographs(const Chars& chars) {
    Chars out;
    out.reserve(chars.size());
    for (const Char& c : chars) {
        const bool ideograph = isChineseCharacter(c.code);
        if (ideograph) {
            out.push_back({U' ', c.begin, c.end});
        }
        out.push_back(c);
        if (ideograph) {
            out.push_back({U' ', c.begin, c.end});
        }
    }
    return out;
}

class BertNormalizer : public Normalizer {
public:
    explicit BertNormalizer(const Json& json)
        : m_clean(flagOf(json, "clean_text", true)),
          m_chinese(flagOf(json, "handle_chinese_chars", true)),
          m_lowercase(flagOf(json, "lowercase", true)),
          m_stripAccents(flagOf(json, "strip_accents", m_lowercase)) {}

    Chars apply(Chars chars) const override {
        if (m_clean) {
            chars = cleaned(chars);
        }
        if (m_chinese) {
            chars = withSpacedIdeographs(chars);
        }
        if (m_stripAccents) {
            chars = without(normalize(chars, NormalForm::Nfd), isBertMark);
        }
        return m_lowercase ? lowercased(chars) : chars;
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
    Chars apply(Chars chars) const override { return normalize(chars, m_form); }

private:
    NormalForm m_form;
};

class Lowercase : public Normalizer {
public:
    Chars apply(Chars chars) const override { return lowercased(chars); }
};

class StripAccents : public Normalizer {
public:
    Chars apply(Chars chars) const override { return without(std::move(chars), isMark); }
};

class NormalizerSequence : public Normalizer {
public:
    explicit NormalizerSequence(std::vector<std::shared_ptr<const Normalizer>> steps)
        : m_steps(std::move(steps)) {}
    Chars apply(Chars chars) const override {
        for (const auto& step : m_steps) {
            chars = step->apply(std::move(chars));
        }
        return chars;
    }

private:
    std::vector<std::shared_ptr<const Normalizer>> m_steps;
};

}  // namespace

Result<std::shared_ptr<const Normalizer>> makeNormalizer(const Json& json, const std::string& file) {
    using Pointer = std::shared_ptr<const Normalizer>;
    if (json.is_null()) {
        return Pointer();
    }
    const std::string type = textOf(json, "type");
    if (type == "BertNormalizer") {
        return Pointer(std::make_shared<BertNormalizer>(json));
    }
    for (const auto& [name, form] :
         {std::pair{"NFC", NormalForm::Nfc}, std::pair{"NFD", NormalForm::Nfd},
          std::pair{"NFKC", NormalForm::Nfkc}, std::pair{"NFKD", NormalForm::Nfkd}}) {
        if (type == name) {
            return Pointer(std::make_shared<FormNormalizer>(form));
        }
    }
    if (type == "Lowercase") {
        return Pointer(std::make_shared<Lowercase>());
    }
    if (type == "StripAccents") {
        return Pointer(std::make_shared<StripAccents>());
    }
    const Json& steps = fieldOf(json, "normalizers");
    if (type == "Sequence" && steps.is_array() && steps.size() <= kMaxSteps) {
        std::vector<Pointer> made;
        for (const auto& step : steps) {
            PARETO_TRY(auto normalizer, makeNormalizer(step, file));
            if (normalizer != nullptr) {
                made.push_back(std::move(normalizer));
            }
        }
        return Pointer(std::make_shared<NormalizerSequence>(std::move(made)));
    }
    return tokenizerError(file, "its normalizer \"" + type +
                                    "\" is not known (known: BertNormalizer, NFC, NFD, NFKC, NFKD, "
                                    "Lowercase, StripAccents, Sequence)");
}

}  // namespace pareto::text
