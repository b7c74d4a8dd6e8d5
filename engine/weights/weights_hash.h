#pragma once

#include <string>

#include "engine/core/hash.h"
#include "engine/weights/tensor_source.h"

namespace pareto {

/// SHA-256 (hex) over every tensor of the model in the order of names: name, shape, number format and
/// held bytes. Equal hashes mean equal weights, whatever files they came from; a run stores it so that
/// an export made later can tell whether it wrote the same model.
std::string weightsHash(const LoadedModel& model);
/// The same; what reading its tensors says.
Result<std::string> weightsHash(const TensorSource& model);

/// Of tensors that come one after the other in the order of names.
class WeightsHash {
public:
    void add(const std::string& name, const Tensor& tensor);
    std::string hex() { return m_hash.hex(); }

private:
    Sha256 m_hash;
};

}  // namespace pareto
