#include "engine/text/pre_tokenizer.h"

#include <array>

#include "engine/text/json_fields.h"
#include "engine/text/regex.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

constexpr std::size_t kMaxSteps = 32;

/// GPT-2's own pattern, as the byte-level pre-tokenizer has it built in.
constexpr const char* kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

enum class Behavior { Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous };

/// A stretch of a piece, told apart by whether the pattern matched it.
struct Stretch {
    std::size_t begin;
    std::size_t end;
    bool match;
};

void appendPart(std::vector<Chars>& out, const Chars& piece, std::size_t begin, std::size_t end) {
    if (begin < end) {
        out.emplace_back(piece.begin() + static_cast<std::ptrdiff_t>(begin),
                         piece.begin() + static_cast<std::ptrdiff_t>(end));
    }
}

std::vector<Stretch> merged(const std::vector<Stretch>& stretches, Behavior behavior) {
    std::vector<Stretch> out;
    bool previous = false;
    if (behavior == Behavior::MergedWithNext) {
        for (auto it = stretches.rbegin(); it != stretches.rend(); ++it) {
            if (it->match && !previous && !out.empty()) {
                out.back().begin = it->begin;
            } else {
                out.push_back(*it);
            }
            previous = it->match;
        }
        return {out.rbegin(), out.rend()};
    }
    for (const auto& stretch : stretches) {
        const bool joins = behavior == Behavior::Contiguous ? stretch.match == previous
                                                            : stretch.match && !previous;
        if (joins && !out.empty()) {
            out.back().end = stretch.end;
        } else {
            out.push_back(stretch);
        }
        previous = stretch.match;
    }
    return out;
}

void appendStretches(std::vector<Chars>& out, const Chars& piece, std::vector<Stretch> stretches,
                     Behavior behavior) {
    if (behavior != Behavior::Isolated && behavior != Behavior::Removed) {
        stretches = merged(stretches, behavior);
    }
    for (const auto& stretch : stretches) {
        if (behavior != Behavior::Removed || !stretch.match) {
            appendPart(out, piece, stretch.begin, stretch.end);
        }
    }
}

/// Every character for which `matches` holds is a match of its own.
template <typename Predicate>
std::vector<Stretch> stretchesOf(const Chars& piece, Predicate matches) {
    std::vector<Stretch> out;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < piece.size(); ++i) {
        if (!matches(piece[i].code)) {
            continue;
        }
        if (begin < i) {
            out.push_back({begin, i, false});
        }
        out.push_back({i, i + 1, true});
        begin = i + 1;
    }
    if (begin < piece.size()) {
        out.push_back({begin, piece.size(), false});
    }
    return out;
}

template <typename Predicate>
class SplitBy : public PreTokenizer {
public:
    SplitBy(Predicate predicate, Behavior behavior)
        : m_predicate(predicate), m_behavior(behavior) {}
    std::vector<Chars> split(std::vector<Chars> pieces) const override {
        std::vector<Chars> out;
        for (const auto& piece : pieces) {
            appendStretches(out, piece, stretchesOf(piece, m_predicate), m_behavior);
        }
        return out;
    }

private:
    Predicate m_predicate;
    Behavior m_behavior;
};

template <typename Predicate>
std::shared_ptr<const PreTokenizer> splitBy(Predicate predicate, Behavior behavior) {
    return std::make_shared<SplitBy<Predicate>>(predicate, behavior);
}

class SplitByRegex : public PreTokenizer {
public:
    SplitByRegex(std::shared_ptr<const Regex> regex, Behavior behavior, bool invert)
        : m_regex(std::move(regex)), m_behavior(behavior), m_invert(invert) {}
    std::vector<Chars> split(std::vector<Chars> pieces) const override {
        std::vector<Chars> out;
        RegexScanner scanner(*m_regex);
        for (const auto& piece : pieces) {
            std::vector<Stretch> stretches;
            std::size_t at = 0;
            for (const auto& [begin, end] : scanner.matches(piece)) {
                if (at < begin) {
                    stretches.push_back({at, begin, m_invert});
                }
                stretches.push_back({begin, end, !m_invert});
                at = end;
            }
            if (at < piece.size()) {
                stretches.push_back({at, piece.size(), m_invert});
            }
            appendStretches(out, piece, std::move(stretches), m_behavior);
        }
        return out;
    }

private:
    std::shared_ptr<const Regex> m_regex;
    Behavior m_behavior;
    bool m_invert;
};

class ByteLevel : public PreTokenizer {
public:
    ByteLevel(bool addPrefixSpace, std::shared_ptr<const Regex> regex)
        : m_addPrefixSpace(addPrefixSpace) {
        if (regex != nullptr) {
            m_split = std::make_shared<SplitByRegex>(std::move(regex), Behavior::Isolated, false);
        }
    }
    std::vector<Chars> split(std::vector<Chars> pieces) const override {
        if (m_addPrefixSpace) {
            for (auto& piece : pieces) {
                if (!piece.empty() && piece.front().code != U' ') {
                    const auto begin = piece.front().begin;
                    piece.insert(piece.begin(), Char{U' ', begin, begin});
                }
            }
        }
        if (m_split != nullptr) {
            pieces = m_split->split(std::move(pieces));
        }
        for (auto& piece : pieces) {
            piece = bytesOf(piece);
        }
        return pieces;
    }

private:
    static Chars bytesOf(const Chars& piece) {
        Chars out;
        out.reserve(piece.size());
        std::string bytes;
        for (const Char& c : piece) {
            bytes.clear();
            appendUtf8(bytes, c.code);
            for (const char byte : bytes) {
                out.push_back({charOfByte(static_cast<std::uint8_t>(byte)), c.begin, c.end});
            }
        }
        return out;
    }

    bool m_addPrefixSpace;
    std::shared_ptr<const SplitByRegex> m_split;
};

class PreTokenizerSequence : public PreTokenizer {
public:
    explicit PreTokenizerSequence(std::vector<std::shared_ptr<const PreTokenizer>> steps)
        : m_steps(std::move(steps)) {}
    std::vector<Chars> split(std::vector<Chars> pieces) const override {
        for (const auto& step : m_steps) {
            pieces = step->split(std::move(pieces));
        }
        return pieces;
    }

private:
    std::vector<std::shared_ptr<const PreTokenizer>> m_steps;
};

using Pointer = std::shared_ptr<const PreTokenizer>;

Pointer bertPreTokenizer() {
    std::vector<Pointer> steps{splitBy(isSpace, Behavior::Removed),
                               splitBy(isBertPunctuation, Behavior::Isolated)};
    return std::make_shared<PreTokenizerSequence>(std::move(steps));
}

Result<Behavior> behaviorOf(const Json& json, const std::string& file) {
    const std::string name = textOf(json, "behavior", "Isolated");
    for (const auto& [known, behavior] :
         {std::pair{"Isolated", Behavior::Isolated}, std::pair{"Removed", Behavior::Removed},
          std::pair{"MergedWithPrevious", Behavior::MergedWithPrevious},
          std::pair{"MergedWithNext", Behavior::MergedWithNext},
          std::pair{"Contiguous", Behavior::Contiguous}}) {
        if (name == known) {
            return behavior;
        }
    }
    return tokenizerError(file, "its pre-tokenizer has the unknown behavior \"" + name + "\"");
}

Result<Pointer> makeSplit(const Json& json, const std::string& file) {
    PARETO_TRY(const Behavior behavior, behaviorOf(json, file));
    const Json& pattern = fieldOf(json, "pattern");
    const std::string literal = textOf(pattern, "String");
    const std::string expression =
        literal.empty() ? textOf(pattern, "Regex") : Regex::quoted(literal);
    if (expression.empty()) {
        return tokenizerError(file, "its pre-tokenizer Split has no pattern");
    }
    PARETO_TRY(auto regex, Regex::compile(expression, file));
    return Pointer(std::make_shared<SplitByRegex>(std::move(regex), behavior,
                                                  flagOf(json, "invert", false)));
}

Result<Pointer> makeByteLevel(const Json& json, const std::string& file) {
    std::shared_ptr<const Regex> regex;
    if (flagOf(json, "use_regex", true)) {
        PARETO_TRY(regex, Regex::compile(kGpt2Pattern, file));
    }
    return Pointer(
        std::make_shared<ByteLevel>(flagOf(json, "add_prefix_space", true), std::move(regex)));
}

/// Printable bytes stand for themselves, the others for characters from U+0100 on (GPT-2's encoder).
struct ByteChars {
    std::array<char32_t, 256> chars{};
    std::array<int, 0x144> bytes{};
    ByteChars() {
        bytes.fill(-1);
        char32_t next = 0x100;
        for (unsigned byte = 0; byte < 256; ++byte) {
            const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) ||
                                   (byte >= 0xAE && byte <= 0xFF);
            chars[byte] = printable ? static_cast<char32_t>(byte) : next++;
            bytes[chars[byte]] = static_cast<int>(byte);
        }
    }
};
const ByteChars& byteChars() {
    static const ByteChars kTable;
    return kTable;
}

}  // namespace

char32_t charOfByte(std::uint8_t byte) { return byteChars().chars[byte]; }

int byteOfChar(char32_t code) {
    const auto& table = byteChars().bytes;
    return code < table.size() ? table[code] : -1;
}

Result<Pointer> makePreTokenizer(const Json& json, const std::string& file) {
    if (json.is_null()) {
        return Pointer();
    }
    const std::string type = textOf(json, "type");
    if (type == "BertPreTokenizer") {
        return bertPreTokenizer();
    }
    if (type == "ByteLevel") {
        return makeByteLevel(json, file);
    }
    if (type == "Split") {
        return makeSplit(json, file);
    }
    if (type == "Digits") {
        return splitBy(isNumeric, flagOf(json, "individual_digits", false) ? Behavior::Isolated
                                                                           : Behavior::Contiguous);
    }
    if (type == "WhitespaceSplit") {
        return splitBy(isSpace, Behavior::Removed);
    }
    if (type == "Punctuation") {
        PARETO_TRY(const Behavior behavior, behaviorOf(json, file));
        return splitBy(isBertPunctuation, behavior);
    }
    const Json& steps = fieldOf(json, "pretokenizers");
    if (type == "Sequence" && steps.is_array() && steps.size() <= kMaxSteps) {
        std::vector<Pointer> made;
        for (const auto& step : steps) {
            PARETO_TRY(auto preTokenizer, makePreTokenizer(step, file));
            if (preTokenizer != nullptr) {
                made.push_back(std::move(preTokenizer));
            }
        }
        return Pointer(std::make_shared<PreTokenizerSequence>(std::move(made)));
    }
    return tokenizerError(file, "its pre-tokenizer \"" + type +
                                    "\" is not known (known: BertPreTokenizer, ByteLevel, Split, "
                                    "Digits, WhitespaceSplit, Punctuation, Sequence)");
}

}  // namespace pareto::text
