#pragma once

#include <string_view>
#include <vector>

#include "engine/text/tokenizer.h"

namespace pareto::text {

/// The words of a text as BERT's pre-tokenizer sees them, as bytes: split at white space; a
/// punctuation mark or an ideograph is a word of its own. Ascending, none empty.
std::vector<Span> wordSpans(std::string_view text);

}  // namespace pareto::text
