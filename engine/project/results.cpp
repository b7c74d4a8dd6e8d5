#include "engine/project/results.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "engine/core/file.h"
#include "engine/core/file_hash.h"
#include "engine/core/hash.h"
#include "engine/io/model_files.h"
#include "engine/records/numbers.h"

namespace pareto::project {
namespace fs = std::filesystem;
namespace {

Json figuresToJson(const std::vector<Measurement>& figures) {
    Json out = Json::array();
    for (const auto& figure : figures) {
        Json one{{"key", figure.key}, {"n", figure.n}};
        putFigure(one, "value", figure.key, figure.value);
        if (figure.low && figure.high) {
            putNumber(one, "low", *figure.low);
            putNumber(one, "high", *figure.high);
        }
        out.push_back(std::move(one));
    }
    return out;
}

std::vector<Measurement> figuresFromJson(const Json* json, const std::string& file) {
    std::vector<Measurement> out;
    if (json == nullptr || !json->is_array()) {
        return out;
    }
    for (const auto& one : *json) {
        JsonReader reader(one, ErrorCode::ConfigInvalid, file, "figures");
        Measurement figure;
        figure.key = reader.text("key");
        figure.n = reader.integer("n", 0, 0, INT64_MAX);
        figure.value = takeNumber(reader, "value");
        if (reader.has("low") && reader.has("high")) {
            figure.low = takeNumber(reader, "low");
            figure.high = takeNumber(reader, "high");
        }
        out.push_back(std::move(figure));
    }
    return out;
}

Result<StepResult> stepResultFromJson(const Json& json, const std::string& file) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, file, "steps");
    StepResult out;
    out.step = reader.require("step").text("step");
    const auto kind = reader.require("kind").text("kind");
    bool known = false;
    for (const auto one : {StepType::Train, StepType::Evaluate, StepType::Variant,
                           StepType::Compare, StepType::Export}) {
        if (nameOf(one) == kind) {
            out.kind = one;
            known = true;
        }
    }
    if (!known) {
        reader.fail("kind", "\"" + kind + "\" is not known");
    }
    out.inputs = reader.require("inputs").text("inputs");
    out.finishedAt = reader.integer("finished_at", 0, 0, INT64_MAX);
    out.seconds = reader.number("seconds", 0.0, 0.0, 1e12);
    out.run = reader.integer("run", 0, 0, INT64_MAX);
    out.runStartedAt = reader.integer("run_started_at", 0, 0, INT64_MAX);
    out.recipe = reader.text("recipe");
    out.weightsHash = reader.text("weights_hash");
    out.output = reader.text("output");
    out.outputHash = reader.text("output_hash");
    out.figures = figuresFromJson(reader.find("figures"), file);
    out.validation = figuresFromJson(reader.find("validation"), file);
    if (const Json* details = reader.find("details"); details != nullptr && details->is_object()) {
        out.details = *details;
    }
    PARETO_CHECK(reader.status());
    return out;
}

Json toJson(const StepResult& result) {
    Json out{{"step", result.step},
             {"kind", nameOf(result.kind)},
             {"inputs", result.inputs},
             {"finished_at", result.finishedAt},
             {"seconds", result.seconds}};
    const auto put = [&](const char* key, const std::string& value) {
        if (!value.empty()) {
            out[key] = value;
        }
    };
    if (result.run > 0) {
        out["run"] = result.run;
        out["run_started_at"] = result.runStartedAt;
    }
    put("recipe", result.recipe);
    put("weights_hash", result.weightsHash);
    put("output", result.output);
    put("output_hash", result.outputHash);
    if (!result.figures.empty()) {
        out["figures"] = figuresToJson(result.figures);
    }
    if (!result.validation.empty()) {
        out["validation"] = figuresToJson(result.validation);
    }
    if (!result.details.empty()) {
        out["details"] = result.details;
    }
    return out;
}

const Measurement* figure(const std::vector<Measurement>& figures, std::string_view key) {
    const auto found = std::find_if(figures.begin(), figures.end(),
                                    [&](const Measurement& one) { return one.key == key; });
    return found == figures.end() ? nullptr : &*found;
}

bool isMeasured(StepType kind) { return kind == StepType::Evaluate || kind == StepType::Variant; }

/// Whether a recipe looks at the training split.
bool readsTraining(const Recipe& recipe) {
    return !recipe.recover.empty() || recipe.calibration.has_value();
}

/// The model that the steps behind the training begin with.
std::string baseHash(const Project& project, const Inputs& inputs, const Results& results) {
    const Step* training = project.training();
    if (training == nullptr) {
        return inputs.model;
    }
    const StepResult* trained = results.find(training->name);
    return trained == nullptr ? std::string() : trained->outputHash;
}

std::string dataHash(const Inputs& inputs, Split split) {
    const auto found = inputs.data.find(std::string(nameOf(split)));
    return found == inputs.data.end() ? std::string() : found->second;
}

void addTrainingData(Json& out, const Inputs& inputs) {
    out["train"] = dataHash(inputs, Split::Train);
    out["validation"] = dataHash(inputs, Split::Validation);
}

}  // namespace

const StepResult* Results::find(const std::string& step) const {
    const auto found = std::find_if(steps.begin(), steps.end(),
                                    [&](const StepResult& one) { return one.step == step; });
    return found == steps.end() ? nullptr : &*found;
}

void Results::put(StepResult result) {
    const auto found = std::find_if(steps.begin(), steps.end(),
                                    [&](const StepResult& one) { return one.step == result.step; });
    if (found == steps.end()) {
        steps.push_back(std::move(result));
    } else {
        *found = std::move(result);
    }
}

Json resultsToJson(const Results& results) {
    Json out{{"version", 1}, {"steps", Json::array()}};
    for (const auto& one : results.steps) {
        out["steps"].push_back(toJson(one));
    }
    return out;
}

Result<Results> resultsFromJson(const Json& json, const std::string& file) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, file);
    reader.require("version").integer("version", 1, 1, 1);
    const Json* steps = reader.require("steps").find("steps");
    if (!reader.failed() && !steps->is_array()) {
        reader.fail("steps", "must be a list");
    }
    PARETO_CHECK(reader.status());
    Results out;
    for (const auto& one : *steps) {
        PARETO_TRY(auto result, stepResultFromJson(one, file));
        out.put(std::move(result));
    }
    return out;
}

Result<Results> loadResults(const std::string& folder) {
    const auto file = (fs::path(folder) / kResultsFile).string();
    std::error_code ignored;
    if (!fs::exists(file, ignored)) {
        return Results{};
    }
    PARETO_TRY(const Json json, readJsonFile(file));
    return resultsFromJson(json, file);
}

Status saveResults(const std::string& folder, const Results& results) {
    return writeFileAtomically((fs::path(folder) / kResultsFile).string(),
                               resultsToJson(results).dump(2) + "\n");
}

Result<std::string> modelHash(const std::string& path, Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto files, io::ModelFiles::open(path, io::Access::Read));
    return files->contentHash(progress, std::move(stop));
}

Result<Inputs> readInputs(const std::string& folder, std::stop_token stop) {
    Inputs out;
    PARETO_TRY(Json task, readJsonFile((fs::path(folder) / kTaskFile).string()));
    if (task.is_object()) {
        task.erase("data");  // the hashes say what it is
    }
    out.task = task.dump();
    for (const auto split : kSplits) {
        const std::string name(nameOf(split));
        const auto file = fs::path(folder) / kDataFolder / (name + ".csv");
        std::error_code ignored;
        if (split != Split::Validation || fs::exists(file, ignored)) {
            PARETO_TRY(out.data[name], hashFile(file.string(), stop));
        }
    }
    return out;
}

std::string inputsOf(const Project& project, const Step& step, const Inputs& inputs,
                     const Results& results) {
    Json out{{"version", 1}, {"step", stepToJson(step)}, {"seed", project.seed}};
    if (step.kind == StepType::Train) {
        out["model"] = inputs.model;
        out["task"] = inputs.task;
        addTrainingData(out, inputs);
        return sha256Hex(out.dump());
    }
    out["model"] = baseHash(project, inputs, results);
    if (isMeasured(step.kind)) {
        out["task"] = inputs.task;
        out["test"] = dataHash(inputs, Split::Test);
        out["validation"] = dataHash(inputs, Split::Validation);
        out["target"] = targetToJson(project.target);
        out["timing"] = {project.minSeconds, project.minIterations};
        out["machine"] = inputs.machine;
        if (readsTraining(step.recipe)) {
            addTrainingData(out, inputs);
        }
        return sha256Hex(out.dump());
    }
    for (const auto& one : project.steps) {
        const StepResult* result = isMeasured(one.kind) ? results.find(one.name) : nullptr;
        if (result != nullptr) {
            out["runs"].push_back({one.name, result->inputs, result->run, result->runStartedAt});
        }
    }
    return sha256Hex(out.dump());
}

namespace {

/// What the rule "smallest" looks at.
struct Candidate {
    std::string step;
    bool base = false;
    double accuracy = 0.0;
    double bytes = 0.0;
};

/// Every measured step, by its accuracy on one of the splits; those without are left out.
std::vector<Candidate> candidatesOf(const Project& project, const Results& results, Split by) {
    std::vector<Candidate> out;
    for (const auto& step : project.steps) {
        const StepResult* result = isMeasured(step.kind) ? results.find(step.name) : nullptr;
        if (result == nullptr) {
            continue;
        }
        const auto* accuracy =
            figure(by == Split::Validation ? result->validation : result->figures, "accuracy");
        const auto* bytes = figure(result->figures, "model_bytes");
        if (accuracy != nullptr && bytes != nullptr) {
            out.push_back({step.name, step.kind == StepType::Evaluate, accuracy->value, bytes->value});
        }
    }
    return out;
}

bool hasValidation(const Results& results) {
    return std::any_of(results.steps.begin(), results.steps.end(),
                       [](const StepResult& one) { return !one.validation.empty(); });
}

}  // namespace

Result<Chosen> chosenFor(const Project& project, const Step& exporting, const Results& results) {
    const auto refused = [&](const std::string& reason) {
        return makeError(ErrorCode::TaskInvalid, {{"field", "export"}, {"reason", reason}});
    };
    if (exporting.of != kSmallest) {
        return results.find(exporting.of) != nullptr
                   ? Result<Chosen>(Chosen{exporting.of})
                   : refused("needs the step \"" + exporting.of + "\" first");
    }
    const auto by = hasValidation(results) ? Split::Validation : Split::Test;
    const auto candidates = candidatesOf(project, results, by);
    const auto base = std::find_if(candidates.begin(), candidates.end(),
                                   [](const Candidate& one) { return one.base; });
    if (base == candidates.end()) {
        return refused("needs a step that was measured");
    }
    const Candidate* best = &*base;
    for (const auto& one : candidates) {
        const bool good = one.accuracy >= base->accuracy - exporting.mostLost - 1e-12;
        if (good && std::pair(one.bytes, -one.accuracy) < std::pair(best->bytes, -best->accuracy)) {
            best = &one;
        }
    }
    return Chosen{best->step, by};
}

std::vector<Row> tableOf(const Project& project, const Results& results) {
    std::vector<Row> rows;
    Json differences = Json::object();
    std::string exported;
    for (const auto& step : project.steps) {
        if (const StepResult* result = results.find(step.name); result != nullptr) {
            differences = step.kind == StepType::Compare ? result->details : differences;
            exported = step.kind == StepType::Export ? result->details.value("step", std::string())
                                                     : exported;
        }
    }
    for (const auto& step : project.steps) {
        const StepResult* result = isMeasured(step.kind) ? results.find(step.name) : nullptr;
        if (result == nullptr) {
            continue;
        }
        Row row;
        row.step = step.name;
        row.recipe = result->recipe;
        row.base = step.kind == StepType::Evaluate;
        row.exported = step.name == exported;
        const auto take = [&](std::string_view key) {
            const Measurement* found = figure(result->figures, key);
            return found == nullptr ? std::nullopt : std::optional(*found);
        };
        row.accuracy = take("accuracy");
        row.macroF1 = take("f1_macro");
        if (const auto* validated = figure(result->validation, "accuracy")) {
            row.validation = *validated;
        }
        row.latency = take("latency_p50_ms");
        row.bytes = take("model_bytes");
        if (const auto ratio = take("latency_ratio")) {
            row.latencyRatio = ratio->value;
        }
        const Json difference = differences.value(step.name, Json::object());
        // Of another run than the one compared it would say nothing.
        if (difference.value("run", std::int64_t{0}) == result->run &&
            difference.contains("accuracy_points")) {
            row.accuracyPoints = difference["accuracy_points"].get<double>();
            const Json& differs = difference["accuracy_differs"];
            row.accuracyDiffers =
                differs.is_boolean() ? std::optional(differs.get<bool>()) : std::nullopt;
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

Json toJson(const std::vector<Row>& rows) {
    Json out = Json::array();
    for (const auto& row : rows) {
        Json one{{"step", row.step},
                 {"recipe", row.recipe},
                 {"base", row.base},
                 {"exported", row.exported}};
        const auto put = [&](const char* key, const std::optional<Measurement>& value) {
            if (!value) {
                return;
            }
            putFigure(one, key, value->key, value->value);
            if (value->low && value->high) {
                one[std::string(key) + "_interval"] = {*value->low, *value->high};
            }
        };
        put("accuracy", row.accuracy);
        put("f1_macro", row.macroF1);
        put("validation_accuracy", row.validation);
        put("latency_p50_ms", row.latency);
        put("model_bytes", row.bytes);
        if (row.accuracyPoints) {
            one["accuracy_points"] = *row.accuracyPoints;
            one["accuracy_differs"] = row.accuracyDiffers ? Json(*row.accuracyDiffers) : Json();
        }
        if (row.latencyRatio) {
            putNumber(one, "latency_ratio", *row.latencyRatio);
        }
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace pareto::project
