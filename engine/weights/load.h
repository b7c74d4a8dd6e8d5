#pragma once

#include <memory>
#include <stop_token>

#include "engine/core/progress.h"
#include "engine/io/model_files.h"
#include "engine/weights/tensor_source.h"

namespace pareto {

/// Reads every tensor of the layout and undoes what the file format did to it. Weights of layers are
/// held as LayerInfo::sourceFormat says: fp32 views of mapped F32 files cost nothing, F16/BF16 stay as
/// they are, block formats are dequantized to fp32, linears that lie quantized become integer codes.
/// Biases and plain tensors are held in fp32 whatever the file has. TensorValues when a weight is not finite.
Result<LoadedModel> loadWeights(const io::ModelFiles& files, ModelLayout layout, Progress& progress,
                                std::stop_token stop, const ParallelFor& parallel = serialFor);

/// The same tensors, each read when it is asked for. ConfigInvalid. Null where linears lie quantized: the layout does not
/// say what they are held in before they are read, and they are small.
Result<std::unique_ptr<TensorSource>> openWeights(std::shared_ptr<const io::ModelFiles> files, ModelLayout layout,
                                                  ParallelFor parallel = serialFor);

}  // namespace pareto
