#pragma once

#include "engine/layout/packed_config.h"
#include "engine/weights/compressed_tensors.h"

namespace pareto {

/// The door to linears that lie quantized in their checkpoint, whatever the method: compressed-tensors,
/// GPTQ, AWQ.
class QuantizedSource {
public:
    /// ConfigInvalid: a quantization_config of another method, or one that cannot be read.
    static Result<QuantizedSource> open(const io::ModelFiles& files);

    /// Whether the weight `source` ("X.weight") is one of them.
    bool holds(const io::ModelFiles& files, const std::string& source) const;
    /// TensorShape, TensorMissing, TensorType, TensorValues (scales), ConfigInvalid.
    Result<Tensor> read(const io::ModelFiles& files, const std::string& source,
                        const Shape& shape) const;

private:
    CompressedConfig m_compressed;
    PackedConfig m_packed;
};

}  // namespace pareto
