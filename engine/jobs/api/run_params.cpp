#include <chrono>
#include <limits>

#include "engine/core/version.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/api/params_json.h"
#include "engine/records/numbers.h"

namespace pareto::jobs {
namespace {

constexpr std::int64_t kMostIterations = 10'000'000;

}  // namespace

Json toJson(const RunParams& params) {
    Json json{{"model", params.model},
              {"name", params.name},
              {"recipe", recipeToJson(params.recipe)},
              {"target", targetToJson(params.target)},
              {"timing", params.timing},
              {"paired_baseline", params.pairedBaseline},
              {"warmups", params.warmups},
              {"min_seconds", params.minSeconds},
              {"min_iterations", params.minIterations},
              {"max_iterations", params.maxIterations},
              {"seed", params.seed},
              {"export_to", params.exportTo},
              {"export_format", params.exportFormat},
              {"ranks", params.ranks}};
    if (params.task) {
        json["task"] = taskToJson(*params.task);
    }
    if (params.validation) {
        json["validation"] = taskToJson(*params.validation);
    }
    return json;
}

Result<RunParams> runParamsFromJson(const Json& json) {
    JsonReader reader = paramsReader(json, "run");
    RunParams params;
    params.model = reader.require("model").text("model");
    params.name = reader.text("name");
    params.timing = reader.boolean("timing", true);
    params.pairedBaseline = reader.boolean("paired_baseline", true);
    params.warmups = static_cast<int>(reader.integer("warmups", 3, 0, kMostIterations));
    params.minSeconds = reader.number("min_seconds", 3.0, 0.0, 86400.0);
    params.minIterations =
        static_cast<int>(reader.integer("min_iterations", 20, 1, kMostIterations));
    params.maxIterations =
        static_cast<int>(reader.integer("max_iterations", 2000, 1, kMostIterations));
    params.seed = takeUnsigned(reader, "seed");
    params.exportTo = reader.text("export_to");
    params.exportFormat = reader.text("export_format", params.exportFormat);
    params.ranks = static_cast<int>(reader.integer("ranks", 1, 1, kMostRanks));
    PARETO_CHECK(reader.status());
    PARETO_TRY(params.recipe, takeRecipe(reader));
    PARETO_TRY(params.target, takeTarget(reader));
    for (const auto& [key, into] : {std::pair("task", &params.task), std::pair("validation", &params.validation)}) {
        if (const Json* task = reader.find(key); task != nullptr && !task->is_null()) {
            PARETO_TRY(*into, taskFromJson(*task, ""));
        }
    }
    return params;
}

RunRecord recordOf(const RunParams& params) {
    RunRecord record;
    record.status = RunStatus::Running;
    record.startedAt = std::chrono::duration_cast<std::chrono::milliseconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
    record.modelPath = params.model;
    const auto end = params.model.find_last_not_of('/');
    const auto path = params.model.substr(0, end == std::string::npos ? 0 : end + 1);
    record.modelName = path.substr(path.find_last_of('/') + 1);
    record.recipe = recipeToJson(params.recipe);
    record.recipeName = params.recipe.name;
    record.recipeHash = recipeHash(params.recipe);
    record.recipeSummary = recipeSummary(params.recipe);
    record.name = !params.name.empty()          ? params.name
                  : params.recipe.isEmpty()     ? "Baseline"
                  : !params.recipe.name.empty() ? params.recipe.name
                                                : record.recipeSummary;
    if (params.task) {
        record.task = taskToJson(*params.task);
        record.taskName = params.task->name;
        record.taskKey = taskKey(*params.task);
        record.headlineKey = headlineMetric(params.task->kind);
    }
    const bool decoder = params.task && params.task->kind == TaskKind::Perplexity;
    record.target = targetToJson(params.target);
    record.targetKey = targetKey(params.target, decoder);
    record.targetText = targetSummary(params.target, decoder);
    record.seed = params.seed;
    record.versions = {{"program", std::string(programVersion())},
                       {"commit", std::string(programCommit())}};
    return record;
}

Status exportFailure(const RunRecord& record) {
    const auto exported = record.details.find("export");
    if (exported == record.details.end() || !exported->contains("error")) {
        return Done{};
    }
    Error error = errorFromJson(exported->at("error"));
    error.detail += (error.detail.empty() ? "" : "; ") + std::string("the run ") + std::to_string(record.id) +
                    " was measured and is stored, only its export failed";
    return error;
}

}  // namespace pareto::jobs
