#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/export/gguf_plan.h"
#include "engine/io/gguf_writer.h"
#include "engine/io/model_files.h"

namespace pareto::exporting {

/// What was written: enough to find any difference on reading back.
struct GgufContent {
    std::vector<io::GgufEntry> entries;
    std::vector<GgufTensorPlan> tensors;
    std::vector<float> factors;       ///< rope_freqs.weight; empty: none
    std::vector<std::string> hashes;  ///< SHA-256 of each tensor's bytes, filled by writeGgufFile()
};

/// All a model's GGUF file holds. `model` is already padded where the plan says so; `source` supplies the
/// tokenizer.
Result<GgufContent> ggufContent(const LoadedModel& model, const GgufPlan& plan,
                                const io::ModelFiles& source, std::vector<std::string>& notes);

/// Errors of io::writeGguf().
Status writeGgufFile(const std::string& path, const LoadedModel& model, GgufContent& content,
                     Progress& progress, std::stop_token stop, const ParallelFor& parallel);

struct GgufVerdict {
    std::int64_t lostZeros = 0;  ///< values that were zero and no longer are
};

/// Opens the file with our own reader and compares every entry and every tensor: its type, shape and
/// bytes with what was written, its values with those of the model, as far as the type can hold them.
/// ExportMismatch names the first difference.
Result<GgufVerdict> verifyGguf(const std::string& path, const LoadedModel& model,
                               const GgufContent& content, Progress& progress, std::stop_token stop);

}  // namespace pareto::exporting
