#include "engine/jobs/run/model_on_demand.h"

#include "engine/models/model.h"
#include "engine/weights/load.h"

namespace pareto::jobs {

Result<std::optional<ModelOnDemand>> openOnDemand(ModelCache& cache, const std::string& path, const Recipe& recipe,
                                                  Progress& progress, std::stop_token stop) {
    PARETO_TRY(auto opened, cache.openHeaders(path, progress));
    const auto& layout = opened->weights.layout;
    PARETO_TRY(auto resolved, resolve(recipe, layout));
    if (!compress::isTensorwise(recipe, resolved)) {
        return std::optional<ModelOnDemand>();
    }
    PARETO_TRY(std::shared_ptr<const TensorSource> tensors, openWeights(opened->files, layout, models::torchParallelFor()));
    if (tensors == nullptr) {
        return std::optional<ModelOnDemand>();
    }
    cache.dropWhole();
    auto model = std::make_shared<const compress::TensorwiseModel>(std::move(tensors), recipe, resolved, std::move(stop),
                                                                   models::torchParallelFor());
    return std::optional(ModelOnDemand{std::move(opened), std::move(model), std::move(resolved)});
}

}  // namespace pareto::jobs
