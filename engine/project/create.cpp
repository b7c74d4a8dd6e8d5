#include "engine/project/create.h"

#include <filesystem>

#include "engine/core/file.h"
#include "engine/spec/task.h"

namespace pareto::project {
namespace fs = std::filesystem;
namespace {

/// task.json: the test split, read from data/ beside it. Training and validation read the others of it.
Json taskJson(const std::string& name, const CreateOptions& options, const DataReport& report) {
    Json out{{"version", 1},
             {"kind", nameOf(TaskKind::Classification)},
             {"name", name},
             {"data", kDataFolder},
             {"format", "csv"},
             {"columns", {{"text", "text"}, {"label", "label"}}},
             {"split", nameOf(Split::Test)},
             {"seed", options.data.seed},
             {"max_length", options.maxLength}};
    // A model that is not trained knows its own classes by name or by number.
    for (std::size_t c = 0; options.training && c < report.labels.size(); ++c) {
        out["labels"][report.labels[c]] = c;
    }
    return out;
}

Json dataJson(const CreateOptions& options, const DataReport& report) {
    Json out{{"source", options.data.source}, {"text", report.textColumn},
             {"label", report.labelColumn},   {"splits", report.splitsFrom},
             {"shares", options.data.shares}, {"leaks", nameOf(report.leaks)},
             {"seed", options.data.seed}};
    for (const auto& file : report.files) {
        out["sha256"][fs::path(file.path).filename().string()] = file.sha256;
    }
    return out;
}

std::string written(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<Created> createProject(const CreateOptions& options, Progress& progress,
                              std::stop_token stop) {
    PARETO_TRY(PendingFolder folder, PendingFolder::create(options.folder));
    PARETO_TRY(auto data, prepareData(options.data, progress, stop));
    Created out;
    const auto path = fs::absolute(options.folder).lexically_normal();
    Project& project = out.project;
    project.name = !options.name.empty() ? options.name
                   : path.has_filename() ? path.filename().string()
                                         : path.parent_path().filename().string();
    project.seed = options.data.seed;
    project.model = options.model;
    project.data = dataJson(options, data.report);
    project.target = options.target;
    project.minSeconds = options.minSeconds;
    project.minIterations = options.minIterations;
    project.steps = classificationSteps(options.training, options.epochs, project.seed);

    progress.begin(Stage::Writing);
    const fs::path to = folder.path();
    std::error_code problem;
    fs::create_directories(to / kDataFolder, problem);
    for (const auto split : kSplits) {
        if (data.report.rowsOf(split) > 0) {
            const auto file = to / kDataFolder / (std::string(nameOf(split)) + ".csv");
            PARETO_CHECK(writeFileAtomically(file.string(), splitCsv(data.examples, split)));
        }
    }
    PARETO_CHECK(writeFileAtomically((to / kReportFile).string(), written(toJson(data.report))));
    PARETO_CHECK(writeFileAtomically((to / kTaskFile).string(),
                                     written(taskJson(project.name, options, data.report))));
    PARETO_CHECK(
        writeFileAtomically((to / kProjectFile).string(), written(projectToJson(project))));
    if (stop.stop_requested()) {
        return Cancelled{};
    }
    PARETO_CHECK(folder.commit());
    out.report = std::move(data.report);
    return out;
}

}  // namespace pareto::project
