#pragma once

#include <string>
#include <vector>

#include "engine/spec/layers.h"
#include "engine/spec/recipe.h"

namespace pareto::studio {

/// What the Hugging Face folder cannot say about this model with this recipe, before anything runs.
/// Empty when the recipe does not fit.
std::vector<std::string> exportNotesFor(const ModelLayout& layout, const Recipe& recipe);

}  // namespace pareto::studio
