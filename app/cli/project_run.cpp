#include "app/cli/project_run.h"

#include <array>
#include <chrono>
#include <filesystem>

#include "app/cli/comparison.h"
#include "app/cli/stored_run.h"
#include "engine/jobs/api/machine.h"
#include "engine/jobs/run/export_job.h"
#include "engine/jobs/run/run_job.h"

namespace pareto::cli {

namespace fs = std::filesystem;
using project::Step;
using project::StepResult;
using project::StepType;

namespace {

constexpr std::array kKeptFigures{"accuracy",       "f1_macro",           "mcc",
                                  "latency_p50_ms", "latency_ratio",      "model_bytes",
                                  "parameters",     "nonzero_parameters", "peak_rss_bytes"};

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// The folder that a step writes is free for it; the one it wrote before comes back if it fails.
class Replaced {
public:
    explicit Replaced(fs::path target)
        : m_target(std::move(target)),
          m_old(m_target.parent_path() / (".old-" + m_target.filename().string())) {
        std::error_code ignored;
        fs::create_directories(m_target.parent_path(), ignored);
        // Only what an export of ours left is put aside; of anything else checkTarget speaks.
        if (fs::exists(m_target / "pareto_report.json", ignored)) {
            fs::remove_all(m_old, ignored);
            fs::rename(m_target, m_old, ignored);
        }
    }
    ~Replaced() {
        std::error_code ignored;
        if (m_done || fs::exists(m_target, ignored)) {
            fs::remove_all(m_old, ignored);
        } else if (fs::exists(m_old, ignored)) {
            fs::rename(m_old, m_target, ignored);
        }
    }
    Replaced(const Replaced&) = delete;
    Replaced& operator=(const Replaced&) = delete;
    void done() { m_done = true; }

private:
    fs::path m_target;
    fs::path m_old;
    bool m_done = false;
};

std::string modelsPath(const Step& step) {
    return std::string(project::kModelsFolder) + "/" + step.name;
}

/// What the steps behind the training start from.
std::string baseModel(const OpenedProject& opened) {
    const Step* training = opened.project.training();
    return training != nullptr ? opened.folder + "/" + modelsPath(*training)
                               : project::located(opened.project.model, opened.folder);
}

class Runner {
public:
    Runner(OpenedProject& opened, Context& context) : m_opened(opened), m_context(context) {}

    Result<StepResult> run(const Step& step) {
        switch (step.kind) {
        case StepType::Train:
        case StepType::Evaluate:
        case StepType::Variant:
            return measured(step);
        case StepType::Compare:
            return compared(step);
        case StepType::Export:
            return exported(step);
        }
        return StepResult{};
    }

private:
    Result<jobs::RunParams> paramsOf(const Step& step) const {
        const auto& project = m_opened.project;
        jobs::RunParams params;
        params.model = step.kind == StepType::Train
                           ? project::located(project.model, m_opened.folder)
                           : baseModel(m_opened);
        params.name = project.name + " · " + step.name;
        params.recipe = project::located(step.recipe, m_opened.folder);
        params.target = project.target;
        params.seed = project.seed;
        params.minSeconds = project.minSeconds;
        params.minIterations = project.minIterations;
        params.timing = step.kind != StepType::Train;
        params.pairedBaseline = step.kind == StepType::Variant;
        if (step.kind != StepType::Train) {
            // The test split is read here and nowhere else.
            PARETO_TRY(params.task, loadTask(m_opened.folder + "/" + project::kTaskFile));
        }
        if (!step.recipe.recover.empty()) {
            params.exportTo = m_opened.folder + "/" + modelsPath(step);
        }
        return params;
    }

    Result<StepResult> measured(const Step& step) {
        PARETO_TRY(const auto params, paramsOf(step));
        std::optional<Replaced> replaced;
        if (!params.exportTo.empty()) {
            replaced.emplace(params.exportTo);
        }
        PARETO_CHECK(jobs::checkRun(params));
        PARETO_TRY(const auto record, storedRun(params, m_context));
        PARETO_CHECK(exportFailure(record));
        StepResult out;
        out.run = record.id;
        out.runStartedAt = record.startedAt;
        out.recipe = record.recipeName.empty() ? record.recipeSummary : record.recipeName;
        out.weightsHash = record.weightsHash;
        for (const char* key : kKeptFigures) {
            if (const auto* figure = record.find(key)) {
                out.figures.push_back(*figure);
            }
        }
        if (replaced) {
            out.output = modelsPath(step);
            PARETO_TRY(out.outputHash,
                       project::modelHash(params.exportTo, m_context.progress, m_context.stop));
            replaced->done();
        }
        return out;
    }

    /// Every variant against the evaluated model, on the same rows.
    Result<StepResult> compared(const Step&) {
        PARETO_TRY(const auto store, m_context.openStoreReadOnly());
        StepResult out;
        std::optional<RunRecord> base;
        for (const auto& step : m_opened.project.steps) {
            const auto* result = m_opened.results.find(step.name);
            if (result == nullptr ||
                (step.kind != StepType::Evaluate && step.kind != StepType::Variant)) {
                continue;
            }
            PARETO_TRY(auto record, store->run(result->run));
            if (step.kind == StepType::Evaluate) {
                base = std::move(record);
            } else if (base) {
                out.details[step.name] = differencesOf(*base, record);
            }
        }
        return out;
    }

    static Json differencesOf(const RunRecord& base, const RunRecord& variant) {
        Json out{{"run", variant.id}, {"base_run", base.id}};
        for (const auto& difference : compareRuns(base, variant).metrics) {
            if (difference.key != "accuracy") {
                continue;
            }
            out["accuracy_points"] = 100.0 * (difference.b - difference.a);
            out["accuracy_differs"] =
                difference.significant ? Json(*difference.significant) : Json();
            out["test"] = difference.test;
            if (difference.pValue) {
                out["p"] = *difference.pValue;
            }
        }
        return out;
    }

    Result<StepResult> exported(const Step& step) {
        PARETO_TRY(const auto name, project::chosenFor(m_opened.project, step, m_opened.results));
        const Step& chosen = *m_opened.project.find(name);
        const StepResult& measuredThen = *m_opened.results.find(name);
        jobs::ExportParams params;
        params.model = measuredThen.output.empty() ? baseModel(m_opened)
                                                   : m_opened.folder + "/" + measuredThen.output;
        if (measuredThen.output.empty()) {
            params.recipe = project::located(chosen.recipe, m_opened.folder);
            params.expectWeightsHash = measuredThen.weightsHash;
        }
        params.format = step.format;
        params.target = m_opened.folder + "/" + project::kExportFolder;
        params.report = {{"recipe", recipeToJson(chosen.recipe)},
                         {"project", m_opened.project.name},
                         {"step", name}};
        for (const auto& figure : measuredThen.figures) {
            params.report["measurements"][figure.key] = figure.value;
        }
        Replaced replaced(params.target);
        jobs::ModelCache cache;
        PARETO_TRY(const auto result,
                   jobs::runExport(cache, params, m_context.progress, m_context.stop));
        replaced.done();
        StepResult out;
        out.output = project::kExportFolder;
        PARETO_TRY(out.outputHash, project::modelHash(exportedModel(result.path),
                                                      m_context.progress, m_context.stop));
        out.details = {{"step", name},
                       {"format", result.format},
                       {"verified", result.verified},
                       {"bytes", result.bytes},
                       {"notes", result.notes}};
        return out;
    }

public:
    /// A folder of transformers is opened itself, of a GGUF export the file in it.
    static std::string exportedModel(const std::string& folder) {
        std::error_code ignored;
        const auto gguf = folder + "/model.gguf";
        return fs::exists(gguf, ignored) ? gguf : folder;
    }

private:
    OpenedProject& m_opened;
    Context& m_context;
};

bool isStored(const StepResult& result, const Context& context) {
    const auto store = context.openStoreReadOnly();
    if (!store.ok()) {
        return false;
    }
    const auto record = store.value()->run(result.run);
    return record.ok() && record->startedAt == result.runStartedAt;
}

}  // namespace

Result<OpenedProject> openProject(const std::string& folder, Context& context) {
    OpenedProject out;
    out.folder = fs::absolute(folder).lexically_normal().string();
    while (out.folder.size() > 1 && out.folder.back() == '/') {
        out.folder.pop_back();
    }
    PARETO_TRY(out.project, project::loadProject(out.folder));
    PARETO_TRY(out.results, project::loadResults(out.folder));
    PARETO_TRY(out.inputs, project::readInputs(out.folder, context.stop));
    PARETO_TRY(out.inputs.model, project::modelHash(project::located(out.project.model, out.folder),
                                                    context.progress, context.stop));
    out.inputs.machine = jobs::thisMachine().id;
    return out;
}

std::string whyDue(const OpenedProject& opened, const Step& step, Context& context) {
    const auto* result = opened.results.find(step.name);
    if (result == nullptr) {
        return "not done yet";
    }
    if (result->inputs != project::inputsOf(opened.project, step, opened.inputs, opened.results)) {
        return "what it is made from has changed";
    }
    if (!result->output.empty()) {
        const auto there =
            project::modelHash(Runner::exportedModel(opened.folder + "/" + result->output),
                               context.progress, context.stop);
        if (!there.ok() || there.value() != result->outputHash) {
            return "the folder " + result->output + " is gone or was changed";
        }
    }
    if (result->run > 0 && step.kind != StepType::Train && !isStored(*result, context)) {
        return "its run is not in this store";
    }
    return {};
}

Status runProject(OpenedProject& opened, const std::string& again, Context& context) {
    if (!again.empty() && again != "all" && opened.project.find(again) == nullptr) {
        return makeError(ErrorCode::UsageUnknown,
                         {{"what", "The step " + again + " of this project"},
                          {"help", "pareto project --help"}});
    }
    Runner runner(opened, context);
    for (const auto& step : opened.project.steps) {
        if (context.stop.stop_requested()) {
            return Cancelled{};
        }
        const bool forced = again == "all" || again == step.name;
        const auto reason = forced ? std::string("asked for") : whyDue(opened, step, context);
        if (reason.empty()) {
            context.note("Step " + step.name + ": done before.");
            continue;
        }
        context.note("Step " + step.name + ": " + reason + ".");
        const auto inputs = project::inputsOf(opened.project, step, opened.inputs, opened.results);
        const auto begun = now();
        PARETO_TRY(auto result, runner.run(step));
        result.step = step.name;
        result.kind = step.kind;
        result.inputs = inputs;
        result.finishedAt = now();
        result.seconds = static_cast<double>(result.finishedAt - begun) / 1000.0;
        opened.results.put(std::move(result));
        PARETO_CHECK(project::saveResults(opened.folder, opened.results));
    }
    return Done{};
}

}  // namespace pareto::cli
