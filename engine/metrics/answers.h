#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pareto::metrics {

/// What SQuAD's scripts compare: lower case, without ASCII punctuation and the articles a, an, the,
/// single spaces.
std::string normalizeAnswer(std::string_view text);

struct AnswerScore {
    double exact = 0.0;  ///< 1 or 0
    double f1 = 0.0;     ///< of the bags of words
};

/// Best of one prediction against the answers of one question, as evaluate-v1.1.py. No answers: 0.
AnswerScore scoreAnswer(std::string_view prediction, std::span<const std::string> answers);
/// The same as evaluate-v2.0.py: answers that normalize to nothing do not count, a question without
/// answers wants the empty prediction, and two empty texts agree.
AnswerScore scoreAnswerOrNone(std::string_view prediction, std::span<const std::string> answers);

}  // namespace pareto::metrics
