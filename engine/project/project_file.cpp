#include "engine/project/project_file.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

namespace pareto::project {
namespace fs = std::filesystem;
namespace {

constexpr std::array kKinds{StepType::Train, StepType::Evaluate, StepType::Variant,
                            StepType::Compare, StepType::Export};

bool isPlainName(const std::string& name) {
    return !name.empty() && name.size() <= 60 && name.front() != '.' && name.front() != '-' &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '+';
           });
}

Result<Step> stepFromJson(const Json& json, const std::string& file, std::size_t index) {
    const std::string where = "steps[" + std::to_string(index) + "]";
    JsonReader reader(json, ErrorCode::ConfigInvalid, file, where);
    reader.allowOnly({"name", "kind", "recipe", "of", "most_lost", "format"});
    Step step;
    step.name = reader.require("name").text("name");
    const auto kind = reader.require("kind").text("kind");
    const auto found = std::find_if(kKinds.begin(), kKinds.end(),
                                    [&](StepType one) { return nameOf(one) == kind; });
    if (found == kKinds.end()) {
        reader.fail(
            "kind",
            "\"" + kind + "\" is not known (known: train, evaluate, variant, compare, export)");
    } else {
        step.kind = *found;
    }
    if (!reader.failed() && !isPlainName(step.name)) {
        reader.fail("name", "must be a plain file name of letters, digits, -, _, + and .");
    }
    const bool withRecipe = step.kind == StepType::Train || step.kind == StepType::Variant;
    const Json* recipe = reader.find("recipe");
    if (!reader.failed() && withRecipe != (recipe != nullptr)) {
        reader.fail("recipe", withRecipe ? "is missing" : "has no place in this kind of step");
    }
    step.of = reader.text("of");
    step.mostLost = reader.number("most_lost", step.mostLost, 0.0, 1.0);
    step.format = reader.text("format", step.format);
    PARETO_CHECK(reader.status());
    if (recipe != nullptr) {
        PARETO_TRY(step.recipe, recipeFromJson(*recipe));
    }
    if (step.kind == StepType::Train && step.recipe.recover.empty()) {
        reader.fail("recipe", "of a training step needs \"recover\"");
        return reader.status().error();
    }
    return step;
}

/// Whether the steps can run one after the other.
std::string orderProblem(const std::vector<Step>& steps) {
    std::set<std::string> names;
    bool evaluated = false;
    for (const auto& step : steps) {
        if (!names.insert(step.name).second) {
            return "name \"" + step.name + "\" twice";
        }
        if (step.kind == StepType::Train && (evaluated || names.size() > 1)) {
            return "must begin with the training, of which there is one";
        }
        if (step.kind == StepType::Evaluate && evaluated) {
            return "evaluate the model twice";
        }
        evaluated = evaluated || step.kind == StepType::Evaluate;
        if (step.kind != StepType::Train && !evaluated) {
            return "need the step that evaluates the model before \"" + step.name + "\"";
        }
        if (step.kind == StepType::Export && step.of != kSmallest &&
            (!names.contains(step.of) || step.of == step.name)) {
            return "export \"" + step.of + "\", which is no step before it";
        }
    }
    return evaluated ? std::string() : "have none that evaluates the model";
}

QuantizeSpec int8Dynamic() {
    QuantizeSpec spec;
    spec.weights = NumberFormat::Int8;
    spec.granularity = Granularity::Channel;
    spec.activations = Activations::Int8Dynamic;
    return spec;
}

PruneSpec prune(PrunePattern pattern, double ratio) {
    PruneSpec spec;
    spec.method = PruneMethod::L1;
    spec.pattern = pattern;
    spec.ratio = ratio;
    return spec;
}

Recipe named(std::string name, std::uint64_t seed) {
    Recipe recipe;
    recipe.name = std::move(name);
    recipe.seed = seed;
    return recipe;
}

Step step(std::string name, StepType kind, Recipe recipe = {}) {
    Step out;
    out.name = std::move(name);
    out.kind = kind;
    out.recipe = std::move(recipe);
    return out;
}

}  // namespace

std::string_view nameOf(StepType kind) {
    switch (kind) {
    case StepType::Train:
        return "train";
    case StepType::Evaluate:
        return "evaluate";
    case StepType::Variant:
        return "variant";
    case StepType::Compare:
        return "compare";
    case StepType::Export:
        return "export";
    }
    return "";
}

const Step* Project::find(const std::string& step) const {
    const auto found =
        std::find_if(steps.begin(), steps.end(), [&](const Step& one) { return one.name == step; });
    return found == steps.end() ? nullptr : &*found;
}

const Step* Project::training() const {
    return !steps.empty() && steps.front().kind == StepType::Train ? &steps.front() : nullptr;
}

Result<Project> projectFromJson(const Json& json, const std::string& file) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, file);
    reader.allowOnly(
        {"version", "template", "name", "seed", "model", "data", "target", "timing", "steps"});
    reader.require("version").integer("version", 1, 1, 1);
    Project out;
    out.kind = reader.require("template").text("template");
    if (!reader.failed() && out.kind != "classification") {
        reader.fail("template", "\"" + out.kind + "\" is not known (known: classification)");
    }
    out.name = reader.text("name", "project");
    out.seed = static_cast<std::uint64_t>(reader.integer("seed", 0, 0, INT64_MAX));
    out.model = reader.require("model").text("model");
    if (const Json* data = reader.find("data"); data != nullptr) {
        out.data = *data;
    }
    const Json* steps = reader.require("steps").find("steps");
    if (!reader.failed() && !steps->is_array()) {
        reader.fail("steps", "must be a list");
    }
    const Json* timing = reader.find("timing");
    const Json none = Json::object();
    JsonReader timed(timing != nullptr ? *timing : none, ErrorCode::ConfigInvalid, file, "timing");
    timed.allowOnly({"min_seconds", "min_iterations"});
    out.minSeconds = timed.number("min_seconds", out.minSeconds, 0.0, 86400.0);
    out.minIterations =
        static_cast<int>(timed.integer("min_iterations", out.minIterations, 1, 1'000'000));
    PARETO_CHECK(reader.status());
    PARETO_CHECK(timed.status());
    if (const Json* target = reader.find("target"); target != nullptr) {
        PARETO_TRY(out.target, targetFromJson(*target));
    }
    for (std::size_t i = 0; i < steps->size(); ++i) {
        PARETO_TRY(auto one, stepFromJson((*steps)[i], file, i));
        out.steps.push_back(std::move(one));
    }
    if (const auto problem = orderProblem(out.steps); !problem.empty()) {
        reader.fail("steps", problem);
        return reader.status().error();
    }
    return out;
}

Json stepToJson(const Step& step) {
    Json out{{"name", step.name}, {"kind", nameOf(step.kind)}};
    if (step.kind == StepType::Train || step.kind == StepType::Variant) {
        out["recipe"] = recipeToJson(step.recipe);
    }
    if (step.kind == StepType::Export) {
        out["of"] = step.of;
        out["most_lost"] = step.mostLost;
        out["format"] = step.format;
    }
    return out;
}

Json projectToJson(const Project& project) {
    Json out{{"version", 1},
             {"template", project.kind},
             {"name", project.name},
             {"seed", project.seed},
             {"model", project.model},
             {"data", project.data},
             {"target", targetToJson(project.target)},
             {"timing",
              {{"min_seconds", project.minSeconds}, {"min_iterations", project.minIterations}}},
             {"steps", Json::array()}};
    for (const auto& one : project.steps) {
        out["steps"].push_back(stepToJson(one));
    }
    return out;
}

Result<Project> loadProject(const std::string& folder) {
    const auto file = (fs::path(folder) / kProjectFile).string();
    PARETO_TRY(const Json json, readJsonFile(file));
    return projectFromJson(json, file);
}

std::vector<Step> classificationSteps(bool training, int epochs, std::uint64_t seed) {
    RecoverSpec train;
    train.source = kTaskFile;
    train.epochs = epochs;
    RecoverSpec distil = train;
    distil.distil = DistilSpec{};  // the teacher is the model before it was made smaller
    distil.distil->hidden = 1.0;

    std::vector<Step> steps;
    if (training) {
        Recipe recipe = named("fine-tuned", seed);
        recipe.recover = {train};
        steps.push_back(step("train", StepType::Train, std::move(recipe)));
    }
    steps.push_back(step("base", StepType::Evaluate));
    Recipe pruned = named("a third of heads, half of neurons", seed);
    pruned.prune = {prune(PrunePattern::Heads, 0.34), prune(PrunePattern::Neurons, 0.5)};
    steps.push_back(step("pruned", StepType::Variant, pruned));
    Recipe quantized = named("int8 dynamic", seed);
    quantized.quantize = int8Dynamic();
    steps.push_back(step("int8", StepType::Variant, quantized));
    if (training) {
        Recipe distilled = pruned;
        distilled.name += ", distilled";
        distilled.recover = {distil};
        steps.push_back(step("pruned-distilled", StepType::Variant, distilled));
        distilled.name += ", int8 dynamic";
        distilled.quantize = int8Dynamic();
        steps.push_back(step("pruned-distilled-int8", StepType::Variant, distilled));
    } else {
        Recipe both = pruned;
        both.name += ", int8 dynamic";
        both.quantize = int8Dynamic();
        steps.push_back(step("pruned-int8", StepType::Variant, both));
    }
    steps.push_back(step("compare", StepType::Compare));
    Step exported = step("export", StepType::Export);
    exported.of = kSmallest;
    steps.push_back(std::move(exported));
    return steps;
}

std::string located(const std::string& path, const std::string& folder) {
    const auto full = (fs::absolute(folder) / path).lexically_normal();
    std::error_code ignored;
    return fs::exists(full, ignored) ? full.string() : path;
}

Recipe located(Recipe recipe, const std::string& folder) {
    const auto locate = [&](std::string& path) {
        if (!path.empty() && path.front() != '{') {
            const auto end = std::min(path.find('#'), path.size());  // "train.csv#text"
            path = located(path.substr(0, end), folder) + path.substr(end);
        }
    };
    for (auto& one : recipe.recover) {
        locate(one.source);
        if (one.distil) {
            locate(one.distil->teacher);
        }
    }
    if (recipe.calibration) {
        locate(recipe.calibration->source);
    }
    return recipe;
}

}  // namespace pareto::project
