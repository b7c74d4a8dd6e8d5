#pragma once

#include <vector>

#include "engine/io/safetensors_writer.h"
#include "engine/weights/tensor.h"

namespace pareto::exporting {

/// A model's tensors as a checkpoint of transformers holds them, those that it has names for: fused
/// matrices put together again, Conv1D transposed, Gemma's norms without their one. Values are made when
/// they are written. The parts of a fused matrix must be dense and of one type (HfPlan sees to it).
std::vector<io::TensorToWrite> hfTensors(const LoadedModel& model);

/// Whether transformers holds the layer's weight in another shape than the canonical one: integer codes
/// cannot be written so.
bool reshapedInHf(const ModelLayout& layout, const LayerInfo& layer);

}  // namespace pareto::exporting
