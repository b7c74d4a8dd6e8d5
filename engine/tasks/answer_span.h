#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/text/tokenizer.h"

namespace pareto::tasks {

/// A question and a part of its context as the model saw them. All vectors have one entry a token.
struct AnswerWindow {
    std::vector<float> start;         ///< logits of an answer beginning at the token
    std::vector<float> end;           ///< … and ending with it
    std::vector<text::Span> offsets;  ///< bytes of the context
    std::vector<bool> inContext;  ///< may be part of an answer; the first token (<s>, [CLS]) is not
};

struct AnswerOptions {
    std::size_t best = 1;         ///< answers wanted
    std::int64_t maxTokens = 15;  ///< of an answer
    bool allowNone = false;       ///< "there is no answer" is one, with an empty span
    bool wholeWords = true;       ///< an answer is widened to the words it begins and ends in
};

struct AnswerSpan {
    text::Span bytes;    ///< of the context; empty: no answer
    double score = 0.0;  ///< probability of the start times that of the end
};

/// The likeliest spans over all windows of one context, best first: softmax over each window's
/// context tokens and its first token, the product of both ends, equal texts added up. What the
/// question-answering pipeline of transformers 4.57 does (select_starts_ends, decode_spans).
std::vector<AnswerSpan> bestSpans(const std::vector<AnswerWindow>& windows,
                                  std::string_view context, const AnswerOptions& options = {});

}  // namespace pareto::tasks
