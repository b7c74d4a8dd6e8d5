#pragma once

#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/io/safetensors_writer.h"
#include "engine/weights/tensor.h"

namespace pareto::exporting {

/// The tensors of one quantized linear as compressed-tensors stores them: pack-quantized
/// (X.weight_packed, X.weight_scale, X.weight_shape) for symmetric weights alone; int-quantized (X.weight
/// I8, X.weight_scale, X.weight_zero_point I8) with int8 activations or zero points, and X.input_scale where
/// activations have one scale; float-quantized (X.weight F8_E4M3, X.weight_scale) for fp8. The weight is
/// asWritten(). Packed zero points exist in the format, but transformers 4.57 with compressed-tensors 0.20
/// cannot load them.
std::vector<io::TensorToWrite> compressedTensors(const std::string& module, const Tensor& weight);

/// Whether the codes of a weight take a byte each, whatever their bits.
bool isIntQuantized(const WeightFormat& format);

/// config.json's quantization_config for the quantized linears of a model; null when there are none.
Json quantizationConfig(const LoadedModel& model);

}  // namespace pareto::exporting
