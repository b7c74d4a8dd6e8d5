#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"

namespace pareto::text {

/// A SentencePiece model as its file (spiece.model, tokenizer.model, *.spm) or a GGUF's arrays hold it.
struct SentencePieceModel {
    enum class Type { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };
    struct Piece {
        std::string text;
        float score = 0.0F;
        Type type = Type::Normal;
    };
    enum class Kind { Unigram = 1, Bpe = 2 };

    std::vector<Piece> pieces;  ///< by id; texts are UTF-8
    Kind kind = Kind::Unigram;
    std::int32_t unknownId = 0;
    std::string charsmap;       ///< "precompiled_charsmap"; may be empty
    bool addDummyPrefix = true;
    bool removeExtraWhitespaces = true;
};

/// Reads the protocol buffer `sentencepiece.ModelProto`. TokenizerInvalid says at which byte it is
/// damaged, or which kind of model cannot be used.
Result<SentencePieceModel> readSentencePieceModel(std::string_view bytes, const std::string& file);

}  // namespace pareto::text
