#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/io/model_files.h"
#include "engine/weights/tensor.h"

namespace pareto {

/// The model with a new classifier of whole texts (layout/new_head.h). New weights are drawn from
/// N(0, 0.02) as transformers does it, with RandomStream(seed, "head.<tensor>"), new biases are 0: the
/// same seed gives the same bytes. The dense layer before the logits is kept where the model has it, or
/// taken from `source` where that has it: bare encoders and sentence-transformers folders often carry
/// BERT's pooler, which is not loaded for them and which transformers would use. The head is held in
/// fp32. A classifier with exactly these labels is answered unchanged.
/// TaskUnfit, TaskInvalid; errors of loadWeights for what `source` has.
Result<LoadedModel> withClassifier(const LoadedModel& model, std::vector<std::string> labels,
                                   std::uint64_t seed, const io::ModelFiles* source = nullptr);

/// The same with withTagger and withAnswerHead of the layout.
Result<LoadedModel> withTagger(const LoadedModel& model, std::vector<std::string> labels, std::uint64_t seed);
Result<LoadedModel> withAnswerHead(const LoadedModel& model, std::uint64_t seed);

}  // namespace pareto
