#pragma once

#include <stop_token>
#include <string>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/weights/tensor.h"

namespace pareto::exporting {

/// Opens the folder with our own reader and compares structure and every tensor, held form and bytes.
/// ExportMismatch names the first difference.
Status verifyFolder(const std::string& folder, const LoadedModel& expected, Progress& progress,
                    std::stop_token stop);

/// The first difference of two structures that one model should have, as far as every format says it;
/// empty when there is none.
std::string structureDifference(const ModelLayout& expected, const ModelLayout& found);

}  // namespace pareto::exporting
