#pragma once

#include "engine/io/content.h"
#include "engine/text/pipeline_tokenizer.h"

namespace pareto::text {

/// A model's folder and what its small files say about its tokenizer.
struct TokenizerFolder {
    const io::ModelRoot& root;
    Json config;             ///< tokenizer_config.json; empty when there is none
    std::string family;      ///< "T5Tokenizer": of tokenizer_config.json, else by config.json's model_type
    SpecialTokens specials;
    bool ofTargets = false;  ///< what the model says is to be read, where that is another language
};

constexpr std::size_t kMaxTokenizerBytes = std::size_t{64} << 20;

// Tokenizers of folders without a tokenizer.json, each the one that transformers makes of the files.
// TokenizerInvalid names the file and the line, entry or byte that is wrong.

/// vocab.txt: BERT, DistilBERT, ELECTRA, MPNet.
Result<std::shared_ptr<const Tokenizer>> readWordPieceFolder(const TokenizerFolder& folder);
/// vocab.json and merges.txt: GPT-2, RoBERTa, Qwen2.
Result<std::shared_ptr<const Tokenizer>> readByteLevelFolder(const TokenizerFolder& folder);
/// A SentencePiece model by its name: T5, XLM-R, ALBERT, Llama, Gemma.
Result<std::shared_ptr<const Tokenizer>> readSentencePieceFolder(const TokenizerFolder& folder,
                                                                 const std::string& name);
/// source.spm, target.spm and vocab.json, or the *vocab.yml of marian-nmt. Encodes the source language (of targets: the
/// target language), decodes the target language; a code like ">>fra<<" before a text is one token.
Result<std::shared_ptr<const Tokenizer>> readMarianFolder(const TokenizerFolder& folder);

}  // namespace pareto::text
