#pragma once

#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/spec/layers.h"

namespace pareto {

/// An encoder's layout with a classifier of whole texts in the place of its head, as transformers'
/// <Family>ForSequenceClassification has it: the first token's state [hidden], a dense layer
/// [hidden, hidden] with the family's activation (BERT's and ALBERT's pooler), one logit a label. Both
/// linears are fp32 with biases. Bindings and hfPrefix become those of a checkpoint with that head, so
/// they no longer say where tensors lie in the files that the layout was read from. A classifier with
/// exactly these labels is answered unchanged, whatever its head is made of.
/// TaskUnfit: no encoder. TaskInvalid: no labels, or one of them twice.
Result<ModelLayout> withClassifier(const ModelLayout& layout, std::vector<std::string> labels);

/// The same with a head that works on every token: one logit a label, as <Family>ForTokenClassification has it. A tagger
/// with exactly these labels is answered unchanged.
Result<ModelLayout> withTagger(const ModelLayout& layout, std::vector<std::string> labels);

/// The same with the two logits a token of <Family>ForQuestionAnswering. What has such a head is answered unchanged.
Result<ModelLayout> withAnswerHead(const ModelLayout& layout);

/// The dense layer that a new classifier of this family reads; empty for what is no encoder.
std::string classifierDense(Family family);

/// What stands before module names in a family's checkpoints with a head ("bert."); empty without.
std::string headPrefix(Family family);

}  // namespace pareto
