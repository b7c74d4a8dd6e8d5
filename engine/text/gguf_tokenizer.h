#pragma once

#include "engine/io/model_files.h"
#include "engine/text/pipeline_tokenizer.h"

namespace pareto::text {

struct GgufTokenizer {
    std::string tokenizerJson;
    SpecialTokens specials;
};

/// The tokenizer.json that says the same as a GGUF file's tokenizer.ggml.* entries: byte-level BPE
/// ("gpt2") with a known pre-tokenizer name, SentencePiece BPE ("llama") and Unigram ("t5"), WordPiece
/// ("bert"). TokenizerMissing, TokenizerInvalid.
Result<GgufTokenizer> ggufTokenizer(const io::GgufMetadata& metadata, const std::string& file);

/// The name under which llama.cpp knows how a tokenizer.json of byte-level BPE cuts text ("gpt-2",
/// "llama-bpe"); empty when it is none of the known ones.
std::string ggufPreTokenizerName(const Json& tokenizer);

}  // namespace pareto::text
