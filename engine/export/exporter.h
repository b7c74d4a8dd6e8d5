#pragma once

#include <stop_token>

#include "engine/core/progress.h"
#include "engine/io/model_files.h"
#include "engine/weights/tensor.h"

namespace pareto::exporting {

enum class ExportFormat { HuggingFace };   ///< a folder that transformers loads
std::string_view nameOf(ExportFormat format);  ///< "hf"
Result<ExportFormat> exportFormatFromName(const std::string& name);

/// What the format cannot say about this model, known before writing: shown in the export dialog.
std::vector<std::string> exportNotes(const ModelLayout& layout, const std::vector<WeightFormat>& formats,
                                     ExportFormat format);

struct ExportRequest {
    std::string target;            ///< folder to create; an existing non-empty one is refused
    ExportFormat format = ExportFormat::HuggingFace;
    Json report = Json::object();  ///< recipe, measurements, versions: goes into pareto_report.json
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
/// supplies tokenizer, configuration and licence files. DiskFull, FileWriteDenied, ExportMismatch.
Result<ExportOutcome> exportModel(const LoadedModel& model, const io::ModelFiles& source,
                                  const ExportRequest& request, Progress& progress,
                                  std::stop_token stop);

}  // namespace pareto::exporting
