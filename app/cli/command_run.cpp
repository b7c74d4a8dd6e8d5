#include <filesystem>

#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/run_output.h"
#include "engine/jobs/api/machine.h"
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

/// The row stands in the store while the run goes on, owned by this process, and is finished in every
/// case that this process survives.
Result<RunRecord> storedRun(const jobs::RunParams& params, Context& context) {
    PARETO_TRY(const auto store, context.openStore());
    PARETO_CHECK(store->markInterrupted());
    auto started = jobs::recordOf(params);
    started.machine = jobs::thisMachine();
    PARETO_TRY(const auto id, store->beginRun(started, store::Owner::thisProcess()));
    jobs::ModelCache cache;
    auto result = jobs::runRun(cache, params, context.progress, context.stop);
    if (!result.ok()) {
        started.id = id;
        started.status = result.cancelled() ? RunStatus::Cancelled : RunStatus::Failed;
        if (!result.cancelled()) {
            started.error = result.error();
        }
        // The job's own failure is what the caller must hear of, whether or not this works.
        if (const auto stored = store->finishRun(started); !stored.ok()) {
            context.note("The failed run " + std::to_string(id) + " could not be stored.");
        }
        return result;
    }
    result->id = id;
    PARETO_CHECK(store->finishRun(result.value()));
    return result;
}

/// The run itself is stored by now; the caller hears of the export that failed.
Status exportFailure(const RunRecord& record) {
    const auto exported = record.details.find("export");
    if (exported == record.details.end() || !exported->contains("error")) {
        return Done{};
    }
    Error error = errorFromJson(exported->at("error"));
    error.detail += (error.detail.empty() ? "" : "; ") + std::string("the run ") +
                    std::to_string(record.id) + " was measured and is stored, only its export failed";
    return error;
}

Result<Output> run(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto params, paramsOf(arguments));
    PARETO_TRY(const auto record, storedRun(params, context));
    PARETO_CHECK(exportFailure(record));
    Json json{{"run_id", record.id}, {"name", record.name}, {"status", nameOf(record.status)}};
    for (const auto* key : {"model_bytes", "parameters", "nonzero_parameters"}) {
        if (const auto* figure = record.find(key)) {
            json[key] = static_cast<std::int64_t>(figure->value);
        }
    }
    std::string text = "Run " + std::to_string(record.id) + " · " + record.name + " · " +
                       record.modelName + " · " + record.targetText + "\n" + figuresText(record);
    if (params.timing) {
        json["bench"] = benchJson(record);
        text += layersText(record);
    }
    text += compressionText(record);
    if (auto compress = record.details.value("compress", Json::object()); compress.contains("layers")) {
        compress.erase("spectra");
        json["compress"] = std::move(compress);
    }
    if (params.task) {
        json["eval"] = evalJson(record);
    }
    if (record.details.contains("export")) {
        json["export"] = record.details["export"];
        text += "Exported to " + record.exportPath + "\n";
    }
    return Output{std::move(json), std::move(text)};
}

}  // namespace

const Command kRunCommand{
    "run", "MODEL", "Optimize, measure, evaluate, store, and export with --out",
    joined({{recipeOption()},
            taskOptions(),
            targetOptions(),
            timingOptions(),
            {{"no-timing", "", "do not measure latency and memory"},
             {"name", "NAME", "of the run (default: made from the recipe)"},
             {"out", "DIR", "also export the optimized model to this folder"},
             exportFormatOption()}}),
    1, 1, run};

}  // namespace pareto::cli
