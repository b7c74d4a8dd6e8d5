#include "engine/text/pre_tokenizer.h"

#include <array>

#include "engine/text/json_fields.h"
#include "engine/text/split_patterns.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

constexpr std::size_t kMaxSteps = 32;

enum class Behavior { Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous };

/// A stretch of a word, told apart by whether the pattern matched it.
struct Stretch {
    Range range;
    bool match;
};

std::vector<Stretch> merged(const std::vector<Stretch>& stretches, Behavior behavior) {
    std::vector<Stretch> out;
    bool previous = false;
    if (behavior == Behavior::MergedWithNext) {
        for (auto it = stretches.rbegin(); it != stretches.rend(); ++it) {
            if (it->match && !previous && !out.empty()) {
                out.back().range.begin = it->range.begin;
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
            out.back().range.end = stretch.range.end;
        } else {
            out.push_back(stretch);
        }
        previous = stretch.match;
    }
    return out;
}

void appendStretches(std::vector<Range>& out, std::vector<Stretch> stretches, Behavior behavior) {
    if (behavior != Behavior::Isolated && behavior != Behavior::Removed) {
        stretches = merged(stretches, behavior);
    }
    for (const auto& [range, match] : stretches) {
        if ((behavior != Behavior::Removed || !match) && range.begin < range.end) {
            out.push_back(range);
        }
    }
}

/// Every character for which the predicate holds is a match of its own.
template <typename Predicate>
class SplitBy : public PreTokenizer {
public:
    SplitBy(Predicate predicate, Behavior behavior)
        : m_predicate(predicate), m_behavior(behavior) {}

    void split(Words& words, Workspace& work) const override {
        auto& out = work.ranges;
        out.clear();
        for (const Range& word : words.ranges) {
            if (m_behavior == Behavior::Isolated || m_behavior == Behavior::Removed) {
                cut(words.chars, word, out);
            } else {
                cutAndMerge(words.chars, word, out);
            }
        }
        words.ranges.swap(out);
    }

private:
    void cut(const Chars& chars, Range word, std::vector<Range>& out) const {
        std::uint32_t begin = word.begin;
        for (std::uint32_t i = word.begin; i < word.end; ++i) {
            if (!m_predicate(chars[i].code)) {
                continue;
            }
            if (begin < i) {
                out.push_back({begin, i});
            }
            if (m_behavior == Behavior::Isolated) {
                out.push_back({i, i + 1});
            }
            begin = i + 1;
        }
        if (begin < word.end) {
            out.push_back({begin, word.end});
        }
    }
    void cutAndMerge(const Chars& chars, Range word, std::vector<Range>& out) const {
        std::vector<Stretch> stretches;
        std::uint32_t begin = word.begin;
        for (std::uint32_t i = word.begin; i < word.end; ++i) {
            if (m_predicate(chars[i].code)) {
                if (begin < i) {
                    stretches.push_back({{begin, i}, false});
                }
                stretches.push_back({{i, i + 1}, true});
                begin = i + 1;
            }
        }
        if (begin < word.end) {
            stretches.push_back({{begin, word.end}, false});
        }
        appendStretches(out, std::move(stretches), m_behavior);
    }

    Predicate m_predicate;
    Behavior m_behavior;
};

template <typename Predicate>
PreTokenizerPointer splitBy(Predicate predicate, Behavior behavior) {
    return std::make_shared<SplitBy<Predicate>>(predicate, behavior);
}

class SplitByRegex : public PreTokenizer {
public:
    SplitByRegex(std::shared_ptr<const Regex> regex, Behavior behavior, bool invert)
        : m_regex(std::move(regex)), m_behavior(behavior), m_invert(invert) {}

    void split(Words& words, Workspace& work) const override {
        std::vector<Range> found;
        RegexScanner& scanner = work.scannerOf(*m_regex);
        auto& out = work.ranges;
        out.clear();
        for (const Range& word : words.ranges) {
            scanner.matches(words.chars, word, found);
            std::vector<Stretch> stretches;
            std::uint32_t at = word.begin;
            for (const Range& match : found) {
                if (at < match.begin) {
                    stretches.push_back({{at, match.begin}, m_invert});
                }
                stretches.push_back({match, !m_invert});
                at = match.end;
            }
            if (at < word.end) {
                stretches.push_back({{at, word.end}, m_invert});
            }
            appendStretches(out, std::move(stretches), m_behavior);
        }
        words.ranges.swap(out);
    }

private:
    std::shared_ptr<const Regex> m_regex;
    Behavior m_behavior;
    bool m_invert;
};

class SplitByFunction : public PreTokenizer {
public:
    explicit SplitByFunction(SplitFunction cut) : m_cut(cut) {}
    bool has() const { return m_cut != nullptr; }
    void split(Words& words, Workspace& work) const override {
        work.ranges.clear();
        for (const Range& word : words.ranges) {
            m_cut(words.chars, word, work.ranges);
        }
        words.ranges.swap(work.ranges);
    }

private:
    SplitFunction m_cut;
};

/// Puts a character before words that want one; it stands where the word's first character stands.
template <typename Wants>
void prependTo(Words& words, Workspace& work, char32_t code, Wants wants) {
    Chars& out = work.chars;
    out.clear();
    for (Range& word : words.ranges) {
        const auto begin = static_cast<std::uint32_t>(out.size());
        const Char& first = words.chars[word.begin];
        if (wants(first)) {
            out.push_back({code, first.begin, first.end});
        }
        out.insert(out.end(), words.chars.begin() + word.begin, words.chars.begin() + word.end);
        word = {begin, static_cast<std::uint32_t>(out.size())};
    }
    words.chars.swap(out);
}

class ByteLevel : public PreTokenizer {
public:
    ByteLevel(bool addPrefixSpace, bool useRegex)
        : m_addPrefixSpace(addPrefixSpace), m_split(useRegex ? splitFunctionOf(kGpt2Pattern) : nullptr) {}

    void split(Words& words, Workspace& work) const override {
        if (m_addPrefixSpace) {
            prependTo(words, work, U' ',
                      [](const Char& first) { return first.code != U' '; });
        }
        if (m_split.has()) {
            m_split.split(words, work);
        }
        Chars& out = work.chars;
        out.clear();
        for (Range& word : words.ranges) {
            const auto begin = static_cast<std::uint32_t>(out.size());
            for (std::uint32_t i = word.begin; i < word.end; ++i) {
                appendBytes(words.chars[i], work.bytes, out);
            }
            word = {begin, static_cast<std::uint32_t>(out.size())};
        }
        words.chars.swap(out);
    }

private:
    static void appendBytes(const Char& c, std::string& bytes, Chars& out) {
        if (c.code < 0x80) {
            out.push_back({charOfByte(static_cast<std::uint8_t>(c.code)), c.begin, c.end});
            return;
        }
        bytes.clear();
        appendUtf8(bytes, c.code);
        for (const char byte : bytes) {
            out.push_back({charOfByte(static_cast<std::uint8_t>(byte)), c.begin, c.end});
        }
    }

    bool m_addPrefixSpace;
    SplitByFunction m_split;
};

/// SentencePiece's spaces: each becomes "▁" and begins a word; the text gets one before it.
class Metaspace : public PreTokenizer {
public:
    enum class Scheme { Always, First, Never };
    Metaspace(char32_t mark, Scheme scheme, bool split)
        : m_mark(mark), m_scheme(scheme), m_split(split) {}

    void split(Words& words, Workspace& work) const override {
        for (Char& c : words.chars) {
            c.code = c.code == U' ' ? m_mark : c.code;
        }
        if (m_scheme != Scheme::Never) {
            prependTo(words, work, m_mark, [&](const Char& first) {
                return first.code != m_mark && (m_scheme == Scheme::Always || first.begin == 0);
            });
        }
        if (!m_split) {
            return;
        }
        auto& out = work.ranges;
        out.clear();
        for (const Range& word : words.ranges) {
            std::uint32_t begin = word.begin;
            for (std::uint32_t i = word.begin + 1; i < word.end; ++i) {
                if (words.chars[i].code == m_mark) {
                    out.push_back({begin, i});
                    begin = i;
                }
            }
            if (begin < word.end) {
                out.push_back({begin, word.end});
            }
        }
        words.ranges.swap(out);
    }

private:
    char32_t m_mark;
    Scheme m_scheme;
    bool m_split;
};

class PreTokenizerSequence : public PreTokenizer {
public:
    explicit PreTokenizerSequence(std::vector<PreTokenizerPointer> steps)
        : m_steps(std::move(steps)) {}
    void split(Words& words, Workspace& work) const override {
        for (const auto& step : m_steps) {
            step->split(words, work);
        }
    }

private:
    std::vector<PreTokenizerPointer> m_steps;
};

/// BERT's: white space goes, punctuation stands alone.
class BertPreTokenizer : public PreTokenizer {
public:
    void split(Words& words, Workspace& work) const override {
        auto& out = work.ranges;
        out.clear();
        for (const Range& word : words.ranges) {
            std::uint32_t begin = word.begin;
            for (std::uint32_t i = word.begin; i < word.end; ++i) {
                const char32_t code = words.chars[i].code;
                const bool space = isSpace(code);
                if (!space && !isBertPunctuation(code)) {
                    continue;
                }
                if (begin < i) {
                    out.push_back({begin, i});
                }
                if (!space) {
                    out.push_back({i, i + 1});
                }
                begin = i + 1;
            }
            if (begin < word.end) {
                out.push_back({begin, word.end});
            }
        }
        words.ranges.swap(out);
    }
};

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

Result<PreTokenizerPointer> makeSplit(const Json& json, const std::string& file) {
    PARETO_TRY(const Behavior behavior, behaviorOf(json, file));
    const Json& pattern = fieldOf(json, "pattern");
    const std::string literal = textOf(pattern, "String");
    const std::string expression =
        literal.empty() ? textOf(pattern, "Regex") : Regex::quoted(literal);
    if (expression.empty()) {
        return tokenizerError(file, "its pre-tokenizer Split has no pattern");
    }
    const bool invert = flagOf(json, "invert", false);
    // The known patterns match every character, so that what stands between matches is nothing.
    const bool isolates = behavior == Behavior::Isolated || (behavior == Behavior::Removed && invert);
    if (const auto cut = isolates ? splitFunctionOf(expression) : nullptr; cut != nullptr) {
        return PreTokenizerPointer(std::make_shared<SplitByFunction>(cut));
    }
    PARETO_TRY(auto regex, Regex::compile(expression, file));
    return PreTokenizerPointer(std::make_shared<SplitByRegex>(std::move(regex), behavior, invert));
}

Result<PreTokenizerPointer> makeMetaspace(const Json& json, const std::string& file) {
    const Chars mark = decodeUtf8(textOf(json, "replacement", "\xE2\x96\x81"));
    if (mark.size() != 1) {
        return tokenizerError(file, "its pre-tokenizer Metaspace replaces spaces by more or less than "
                                    "one character");
    }
    const bool prefix = flagOf(json, "add_prefix_space", true);
    const std::string name = textOf(json, "prepend_scheme", prefix ? "always" : "never");
    for (const auto& [known, scheme] :
         {std::pair{"always", Metaspace::Scheme::Always}, std::pair{"first", Metaspace::Scheme::First},
          std::pair{"never", Metaspace::Scheme::Never}}) {
        if (name == known) {
            return PreTokenizerPointer(std::make_shared<Metaspace>(mark.front().code, scheme,
                                                                   flagOf(json, "split", true)));
        }
    }
    return tokenizerError(file,
                          "its pre-tokenizer Metaspace has the unknown prepend_scheme \"" + name + "\"");
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

Result<PreTokenizerPointer> makeSequence(const Json& steps, const std::string& file) {
    std::vector<PreTokenizerPointer> made;
    for (const auto& step : steps) {
        if (textOf(step, "type") == "Sequence") {
            return tokenizerError(file, "its pre-tokenizers are nested");
        }
        PARETO_TRY(auto preTokenizer, makePreTokenizer(step, file));
        if (preTokenizer != nullptr) {
            made.push_back(std::move(preTokenizer));
        }
    }
    return PreTokenizerPointer(std::make_shared<PreTokenizerSequence>(std::move(made)));
}

}  // namespace

char32_t charOfByte(std::uint8_t byte) { return byteChars().chars[byte]; }

int byteOfChar(char32_t code) {
    const auto& table = byteChars().bytes;
    return code < table.size() ? table[code] : -1;
}

Result<PreTokenizerPointer> makePreTokenizer(const Json& json, const std::string& file) {
    if (json.is_null()) {
        return PreTokenizerPointer();
    }
    const std::string type = textOf(json, "type");
    if (type == "BertPreTokenizer") {
        return PreTokenizerPointer(std::make_shared<BertPreTokenizer>());
    }
    if (type == "ByteLevel") {
        return PreTokenizerPointer(std::make_shared<ByteLevel>(
            flagOf(json, "add_prefix_space", true), flagOf(json, "use_regex", true)));
    }
    if (type == "Metaspace") {
        return makeMetaspace(json, file);
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
    if (type == "Whitespace") {
        PARETO_TRY(auto regex, Regex::compile(R"(\w+|[^\w\s]+)", file));
        return PreTokenizerPointer(
            std::make_shared<SplitByRegex>(std::move(regex), Behavior::Removed, true));
    }
    if (type == "Punctuation") {
        PARETO_TRY(const Behavior behavior, behaviorOf(json, file));
        return splitBy(isBertPunctuation, behavior);
    }
    const Json& steps = fieldOf(json, "pretokenizers");
    if (type == "Sequence" && steps.is_array() && steps.size() <= kMaxSteps) {
        return makeSequence(steps, file);
    }
    return tokenizerError(file, "its pre-tokenizer \"" + type +
                                    "\" is not known (known: BertPreTokenizer, ByteLevel, Metaspace, "
                                    "Split, Digits, Whitespace, WhitespaceSplit, Punctuation, "
                                    "Sequence)");
}

}  // namespace pareto::text
