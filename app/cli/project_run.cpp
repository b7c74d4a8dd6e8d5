#include "app/cli/project_run.h"

#include "app/cli/stored_run.h"
#include "engine/jobs/run/export_job.h"
#include "engine/jobs/run/run_job.h"

namespace pareto::cli {

using project::Step;
using project::StepResult;

namespace {

bool isStored(const StepResult& result, const Context& context) {
    const auto store = context.openStoreReadOnly();
    if (!store.ok()) {
        return false;
    }
    const auto record = store.value()->run(result.run);
    return record.ok() && record->startedAt == result.runStartedAt;
}

Result<StepResult> done(jobs::StepWork& work, Context& context) {
    if (work.run()) {
        PARETO_CHECK(jobs::checkRun(*work.run()));
        PARETO_TRY(const auto record, storedRun(*work.run(), context));
        return work.finishRun(record, context.progress, context.stop);
    }
    if (work.exporting()) {
        jobs::ModelCache cache;
        PARETO_TRY(const auto written,
                   jobs::runExport(cache, *work.exporting(), context.progress, context.stop));
        return work.finishExport(written, context.progress, context.stop);
    }
    PARETO_TRY(const auto store, context.openStoreReadOnly());
    return work.finishComparison([&](std::int64_t run) { return store->run(run); });
}

}  // namespace

std::string whyDue(const jobs::OpenedProject& opened, const Step& step, Context& context) {
    const auto due = jobs::whyDue(
        opened, step, [&](const StepResult& result) { return isStored(result, context); },
        context.progress, context.stop);
    return jobs::dueText(due, opened.results.find(step.name));
}

Status runProject(jobs::OpenedProject& opened, const std::string& again, Context& context) {
    if (!again.empty() && again != "all" && opened.project.find(again) == nullptr) {
        return makeError(ErrorCode::UsageUnknown,
                         {{"what", "The step " + again + " of this project"},
                          {"help", "pareto project --help"}});
    }
    for (const auto& step : opened.project.steps) {
        if (context.stop.stop_requested()) {
            return Cancelled{};
        }
        const bool forced = again == "all" || again == step.name;
        const auto reason = forced ? std::string("asked for") : whyDue(opened, step, context);
        if (reason.empty()) {
            context.note("Step " + step.name + ": done before.");
            continue;
        }
        context.note("Step " + step.name + ": " + reason + ".");
        PARETO_TRY(const auto work, jobs::StepWork::begin(opened, step));
        PARETO_TRY(auto result, done(*work, context));
        PARETO_CHECK(jobs::saveStep(opened, std::move(result)));
    }
    return Done{};
}

}  // namespace pareto::cli
