#include "engine/jobs/run/ready_model.h"

#include "engine/jobs/run/memory_need.h"
#include "engine/runtime/device.h"

namespace pareto::jobs {

Status checkDevice(const Target& target) {
    const int cores = runtime::usableCores();
    if (target.threads > cores) {
        return makeError(ErrorCode::TargetInvalid,
                         {{"field", "threads"},
                          {"reason", "asks for " + std::to_string(target.threads) +
                                         "; this process may use " + std::to_string(cores) +
                                         (cores == 1 ? " core" : " cores")}});
    }
    PARETO_CHECK(runtime::openDevice(target.device, target.threads));
    return Done{};
}

models::DeviceOptions deviceOptions(const Target& target) {
    models::DeviceOptions options;
    options.device = target.device;
    options.threads = target.threads;
    return options;
}

Result<ReadyModel> compressedModel(ModelCache& cache, const ReadyRequest& request,
                                   Progress& progress, std::stop_token stop) {
    PARETO_CHECK(checkDevice(request.target));
    models::setThreads(request.target.threads);
    ReadyModel ready;
    PARETO_TRY(ready.opened, cache.open(request.model, progress, stop));
    const auto& original = ready.opened->weights;
    PARETO_TRY(const auto resolved, resolve(request.recipe, original.layout));
    ready.notes = resolved.notes;
    for (const auto& match : resolved.unmatched) {
        ready.notes.push_back("'" + match + "' matches no layer, group or block of this model");
    }
    const NeedOptions need{.compresses = !request.recipe.isEmpty(), .baseline = request.baseline};
    PARETO_CHECK(checkMemory("the model " + original.layout.name,
                             needToRun(original.layout, estimate(resolved, original.layout),
                                       request.target, need)));
    PARETO_TRY(ready.compressed, compress::compress(original, request.recipe, progress, stop,
                                                    models::torchParallelFor()));
    return ready;
}

Result<ReadyModel> readyModel(ModelCache& cache, const ReadyRequest& request, Progress& progress,
                              std::stop_token stop) {
    PARETO_TRY(auto ready, compressedModel(cache, request, progress, stop));
    PARETO_TRY(ready.runnable, models::prepareModel(ready.compressed.model,
                                                    deviceOptions(request.target), progress, stop));
    return ready;
}

}  // namespace pareto::jobs
