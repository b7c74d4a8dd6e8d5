#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "engine/core/progress.h"
#include "engine/spec/recipe.h"
#include "engine/text/tokenizer.h"

namespace pareto::jobs {

/// The token sequences that a recipe's calibration names, drawn by its seed. Of a plain text: for decoders
/// windows of exactly `length` tokens at random places, for encoders its longer lines with special tokens. Of a
/// table, or of the training split of a task: rows, at most `length` tokens each. Fewer samples than asked when there are no more.
/// FileMissing, DataColumnMissing, DataRowInvalid, TargetInvalid (too short a text).
Result<std::vector<std::vector<std::int32_t>>> calibrationTexts(const CalibrationSpec& calibration,
                                                                const text::Tokenizer& tokenizer,
                                                                const ModelLayout& layout, Progress& progress,
                                                                std::stop_token stop);

}  // namespace pareto::jobs
