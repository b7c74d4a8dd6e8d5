#pragma once

#include <functional>
#include <string>

#include "engine/jobs/api/jobs.h"
#include "engine/jobs/api/profile.h"
#include "engine/jobs/api/scaling.h"

/// The places in a job's parameters that name files, so that it can be done where these lie elsewhere.
namespace pareto::jobs {

enum class FilesOf { Model, Data };
/// Says what stands in place of `path` (a model, or a file or folder of data that is there).
using PathVisitor = std::function<Result<std::string>(FilesOf kind, const std::string& path)>;

/// What a calibration that names nothing reads: WikiText-2's training text of the samples folder.
std::string defaultCalibrationText();

/// Every path of the model, of the tasks' data and of what the recipe reads (calibration, training rows, teachers). Tasks that
/// a recipe names by built-in name or by file, and WikiText-2 where a calibration says nothing, are written out, so that the other
/// machine needs no samples. The first error of the visitor, or of a task's file.
Status replacePaths(RunParams& params, const PathVisitor& visit);
Status replacePaths(ProfileParams& params, const PathVisitor& visit);
Status replacePaths(ScalingParams& params, const PathVisitor& visit);

}  // namespace pareto::jobs
