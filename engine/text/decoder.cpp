#include "engine/text/decoder.h"

#include <algorithm>
#include <utility>

#include "engine/io/utf8.h"
#include "engine/text/json_fields.h"
#include "engine/text/pre_tokenizer.h"
#include "engine/text/text_error.h"
#include "engine/text/word_model.h"

namespace pareto::text {
namespace {

using Step = Decoder::Step;
using Kind = Step::Kind;

constexpr std::size_t kMaxSteps = 32;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void replaceAll(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

/// The reference takes back the spaces that splitting English put in, token by token.
void cleanUp(std::string& text) {
    for (const auto& [from, to] :
         {std::pair{" .", "."}, std::pair{" ?", "?"}, std::pair{" !", "!"}, std::pair{" ,", ","},
          std::pair{" ' ", "'"}, std::pair{" n't", "n't"}, std::pair{" 'm", "'m"},
          std::pair{" do not", " don't"}, std::pair{" 's", "'s"}, std::pair{" 've", "'ve"},
          std::pair{" 're", "'re"}}) {
        replaceAll(text, from, to);
    }
}

/// A token whose characters do not all stand for bytes is taken as it is.
void appendBytes(std::string& out, const std::string& token) {
    const std::size_t before = out.size();
    for (const Char& c : decodeUtf8(token)) {
        const int byte = byteOfChar(c.code);
        if (byte < 0) {
            out.resize(before);
            out += token;
            return;
        }
        out += static_cast<char>(byte);
    }
}

/// Where the bytes of an unfinished character begin; the size when there is none.
std::size_t unfinishedTail(std::string_view bytes) {
    for (std::size_t length = 1; length <= 3 && length <= bytes.size(); ++length) {
        const auto byte = static_cast<std::uint8_t>(bytes[bytes.size() - length]);
        if ((byte & 0xC0) == 0x80) {
            continue;
        }
        const std::size_t wanted = byte < 0xC2 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3
                                   : byte < 0xF5 ? 4 : 1;
        return wanted > length ? bytes.size() - length : bytes.size();
    }
    return bytes.size();
}

/// A run of byte tokens: text when it is UTF-8, else one sign for each byte.
std::string textOfRun(const std::string& bytes) {
    if (io::isUtf8(bytes)) {
        return bytes;
    }
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        out += kReplacement;
    }
    return out;
}

/// How often `mark` stands at the beginning (or end), at most `limit` times.
std::size_t countMarks(std::string_view text, std::string_view mark, std::size_t limit, bool atEnd) {
    std::size_t count = 0;
    while (count < limit && (atEnd ? text.ends_with(mark) : text.starts_with(mark))) {
        atEnd ? text.remove_suffix(mark.size()) : text.remove_prefix(mark.size());
        ++count;
    }
    return count;
}

std::string replaced(const Step& step, const std::string& token) {
    if (step.regex == nullptr) {
        std::string out = token;
        replaceAll(out, step.pattern, step.content);
        return out;
    }
    const Chars chars = decodeUtf8(token);
    std::vector<Range> found;
    RegexScanner(*step.regex).matches(chars, {0, static_cast<std::uint32_t>(chars.size())}, found);
    std::string out;
    std::size_t done = 0;
    for (const Range& match : found) {
        const auto begin = static_cast<std::size_t>(chars[match.begin].begin);
        out.append(token, done, begin - done);
        out += step.content;
        done = static_cast<std::size_t>(chars[match.end - 1].end);
    }
    return out.append(token, done);
}

Result<Step> readReplace(const Json& json, const std::string& file) {
    Step step;
    step.kind = Kind::Replace;
    step.pattern = textOf(fieldOf(json, "pattern"), "String");
    step.content = textOf(json, "content");
    const std::string expression = textOf(fieldOf(json, "pattern"), "Regex");
    if (step.pattern.empty()) {
        if (expression.empty()) {
            return tokenizerError(file, "its decoder Replace has no pattern");
        }
        PARETO_TRY(step.regex, Regex::compile(expression, file));
    }
    return step;
}

std::size_t countOf(const Json& json, const char* key) {
    const Json& value = fieldOf(json, key);
    return value.is_number_unsigned() ? value.get<std::size_t>() : 0;
}

Result<Step> readStep(const Json& json, const std::string& file) {
    Step step;
    const std::string type = textOf(json, "type");
    if (type == "WordPiece") {
        step.kind = Kind::WordPiece;
        step.pattern = textOf(json, "prefix", "##");
        step.cleanup = flagOf(json, "cleanup", true);
    } else if (type == "ByteLevel") {
        step.kind = Kind::ByteLevel;
    } else if (type == "Metaspace") {
        step.kind = Kind::Metaspace;
        step.pattern = textOf(json, "replacement", "\xE2\x96\x81");
        const bool prefix = flagOf(json, "add_prefix_space", true);
        step.first = textOf(json, "prepend_scheme", prefix ? "always" : "never") != "never";
    } else if (type == "ByteFallback") {
        step.kind = Kind::ByteFallback;
    } else if (type == "Fuse") {
        step.kind = Kind::Fuse;
    } else if (type == "Strip") {
        step.kind = Kind::Strip;
        step.pattern = textOf(json, "content", " ");
        step.left = countOf(json, "start");
        step.right = countOf(json, "stop");
    } else if (type == "Replace") {
        return readReplace(json, file);
    } else {
        return tokenizerError(file, "its decoder \"" + type +
                                        "\" is not known (known: WordPiece, ByteLevel, Metaspace, "
                                        "ByteFallback, Fuse, Strip, Replace, Sequence)");
    }
    if (step.pattern.empty() && (step.kind == Kind::Strip || step.kind == Kind::Metaspace)) {
        return tokenizerError(file, "its decoder " + type + " has an empty text to look for");
    }
    return step;
}

}  // namespace

Result<Decoder> Decoder::read(const Json& json, const std::string& file) {
    if (json.is_null()) {
        return Decoder();
    }
    std::vector<Step> steps;
    const Json& list = fieldOf(json, "decoders");
    if (textOf(json, "type") == "Sequence" && list.is_array() && list.size() <= kMaxSteps) {
        for (const auto& entry : list) {
            PARETO_TRY(auto step, readStep(entry, file));
            steps.push_back(std::move(step));
        }
    } else {
        PARETO_TRY(auto step, readStep(json, file));
        steps.push_back(std::move(step));
    }
    return Decoder(std::move(steps));
}

std::string Decoder::decode(const std::vector<const std::string*>& tokens) const {
    std::string out;
    DecodeStream stream(*this);
    for (const auto* token : tokens) {
        stream.add(*token, out);
    }
    stream.finish(out);
    return out;
}

struct DecodeStream::State {
    bool fused = false;      ///< what comes in is one token in parts
    bool collects = false;   ///< and has to be whole before this step can begin
    bool begun = false;      ///< something came
    std::size_t taken = 0;   ///< by Strip, from the beginning
    std::string held;        ///< bytes, spaces or all of a text that are not certain yet
};

DecodeStream::DecodeStream(const Decoder& decoder)
    : m_steps(&decoder.steps()), m_states(decoder.steps().size()) {
    bool fused = false;
    for (std::size_t i = 0; i < m_states.size(); ++i) {
        const Kind kind = (*m_steps)[i].kind;
        m_states[i].fused = fused;
        m_states[i].collects = fused && kind != Kind::Strip && kind != Kind::Fuse;
        fused = fused || kind == Kind::Fuse || kind == Kind::ByteLevel;
    }
}

DecodeStream::~DecodeStream() = default;
DecodeStream::DecodeStream(DecodeStream&&) noexcept = default;

void DecodeStream::add(std::string_view token, std::string& out) { push(0, std::string(token), out); }

void DecodeStream::finish(std::string& out) { close(0, out); }

void DecodeStream::push(std::size_t step, std::string token, std::string& out) {
    if (step == m_steps->size()) {
        out += token;
    } else if (m_states[step].collects) {
        m_states[step].held += token;
    } else {
        process(step, std::move(token), out);
    }
}

void DecodeStream::process(std::size_t at, std::string token, std::string& out) {
    const Step& step = (*m_steps)[at];
    State& state = m_states[at];
    const bool first = !state.begun;
    state.begun = true;
    switch (step.kind) {
        case Kind::Spaces:
            push(at + 1, first ? std::move(token) : " " + token, out);
            return;
        case Kind::WordPiece:
            if (!first) {
                token = token.starts_with(step.pattern) ? token.substr(step.pattern.size())
                                                        : " " + token;
            }
            if (step.cleanup) {
                cleanUp(token);
            }
            push(at + 1, std::move(token), out);
            return;
        case Kind::ByteLevel: {
            appendBytes(state.held, token);
            const std::size_t certain = unfinishedTail(state.held);
            push(at + 1, io::replaceInvalidUtf8(state.held.substr(0, certain)), out);
            state.held.erase(0, certain);
            return;
        }
        case Kind::Metaspace:
            replaceAll(token, step.pattern, first && step.first ? "" : " ");
            push(at + 1, std::move(token), out);
            return;
        case Kind::ByteFallback:
            if (const int byte = byteOfToken(token); byte >= 0) {
                state.held += static_cast<char>(byte);
                return;
            }
            if (!state.held.empty()) {
                push(at + 1, textOfRun(std::exchange(state.held, {})), out);
            }
            push(at + 1, std::move(token), out);
            return;
        case Kind::Fuse:
            push(at + 1, std::move(token), out);
            return;
        case Kind::Replace:
            push(at + 1, replaced(step, token), out);
            return;
        case Kind::Strip: {
            token.insert(0, std::exchange(state.held, {}));
            const std::size_t limit = step.left - std::min(state.taken, step.left);
            const std::size_t left = countMarks(token, step.pattern, limit, false);
            token.erase(0, left * step.pattern.size());
            // A character that stays ends the taking; of a fused text this is only its beginning.
            state.taken = !state.fused ? 0 : token.empty() ? state.taken + left : step.left;
            const std::size_t right = countMarks(token, step.pattern, step.right, true);
            const std::size_t kept = token.size() - right * step.pattern.size();
            if (state.fused) {
                state.held = token.substr(kept);
            }
            push(at + 1, token.substr(0, kept), out);
            return;
        }
    }
}

void DecodeStream::close(std::size_t at, std::string& out) {
    if (at == m_steps->size()) {
        return;
    }
    const Kind kind = (*m_steps)[at].kind;
    State& state = m_states[at];
    if (state.collects) {
        process(at, std::exchange(state.held, {}), out);
    }
    if (!state.held.empty() && kind == Kind::ByteFallback) {
        push(at + 1, textOfRun(state.held), out);
    } else if (!state.held.empty() && kind == Kind::ByteLevel) {
        push(at + 1, io::replaceInvalidUtf8(state.held), out);
    }
    close(at + 1, out);
}

}  // namespace pareto::text
