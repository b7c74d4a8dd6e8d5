#pragma once

#include "engine/core/json.h"
#include "engine/spec/recipe.h"
#include "engine/spec/target.h"

/// Shared by the parsers of this folder's params: they come over the worker's pipe or from a stored
/// job. Unknown keys are passed over, so that programs of different versions understand each other.
namespace pareto::jobs {

/// ConfigInvalid that names the job's params.
inline JsonReader paramsReader(const Json& json, const std::string& job) {
    return JsonReader(json, ErrorCode::ConfigInvalid, "params of " + job);
}

/// "recipe" of the params; absent: the empty recipe.
Result<Recipe> takeRecipe(const JsonReader& reader);
/// "target" of the params; absent: the default target.
Result<Target> takeTarget(const JsonReader& reader);

}  // namespace pareto::jobs
