#include <filesystem>

#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/stored_run.h"
#include "engine/jobs/run/run_job.h"

namespace pareto::cli {

namespace {

Result<jobs::RunParams> paramsOf(const Arguments& arguments) {
    jobs::RunParams params;
    params.model = arguments.positional()[0];
    params.name = arguments.text("name");
    params.timing = !arguments.has("no-timing");
    PARETO_TRY(params.recipe, recipeOf(arguments));
    PARETO_TRY(params.target, targetOf(arguments));
    PARETO_CHECK(takeTiming(arguments, params));
    PARETO_CHECK(takeRanks(arguments, params));
    if (arguments.has("task")) {
        PARETO_TRY(params.task, taskOf(arguments));
    }
    if (arguments.has("out")) {
        params.exportTo = std::filesystem::absolute(arguments.text("out")).string();
    }
    params.exportFormat = arguments.text("format", params.exportFormat);
    std::error_code ignored;
    if (!std::filesystem::exists(params.model, ignored)) {
        return makeError(ErrorCode::FileMissing, {{"file", params.model}});
    }
    params.model = std::filesystem::absolute(params.model).lexically_normal().string();
    PARETO_CHECK(jobs::checkRun(params));
    return params;
}

Result<Output> run(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto params, paramsOf(arguments));
    return runAndStore(params, context);
}

}  // namespace

const Command kRunCommand{
    "run", "MODEL", "Optimize, measure, evaluate, store, and export with --out",
    joined({{recipeOption()},
            taskOptions(),
            targetOptions(),
            timingOptions(),
            {ranksOption(), hostsOption()},
            {{"no-timing", "", "do not measure latency and memory"},
             {"name", "NAME", "of the run (default: made from the recipe)"},
             {"out", "DIR", "also export the optimized model to this folder"},
             exportFormatOption()}}),
    1, 1, run};

}  // namespace pareto::cli
