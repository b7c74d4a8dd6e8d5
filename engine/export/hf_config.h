#pragma once

#include "engine/core/json.h"
#include "engine/io/model_files.h"
#include "engine/weights/tensor.h"

namespace pareto::exporting {

/// config.json for the model as prepared by applyPlan: the source's where it is a Hugging Face folder,
/// with the sizes that changed; made from the layout where it is a GGUF file.
Json hfConfig(const LoadedModel& model, const io::ModelFiles& source);

/// generation_config.json for a decoder that comes without one.
Json generationConfig(const ModelLayout& layout);

}  // namespace pareto::exporting
