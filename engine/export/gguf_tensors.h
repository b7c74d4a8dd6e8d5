#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/spec/layers.h"

namespace pareto::exporting {

/// One tensor as a GGUF file holds it: a canonical one, or several fused along their outputs.
struct GgufTensor {
    std::string name;                  ///< in the file; empty: the format has no place for it
    std::vector<std::string> sources;  ///< canonical names, in the file's order
    std::vector<int> layers;           ///< whose weights those are; empty for biases and norms
    Shape shape;                       ///< fused
    std::int64_t pairedHeads = 0;      ///< rows lie in rotated pairs (Transform::UnpermuteRope); 0: they do not
    std::int64_t skippedRows = 0;      ///< rows at the front that the file leaves out
};

/// The tensors that hold a model with this layout, in the layout's order. Names come from the family's
/// table.
std::vector<GgufTensor> ggufTensors(const ModelLayout& layout);

}  // namespace pareto::exporting
