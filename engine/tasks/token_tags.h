#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/models/model.h"
#include "engine/text/tokenizer.h"

namespace pareto::tasks {

/// The class a model gives a word.
struct WordTag {
    text::Span bytes;    ///< of the text
    int label = -1;      ///< index of the class; −1: no token of the word was seen (cut off)
    double score = 0.0;  ///< its probability
};

/// A class for each word (ascending byte ranges): that of the word's first token, as models are
/// trained and as transformers' aggregation "first" has it. `logits`: one row a token, `offsets` the
/// tokens' bytes, empty for special ones.
std::vector<WordTag> tagWords(std::span<const text::Span> words,
                              std::span<const text::Span> offsets, const models::Matrix& logits);

/// Words in a row that belong together.
struct Entity {
    std::string label;   ///< without B- and I-
    text::Span bytes;    ///< of the text
    double score = 0.0;  ///< mean of its words'
};

/// Groups words by their labels as transformers' group_entities does: an entity goes on while the kind
/// stays the same and no B- begins another; labels without B- or I- count as I-. Words labelled "O" are
/// left out. `labels`: names of the classes.
std::vector<Entity> groupEntities(std::span<const WordTag> words,
                                  const std::vector<std::string>& labels);

}  // namespace pareto::tasks
