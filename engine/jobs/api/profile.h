#pragma once

#include <string>

#include "engine/core/json.h"
#include "engine/records/profile.h"
#include "engine/spec/recipe.h"
#include "engine/spec/target.h"

namespace pareto::jobs {

/// The job's name in the worker's protocol; it answers a Profile (profileToJson).
inline constexpr const char* kJobProfile = "profile";

/// Where a model's time goes and how far each layer is from the machine's roofs. Nothing is stored.
struct ProfileParams {
    std::string model;  ///< path on the machine that runs it
    Recipe recipe;
    Target target;
    double minSeconds = 1.0;  ///< passes are watched for at least so long
    std::uint64_t seed = 0;
};
Json toJson(const ProfileParams& params);
Result<ProfileParams> profileParamsFromJson(const Json& json);

}  // namespace pareto::jobs
