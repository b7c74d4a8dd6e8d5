#include <filesystem>

#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/text_table.h"
#include "engine/jobs/run/export_job.h"
#include "engine/records/numbers.h"

namespace pareto::cli {

namespace {

Output outputOf(const jobs::ExportResult& result) {
    auto text = "Wrote " + result.path + " (" + result.format + ", " + formatBytes(result.bytes) +
                (result.verified ? ", read back and compared)" : ")") + "\n";
    for (const auto& note : result.notes) {
        text += "Note: " + note + "\n";
    }
    return {jobs::toJson(result), std::move(text)};
}

Result<jobs::ExportParams> paramsOf(const Arguments& arguments) {
    jobs::ExportParams params;
    params.format = arguments.text("format", params.format);
    PARETO_TRY(const auto out, arguments.required("out"));
    params.target = std::filesystem::absolute(out).lexically_normal().string();
    return params;
}

Result<Output> writeModel(const Arguments& arguments, Context& context) {
    PARETO_TRY(auto params, paramsOf(arguments));
    params.model = arguments.positional()[0];
    PARETO_TRY(params.recipe, recipeOf(arguments));
    jobs::ModelCache cache;
    PARETO_TRY(const auto result,
               jobs::runExport(cache, params, context.progress, context.stop));
    return outputOf(result);
}

/// Measurements of a stored run, for the report beside the exported model.
Json reportOf(const RunRecord& record) {
    Json measurements = Json::object();
    for (const auto& measurement : record.measurements) {
        putFigure(measurements, measurement.key, measurement.key, measurement.value);
    }
    return {{"recipe", record.recipe},
            {"measurements", std::move(measurements)},
            {"target", record.target},
            {"task", record.task},
            {"versions", record.versions},
            {"seed", record.seed}};
}

Result<Output> exportStoredRun(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto id,
               arguments.integer("run", 0, 1, std::numeric_limits<std::int64_t>::max()));
    PARETO_TRY(auto params, paramsOf(arguments));
    PARETO_TRY(const auto store, context.openStore());
    PARETO_TRY(const auto record, store->run(id));
    params.model = record.modelPath;
    PARETO_TRY(params.recipe, recipeFromJson(record.recipe));
    params.expectWeightsHash = record.weightsHash;
    params.report = reportOf(record);
    jobs::ModelCache cache;
    PARETO_TRY(const auto result,
               jobs::runExport(cache, params, context.progress, context.stop));
    PARETO_CHECK(store->setExport(id, result.path));
    return outputOf(result);
}

Result<Output> exportModel(const Arguments& arguments, Context& context) {
    if (arguments.has("run") && !arguments.positional().empty()) {
        return makeError(ErrorCode::UsageUnknown, {{"what", "A MODEL (" + arguments.positional()[0] +
                                                                ") beside --run, which names its own"},
                                                   {"help", arguments.help()}});
    }
    if (arguments.has("run")) {
        return exportStoredRun(arguments, context);
    }
    if (arguments.positional().empty()) {
        return makeError(ErrorCode::UsageMissing,
                         {{"what", "MODEL (or --run)"}, {"help", arguments.help()}});
    }
    return writeModel(arguments, context);
}

std::vector<OptionSpec> writeOptions() {
    return {recipeOption(),
            exportFormatOption(),
            {"out", "DIR", "folder to create"}};
}

}  // namespace

const Command kOptimizeCommand{"optimize", "MODEL", "Apply a recipe and save the model only",
                               writeOptions(), 1, 1, writeModel};

const Command kExportCommand{
    "export", "[MODEL]", "Write a model, or that of a stored run, in another format",
    joined({writeOptions(), {{"run", "ID", "the model of this stored run"}}}), 0, 1, exportModel};

}  // namespace pareto::cli
