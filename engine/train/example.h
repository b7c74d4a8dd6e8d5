#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace pareto::train {

/// What examples are to be learned by, beside what a teacher says.
enum class Objective {
    None,         ///< nothing of their own: distillation alone
    Classes,      ///< Example::label; cross-entropy
    Score,        ///< Example::score; mean squared error of the one output
    TokenClasses, ///< Example::tokenLabels; cross-entropy over those that are not −1
    NextToken,    ///< the ids themselves from Example::answerFrom on; cross-entropy
    Target,       ///< Example::target, of encoder-decoder models; cross-entropy
    Similarity,   ///< Example::score: what the cosine of the vectors of ids and pair is to be; mean squared error
    AnswerSpan,   ///< Example::answer; cross-entropy of its two ends over the text's tokens
};

struct Example {
    std::vector<std::int32_t> ids;
    std::vector<std::int32_t> typeIds;      ///< empty: all 0
    int label = -1;
    float score = 0.0F;
    std::vector<std::int32_t> tokenLabels;  ///< one a token; −1: does not count
    std::int64_t answerFrom = 1;            ///< first token that is predicted
    std::vector<std::int32_t> target;       ///< with the token that ends it, without the one that begins it
    std::vector<std::int32_t> pair;         ///< a second text, with types that are all 0
    std::pair<std::int32_t, std::int32_t> answer;  ///< first and last token
};

/// What a decoder reads to say an example's target: the token that begins every output, then all but the last.
inline std::vector<std::int32_t> decoderInput(const Example& example, std::int32_t start) {
    std::vector<std::int32_t> out{start};
    out.insert(out.end(), example.target.begin(), example.target.end() - (example.target.empty() ? 0 : 1));
    return out;
}

struct TrainingData {
    Objective objective = Objective::None;
    std::vector<Example> examples;
};

}  // namespace pareto::train
