#pragma once

#include <functional>
#include <memory>
#include <span>

#include "engine/core/random.h"
#include "engine/models/model.h"

namespace pareto::models {

/// A model that is differentiated by its layers' weights, in fp32 on libtorch's own operations. One caller at a
/// time.
class GradientModel {
public:
    virtual ~GradientModel() = default;
    virtual const ModelLayout& layout() const = 0;

    /// The gradient of a layer's weight, [rows][cols], there during the call only.
    using Receive = std::function<void(const std::string& layer, std::span<const float> gradient)>;

    /// Runs one sequence, draws what the model itself would answer (a class; for each token the next one; the
    /// vector of an embedder plus a standard normal one) and tells the gradient of −ln p(answer) by the weights
    /// of `layers`, untied ones. The mean of such gradients' outer products is the Fisher information matrix,
    /// not its "empirical" stand-in (Kunstner et al. 2019, arXiv 1905.12558), and no labels are needed.
    /// Answers the loss; without layers nothing else. EngineFailure as Model::checkTokens and for an unknown layer.
    virtual Result<double> differentiate(const std::vector<std::int32_t>& ids, RandomStream& random,
                                         std::span<const std::string> layers, const Receive& receive,
                                         std::stop_token stop) = 0;
    /// The layer computes with these values from now on; same shape.
    virtual Status replaceWeight(const std::string& layer, const Tensor& weight) = 0;
};

/// Encoders and decoders. TaskUnfit for encoder-decoder models; DeviceUnavailable.
Result<std::unique_ptr<GradientModel>> prepareGradients(const LoadedModel& model, const DeviceOptions& options,
                                                        Progress& progress, std::stop_token stop);

}  // namespace pareto::models
