#include "engine/text/unicode.h"

#include <algorithm>
#include <array>
#include <memory>

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "engine/text/unicode_exceptions.h"

namespace pareto::text {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

template <std::size_t N>
bool inRanges(const std::array<CodeRange, N>& ranges, char32_t code) {
    const auto after = std::upper_bound(
        ranges.begin(), ranges.end(), code,
        [](char32_t value, const CodeRange& range) { return value < range.first; });
    return after != ranges.begin() && code <= std::prev(after)->last;
}

/// The reference's normalizer knows Unicode 9: what came later is left as it is.
bool isNewer(char32_t code) {
    constexpr std::uint8_t kKnown = 9;
    UVersionInfo age{};
    u_charAge(static_cast<UChar32>(code), age);
    return age[0] > kKnown;
}

const icu::Normalizer2* normalizerOf(NormalForm form) {
    UErrorCode status = U_ZERO_ERROR;
    const bool compatible = form == NormalForm::Nfkc || form == NormalForm::Nfkd;
    // The decompositions come from the composing instances: they know them and their inverses.
    return compatible ? icu::Normalizer2::getNFKCInstance(status)
                      : icu::Normalizer2::getNFCInstance(status);
}

/// Marks newer than the reference's normalizer are starters to it: it does not move them.
int combiningClass(char32_t code) {
    const int known = code < 0x300 ? 0 : u_getCombiningClass(static_cast<UChar32>(code));
    return known == 0 || inRanges(kAnyMarksKept, code) ? 0 : known;
}

/// Canonical ordering: marks after a starter by combining class, equals in their order.
void reorderMarks(std::vector<Change>& chars) {
    for (std::size_t i = 0; i < chars.size();) {
        if (combiningClass(chars[i].code) == 0) {
            ++i;
            continue;
        }
        std::size_t end = i;
        while (end < chars.size() && combiningClass(chars[end].code) != 0) {
            ++end;
        }
        std::stable_sort(chars.begin() + static_cast<std::ptrdiff_t>(i),
                         chars.begin() + static_cast<std::ptrdiff_t>(end),
                         [](const Change& a, const Change& b) {
                             return combiningClass(a.code) < combiningClass(b.code);
                         });
        i = end;
    }
}

std::vector<Change> decompose(const Chars& chars, const icu::Normalizer2& normalizer) {
    std::vector<Change> out;
    out.reserve(chars.size());
    icu::UnicodeString parts;
    for (const Char& c : chars) {
        if (c.code < 0xA0 || !normalizer.getDecomposition(static_cast<UChar32>(c.code), parts) ||
            isNewer(c.code)) {
            out.push_back({c.code, 0});
            continue;
        }
        for (std::int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1)) {
            out.push_back({static_cast<char32_t>(parts.char32At(i)), i > 0 ? 1 : 0});
        }
    }
    reorderMarks(out);
    return out;
}

/// Composes adjacent characters of a canonically ordered text (UAX #15, D117).
std::vector<Change> compose(const std::vector<Change>& chars, const icu::Normalizer2& normalizer) {
    std::vector<Change> out;
    out.reserve(chars.size());
    std::size_t starter = SIZE_MAX;
    int lastClass = -1;
    for (const Change& c : chars) {
        const int combining = combiningClass(c.code);
        if (starter != SIZE_MAX && (lastClass < combining || lastClass == -1)) {
            const UChar32 composite = normalizer.composePair(
                static_cast<UChar32>(out[starter].code), static_cast<UChar32>(c.code));
            if (composite >= 0 && !isNewer(static_cast<char32_t>(composite))) {
                // Together they take the places of what both took.
                out[starter] = {static_cast<char32_t>(composite), out[starter].change + c.change - 1};
                continue;
            }
        }
        if (combining == 0) {
            starter = out.size();
            lastClass = -1;
        } else {
            lastClass = combining;
        }
        out.push_back(c);
    }
    return out;
}

}  // namespace

Chars decodeUtf8(std::string_view text) {
    Chars out;
    decodeUtf8(text, out);
    return out;
}

void decodeUtf8(std::string_view text, Chars& out) {
    out.clear();
    out.reserve(text.size());
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    for (std::size_t at = 0; at < text.size();) {
        const std::uint8_t lead = byte(at);
        const auto begin = static_cast<std::int32_t>(at);
        std::size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4 : 0;
        if (length <= 1) {
            out.push_back({length == 1 ? char32_t{lead} : kReplacement, begin, begin + 1});
            ++at;
            continue;
        }
        // Second bytes that would make an overlong form, a surrogate or a value above U+10FFFF.
        const std::uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        const std::uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        char32_t code = lead & (0x7FU >> length);
        std::size_t good = 1;
        while (good < length && at + good < text.size()) {
            const std::uint8_t next = byte(at + good);
            if (good == 1 ? next < low || next > high : (next & 0xC0) != 0x80) {
                break;
            }
            code = (code << 6) | (next & 0x3FU);
            ++good;
        }
        out.push_back({good == length ? code : kReplacement, begin,
                       begin + static_cast<std::int32_t>(good)});
        at += good;
    }
}

void appendUtf8(std::string& out, char32_t code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | (code >> 6));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0 | (code >> 12));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | (code >> 18));
        out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    }
}

std::string encodeUtf8(const Chars& chars) {
    std::string out;
    out.reserve(chars.size());
    for (const Char& c : chars) {
        appendUtf8(out, c.code);
    }
    return out;
}

void transform(Chars& chars, const std::vector<Change>& changes, Chars& spare) {
    spare.clear();
    std::size_t at = 0;
    for (const auto& [code, change] : changes) {
        const bool inserted = change > 0;
        const std::size_t from = inserted ? at - (at > 0 ? 1 : 0) : std::min(at, chars.size() - 1);
        const Char& source = chars[std::min(from, chars.size() - 1)];
        spare.push_back({code, source.begin, inserted && at == 0 ? source.begin : source.end});
        at += inserted ? 0 : 1 + static_cast<std::size_t>(-change);
    }
    chars.swap(spare);
}

void normalize(Chars& chars, NormalForm form, Chars& spare) {
    const icu::Normalizer2* normalizer = normalizerOf(form);
    const bool plain = std::all_of(chars.begin(), chars.end(),
                                   [](const Char& c) { return c.code < 0xA0; });
    if (plain || normalizer == nullptr) {
        return;
    }
    std::vector<Change> changes = decompose(chars, *normalizer);
    if (form == NormalForm::Nfc || form == NormalForm::Nfkc) {
        changes = compose(changes, *normalizer);
    }
    transform(chars, changes, spare);
}

bool isSpaceBeyondAscii(char32_t code) {
    return u_isUWhiteSpace(static_cast<UChar32>(code)) != 0;
}

bool isNumeric(char32_t code) {
    return (U_GET_GC_MASK(static_cast<UChar32>(code)) & U_GC_N_MASK) != 0 ||
           inRanges(kNewDigits, code);
}

bool isBertMark(char32_t code) {
    return (u_charType(static_cast<UChar32>(code)) == U_NON_SPACING_MARK &&
            !inRanges(kMarksKept, code)) ||
           inRanges(kMarksAdded, code);
}

bool isMark(char32_t code) {
    return ((U_GET_GC_MASK(static_cast<UChar32>(code)) & U_GC_M_MASK) != 0 &&
            !inRanges(kAnyMarksKept, code)) ||
           inRanges(kAnyMarksAdded, code);
}

char32_t standInForRegex(char32_t code) {
    if (code < 0x80 || u_charType(static_cast<UChar32>(code)) != U_UNASSIGNED) {
        return code;
    }
    return inRanges(kNewLetters, code)       ? char32_t{0x4E00}
           : inRanges(kNewNumbers, code)     ? char32_t{0x0660}
           : inRanges(kNewPunctuation, code) ? char32_t{0x00A1}
                                             : code;
}

namespace {

PatternClass computedClass(char32_t code) {
    if (isSpace(code)) {
        return PatternClass::Space;
    }
    const auto mask = U_GET_GC_MASK(static_cast<UChar32>(standInForRegex(code)));
    return (mask & U_GC_L_MASK) != 0   ? PatternClass::Letter
           : (mask & U_GC_N_MASK) != 0 ? PatternClass::Number
                                       : PatternClass::Other;
}

using ClassTable = std::array<PatternClass, 0x10000>;
std::unique_ptr<const ClassTable> basicPlane() {
    auto out = std::make_unique<ClassTable>();
    for (char32_t code = 0; code < out->size(); ++code) {
        (*out)[code] = computedClass(code);
    }
    return out;
}

}  // namespace

PatternClass patternClass(char32_t code) {
    static const std::unique_ptr<const ClassTable> kTable = basicPlane();
    return code < kTable->size() ? (*kTable)[code] : computedClass(code);
}

bool isBertControl(char32_t code) {
    if (code < 0x80) {
        return (code < 0x20 || code == 0x7F) && code != U'\t' && code != U'\n' && code != U'\r';
    }
    return (U_GET_GC_MASK(static_cast<UChar32>(code)) & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK)) !=
               0 &&
           !inRanges(kControlsKept, code);
}

bool isBertPunctuation(char32_t code) {
    if (code < 0x80) {
        return (code >= 33 && code <= 47) || (code >= 58 && code <= 64) ||
               (code >= 91 && code <= 96) || (code >= 123 && code <= 126);
    }
    return ((U_GET_GC_MASK(static_cast<UChar32>(code)) & U_GC_P_MASK) != 0 &&
            !inRanges(kPunctuationKept, code)) ||
           inRanges(kPunctuationAdded, code);
}

bool isChineseCharacter(char32_t code) {
    return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) ||
           (code >= 0x20000 && code <= 0x2A6DF) || (code >= 0x2A700 && code <= 0x2B73F) ||
           (code >= 0x2B740 && code <= 0x2B81F) || (code >= 0x2B920 && code <= 0x2CEAF) ||
           (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x2F800 && code <= 0x2FA1F);
}

bool isWordCharacter(char32_t code) {
    const auto c = static_cast<UChar32>(code);
    return u_isUAlphabetic(c) != 0 ||
           (U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0 ||
           u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL) != 0;
}

void appendLowercase(Chars& out, const Char& c) {
    // The only unconditional lower-case mapping to two characters (SpecialCasing.txt).
    if (c.code == 0x130) {
        out.push_back({U'i', c.begin, c.end});
        out.push_back({0x307, c.begin, c.end});
        return;
    }
    const auto newer = std::lower_bound(
        kNewLowercase.begin(), kNewLowercase.end(), c.code,
        [](const CodePair& pair, char32_t code) { return pair.from < code; });
    const bool found = newer != kNewLowercase.end() && newer->from == c.code;
    out.push_back({found ? newer->to
                         : static_cast<char32_t>(u_tolower(static_cast<UChar32>(c.code))),
                   c.begin, c.end});
}

}  // namespace pareto::text
