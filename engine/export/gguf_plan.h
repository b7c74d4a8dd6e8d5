#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/export/format.h"
#include "engine/export/gguf_rows.h"
#include "engine/export/hf_plan.h"

namespace pareto::exporting {

/// How a model is brought into the shape of a GGUF file.
struct GgufPlan {
    std::string architecture;   ///< general.architecture: "llama", "bert"
    std::optional<HfPlan> padding;  ///< to be applied first: blocks are filled up to one size
    std::vector<GgufTensorPlan> tensors;  ///< in the file's order
    std::uint32_t fileType = 0;
    std::vector<std::string> notes;       ///< English, for the export dialog and the report
};

/// `formats`: what each layer's weight is held in, in the layout's order. FamilyUnknown for a family that
/// llama.cpp has no architecture for.
Result<GgufPlan> planGguf(const ModelLayout& layout, const std::vector<WeightFormat>& formats,
                          GgufType type);

}  // namespace pareto::exporting
