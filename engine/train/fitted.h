#pragma once

#include <optional>
#include <string>

#include "engine/train/trainer.h"

namespace pareto::train {

/// Keeps what a step made of `before` in a file: the tensors that are other ones now, and the record. Of dense tensors.
/// DiskFull, FileWriteDenied.
Status saveFitted(const std::string& path, const std::string& key, const LoadedModel& before, const TrainOutcome& outcome);
/// Nothing where there is no such file, or another step's. FileCorrupt.
Result<std::optional<TrainOutcome>> loadFitted(const std::string& path, const std::string& key, const LoadedModel& before);

}  // namespace pareto::train
