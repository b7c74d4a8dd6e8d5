#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/run_output.h"
#include "engine/jobs/run/run_job.h"

namespace pareto::cli {

namespace {

Result<Output> eval(const Arguments& arguments, Context& context) {
    jobs::RunParams params;
    params.model = arguments.positional()[0];
    params.timing = false;
    PARETO_TRY(params.task, taskOf(arguments));
    PARETO_TRY(params.recipe, recipeOf(arguments));
    PARETO_TRY(params.target, deviceOf(arguments));
    PARETO_CHECK(takeRanks(arguments, params));
    PARETO_TRY(const bool follows, jobs::isFollower(params));
    jobs::ModelCache cache;
    PARETO_TRY(const auto record, jobs::runRun(cache, params, context.progress, context.stop));
    if (follows) {
        return Output{};
    }
    return Output{evalJson(record),
                  record.modelName + " · " + record.taskName + "\n" + figuresText(record)};
}

}  // namespace

const Command kEvalCommand{"eval", "MODEL", "Measure accuracy on a task, with its interval",
                           joined({taskOptions(), {recipeOption()}, deviceOptions(), {ranksOption(), hostsOption()}}), 1, 1, eval};

}  // namespace pareto::cli
