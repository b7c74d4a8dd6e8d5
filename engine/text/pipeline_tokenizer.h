#pragma once

#include "engine/text/added_tokens.h"
#include "engine/text/decoder.h"
#include "engine/text/post_processor.h"
#include "engine/text/pre_tokenizer.h"
#include "engine/text/tokenizer.h"
#include "engine/text/word_model.h"

namespace pareto::text {

/// Tokens with a meaning of their own, by their text; empty: none.
struct SpecialTokens {
    std::string pad;
    std::string bos;
    std::string eos;
};

/// The steps that make a tokenizer, in the order in which a text meets them.
struct TokenizerParts {
    std::string json;  ///< the tokenizer.json that says the same
    AddedTokens added;
    NormalizerPointer normalizer;        ///< may be null
    PreTokenizerPointer preTokenizer;    ///< may be null
    std::shared_ptr<const WordModel> model;
    PostProcessor postProcessor;
    Decoder decoder;
    /// Whether a text may begin with a code like ">>fra<<" (Marian's target language), one token by
    /// itself; one that is not known is the token `unknown`.
    bool languageCodes = false;
    std::int32_t unknown = -1;
};

/// A tokenizer as the `tokenizers` package describes one: added tokens, normalizer, pre-tokenizer,
/// model, post-processor, decoder. Truncation and padding set in the file are left out: callers say.
class PipelineTokenizer : public Tokenizer {
public:
    /// `text` is a tokenizer.json; `file` names it in errors.
    static Result<std::shared_ptr<const Tokenizer>> read(std::string text, const std::string& file,
                                                         SpecialTokens specials);
    /// TokenizerInvalid when the parts contradict each other.
    static Result<std::shared_ptr<const Tokenizer>> assemble(TokenizerParts parts,
                                                             const std::string& file,
                                                             const SpecialTokens& specials);

    TokenSequence encode(std::string_view text, const EncodeOptions& options) const override;
    TokenSequence encodePair(std::string_view first, std::string_view second,
                             const EncodeOptions& options) const override;
    Result<std::vector<TokenSequence>> encodeWindows(std::string_view first, std::string_view second,
                                                     const WindowOptions& options) const override;
    std::string decode(const std::vector<std::int32_t>& ids, bool skipSpecialTokens) const override;
    std::unique_ptr<TextStream> stream(bool skipSpecialTokens) const override;

    std::int32_t vocabularySize() const override;
    std::int32_t padId() const override { return m_pad; }
    std::int32_t bosId() const override { return m_bos; }
    std::int32_t eosId() const override { return m_eos; }
    const std::string& tokenText(std::int32_t id) const override;
    std::int32_t tokenId(const std::string& token) const override;
    std::string toTokenizerJson() const override { return m_parts.json; }

    /// Whether decoding leaves the token out.
    bool isSpecial(std::int32_t id) const;

private:
    /// Blanks at the ends of a token's text, for offsets that leave them out.
    struct Blanks {
        std::uint16_t leading = 0;
        std::uint16_t trailing = 0;
    };

    TokenSequence plainTokens(std::string_view text) const;
    std::string_view takeLanguageCode(std::string_view text, TokenSequence& out) const;
    void appendWords(TextPart& part, Workspace& work, TokenSequence& out) const;
    void appendTokens(const Words& words, Range word, Workspace& work, TokenSequence& out) const;
    void trimOffsets(TokenSequence& tokens) const;
    Span addedSpan(const Chars& chars, bool first) const;
    Blanks withoutPrefix(Blanks blanks, bool begins) const;
    Span trimmed(Span span, Blanks blanks, bool first) const;
    static Blanks blanksOf(const Chars& chars);
    Status fillTexts(const std::string& file);

    TokenizerParts m_parts;
    std::vector<std::string> m_texts;  ///< by id; empty where an id has no token
    std::vector<bool> m_special;       ///< by id
    std::vector<Blanks> m_blanks;      ///< by id; empty when offsets are not trimmed
    char32_t m_cutsBefore = 0;
    std::int32_t m_pad = -1;
    std::int32_t m_bos = -1;
    std::int32_t m_eos = -1;
    mutable Workspaces m_workspaces;
};

}  // namespace pareto::text
