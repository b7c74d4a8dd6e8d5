#pragma once

#include <memory>

#include "engine/core/json.h"
#include "engine/text/workspace.h"

namespace pareto::text {

/// The "pre_tokenizer" of a tokenizer.json: cuts a text into words.
class PreTokenizer {
public:
    virtual ~PreTokenizer() = default;
    /// Cuts every word further; may rewrite the characters. The workspace's spare buffers may be used.
    virtual void split(Words& words, Workspace& work) const = 0;
};
using PreTokenizerPointer = std::shared_ptr<const PreTokenizer>;

/// Null for no pre-tokenizer. TokenizerInvalid names a kind or a pattern that cannot be used.
Result<PreTokenizerPointer> makePreTokenizer(const Json& json, const std::string& file);

/// The character that stands for a byte in byte-level vocabularies, and back (-1: none).
char32_t charOfByte(std::uint8_t byte);
int byteOfChar(char32_t code);

}  // namespace pareto::text
