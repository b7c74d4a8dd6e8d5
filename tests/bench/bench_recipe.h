// Models as recipes make them, without calibration.
#pragma once

#include "engine/compress/pipeline.h"
#include "engine/core/json.h"
#include "tests/bench/bench_support.h"

namespace pareto::bench {

/// `recipe` as JSON. Ends the program when it cannot be applied.
inline LoadedModel compressed(const LoadedModel& model, const std::string& recipe) {
    auto json = parseJson(recipe, "recipe");
    auto parsed = json.ok() ? recipeFromJson(json.value()) : json.failure<Recipe>();
    Progress progress;
    compress::CompressTools tools;
    tools.parallel = models::torchParallelFor();
    auto made = parsed.ok() ? compress::compress(model, parsed.value(), progress, {}, tools)
                            : parsed.failure<compress::CompressedModel>();
    if (!made.ok()) {
        std::fprintf(stderr, "%s: %s\n", recipe.c_str(),
                     made.cancelled() ? "cancelled" : errorMessage(made.error()).c_str());
        std::exit(1);
    }
    return std::move(made->model);
}

}  // namespace pareto::bench
