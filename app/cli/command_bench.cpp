#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/run_output.h"
#include "engine/jobs/run/run_job.h"

namespace pareto::cli {

namespace {

Result<Output> bench(const Arguments& arguments, Context& context) {
    jobs::RunParams params;
    params.model = arguments.positional()[0];
    PARETO_TRY(params.recipe, recipeOf(arguments));
    PARETO_TRY(params.target, targetOf(arguments));
    PARETO_CHECK(takeParts(arguments, params.target));
    PARETO_CHECK(takeTiming(arguments, params));
    PARETO_TRY(const bool follows, jobs::isFollower(params));
    jobs::ModelCache cache;
    PARETO_TRY(const auto record, jobs::runRun(cache, params, context.progress, context.stop));
    if (follows) {
        return Output{};
    }
    Output output{benchJson(record), record.modelName + " · " + record.targetText + "\n"};
    output.text += figuresText(record) + layersText(record);
    return output;
}

}  // namespace

const Command kBenchCommand{
    "bench", "MODEL", "Measure latency, throughput and memory, layer by layer",
    joined({{recipeOption()}, targetOptions(), {partsOption(), hostsOption()}, timingOptions()}), 1, 1, bench};

}  // namespace pareto::cli
