#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/io/gguf_writer.h"
#include "engine/io/model_files.h"

namespace pareto::exporting {

/// The tokenizer.* entries of a GGUF file, as llama.cpp's converter writes them: copied where the source
/// is a GGUF file, else made from its tokenizer.json (WordPiece → "bert", byte-level BPE → "gpt2",
/// SentencePiece BPE → "llama", Unigram → "t5"). As many tokens as the table has rows. Without a tokenizer
/// the file says "none". `notes` gets what the format cannot say.
Result<std::vector<io::GgufEntry>> ggufTokenizerEntries(const io::ModelFiles& source,
                                                        std::int64_t tableRows,
                                                        std::vector<std::string>& notes);

}  // namespace pareto::exporting
