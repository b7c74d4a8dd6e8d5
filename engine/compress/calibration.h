#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

#include "engine/compress/input_statistics.h"
#include "engine/core/progress.h"

namespace pareto::compress {

/// Calibration samples on their way through a model, a block at a time. Who runs models implements it;
/// compression knows none.
class BlockInputs {
public:
    virtual ~BlockInputs() = default;
    /// What each layer of the block reads with the weights as they are now. Layers that share an input
    /// share the statistics.
    virtual Result<std::map<std::string, std::shared_ptr<const InputStatistics>>> measure(
        int block, std::stop_token stop) = 0;
    /// The layer computes with this weight, and this bias unless it is null, from now on.
    virtual Status replace(const std::string& layer, const Tensor& weight, const Tensor* bias) = 0;
    /// The samples go through the block, with the weights as they are now. It is not asked for again. The mean
    /// over tokens of the cosine between what stood before the block and what stands behind it.
    virtual Result<double> pass(int block, std::stop_token stop) = 0;
    /// Samples and tokens, for the report.
    virtual std::int64_t samples() const = 0;
    virtual std::int64_t tokens() const = 0;
};

/// Brings the samples before the first block of a model, which is the one that will be compressed.
using OpenBlockInputs = std::function<Result<std::unique_ptr<BlockInputs>>(
    const LoadedModel& model, const CalibrationSpec& calibration, Progress& progress, std::stop_token stop)>;

}  // namespace pareto::compress
