#pragma once

#include <vector>

#include "engine/export/gguf_plan.h"
#include "engine/io/gguf_writer.h"

namespace pareto::exporting {

/// general.* and the architecture's own entries, as llama.cpp reads them (src/llama-model.cpp): sizes,
/// norms, positions, pooling. `layout` is that of the model as written.
std::vector<io::GgufEntry> ggufModelEntries(const ModelLayout& layout, const GgufPlan& plan);

/// What llama.cpp computes differently from the layout, for people: a sliding window or a scaling that its
/// architecture does not know.
std::vector<std::string> ggufGraphNotes(const ModelLayout& layout);

}  // namespace pareto::exporting
