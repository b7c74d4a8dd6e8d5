#include "engine/jobs/run/ready_model.h"

#include <algorithm>

#include "engine/jobs/run/block_inputs.h"
#include "engine/jobs/run/memory_need.h"
#include "engine/jobs/run/model_on_demand.h"
#include "engine/jobs/run/recovery.h"
#include "engine/jobs/run/shard_team.h"
#include "engine/jobs/run/torch_math.h"
#include "engine/jobs/run/training_data.h"
#include "engine/jobs/run/weight_gradients.h"
#include "engine/runtime/device.h"
#include "engine/weights/new_head.h"

namespace pareto::jobs {

Status checkDevice(const Target& target) {
    const int cores = runtime::usableCores();
    if (target.threads > cores) {
        return makeError(
            ErrorCode::TargetInvalid,
            {{"field", "threads"},
             {"reason", "asks for " + std::to_string(target.threads) + "; this process may use " +
                            std::to_string(cores) + (cores == 1 ? " core" : " cores")}});
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

Result<LoadedModel> originalFor(const OpenedModel& opened, const Recipe& recipe, Progress& progress,
                                std::stop_token stop) {
    const auto& model = opened.weights;
    PARETO_TRY(const auto head, recoveredHead(model.layout, recipe, progress, std::move(stop)));
    switch (head.outputs) {
        case Outputs::Classes: return withClassifier(model, head.labels, recipe.seed, opened.files.get());
        case Outputs::TokenClasses: return withTagger(model, head.labels, recipe.seed);
        case Outputs::AnswerSpan: return withAnswerHead(model, recipe.seed);
        default: return model;
    }
}

namespace {

/// A run times several and asks for one here; nobody else has a use for more.
Status checkReplicas(const Target& target) {
    if (target.replicas == 1) {
        return Done{};
    }
    return makeError(ErrorCode::TargetInvalid,
                     {{"field", "replicas"},
                      {"reason", "is " + std::to_string(target.replicas) + ": replicas are for runs that measure times"}});
}

std::vector<std::string> notesOf(const ResolvedRecipe& resolved) {
    auto notes = resolved.notes;
    for (const auto& match : resolved.unmatched) {
        notes.push_back("'" + match + "' matches no layer, group or block of this model");
    }
    return notes;
}

/// Headers alone: tensors are read when they are packed, so that nothing is held beside what is kept. False where the recipe does
/// not allow it.
Result<bool> openLazily(ModelCache& cache, const ReadyRequest& request, ReadyModel& ready, Progress& progress, std::stop_token stop) {
    PARETO_TRY(auto found, openOnDemand(cache, request.model, request.recipe, progress, std::move(stop)));
    if (!found) {
        return false;
    }
    const auto& original = found->opened->weights;
    const NeedOptions need{.baseline = request.baseline,
                           .cache = request.cache.value_or(found->resolved.cache),
                           .parts = request.isDraft ? 1 : request.target.processes()};
    PARETO_CHECK(checkMemory((need.parts > 1 ? "a part of the model " : "the model ") + original.layout.name,
                             request.beside + needToRun(original.layout, estimate(found->resolved, original.layout),
                                                        request.target, need)));
    ready.notes = notesOf(found->resolved);
    ready.opened = std::move(found->opened);
    ready.original = ready.opened->weights;
    ready.compressed.model.layout = found->model->layout();
    ready.onDemand = std::move(found->model);
    return true;
}

Result<ReadyModel> openCompressed(ModelCache& cache, const ReadyRequest& request,
                                  Progress& progress, std::stop_token stop) {
    PARETO_CHECK(checkDevice(request.target));
    PARETO_CHECK(checkReplicas(request.target));
    ReadyModel ready;
    if (!request.isDraft && request.target.processes() > 1) {
        progress.begin(Stage::StartingRanks);
        PARETO_TRY(ready.team, ShardTeam::gather({request.model, request.recipe, request.target, request.blockSeconds}, stop));
        if (ready.team->rank() > 0) {
            return wrongRanks("start this command several times (RANK is " + std::to_string(ready.team->rank()) +
                              "): of a model in parts bench, run, eval and generate are started so; else leave RANK out");
        }
        // Of its part of the cores now.
        PARETO_CHECK(checkDevice(request.target));
    }
    models::setThreads(request.target.threads);
    if (!request.whole && !request.original) {
        PARETO_TRY(const bool done, openLazily(cache, request, ready, progress, stop));
        if (done) {
            return ready;
        }
    }
    PARETO_TRY(ready.opened, cache.open(request.model, progress, stop));
    if (request.original) {
        ready.original = *request.original;
    } else {
        PARETO_TRY(ready.original, originalFor(*ready.opened, request.recipe, progress, stop));
    }
    const auto& original = ready.original;
    PARETO_TRY(const auto resolved, resolve(request.recipe, original.layout));
    ready.notes = notesOf(resolved);
    NeedOptions need{.compresses = !request.recipe.isEmpty(),
                     .baseline = request.baseline,
                     .cache = request.cache.value_or(resolved.cache)};
    const auto fits = [](const RecoverSpec& step) { return step.method == RecoverMethod::Reconstruct; };
    const bool reconstructs = std::any_of(request.recipe.recover.begin(), request.recipe.recover.end(), fits);
    if (resolved.calibrated || resolved.gradients || request.recipe.calibration || reconstructs) {
        need.calibration = request.recipe.calibration.value_or(CalibrationSpec{});
        need.gradients = resolved.gradients;
    }
    PARETO_CHECK(checkMemory(
        "the model " + original.layout.name,
        request.beside +
            needToRun(original.layout, estimate(resolved, original.layout), request.target, need)));
    const compress::CompressTools tools{models::torchParallelFor(), &torchMath(),
                                        blockInputsOf(ready.opened, request.target.threads),
                                        weightGradientsOf(ready.opened, request.target.threads),
                                        recoveryOf({ready.opened, request.target, request.sink, &ready.recovered, request.ranks})};
    PARETO_TRY(ready.compressed, compress::compress(original, request.recipe, progress, stop, tools));
    return ready;
}

Result<std::shared_ptr<ReadyModel>> makeShared(ModelCache& cache, const ReadyRequest& request,
                                               Progress& progress, std::stop_token stop) {
    PARETO_TRY(auto made, openCompressed(cache, request, progress, stop));
    PARETO_CHECK(pack(made, request.target, progress, stop));
    return std::make_shared<ReadyModel>(std::move(made));
}

/// Whatever makes a ready model another one. Lengths, batches and caches do not: they are of the call.
Result<std::string> keyOf(const ReadyRequest& request) {
    PARETO_TRY(const auto files, ModelCache::fingerprint(request.model));
    return files + recipeToJson(request.recipe).dump() + "|" + request.target.device + "|" +
           std::to_string(request.target.threads) + "|" + std::to_string(request.isDraft ? 1 : request.target.tensorParallel) +
           "|" + std::to_string(request.isDraft ? 1 : request.target.pipelineParallel);
}

constexpr std::size_t kKeptModels = 2;

}  // namespace

Result<ReadyModel> compressedModel(ModelCache& cache, const ReadyRequest& request,
                                   Progress& progress, std::stop_token stop) {
    cache.keepAtMost(0);
    return openCompressed(cache, request, progress, stop);
}

Status pack(ReadyModel& ready, const Target& target, Progress& progress, std::stop_token stop) {
    const HeldTensors held(ready.compressed.model);
    const TensorSource& model = ready.onDemand ? static_cast<const TensorSource&>(*ready.onDemand) : held;
    PARETO_TRY(ready.runnable, ready.team ? ready.team->prepare(model, false, *ready.opened, progress, std::move(stop))
                                          : models::prepareModel(model, deviceOptions(target), progress, std::move(stop)));
    if (ready.onDemand) {
        ready.compressed.report.seconds = ready.onDemand->seconds();
    }
    return Done{};
}

Result<models::RunnableModel> packOriginal(ReadyModel& ready, const Target& target, Progress& progress, std::stop_token stop) {
    const HeldTensors held(ready.original);
    const TensorSource& model = ready.onDemand ? *ready.onDemand->original() : held;
    return ready.team ? ready.team->prepare(model, true, *ready.opened, progress, std::move(stop))
                      : models::prepareModel(model, deviceOptions(target), progress, std::move(stop));
}

Result<ReadyModel> readyModel(ModelCache& cache, const ReadyRequest& request, Progress& progress,
                              std::stop_token stop) {
    PARETO_TRY(auto ready, compressedModel(cache, request, progress, stop));
    PARETO_CHECK(pack(ready, request.target, progress, stop));
    return ready;
}

Result<std::shared_ptr<ReadyModel>> keptModel(ModelCache& cache, const ReadyRequest& request,
                                              Progress& progress, std::stop_token stop) {
    // Processes that hold parts keep this one to a part of the cores, and a part that was lost does not come back.
    cache.dropIf([&](const ReadyModel& model) {
        return model.team != nullptr && (model.team->lost() || (!request.isDraft && request.target.processes() == 1));
    });
    PARETO_CHECK(checkDevice(request.target));
    models::setThreads(request.target.threads);
    PARETO_TRY(auto key, keyOf(request));
    if (auto model = cache.kept(key)) {
        return model;
    }
    cache.keepAtMost(kKeptModels - 1);
    if (!request.isDraft) {
        cache.dropIf([](const ReadyModel& model) { return model.team != nullptr; });
    }
    auto made = makeShared(cache, request, progress, stop);
    const bool tight = !made.ok() && !made.cancelled() &&
                       (made.error().code == ErrorCode::MemoryShort ||
                        made.error().code == ErrorCode::DeviceMemoryShort);
    if (tight && cache.keepAtMost(0)) {
        made = makeShared(cache, request, progress, stop);
    }
    if (made.ok()) {
        cache.keep(std::move(key), made.value());
    }
    return made;
}

}  // namespace pareto::jobs
