#pragma once

#include <memory>

#include "engine/core/json.h"
#include "engine/text/charsmap.h"
#include "engine/text/workspace.h"

namespace pareto::text {

/// The "normalizer" of a tokenizer.json.
class Normalizer {
public:
    virtual ~Normalizer() = default;
    /// Rewrites the text in place; the workspace's spare buffers may be used.
    virtual void apply(Chars& chars, Workspace& work) const = 0;
};
using NormalizerPointer = std::shared_ptr<const Normalizer>;

/// Null for no normalizer. TokenizerInvalid names a kind that is not known.
Result<NormalizerPointer> makeNormalizer(const Json& json, const std::string& file);

/// The "Precompiled" normalizer: SentencePiece's table as the `tokenizers` package applies it, to
/// whole graphemes first, then to single characters.
NormalizerPointer makePrecompiled(Charsmap charsmap);

struct SentencePieceRules {
    bool addDummyPrefix = true;          ///< a space before the first word
    bool removeExtraWhitespaces = true;  ///< none at the ends, one between words
};
/// The normalization of the SentencePiece library itself: longest match of the table first, then white
/// space; spaces become "▁".
NormalizerPointer makeSentencePieceNormalizer(Charsmap charsmap, SentencePieceRules rules);

}  // namespace pareto::text
