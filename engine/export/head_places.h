#pragma once

#include "engine/weights/tensor.h"

namespace pareto::exporting {

/// Whether the heads left in a block stand elsewhere than in the source, in a model whose relative
/// position bias has a column a head: in a file that keeps all heads they have to go back.
bool headsMove(const ModelLayout& layout, const BlockInfo& block);

/// Puts the heads of every block back to their own places; the zeros that stand for removed ones fill
/// the others. `model` has been filled up to all of its heads. Outputs are the same.
void putHeadsBack(LoadedModel& model);

}  // namespace pareto::exporting
