#pragma once

#include <map>
#include <optional>

#include "engine/project/prepare.h"
#include "engine/project/project_file.h"
#include "engine/records/run_record.h"

namespace pareto::project {

/// What became of a step the last time it finished.
struct StepResult {
    std::string step;
    StepType kind{};
    std::string inputs;           ///< inputsOf() then
    std::int64_t finishedAt = 0;  ///< UTC, milliseconds
    double seconds = 0.0;
    std::int64_t run = 0;  ///< in the run store; 0: none
    std::int64_t runStartedAt = 0;
    std::string recipe;       ///< short text for tables
    std::string weightsHash;  ///< of the measured weights
    std::string output;       ///< folder that was written, relative to the project; empty: none
    std::string outputHash;   ///< io::ModelFiles::contentHash of it
    std::vector<Measurement> figures;  ///< accuracy, f1_macro, latency_p50_ms, model_bytes, …
    std::vector<Measurement> validation;  ///< the same model on the validation split; empty: there is none
    Json details = Json::object();  ///< Compare: {variant: differences}; Export: which step, notes
};

/// results.json, version 1: in the order of the project's steps.
struct Results {
    std::vector<StepResult> steps;
    const StepResult* find(const std::string& step) const;
    void put(StepResult result);  ///< in the place of an older one
};
Json resultsToJson(const Results& results);
/// ConfigInvalid.
Result<Results> resultsFromJson(const Json& json, const std::string& file);
/// DIR/results.json; none yet where there is no such file.
Result<Results> loadResults(const std::string& folder);
Status saveResults(const std::string& folder, const Results& results);

/// What steps read beside their own values.
struct Inputs {
    std::string model;                        ///< content hash of the model to begin with
    std::string task;                         ///< task.json without where its data lie
    std::map<std::string, std::string> data;  ///< split -> SHA-256 of its file
    std::string machine;                      ///< MachineInfo::id: a measured time belongs to one
};
/// io::ModelFiles::contentHash of a model on disk.
Result<std::string> modelHash(const std::string& path, Progress& progress, std::stop_token stop);
/// Reads DIR/task.json and the files of data/. The model's hash and the machine are the caller's.
Result<Inputs> readInputs(const std::string& folder, std::stop_token stop);

/// SHA-256 over all that the step's result follows from: its value, the project's seed, target and timing,
/// the data it reads, and the results of the steps it stands on. Equal: it need not be done again. The test
/// split is an input of measuring steps alone. Only Compare and Export depend on which runs there were.
std::string inputsOf(const Project& project, const Step& step, const Inputs& inputs,
                     const Results& results);

/// The step that an export step writes, and by which split the rule "smallest" found it.
struct Chosen {
    std::string step;
    /// Test where the project has no validation split: its accuracy is then a little too good, having been
    /// the best of several.
    Split by = Split::Validation;
};
/// Its `of`, or by the rule "smallest" over what was measured. TaskInvalid: that one was not measured.
Result<Chosen> chosenFor(const Project& project, const Step& exporting, const Results& results);

/// A line of the project's table.
struct Row {
    std::string step;
    std::string recipe;
    bool base = false;
    std::optional<Measurement> accuracy;  ///< on the test split, with its 95 % interval
    std::optional<Measurement> macroF1;
    std::optional<Measurement> validation;  ///< accuracy there: what the export's rule looks at
    std::optional<Measurement> latency;  ///< ms
    std::optional<Measurement> bytes;
    std::optional<double> accuracyPoints;  ///< lost or won against the base
    std::optional<bool> accuracyDiffers;   ///< McNemar, 5 %
    std::optional<double> latencyRatio;    ///< of the base's, timed in turns
    bool exported = false;
};
/// Of every step that was measured, in the project's order.
std::vector<Row> tableOf(const Project& project, const Results& results);
Json toJson(const std::vector<Row>& rows);

}  // namespace pareto::project
