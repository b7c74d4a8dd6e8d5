#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/spec/recipe.h"
#include "engine/spec/target.h"

namespace pareto::project {

/// What a step does. Its result stands in results.json; a step whose inputs did not change is not repeated.
enum class StepType {
    Train,     ///< the model is trained by the recipe's "recover" and written to models/<step>
    Evaluate,  ///< the model the other steps start from, measured on the test split
    Variant,   ///< that model under a recipe, measured on the test split
    Compare,   ///< every variant against the evaluated model, paired on the same rows
    Export,    ///< one of them is written to export/
};
std::string_view nameOf(StepType kind);

struct Step {
    std::string name;  ///< unique in the project; a plain file name
    StepType kind{};
    Recipe recipe;  ///< Train, Variant. Sources and teachers may be paths relative to the project
    /// Export: a step's name, or "smallest": of what loses at most `mostLost` accuracy on the validation
    /// split the one with the fewest bytes, which is the same on every machine.
    std::string of;
    double mostLost = 0.01;     ///< accuracy (0…1)
    std::string format = "hf";  ///< Export: a name of exporting::exportFormats()
    bool operator==(const Step&) const = default;
};

/// project.json, version 1: the whole of a project as values. Beside it lie task.json (the test split,
/// with the classes), data/<split>.csv, report.json (about the data), results.json, models/ and export/.
struct Project {
    std::string name;
    std::string kind = "classification";  ///< the template
    std::uint64_t seed = 0;
    std::string model;  ///< the encoder to begin with: absolute, or relative to the project
    Json data = Json::object();  ///< source, columns, seed: how data/ was made; for people
    Target target;
    double minSeconds = 3.0;  ///< of timing a step, and least passes
    int minIterations = 20;
    std::vector<Step> steps;  ///< in the order in which they run
    bool operator==(const Project&) const = default;

    const Step* find(const std::string& step) const;
    /// The step that trains the model of the others; null: they take `model` as it is.
    const Step* training() const;
};

/// Step::of that leaves the choice to a rule.
inline constexpr std::string_view kSmallest = "smallest";
inline constexpr const char* kProjectFile = "project.json";
inline constexpr const char* kTaskFile = "task.json";
inline constexpr const char* kReportFile = "report.json";
inline constexpr const char* kResultsFile = "results.json";
inline constexpr const char* kDataFolder = "data";
inline constexpr const char* kModelsFolder = "models";
inline constexpr const char* kExportFolder = "export";

/// ConfigInvalid with file, field and reason: unknown keys, steps in an order that cannot work, recipes
/// that recipeFromJson refuses (RecipeInvalid).
Result<Project> projectFromJson(const Json& json, const std::string& file);
Json projectToJson(const Project& project);
Json stepToJson(const Step& step);
/// Reads DIR/project.json.
Result<Project> loadProject(const std::string& folder);

/// The steps of the template "text classification": training (unless the model is a classifier already and
/// stays as it is), the trained model, and it pruned, quantized, pruned and distilled, and all of it.
std::vector<Step> classificationSteps(bool training, int epochs, std::uint64_t seed);

/// A recipe with the project's own files by absolute paths, as a job needs it: sources of training and
/// calibration and teachers that exist in `folder`.
Recipe located(Recipe recipe, const std::string& folder);
/// A path of the project: where it leads if that exists, else as it stands (a name of the Hugging Face cache).
std::string located(const std::string& path, const std::string& folder);

}  // namespace pareto::project
