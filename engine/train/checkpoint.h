#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/core/json.h"
#include "engine/core/progress.h"

namespace at {
class Tensor;
}

namespace pareto::train {

/// Everything that training goes on with after it was killed: tensors by name and a JSON object, in one safetensors
/// file that is replaced as a whole.
struct Checkpoint {
    std::map<std::string, at::Tensor> tensors;  ///< fp32 on the CPU
    Json state = Json::object();
};

/// DiskFull, FileWriteDenied; the file that stood there before stays then.
Status saveCheckpoint(const std::string& path, const Checkpoint& checkpoint);
/// Nothing where there is no such file, or where it is another job's (`key` differs from state's "key"). FileCorrupt
/// and what reading says.
Result<std::optional<Checkpoint>> loadCheckpoint(const std::string& path, const std::string& key);

}  // namespace pareto::train
