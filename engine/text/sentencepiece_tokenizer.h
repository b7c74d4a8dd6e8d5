#pragma once

#include "engine/core/json.h"
#include "engine/text/sentencepiece_model.h"
#include "engine/text/tokenizer_json.h"

namespace pareto::text {

/// How a family of models uses its SentencePiece model. Each has ways of its own.
enum class SentencePieceFamily {
    T5,          ///< also mT5: extra ids after the pieces, </s> at the end
    XlmRoberta,  ///< ids of fairseq: <s> <pad> </s> <unk>, the pieces from the fourth on, <mask>
    Albert,      ///< [CLS] and [SEP], quotes and accents replaced
    Llama,       ///< bytes for unknown characters, <s> at the beginning; also Mistral
    Gemma        ///< the same without a space before the text
};

struct SentencePieceSettings {
    SentencePieceFamily family = SentencePieceFamily::T5;
    std::int32_t extraIds = 100;    ///< T5
    bool lowercase = true;          ///< ALBERT
    bool keepAccents = false;       ///< ALBERT
    bool addPrefixSpace = true;
    bool legacy = true;             ///< Llama: a space before the text after every special token
    bool addBos = true;             ///< Llama, Gemma
    bool addEos = false;            ///< Llama, Gemma
    std::string bos;                ///< empty: the family's usual one
    std::string eos;
    std::string unknown;
    std::string pad;
    std::string mask;
    std::vector<AddedTokenJson> added;  ///< of "added_tokens_decoder"
};

/// What tokenizer_config.json says.
SentencePieceSettings sentencePieceSettings(SentencePieceFamily family, const Json& config);

struct SentencePieceTokenizerJson {
    std::string json;
    std::string bos;  ///< texts of the tokens; empty: none
    std::string eos;
    std::string pad;
};

/// The tokenizer.json that transformers makes of the model: ids are those of its fast tokenizers.
/// TokenizerInvalid when the model lacks a token that the family needs.
Result<SentencePieceTokenizerJson> sentencePieceTokenizerJson(const SentencePieceModel& model,
                                                              const SentencePieceSettings& settings,
                                                              const std::string& file);

}  // namespace pareto::text
