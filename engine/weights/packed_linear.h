#pragma once

#include "engine/layout/packed_config.h"
#include "engine/weights/tensor.h"

namespace pareto {

/// Reads `module`.qweight, .qzeros, .scales and .g_idx of a GPTQ or AWQ checkpoint as integer codes, without
/// changing a value: scale · (code − zero point), the fp16 scale widened to fp32. Codes of 2 and 3 bits are
/// held in 4. Groups of scattered inputs (act-order) become fp32 values.
/// TensorShape, TensorMissing, TensorType, TensorValues (scales).
Result<Tensor> readPacked(const io::ModelFiles& files, const PackedConfig& config,
                          const std::string& module, const Shape& shape);

}  // namespace pareto
