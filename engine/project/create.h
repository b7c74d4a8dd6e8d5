#pragma once

#include "engine/project/project_file.h"
#include "engine/project/prepare.h"

namespace pareto::project {

struct CreateOptions {
    std::string folder;            ///< made; an existing one must be empty
    std::string name;              ///< empty: the folder's
    std::string model;             ///< stands in project.json as given here
    DataOptions data;              ///< its seed is the project's, too
    std::int64_t maxLength = 128;  ///< tokens of a text
    bool training = true;  ///< false: the model is a classifier of these labels and stays as it is
    int epochs = 3;
    Target target;
    double minSeconds = 3.0;
    int minIterations = 20;
};

struct Created {
    Project project;
    DataReport report;
};

/// Prepares the data and writes the folder, which appears when it is complete: project.json, task.json,
/// report.json, data/train.csv, data/validation.csv, data/test.csv. Errors of prepareData;
/// FileWriteDenied, DiskFull.
Result<Created> createProject(const CreateOptions& options, Progress& progress,
                              std::stop_token stop);

}  // namespace pareto::project
