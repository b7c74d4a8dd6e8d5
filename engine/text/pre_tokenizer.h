#pragma once

#include <memory>

#include "engine/core/json.h"
#include "engine/text/unicode.h"

namespace pareto::text {

/// The "pre_tokenizer" of a tokenizer.json: cuts a text into words.
class PreTokenizer {
public:
    virtual ~PreTokenizer() = default;
    virtual std::vector<Chars> split(std::vector<Chars> pieces) const = 0;
};

/// Null for no pre-tokenizer. TokenizerInvalid names a kind or a pattern that cannot be used.
Result<std::shared_ptr<const PreTokenizer>> makePreTokenizer(const Json& json,
                                                             const std::string& file);

/// The character that stands for a byte in byte-level vocabularies, and back (-1: none).
char32_t charOfByte(std::uint8_t byte);
int byteOfChar(char32_t code);

}  // namespace pareto::text
