#pragma once

#include <cstdint>
#include <vector>

namespace pareto::train {

/// What examples are to be learned by, beside what a teacher says.
enum class Objective {
    None,         ///< nothing of their own: distillation alone
    Classes,      ///< Example::label; cross-entropy
    Score,        ///< Example::score; mean squared error of the one output
    TokenClasses, ///< Example::tokenLabels; cross-entropy over those that are not −1
    NextToken,    ///< the ids themselves from Example::answerFrom on; cross-entropy
};

struct Example {
    std::vector<std::int32_t> ids;
    std::vector<std::int32_t> typeIds;      ///< empty: all 0
    int label = -1;
    float score = 0.0F;
    std::vector<std::int32_t> tokenLabels;  ///< one a token; −1: does not count
    std::int64_t answerFrom = 1;            ///< first token that is predicted
};

struct TrainingData {
    Objective objective = Objective::None;
    std::vector<Example> examples;
};

}  // namespace pareto::train
