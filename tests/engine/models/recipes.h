#pragma once

// Models as recipes make them, for tests.
#include "engine/compress/pipeline.h"
#include "engine/spec/recipe.h"
#include "tests/engine/models/golden.h"

namespace pareto::test {

inline Result<Recipe> recipeOf(const std::string& text) {
    PARETO_TRY(const auto json, parseJson(text, "test"));
    return recipeFromJson(json);
}

inline Result<compress::CompressedModel> compressed(const LoadedModel& model, const std::string& recipe) {
    PARETO_TRY(const auto parsed, recipeOf(recipe));
    Progress progress;
    return compress::compress(model, parsed, progress, {});
}

}  // namespace pareto::test
