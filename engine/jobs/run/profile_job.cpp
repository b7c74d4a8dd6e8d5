#include "engine/jobs/run/profile_job.h"

#include "engine/bench/gpu_roofs.h"
#include "engine/bench/load_watch.h"
#include "engine/bench/memory.h"
#include "engine/bench/profile.h"
#include "engine/bench/roofs.h"
#include "engine/core/version.h"
#include "engine/jobs/api/machine.h"
#include "engine/jobs/api/machine_lock.h"
#include "engine/jobs/run/guarded.h"
#include "engine/jobs/run/process_facts.h"
#include "engine/jobs/run/ready_model.h"
#include "engine/runtime/device.h"

namespace pareto::jobs {

namespace {

void describe(Profile& profile, const ReadyModel& ready, const ProfileParams& params) {
    const auto& runnable = ready.runnable.model();
    profile.modelPath = ready.opened->files->path();
    profile.modelName = ready.opened->files->name();
    profile.recipe = recipeToJson(params.recipe);
    profile.recipeSummary = params.recipe.isEmpty() ? "no recipe" : recipeSummary(params.recipe);
    auto target = params.target;
    target.threads = runnable.device().threads;
    profile.target = targetToJson(target);
    profile.targetText = targetSummary(target, runnable.layout().generates());
    profile.machine = thisMachine();
    addDevices(profile.machine);
    profile.versions = {{"program", std::string(programVersion())},
                        {"commit", std::string(programCommit())},
                        {"libtorch", models::libtorchVersion()},
                        {"kernel_table", runnable.device().kernelTable}};
    addDriverVersion(profile.versions);
    profile.modelBytes = runnable.bytes();
    profile.notes = ready.notes;
    const auto& notes = ready.compressed.report.notes;
    profile.notes.insert(profile.notes.end(), notes.begin(), notes.end());
}

Result<Roofs> roofsOf(const runtime::Device& device, std::uint64_t weightBytes, Progress& progress,
                      std::stop_token stop) {
    if (device.cuda) {
        bench::GpuRoofOptions options;
        options.weightBytes = weightBytes;
        return bench::measureGpuRoofs(device, options, progress, std::move(stop));
    }
    bench::RoofOptions options;
    options.weightBytes = weightBytes;
    options.table = device.table;
    return bench::measureRoofs(options, progress, std::move(stop));
}

Result<Profile> profiled(ModelCache& cache, const ProfileParams& params, Progress& progress,
                         std::stop_token stop) {
    if (params.target.processes() > 1) {
        return makeError(ErrorCode::TargetInvalid,
                         {{"field", params.target.tensorParallel > 1 ? "tp" : "pp"},
                          {"reason", "is more than 1: a profile is of one process (a run says what its parts did)"}});
    }
    PARETO_CHECK(checkDevice(params.target));
    PARETO_TRY(const auto opened, cache.openHeaders(params.model, progress));
    PARETO_CHECK(bench::checkLengths(opened->weights.layout, params.target));
    ReadyRequest request;
    request.model = params.model;
    request.recipe = params.recipe;
    request.target = params.target;
    PARETO_TRY(auto ready, readyModel(cache, request, progress, stop));
    PARETO_TRY(const auto device, runtime::openDevice(params.target.device, params.target.threads));
    progress.begin(Stage::WaitingForMachine);
    PARETO_TRY(const auto lock,
               MachineLock::acquire("profile of " + ready.opened->files->name(), stop));
    bench::releaseUnusedMemory(ready.opened->files->files());
    const bench::LoadWatch load;
    PARETO_TRY(auto measured, roofsOf(device, ready.runnable.model().bytes(), progress, stop));
    auto disturbance = bench::disturbanceOf(load.report());
    bench::ProfileOptions options;
    options.target = params.target;
    options.minSeconds = params.minSeconds;
    options.seed = params.seed;
    PARETO_TRY(auto profile, bench::profileModel(ready.runnable, options, progress, stop));
    profile.roofs = std::move(measured);
    if (!profile.disturbed) {
        profile.disturbed = !disturbance.empty();
        profile.disturbance = std::move(disturbance);
    }
    describe(profile, ready, params);
    return profile;
}

}  // namespace

Result<Profile> runProfile(ModelCache& cache, const ProfileParams& params, Progress& progress,
                           std::stop_token stop) {
    return guarded(kJobProfile, [&] { return profiled(cache, params, progress, std::move(stop)); });
}

}  // namespace pareto::jobs
