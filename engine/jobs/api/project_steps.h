#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/jobs/api/jobs.h"
#include "engine/project/results.h"

/// A project's steps as jobs: what a step asks of the engine, and what becomes of the answer. Both who run
/// them, the command line (pareto project run) and the studio, come through here. Torch-free.
namespace pareto::jobs {

/// A project's folder, opened: what it says, what is done and what it is done with.
struct OpenedProject {
    std::string folder;  ///< absolute
    project::Project project;
    project::Results results;
    project::Inputs inputs;
};
/// Hashes the model and the data. Errors of loadProject, loadResults, readInputs; FileMissing.
Result<OpenedProject> openProject(const std::string& folder, Progress& progress,
                                  std::stop_token stop);

/// What the steps behind the training start from: what it wrote, else the project's model.
std::string baseModel(const OpenedProject& opened);

/// Why a step has to be done (again).
enum class Due {
    No,
    NotDone,
    InputsChanged,  ///< what it is made from is not what it was
    OutputChanged,  ///< the folder it wrote is gone or was changed
    RunMissing,     ///< its run is not in this store
};
/// Whether the run of a result is in the asker's store.
using IsStored = std::function<bool(const project::StepResult&)>;
/// Hashes what the step wrote.
Due whyDue(const OpenedProject& opened, const project::Step& step, const IsStored& isStored,
           Progress& progress, std::stop_token stop);
std::string dueText(Due due, const project::StepResult* result);  ///< English; empty for No

/// Makes the folder that a step writes free for it; the one it wrote before comes back unless `done`.
/// Only what an export of ours left is put aside: of anything else the job itself speaks.
class ReplacedFolder {
public:
    explicit ReplacedFolder(std::filesystem::path target);
    ~ReplacedFolder();
    ReplacedFolder(const ReplacedFolder&) = delete;
    ReplacedFolder& operator=(const ReplacedFolder&) = delete;
    void done() { m_done = true; }

private:
    std::filesystem::path m_target;
    std::filesystem::path m_old;
    bool m_done = false;
};

/// One step while it is done. `run` or `exporting` is the job it asks for; with neither it compares runs.
/// The finish… functions take what the job answered, read back what it wrote and give the step's result;
/// a step that is destroyed before leaves its folder as it was.
class StepWork {
public:
    /// TaskInvalid, FileMissing: the step cannot be done now.
    static Result<std::unique_ptr<StepWork>> begin(const OpenedProject& opened,
                                                   const project::Step& step);

    const project::Step& step() const { return m_step; }
    const std::optional<RunParams>& run() const { return m_run; }
    const std::optional<ExportParams>& exporting() const { return m_export; }

    /// The export's failure, where the run was measured and could not be written.
    Result<project::StepResult> finishRun(const RunRecord& record, Progress& progress,
                                          std::stop_token stop);
    Result<project::StepResult> finishExport(const ExportResult& written, Progress& progress,
                                             std::stop_token stop);
    /// Every variant against the evaluated model, on the same rows; `fetch` reads a run from the store.
    Result<project::StepResult> finishComparison(
        const std::function<Result<RunRecord>(std::int64_t run)>& fetch) const;

private:
    StepWork(const OpenedProject& opened, const project::Step& step);
    Status prepareRun();
    Status prepareExport();
    project::StepResult begun() const;

    std::string m_folder;
    project::Project m_project;
    project::Results m_results;
    project::Step m_step;
    std::string m_inputs;
    std::int64_t m_startedAt = 0;
    std::optional<RunParams> m_run;
    std::optional<ExportParams> m_export;
    project::Chosen m_chosen;  ///< of an export
    std::optional<ReplacedFolder> m_replaced;
};

/// Puts a step's result in its place and writes results.json.
Status saveStep(OpenedProject& opened, project::StepResult result);

}  // namespace pareto::jobs
