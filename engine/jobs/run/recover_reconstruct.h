#pragma once

#include <functional>
#include <memory>

#include "engine/compress/pipeline.h"
#include "engine/jobs/run/model_cache.h"
#include "engine/models/model.h"
#include "engine/train/reconstruct.h"

namespace pareto::jobs {

/// Who follows a recovery step while it runs, and what a person wants of it.
struct RecoverWatch {
    std::function<void(const TrainingPoint&)> report;  ///< may be empty
    const Control* control = nullptr;                  ///< may be null
};

/// A recovery step of method Reconstruct: the record names the calibration's text.
using ReconstructModel = std::function<Result<train::Reconstructed>(
    const compress::RecoverRequest& request, const RecoverWatch& watch, Progress& progress,
    std::stop_token stop)>;

/// The opened model's tokenizer cuts the texts that the recipe's calibration names (as a recipe without one
/// has it: CalibrationSpec's own values); blocks are fitted on the device. RecipeInvalid for recipes that
/// rotate the model, whose states cannot be compared with the untouched ones; what calibrationTexts() and
/// train::reconstruct() say.
ReconstructModel reconstructTool(std::shared_ptr<const OpenedModel> opened, models::DeviceOptions device);

}  // namespace pareto::jobs
