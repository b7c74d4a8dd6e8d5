#include "engine/jobs/api/job_files.h"

#include <algorithm>
#include <filesystem>
#include <optional>

namespace pareto::jobs {
namespace {

namespace fs = std::filesystem;

bool exists(const std::string& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

bool namesTask(const std::string& source) {
    const auto& known = builtInTasks();
    return source.starts_with('{') || fs::path(source).extension() == ".json" ||
           std::any_of(known.begin(), known.end(), [&](const auto& task) { return task.name == source; });
}

Status replaceTask(std::optional<Task>& task, const PathVisitor& visit) {
    if (task && !task->data.empty()) {
        PARETO_TRY(task->data, visit(FilesOf::Data, task->data));
    }
    return Done{};
}

/// A task as a recipe names it, or a file, perhaps with "#column".
Status replaceSource(std::string& source, const PathVisitor& visit) {
    if (namesTask(source)) {
        PARETO_TRY(auto loaded, loadTask(source));
        std::optional<Task> task = std::move(loaded);
        PARETO_CHECK(replaceTask(task, visit));
        source = taskToJson(*task).dump();
        return Done{};
    }
    const auto hash = exists(source) ? std::string::npos : source.rfind('#');
    const auto path = source.substr(0, hash);
    if (!path.empty() && exists(path)) {
        PARETO_TRY(const auto there, visit(FilesOf::Data, fs::absolute(path).string()));
        source = there + (hash == std::string::npos ? "" : source.substr(hash));
    }
    return Done{};
}

/// Whether calibration is looked at although the recipe names none.
bool calibrates(const Recipe& recipe) {
    const auto prune = [](PruneMethod method) { return isCalibrated(method) || usesGradients(method); };
    const auto override = [&](const LayerOverride& layer) {
        return (layer.quantize && layer.quantize->method && isCalibrated(*layer.quantize->method)) ||
               std::any_of(layer.prune.begin(), layer.prune.end(),
                           [&](const auto& one) { return one.method && prune(*one.method); });
    };
    return std::any_of(recipe.prune.begin(), recipe.prune.end(), [&](const auto& one) { return prune(one.method); }) ||
           (recipe.quantize && isCalibrated(recipe.quantize->method)) ||
           std::any_of(recipe.layers.begin(), recipe.layers.end(), override) ||
           std::any_of(recipe.recover.begin(), recipe.recover.end(),
                       [](const auto& step) { return step.method == RecoverMethod::Reconstruct; });
}

Status replaceRecipe(Recipe& recipe, const PathVisitor& visit) {
    if (!recipe.calibration && calibrates(recipe)) {
        recipe.calibration.emplace();
    }
    if (recipe.calibration) {
        auto& source = recipe.calibration->source;
        if (source.empty()) {
            source = defaultCalibrationText();
        }
        PARETO_CHECK(replaceSource(source, visit));
    }
    for (auto& step : recipe.recover) {
        if (!step.source.empty()) {
            PARETO_CHECK(replaceSource(step.source, visit));
        }
        if (step.distil && exists(step.distil->teacher)) {
            PARETO_TRY(step.distil->teacher, visit(FilesOf::Model, step.distil->teacher));
        }
    }
    return Done{};
}

}  // namespace

std::string defaultCalibrationText() { return (fs::path(samplesFolder()) / "wikitext2" / "train.txt").string(); }

Status replacePaths(RunParams& params, const PathVisitor& visit) {
    PARETO_TRY(params.model, visit(FilesOf::Model, params.model));
    PARETO_CHECK(replaceTask(params.task, visit));
    PARETO_CHECK(replaceTask(params.validation, visit));
    return replaceRecipe(params.recipe, visit);
}

Status replacePaths(ProfileParams& params, const PathVisitor& visit) {
    PARETO_TRY(params.model, visit(FilesOf::Model, params.model));
    return replaceRecipe(params.recipe, visit);
}

Status replacePaths(ScalingParams& params, const PathVisitor& visit) {
    PARETO_TRY(params.model, visit(FilesOf::Model, params.model));
    return replaceRecipe(params.recipe, visit);
}

}  // namespace pareto::jobs
