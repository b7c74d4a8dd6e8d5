#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pareto::text::jinja {

struct Token {
    enum class Kind {
        Text,         ///< of the template itself
        BeginOutput,  ///< {{
        EndOutput,    ///< }}
        BeginBlock,   ///< {%
        EndBlock,     ///< %}
        Name,
        String,   ///< text without quotes, escapes resolved
        Integer,
        Float,
        Sign,  ///< operator or bracket
        End
    } kind = Kind::End;
    std::string text;
    int line = 1;
};

/// Cuts a template into tokens with trim_blocks and lstrip_blocks, as transformers sets them: the line
/// break after a block and the blanks before it on its line are no text. Throws Failure.
std::vector<Token> tokensOf(std::string_view source);

}  // namespace pareto::text::jinja
