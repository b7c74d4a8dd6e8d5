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

}  // namespace pareto::text
