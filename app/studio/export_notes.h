#pragma once

#include <string>
#include <vector>

#include "engine/spec/layers.h"
#include "engine/spec/recipe.h"

namespace pareto::studio {

/// What the format of this name cannot say about this model with this recipe, before anything runs.
/// Empty when the recipe does not fit.
std::vector<std::string> exportNotesFor(const ModelLayout& layout, const Recipe& recipe,
                                        const std::string& format);

/// Names of the types that a GGUF file's weights can be rounded to ("q4_k"), best first.
std::vector<std::string> ggufTypeNames();

}  // namespace pareto::studio
