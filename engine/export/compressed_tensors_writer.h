#pragma once

#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/io/safetensors_writer.h"
#include "engine/weights/tensor.h"

namespace pareto::exporting {

/// The tensors of one quantized linear as compressed-tensors stores them: int-quantized (X.weight I8,
/// X.weight_scale) with int8 activations, else pack-quantized (X.weight_packed, X.weight_scale,
/// X.weight_shape and, when asymmetric, X.weight_zero_point).
std::vector<io::TensorToWrite> compressedTensors(const std::string& module, const Tensor& weight);

/// config.json's quantization_config for the quantized linears of a model; null when there are none.
Json quantizationConfig(const LoadedModel& model);

}  // namespace pareto::exporting
