#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/compress/tensorwise.h"
#include "engine/jobs/run/model_cache.h"

namespace pareto::jobs {

/// A model behind a recipe of which no tensor is held: a process that needs a part of it reads that part.
struct ModelOnDemand {
    std::shared_ptr<const OpenedModel> opened;  ///< its weights have a layout, no tensors
    std::shared_ptr<const compress::TensorwiseModel> model;
    ResolvedRecipe resolved;
};

/// Nothing where the recipe looks at more than a tensor at a time, or where the files hold quantized linears. Errors of
/// io, layout and the recipe.
Result<std::optional<ModelOnDemand>> openOnDemand(ModelCache& cache, const std::string& path, const Recipe& recipe,
                                                  Progress& progress, std::stop_token stop);

}  // namespace pareto::jobs
