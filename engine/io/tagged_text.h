#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"

namespace pareto::io {

struct TaggedSentence {
    std::int64_t line = 0;  ///< of its first word, from 1
    std::vector<std::string> words;
    std::vector<std::string> tags;  ///< as many as words
};

/// Text in columns as CoNLL-2003 has it: a word a line, its tag in the last column, columns between
/// tabs or spaces, a blank line between sentences. "-DOCSTART-" lines and comments ("# …" at the start
/// of a sentence, unless its last column is a tag) are passed over. `take` gets one sentence after the
/// other; its failure ends the reading. DataRowInvalid (a word without a tag, a line with more or fewer
/// columns than the first, no blank line for 65,536 words), errors of the file.
Status readTaggedText(const std::string& path, const std::function<Status(TaggedSentence)>& take,
                      Progress& progress, std::stop_token stop);

}  // namespace pareto::io
