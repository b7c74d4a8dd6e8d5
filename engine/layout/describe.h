#pragma once

#include <memory>

#include "engine/io/model_files.h"
#include "engine/spec/layers.h"

namespace pareto {

/// The structure of an opened model: family, blocks, groups, layers, and where each tensor lies in the
/// files. Checks that every tensor is there with the right shape. FamilyUnknown, ConfigInvalid,
/// TensorMissing, TensorShape.
Result<ModelLayout> describeModel(const io::ModelFiles& files);

/// Names of the architectures that can be opened, for messages.
std::string knownFamilies();

}  // namespace pareto
