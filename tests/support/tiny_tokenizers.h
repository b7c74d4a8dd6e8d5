#pragma once

#include <string>

namespace pareto::test {

/// Writes vocab.txt, tokenizer.json and tokenizer_config.json; answers the size of the vocabulary.
int writeWordPiece(const std::string& folder);
/// Writes tokenizer.json and tokenizer_config.json; answers the size of the vocabulary. Ids: 0
/// <|endoftext|>, 1 <|im_start|>, 2 <|im_end|>.
int writeByteLevelBpe(const std::string& folder);

}  // namespace pareto::test
