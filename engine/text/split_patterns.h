#pragma once

#include <string_view>
#include <vector>

#include "engine/text/words.h"

namespace pareto::text {

/// GPT-2's own pattern, as the byte-level pre-tokenizer has it built in.
inline constexpr const char* kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
/// That of Llama 3 and GPT-4: numbers in groups of up to three.
inline constexpr const char* kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
/// That of Qwen 2: the same with every digit by itself.
inline constexpr const char* kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// Appends the matches of a pattern within a range of the text. They leave no gap.
using SplitFunction = void (*)(const Chars& text, Range within, std::vector<Range>& out);

/// A function that cuts as the pattern does, many times faster than a regular expression; null for any
/// pattern but those above.
SplitFunction splitFunctionOf(std::string_view pattern);

}  // namespace pareto::text
