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

/// A tokenizer as the `tokenizers` package describes one: added tokens, normalizer, pre-tokenizer,
/// model, post-processor, decoder. Truncation and padding set in the file are left out: callers say.
class PipelineTokenizer : public Tokenizer {
public:
    /// `text` is a tokenizer.json; `file` names it in errors.
    static Result<std::shared_ptr<const Tokenizer>> read(std::string text, const std::string& file,
                                                         SpecialTokens specials);

    TokenSequence encode(std::string_view text, const EncodeOptions& options) const override;
    TokenSequence encodePair(std::string_view first, std::string_view second,
                             const EncodeOptions& options) const override;
    std::string decode(const std::vector<std::int32_t>& ids, bool skipSpecialTokens) const override;

    std::int32_t vocabularySize() const override;
    std::int32_t padId() const override { return m_pad; }
    std::int32_t bosId() const override { return m_bos; }
    std::int32_t eosId() const override { return m_eos; }
    const std::string& tokenText(std::int32_t id) const override;
    std::string toTokenizerJson() const override { return m_json; }

private:
    TokenSequence plainTokens(std::string_view text) const;
    void trimOffsets(TokenSequence& tokens) const;
    Status fillTexts(const std::string& file);
    std::int32_t idOf(const std::string& token) const;

    std::string m_json;
    std::shared_ptr<const Normalizer> m_normalizer;
    std::shared_ptr<const PreTokenizer> m_preTokenizer;
    std::shared_ptr<const WordModel> m_model;
    AddedTokens m_added;
    PostProcessor m_postProcessor;
    Decoder m_decoder;
    std::vector<std::string> m_texts;  ///< by id; empty where an id has no token
    std::int32_t m_pad = -1;
    std::int32_t m_bos = -1;
    std::int32_t m_eos = -1;
};

}  // namespace pareto::text
