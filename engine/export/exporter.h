#pragma once

#include <stop_token>

#include "engine/core/parallel.h"
#include "engine/core/progress.h"
#include "engine/export/format.h"
#include "engine/io/model_files.h"
#include "engine/weights/tensor.h"

namespace pareto::exporting {

/// What the format cannot say about this model, known before writing: shown in the export dialog.
std::vector<std::string> exportNotes(const ModelLayout& layout, const std::vector<WeightFormat>& formats,
                                     const ExportFormat& format);

struct ExportRequest {
    std::string target;            ///< folder to create; an existing non-empty one is refused
    ExportFormat format;
    Json report = Json::object();  ///< recipe, measurements, versions: goes into pareto_report.json
    ParallelFor parallel = serialFor;  ///< rounds to GGUF's blocks
};
struct ExportOutcome {
    std::string path;
    std::string format;
    bool verified = false;         ///< read back with our reader and equal, tensor by tensor
    std::uint64_t bytes = 0;       ///< of all files written
    std::vector<std::string> notes;
};

/// FileWriteDenied when exportModel could not put a folder at `target`: it exists and is not empty,
/// the folder above it is missing or may not be written. For jobs that would find out much later.
Status checkTarget(const std::string& target);

/// Writes beside the target, reads back, compares every tensor, then renames into place. `source`
/// supplies tokenizer, configuration and licence files. pareto_report.json holds the hash of each file.
/// DiskFull, FileWriteDenied, ExportMismatch; FamilyUnknown for a family the format cannot hold.
Result<ExportOutcome> exportModel(const LoadedModel& model, const io::ModelFiles& source,
                                  const ExportRequest& request, Progress& progress,
                                  std::stop_token stop);

}  // namespace pareto::exporting
