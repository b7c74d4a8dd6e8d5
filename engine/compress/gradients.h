#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/spec/recipe.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// Gradients of a model's loss by its weights, one calibration sample at a time. Who differentiates models
/// implements it; compression knows none.
class WeightGradients {
public:
    virtual ~WeightGradients() = default;

    /// The gradient of one sample's loss by a layer's weight, [rows][cols], there during the call only.
    using Receive = std::function<void(const std::string& layer, std::span<const float> gradient)>;

    /// Sample `number` with the weights as they are now. The loss is −ln p of what the model itself would answer,
    /// drawn anew for each number: the mean over samples of g·gᵀ is its Fisher information matrix.
    virtual Status differentiate(std::int64_t number, std::span<const std::string> layers, const Receive& receive,
                                 std::stop_token stop) = 0;
    /// The layer computes with this weight from now on.
    virtual Status replace(const std::string& layer, const Tensor& weight) = 0;
    virtual std::int64_t samples() const = 0;
    virtual std::int64_t tokens() const = 0;
};

/// The same with other names of layers: key and value are the name outside and that inside.
std::unique_ptr<WeightGradients> renamed(std::unique_ptr<WeightGradients> inner,
                                         std::map<std::string, std::string> names);

/// Brings the samples and a differentiable copy of a model.
using OpenWeightGradients = std::function<Result<std::unique_ptr<WeightGradients>>(
    const LoadedModel& model, const CalibrationSpec& calibration, Progress& progress, std::stop_token stop)>;

}  // namespace pareto::compress
