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
        tokens.typeIds.resize(size);
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
    auto out = std::make_shared<PipelineTokenizer>();
    out->m_json = std::move(text);
    PARETO_TRY(out->m_normalizer, makeNormalizer(fieldOf(json, "normalizer"), file));
    PARETO_TRY(out->m_preTokenizer, makePreTokenizer(fieldOf(json, "pre_tokenizer"), file));
    PARETO_TRY(out->m_model, makeWordModel(fieldOf(json, "model"), file));
    PARETO_TRY(out->m_added,
               AddedTokens::read(fieldOf(json, "added_tokens"), out->m_normalizer.get(), file));
    PARETO_TRY(out->m_postProcessor, PostProcessor::read(fieldOf(json, "post_processor"), file));
    PARETO_TRY(out->m_decoder, Decoder::read(fieldOf(json, "decoder"), file));
    PARETO_CHECK(out->fillTexts(file));
    if (specials.pad.empty()) {
        specials.pad = textOf(fieldOf(json, "padding"), "pad_token");
    }
    out->m_pad = out->idOf(specials.pad);
    out->m_bos = out->idOf(specials.bos);
    out->m_eos = out->idOf(specials.eos);
    for (const char* usual : {"[PAD]", "<pad>"}) {
        out->m_pad = out->m_pad >= 0 ? out->m_pad : out->idOf(usual);
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
    for (const auto& [token, id] : m_model->vocabulary()) {
        put(id, token);
    }
    for (const auto& [id, token] : m_added.tokens()) {
        const auto known = m_model->vocabulary().find(token.content);
        if (known != m_model->vocabulary().end() && known->second != id) {
            return tokenizerError(file, "the added token \"" + token.content + "\" has the id " +
                                            std::to_string(id) + " and in the vocabulary " +
                                            std::to_string(known->second));
        }
        put(id, token.content);
    }
    return Done{};
}

std::int32_t PipelineTokenizer::idOf(const std::string& token) const {
    if (token.empty()) {
        return -1;
    }
    for (const auto& [id, added] : m_added.tokens()) {
        if (added.content == token) {
            return id;
        }
    }
    const auto found = m_model->vocabulary().find(token);
    return found == m_model->vocabulary().end() ? -1 : found->second;
}

TokenSequence PipelineTokenizer::plainTokens(std::string_view text) const {
    TokenSequence out;
    std::vector<WordToken> tokens;
    for (auto& part : m_added.split(decodeUtf8(text), m_normalizer.get())) {
        if (part.id >= 0) {
            out.ids.push_back(part.id);
            out.offsets.push_back({part.chars.front().begin, part.chars.back().end});
            continue;
        }
        std::vector<Chars> words;
        if (!part.chars.empty()) {
            words.push_back(std::move(part.chars));
        }
        if (m_preTokenizer != nullptr) {
            words = m_preTokenizer->split(std::move(words));
        }
        for (const auto& word : words) {
            tokens.clear();
            m_model->tokenize(word, tokens);
            for (const auto& token : tokens) {
                out.ids.push_back(token.id);
                out.offsets.push_back({word[token.begin].begin, word[token.end - 1].end});
            }
        }
    }
    out.typeIds.assign(out.ids.size(), 0);
    if (m_postProcessor.trimsOffsets()) {
        trimOffsets(out);
    }
    return out;
}

void PipelineTokenizer::trimOffsets(TokenSequence& tokens) const {
    const char32_t space = charOfByte(' ');
    const auto isBlank = [&](const Char& c) { return c.code == space || isSpace(c.code); };
    for (std::size_t i = 0; i < tokens.ids.size(); ++i) {
        const Chars chars = decodeUtf8(tokenText(tokens.ids[i]));
        auto leading = std::find_if_not(chars.begin(), chars.end(), isBlank) - chars.begin();
        const auto trailing = std::find_if_not(chars.rbegin(), chars.rend(), isBlank) - chars.rbegin();
        Span& span = tokens.offsets[i];
        // The prefix space that was put in is not in the text: nothing to cut for it.
        if (leading > 0 && (i == 0 || span.begin == 0) && m_postProcessor.trimsFirstSpace()) {
            leading = 0;
        }
        span.begin = std::min(span.begin + static_cast<std::int32_t>(leading), span.end);
        if (trailing > 0 && span.end >= trailing) {
            span.end = std::max(span.end - static_cast<std::int32_t>(trailing), span.begin);
        }
    }
}

TokenSequence PipelineTokenizer::encode(std::string_view text, const EncodeOptions& options) const {
    TokenSequence tokens = plainTokens(text);
    if (options.maxLength > 0) {
        const auto added = options.addSpecialTokens ? m_postProcessor.addedTokens(false) : 0;
        cut(tokens, options.maxLength - added);
    }
    return m_postProcessor.apply(tokens, nullptr, options.addSpecialTokens);
}

TokenSequence PipelineTokenizer::encodePair(std::string_view first, std::string_view second,
                                            const EncodeOptions& options) const {
    TokenSequence a = plainTokens(first);
    TokenSequence b = plainTokens(second);
    if (options.maxLength > 0) {
        const auto added = options.addSpecialTokens ? m_postProcessor.addedTokens(true) : 0;
        cutPair(a, b, std::max<std::int64_t>(options.maxLength - added, 0));
    }
    return m_postProcessor.apply(a, &b, options.addSpecialTokens);
}

std::string PipelineTokenizer::decode(const std::vector<std::int32_t>& ids,
                                      bool skipSpecialTokens) const {
    std::vector<const std::string*> tokens;
    for (const auto id : ids) {
        const auto added = m_added.tokens().find(id);
        const bool special = added != m_added.tokens().end() && added->second.special;
        const std::string& text = tokenText(id);
        if (!text.empty() && !(special && skipSpecialTokens)) {
            tokens.push_back(&text);
        }
    }
    return m_decoder.decode(tokens);
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
