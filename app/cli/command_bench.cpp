#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/run_output.h"
#include "engine/core/file.h"
#include "engine/jobs/run/run_job.h"
#include "engine/records/step_timeline.h"

namespace pareto::cli {

namespace {

Result<Output> bench(const Arguments& arguments, Context& context) {
    jobs::RunParams params;
    params.model = arguments.positional()[0];
    PARETO_TRY(params.recipe, recipeOf(arguments));
    PARETO_TRY(params.target, targetOf(arguments));
    PARETO_CHECK(takeParts(arguments, params.target));
    PARETO_CHECK(takeTiming(arguments, params));
    if (arguments.has("trace") && params.target.processes() == 1) {
        return makeError(ErrorCode::ConfigInvalid,
                         {{"file", "pareto"}, {"field", "trace"},
                          {"reason", "is of a model in parts here (--tp, --pp); \"pareto profile --trace\" writes that of one process"}});
    }
    PARETO_TRY(const bool follows, jobs::isFollower(params));
    jobs::ModelCache cache;
    PARETO_TRY(const auto record, jobs::runRun(cache, params, context.progress, context.stop));
    if (follows) {
        return Output{};
    }
    Output output{benchJson(record), record.modelName + " · " + record.targetText + "\n"};
    output.text += figuresText(record) + layersText(record);
    if (arguments.has("trace")) {
        const auto file = arguments.text("trace");
        PARETO_TRY(const auto timelines, partTimelinesFromJson(record.details.value("parts", Json::array())));
        const auto title = record.modelName + " · " + record.recipeSummary + " · " + record.targetText;
        PARETO_CHECK(writeFileAtomically(file, compactJson(chromeTrace(timelines, title)) + "\n"));
        output.json["trace"] = file;
        output.text += "Timeline of one pass: " + file + "\n";
    }
    return output;
}

}  // namespace

const Command kBenchCommand{
    "bench", "MODEL", "Measure latency, throughput and memory, layer by layer",
    joined({{recipeOption()}, targetOptions(), {partsOption(), hostsOption()}, timingOptions(),
            {{"trace", "FILE", "of a model in parts: write one pass as a timeline for chrome://tracing or Perfetto"}}}), 1, 1, bench};

}  // namespace pareto::cli
