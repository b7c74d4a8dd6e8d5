#include "engine/text/pipeline_tokenizer.h"

#include <algorithm>

#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

constexpr std::size_t kMaxJsonBytes = std::size_t{64} << 20;

void cut(TokenSequence& tokens, std::int64_t length) {
    const auto size = static_cast<std::size_t>(std::max<std::int64_t>(length, 0));
    if (tokens.ids.size() > size) {
        tokens.ids.resize(size);
        tokens.offsets.resize(size);
    }
}

/// "Longest first": the longer of two loses tokens until both fit; equal halves when both are long.
void cutPair(TokenSequence& first, TokenSequence& second, std::int64_t room) {
    auto shorter = static_cast<std::int64_t>(first.ids.size());
    auto longer = static_cast<std::int64_t>(second.ids.size());
    if (shorter + longer <= room) {
        return;
    }
    const bool swapped = shorter > longer;
    if (swapped) {
        std::swap(shorter, longer);
    }
    longer = shorter > room ? shorter : std::max(shorter, room - shorter);
    if (shorter + longer > room) {
        shorter = room / 2;
        longer = shorter + room % 2;
    }
    cut(first, swapped ? longer : shorter);
    cut(second, swapped ? shorter : longer);
}

TokenSequence slice(const TokenSequence& tokens, std::size_t begin, std::size_t end) {
    const auto from = static_cast<std::ptrdiff_t>(begin);
    const auto to = static_cast<std::ptrdiff_t>(end);
    TokenSequence out;
    out.ids.assign(tokens.ids.begin() + from, tokens.ids.begin() + to);
    out.offsets.assign(tokens.offsets.begin() + from, tokens.offsets.begin() + to);
    return out;
}

class PipelineStream : public TextStream {
public:
    PipelineStream(const PipelineTokenizer& tokenizer, const Decoder& decoder, bool skipSpecialTokens)
        : m_tokenizer(tokenizer), m_stream(decoder), m_skip(skipSpecialTokens) {}

    std::string add(std::int32_t id) override {
        std::string out;
        const std::string& text = m_tokenizer.tokenText(id);
        if (!text.empty() && !(m_skip && m_tokenizer.isSpecial(id))) {
            m_stream.add(text, out);
        }
        return out;
    }
    std::string finish() override {
        std::string out;
        m_stream.finish(out);
        return out;
    }

private:
    const PipelineTokenizer& m_tokenizer;
    DecodeStream m_stream;
    bool m_skip;
};

}  // namespace

Result<std::shared_ptr<const Tokenizer>> PipelineTokenizer::read(std::string text,
                                                                 const std::string& file,
                                                                 SpecialTokens specials) {
    JsonLimits limits;
    limits.maxBytes = kMaxJsonBytes;
    PARETO_TRY(const Json json, parseJson(text, file, limits));
    if (!json.is_object()) {
        return tokenizerError(file, "it is not a JSON object");
    }
    TokenizerParts parts;
    parts.json = std::move(text);
    PARETO_TRY(parts.normalizer, makeNormalizer(fieldOf(json, "normalizer"), file));
    PARETO_TRY(parts.preTokenizer, makePreTokenizer(fieldOf(json, "pre_tokenizer"), file));
    PARETO_TRY(parts.model, makeWordModel(fieldOf(json, "model"), file));
    PARETO_TRY(parts.added,
               AddedTokens::read(fieldOf(json, "added_tokens"), parts.normalizer.get(), file));
    PARETO_TRY(parts.postProcessor, PostProcessor::read(fieldOf(json, "post_processor"), file));
    PARETO_TRY(parts.decoder, Decoder::read(fieldOf(json, "decoder"), file));
    if (specials.pad.empty()) {
        specials.pad = textOf(fieldOf(json, "padding"), "pad_token");
    }
    return assemble(std::move(parts), file, specials);
}

Result<std::shared_ptr<const Tokenizer>> PipelineTokenizer::assemble(TokenizerParts parts,
                                                                     const std::string& file,
                                                                     const SpecialTokens& specials) {
    auto out = std::make_shared<PipelineTokenizer>();
    out->m_parts = std::move(parts);
    PARETO_CHECK(out->fillTexts(file));
    out->m_cutsBefore = out->m_parts.model->cutsBefore();
    out->m_pad = out->tokenId(specials.pad);
    out->m_bos = out->tokenId(specials.bos);
    out->m_eos = out->tokenId(specials.eos);
    for (const char* usual : {"[PAD]", "<pad>"}) {
        out->m_pad = out->m_pad >= 0 ? out->m_pad : out->tokenId(usual);
    }
    return std::shared_ptr<const Tokenizer>(std::move(out));
}

Status PipelineTokenizer::fillTexts(const std::string& file) {
    const auto put = [&](std::int32_t id, const std::string& text) {
        const auto at = static_cast<std::size_t>(id);
        if (at >= m_texts.size()) {
            m_texts.resize(at + 1);
        }
        m_texts[at] = text;
    };
    for (const auto& [token, id] : m_parts.model->vocabulary()) {
        put(id, token);
    }
    for (const auto& [id, token] : m_parts.added.tokens()) {
        const auto known = m_parts.model->vocabulary().find(token.content);
        if (known != m_parts.model->vocabulary().end() && known->second != id) {
            return tokenizerError(file, "the added token \"" + token.content + "\" has the id " +
                                            std::to_string(id) + " and in the vocabulary " +
                                            std::to_string(known->second));
        }
        put(id, token.content);
    }
    m_special.resize(m_texts.size());
    for (const auto& [id, token] : m_parts.added.tokens()) {
        m_special[static_cast<std::size_t>(id)] = token.special;
    }
    if (!m_parts.postProcessor.trimsOffsets()) {
        return Done{};
    }
    for (const auto& text : m_texts) {
        m_blanks.push_back(blanksOf(decodeUtf8(text)));
    }
    for (const auto& [id, token] : m_parts.added.tokens()) {
        m_blanks[static_cast<std::size_t>(id)] = {};
    }
    return Done{};
}

PipelineTokenizer::Blanks PipelineTokenizer::blanksOf(const Chars& chars) {
    const char32_t space = charOfByte(' ');
    const auto isBlank = [&](const Char& c) { return c.code == space || isSpace(c.code); };
    const auto leading = std::find_if_not(chars.begin(), chars.end(), isBlank) - chars.begin();
    const auto trailing = std::find_if_not(chars.rbegin(), chars.rend(), isBlank) - chars.rbegin();
    return {static_cast<std::uint16_t>(std::min<std::ptrdiff_t>(leading, UINT16_MAX)),
            static_cast<std::uint16_t>(std::min<std::ptrdiff_t>(trailing, UINT16_MAX))};
}

std::int32_t PipelineTokenizer::tokenId(const std::string& token) const {
    if (token.empty()) {
        return -1;
    }
    for (const auto& [id, added] : m_parts.added.tokens()) {
        if (added.content == token) {
            return id;
        }
    }
    const auto found = m_parts.model->vocabulary().find(token);
    return found == m_parts.model->vocabulary().end() ? -1 : found->second;
}

TokenSequence PipelineTokenizer::plainTokens(std::string_view text) const {
    TokenSequence out;
    out.ids.reserve(text.size() / 3 + 4);
    out.offsets.reserve(text.size() / 3 + 4);
    const std::size_t whole = text.size();
    text = takeLanguageCode(text, out);
    const auto shift = static_cast<std::int32_t>(whole - text.size());
    const std::size_t first = out.ids.size();
    Workspaces::Lease lease(m_workspaces);
    Workspace& work = *lease;
    m_parts.added.split(text, m_parts.normalizer.get(), work);
    for (std::size_t i = 0; i < work.parts.size(); ++i) {
        TextPart& part = work.parts[i];
        const Chars& chars = part.words.chars;
        if (part.id >= 0) {
            out.ids.push_back(part.id);
            out.offsets.push_back(addedSpan(chars, out.ids.size() == 1));
        } else if (!chars.empty()) {
            appendWords(part, work, out);
        }
    }
    for (std::size_t i = shift > 0 ? first : out.offsets.size(); i < out.offsets.size(); ++i) {
        out.offsets[i].begin += shift;
        out.offsets[i].end += shift;
    }
    return out;
}

std::string_view PipelineTokenizer::takeLanguageCode(std::string_view text,
                                                     TokenSequence& out) const {
    constexpr std::string_view kOpen = ">>";
    constexpr std::string_view kClose = "<<";
    const bool begins = m_parts.languageCodes && text.starts_with(kOpen);
    const auto end = begins ? text.find(kClose) : std::string_view::npos;
    if (end == std::string_view::npos) {
        return text;
    }
    const std::size_t size = end + kClose.size();
    const std::int32_t id = tokenId(std::string(text.substr(0, size)));
    out.ids.push_back(id >= 0 ? id : m_parts.unknown);
    out.offsets.push_back({0, static_cast<std::int32_t>(size)});
    return text.substr(size);
}

void PipelineTokenizer::appendWords(TextPart& part, Workspace& work, TokenSequence& out) const {
    Words& words = part.words;
    words.ranges.assign(1, {0, static_cast<std::uint32_t>(words.chars.size())});
    if (m_parts.preTokenizer != nullptr) {
        m_parts.preTokenizer->split(words, work);
    }
    for (const Range& word : words.ranges) {
        if (m_cutsBefore == 0) {
            appendTokens(words, word, work, out);
            continue;
        }
        // Short words are found in the cache, and long texts do not need a long search.
        std::uint32_t begin = word.begin;
        for (std::uint32_t i = word.begin + 1; i < word.end; ++i) {
            if (words.chars[i].code == m_cutsBefore && words.chars[i - 1].code != m_cutsBefore) {
                appendTokens(words, {begin, i}, work, out);
                begin = i;
            }
        }
        appendTokens(words, {begin, word.end}, work, out);
    }
}

void PipelineTokenizer::appendTokens(const Words& words, Range word, Workspace& work,
                                     TokenSequence& out) const {
    const Char* chars = words.chars.data() + word.begin;
    const std::size_t size = word.end - word.begin;
    std::string& bytes = work.bytes;
    bytes.clear();
    for (std::size_t i = 0; i < size; ++i) {
        appendUtf8(bytes, chars[i].code);
    }
    const bool cached = WordCache::wants(bytes);
    std::vector<WordToken>* tokens = &work.tokens;
    bool known = false;
    if (cached) {
        auto& entry = work.cache.place(bytes);
        tokens = &entry.tokens;
        known = entry.word == bytes;
        if (!known) {
            entry.word = bytes;
        }
    }
    if (!known) {
        tokens->clear();
        m_parts.model->tokenize({{chars, size}, bytes}, work.scratch, *tokens);
    }
    for (const auto& token : *tokens) {
        out.ids.push_back(token.id);
        out.offsets.push_back({chars[token.begin].begin, chars[token.end - 1].end});
    }
}

/// White space that an added token took along counts as its own, unless offsets are trimmed.
Span PipelineTokenizer::addedSpan(const Chars& chars, bool first) const {
    if (m_blanks.empty()) {
        return {chars.front().begin, chars.back().end};
    }
    const auto blanks = withoutPrefix(blanksOf(chars), first || chars.front().begin == 0);
    const auto leading = std::min<std::size_t>(blanks.leading, chars.size() - 1);
    const auto trailing = std::min<std::size_t>(blanks.trailing, chars.size() - 1 - leading);
    return {chars[leading].begin, chars[chars.size() - 1 - trailing].end};
}

void PipelineTokenizer::trimOffsets(TokenSequence& tokens) const {
    if (m_blanks.empty()) {
        return;
    }
    for (std::size_t i = 0; i < tokens.ids.size(); ++i) {
        Span& span = tokens.offsets[i];
        span = trimmed(span, m_blanks[static_cast<std::size_t>(tokens.ids[i])], i == 0);
    }
}

/// The prefix space that was put in is not in the text: nothing to cut for it.
PipelineTokenizer::Blanks PipelineTokenizer::withoutPrefix(Blanks blanks, bool begins) const {
    if (blanks.leading == 1 && begins && m_parts.postProcessor.trimsFirstSpace()) {
        blanks.leading = 0;
    }
    return blanks;
}

/// Each blank of a byte-level token is one byte of the text.
Span PipelineTokenizer::trimmed(Span span, Blanks blanks, bool first) const {
    blanks = withoutPrefix(blanks, first || span.begin == 0);
    span.begin = std::min(span.begin + blanks.leading, span.end);
    if (blanks.trailing > 0 && span.end >= blanks.trailing) {
        span.end = std::max(span.end - blanks.trailing, span.begin);
    }
    return span;
}

TokenSequence PipelineTokenizer::encode(std::string_view text, const EncodeOptions& options) const {
    TokenSequence tokens = plainTokens(text);
    if (options.maxLength > 0) {
        const auto added = options.addSpecialTokens ? m_parts.postProcessor.addedTokens(false) : 0;
        cut(tokens, options.maxLength - added);
    }
    trimOffsets(tokens);
    return m_parts.postProcessor.apply(tokens, nullptr, options.addSpecialTokens);
}

TokenSequence PipelineTokenizer::encodePair(std::string_view first, std::string_view second,
                                            const EncodeOptions& options) const {
    TokenSequence a = plainTokens(first);
    TokenSequence b = plainTokens(second);
    if (options.maxLength > 0) {
        const auto added = options.addSpecialTokens ? m_parts.postProcessor.addedTokens(true) : 0;
        cutPair(a, b, std::max<std::int64_t>(options.maxLength - added, 0));
    }
    trimOffsets(a);
    trimOffsets(b);
    return m_parts.postProcessor.apply(a, &b, options.addSpecialTokens);
}

Result<std::vector<TokenSequence>> PipelineTokenizer::encodeWindows(
    std::string_view first, std::string_view second, const WindowOptions& options) const {
    TokenSequence a = plainTokens(first);
    const TokenSequence b = plainTokens(second);
    trimOffsets(a);
    const auto taken =
        static_cast<std::int64_t>(a.ids.size()) + m_parts.postProcessor.addedTokens(true);
    const std::int64_t room = options.maxLength - taken;
    if (options.stride < 0 || room <= options.stride) {
        return makeError(ErrorCode::TargetInvalid,
                         {{"field", "max_length"},
                          {"reason", "of " + std::to_string(options.maxLength) + " leaves " +
                                         std::to_string(std::max<std::int64_t>(room, 0)) +
                                         " tokens for the second text, which must be more than the "
                                         "stride of " + std::to_string(options.stride)}});
    }
    std::vector<TokenSequence> out;
    const auto size = b.ids.size();
    const auto step = static_cast<std::size_t>(room - options.stride);
    for (std::size_t begin = 0;; begin += step) {
        const std::size_t end = std::min(begin + static_cast<std::size_t>(room), size);
        TokenSequence window = slice(b, begin, end);
        trimOffsets(window);
        out.push_back(m_parts.postProcessor.apply(a, &window, true));
        if (end == size) {
            return out;
        }
    }
}

std::string PipelineTokenizer::decode(const std::vector<std::int32_t>& ids,
                                      bool skipSpecialTokens) const {
    PipelineStream decoding(*this, m_parts.decoder, skipSpecialTokens);
    std::string out;
    for (const auto id : ids) {
        out += decoding.add(id);
    }
    return out + decoding.finish();
}

std::unique_ptr<TextStream> PipelineTokenizer::stream(bool skipSpecialTokens) const {
    return std::make_unique<PipelineStream>(*this, m_parts.decoder, skipSpecialTokens);
}

bool PipelineTokenizer::isSpecial(std::int32_t id) const {
    return id >= 0 && static_cast<std::size_t>(id) < m_special.size() &&
           m_special[static_cast<std::size_t>(id)];
}

std::int32_t PipelineTokenizer::vocabularySize() const {
    return static_cast<std::int32_t>(m_texts.size());
}

const std::string& PipelineTokenizer::tokenText(std::int32_t id) const {
    static const std::string kNone;
    const auto at = static_cast<std::size_t>(id);
    return id >= 0 && at < m_texts.size() ? m_texts[at] : kNone;
}

}  // namespace pareto::text
