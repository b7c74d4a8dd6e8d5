#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pareto::metrics {

struct RougeScore {
    double precision = 0.0;
    double recall = 0.0;
    double f1 = 0.0;
};

/// ROUGE (Lin 2004) of one prediction against one reference as the package rouge_score computes it
/// without stemming: words are runs of a-z and 0-9 of the lower-case text. A corpus's score is the
/// mean of f1 over its items.
struct RougeScores {
    RougeScore rouge1;    ///< words
    RougeScore rouge2;    ///< pairs of words
    RougeScore rougeL;    ///< longest common subsequence of the whole texts
    RougeScore rougeLsum; ///< of sentences, one a line: union of subsequences
};
RougeScores rouge(std::string_view reference, std::string_view prediction);
/// Each score against the reference that gives it the best f1 (the first of equals).
RougeScores rouge(std::span<const std::string> references, std::string_view prediction);

}  // namespace pareto::metrics
