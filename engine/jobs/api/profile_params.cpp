#include "engine/jobs/api/params_json.h"
#include "engine/jobs/api/profile.h"
#include "engine/records/numbers.h"

namespace pareto::jobs {

Json toJson(const ProfileParams& params) {
    return {{"model", params.model},
            {"recipe", recipeToJson(params.recipe)},
            {"target", targetToJson(params.target)},
            {"min_seconds", params.minSeconds},
            {"seed", params.seed}};
}

Result<ProfileParams> profileParamsFromJson(const Json& json) {
    JsonReader reader = paramsReader(json, kJobProfile);
    ProfileParams params;
    params.model = reader.require("model").text("model");
    params.minSeconds = reader.number("min_seconds", params.minSeconds, 0.0, 86400.0);
    params.seed = takeUnsigned(reader, "seed");
    PARETO_CHECK(reader.status());
    PARETO_TRY(params.recipe, takeRecipe(reader));
    PARETO_TRY(params.target, takeTarget(reader));
    return params;
}

}  // namespace pareto::jobs
