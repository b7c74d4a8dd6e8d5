#pragma once

#include <string>

#include "engine/weights/tensor.h"

namespace pareto {

/// SHA-256 (hex) over every tensor of the model in the order of names: name, shape, number format and
/// held bytes. Equal hashes mean equal weights, whatever files they came from; a run stores it so that
/// an export made later can tell whether it wrote the same model.
std::string weightsHash(const LoadedModel& model);

}  // namespace pareto
