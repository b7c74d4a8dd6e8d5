#include "engine/jobs/api/project_steps.h"

#include <array>
#include <chrono>

#include "engine/jobs/api/machine.h"
#include "engine/metrics/item_metrics.h"
#include "engine/records/measured.h"

namespace pareto::jobs {

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

std::string modelsPath(const Step& step) {
    return std::string(project::kModelsFolder) + "/" + step.name;
}

std::string baseOf(const project::Project& project, const std::string& folder) {
    const Step* training = project.training();
    return training != nullptr ? folder + "/" + modelsPath(*training)
                               : project::located(project.model, folder);
}

/// A folder of transformers is opened itself, of a GGUF export the file in it.
std::string exportedModel(const std::string& folder) {
    std::error_code ignored;
    const auto gguf = folder + "/model.gguf";
    return fs::exists(gguf, ignored) ? gguf : folder;
}

bool isCompared(StepType kind) { return kind == StepType::Evaluate || kind == StepType::Variant; }

Json differencesOf(const RunRecord& base, const RunRecord& variant) {
    Json out{{"run", variant.id}, {"base_run", base.id}};
    const auto* before = base.find("accuracy");
    const auto* after = variant.find("accuracy");
    if (before == nullptr || after == nullptr) {
        return out;
    }
    out["accuracy_points"] = 100.0 * (after->value - before->value);
    out["accuracy_differs"] = Json();
    if (base.task.is_null() || base.taskKey != variant.taskKey) {
        return out;
    }
    if (const auto test = metrics::compareItems("accuracy", base.items, variant.items)) {
        out["accuracy_differs"] = test->significant;
        out["test"] = test->test;
        if (test->pValue) {
            out["p"] = *test->pValue;
        }
    }
    return out;
}

}  // namespace

Result<OpenedProject> openProject(const std::string& folder, Progress& progress,
                                  std::stop_token stop) {
    OpenedProject out;
    out.folder = fs::absolute(folder).lexically_normal().string();
    while (out.folder.size() > 1 && out.folder.back() == '/') {
        out.folder.pop_back();
    }
    PARETO_TRY(out.project, project::loadProject(out.folder));
    PARETO_TRY(out.results, project::loadResults(out.folder));
    PARETO_TRY(out.inputs, project::readInputs(out.folder, stop));
    PARETO_TRY(out.inputs.model,
               project::modelHash(project::located(out.project.model, out.folder), progress, stop));
    out.inputs.machine = thisMachine().id;
    return out;
}

std::string baseModel(const OpenedProject& opened) { return baseOf(opened.project, opened.folder); }

Due whyDue(const OpenedProject& opened, const Step& step, const IsStored& isStored,
           Progress& progress, std::stop_token stop) {
    const auto* result = opened.results.find(step.name);
    if (result == nullptr) {
        return Due::NotDone;
    }
    if (result->inputs != project::inputsOf(opened.project, step, opened.inputs, opened.results)) {
        return Due::InputsChanged;
    }
    if (!result->output.empty()) {
        const auto there =
            project::modelHash(exportedModel(opened.folder + "/" + result->output), progress, stop);
        if (!there.ok() || there.value() != result->outputHash) {
            return Due::OutputChanged;
        }
    }
    return result->run > 0 && step.kind != StepType::Train && !isStored(*result) ? Due::RunMissing
                                                                                 : Due::No;
}

std::string dueText(Due due, const StepResult* result) {
    switch (due) {
    case Due::No:
        return {};
    case Due::NotDone:
        return "not done yet";
    case Due::InputsChanged:
        return "what it is made from has changed";
    case Due::OutputChanged:
        return "the folder " + (result != nullptr ? result->output : std::string()) +
               " is gone or was changed";
    case Due::RunMissing:
        return "its run is not in this store";
    }
    return {};
}

ReplacedFolder::ReplacedFolder(fs::path target)
    : m_target(std::move(target)),
      m_old(m_target.parent_path() / (".old-" + m_target.filename().string())) {
    std::error_code ignored;
    fs::create_directories(m_target.parent_path(), ignored);
    if (fs::exists(m_target / "pareto_report.json", ignored)) {
        fs::remove_all(m_old, ignored);
        fs::rename(m_target, m_old, ignored);
    }
}

ReplacedFolder::~ReplacedFolder() {
    std::error_code ignored;
    if (m_done || fs::exists(m_target, ignored)) {
        fs::remove_all(m_old, ignored);
    } else if (fs::exists(m_old, ignored)) {
        fs::rename(m_old, m_target, ignored);
    }
}

StepWork::StepWork(const OpenedProject& opened, const Step& step)
    : m_folder(opened.folder),
      m_project(opened.project),
      m_results(opened.results),
      m_step(step),
      m_inputs(project::inputsOf(opened.project, step, opened.inputs, opened.results)),
      m_startedAt(now()) {}

Result<std::unique_ptr<StepWork>> StepWork::begin(const OpenedProject& opened, const Step& step) {
    std::unique_ptr<StepWork> work(new StepWork(opened, step));
    if (step.kind == StepType::Export) {
        PARETO_CHECK(work->prepareExport());
    } else if (step.kind != StepType::Compare) {
        PARETO_CHECK(work->prepareRun());
    }
    return work;
}

Status StepWork::prepareRun() {
    const bool trains = m_step.kind == StepType::Train;
    RunParams params;
    params.model =
        trains ? project::located(m_project.model, m_folder) : baseOf(m_project, m_folder);
    params.name = m_project.name + " · " + m_step.name;
    params.recipe = project::located(m_step.recipe, m_folder);
    params.target = m_project.target;
    params.seed = m_project.seed;
    params.minSeconds = m_project.minSeconds;
    params.minIterations = m_project.minIterations;
    params.timing = !trains;
    params.pairedBaseline = m_step.kind == StepType::Variant;
    if (!trains) {
        // The test split is read here and nowhere else.
        PARETO_TRY(params.task, loadTask(m_folder + "/" + project::kTaskFile));
        const std::string validation(nameOf(project::Split::Validation));
        std::error_code ignored;
        if (fs::exists(fs::path(m_folder) / project::kDataFolder / (validation + ".csv"),
                       ignored)) {
            params.validation = params.task;
            params.validation->split = validation;
        }
    }
    if (!m_step.recipe.recover.empty()) {
        params.exportTo = m_folder + "/" + modelsPath(m_step);
        m_replaced.emplace(params.exportTo);
    }
    m_run = std::move(params);
    return Done{};
}

Status StepWork::prepareExport() {
    PARETO_TRY(m_chosen, project::chosenFor(m_project, m_step, m_results));
    const Step& chosen = *m_project.find(m_chosen.step);
    const StepResult& measuredThen = *m_results.find(m_chosen.step);
    ExportParams params;
    params.model = measuredThen.output.empty() ? baseOf(m_project, m_folder)
                                               : m_folder + "/" + measuredThen.output;
    if (measuredThen.output.empty()) {
        params.recipe = project::located(chosen.recipe, m_folder);
        params.expectWeightsHash = measuredThen.weightsHash;
    }
    params.format = m_step.format;
    params.target = m_folder + "/" + project::kExportFolder;
    params.report = {{"recipe", recipeToJson(chosen.recipe)},
                     {"project", m_project.name},
                     {"step", m_chosen.step}};
    for (const auto& figure : measuredThen.figures) {
        params.report["measurements"][figure.key] = figure.value;
    }
    m_replaced.emplace(params.target);
    m_export = std::move(params);
    return Done{};
}

StepResult StepWork::begun() const {
    StepResult out;
    out.step = m_step.name;
    out.kind = m_step.kind;
    out.inputs = m_inputs;
    out.finishedAt = now();
    out.seconds = static_cast<double>(out.finishedAt - m_startedAt) / 1000.0;
    return out;
}

Result<StepResult> StepWork::finishRun(const RunRecord& record, Progress& progress,
                                       std::stop_token stop) {
    PARETO_CHECK(exportFailure(record));
    StepResult out = begun();
    out.run = record.id;
    out.runStartedAt = record.startedAt;
    out.recipe = record.recipeName.empty() ? record.recipeSummary : record.recipeName;
    out.weightsHash = record.weightsHash;
    for (const char* key : kKeptFigures) {
        if (const auto* figure = record.find(key)) {
            out.figures.push_back(*figure);
        }
    }
    if (const auto validated = record.details.find("validation");
        validated != record.details.end()) {
        JsonReader reader(*validated, ErrorCode::ConfigInvalid, "run record", "details.validation");
        out.validation = takeMeasurements(reader, "measurements");
        PARETO_CHECK(reader.status());
    }
    if (m_replaced) {
        out.output = modelsPath(m_step);
        PARETO_TRY(out.outputHash, project::modelHash(m_run->exportTo, progress, std::move(stop)));
        m_replaced->done();
    }
    return out;
}

Result<StepResult> StepWork::finishExport(const ExportResult& written, Progress& progress,
                                          std::stop_token stop) {
    m_replaced->done();
    StepResult out = begun();
    out.output = project::kExportFolder;
    PARETO_TRY(out.outputHash,
               project::modelHash(exportedModel(written.path), progress, std::move(stop)));
    out.details = {{"step", m_chosen.step},
                   {"format", written.format},
                   {"verified", written.verified},
                   {"bytes", written.bytes},
                   {"notes", written.notes}};
    if (m_step.of != project::kSmallest) {
        return out;
    }
    out.details["chosen_by"] = nameOf(m_chosen.by);
    if (m_chosen.by == project::Split::Test) {
        out.details["notes"].push_back(
            "there is no validation split: chosen by the test split, whose accuracy is a little "
            "too good then");
    }
    return out;
}

Result<StepResult> StepWork::finishComparison(
    const std::function<Result<RunRecord>(std::int64_t run)>& fetch) const {
    StepResult out = begun();
    std::optional<RunRecord> base;
    for (const auto& step : m_project.steps) {
        const auto* result = isCompared(step.kind) ? m_results.find(step.name) : nullptr;
        if (result == nullptr) {
            continue;
        }
        PARETO_TRY(auto record, fetch(result->run));
        if (step.kind == StepType::Evaluate) {
            base = std::move(record);
        } else if (base) {
            out.details[step.name] = differencesOf(*base, record);
        }
    }
    out.finishedAt = now();
    out.seconds = static_cast<double>(out.finishedAt - m_startedAt) / 1000.0;
    return out;
}

Status saveStep(OpenedProject& opened, StepResult result) {
    opened.results.put(std::move(result));
    return project::saveResults(opened.folder, opened.results);
}

}  // namespace pareto::jobs
