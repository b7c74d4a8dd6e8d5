#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/models/model.h"

namespace at {
class Tensor;
}

namespace pareto::models {

/// One block of a model, in fp32 on libtorch's own operations, by itself: what is before it and behind it is
/// not held. One caller at a time; throws what libtorch throws (see runtime::caught).
class TrainableBlock {
public:
    virtual ~TrainableBlock() = default;
    /// Hidden states behind the block (all its repeats, where weights are shared), [rows][hidden] on its
    /// device like `states`; sequence i has the rows starts[i] … starts[i + 1] − 1. They can be
    /// differentiated by the parameters that want a gradient (requires_grad), and by `states`.
    virtual at::Tensor run(const at::Tensor& states, const std::vector<std::int64_t>& starts) = 0;
    /// Weights, biases and norms by their names in the model; to be changed in place.
    virtual const std::map<std::string, at::Tensor>& parameters() const = 0;
};

/// Of an encoder or a decoder. TaskUnfit for encoder-decoder models; DeviceUnavailable.
Result<std::unique_ptr<TrainableBlock>> prepareTrainableBlock(const LoadedModel& model, int block,
                                                              const DeviceOptions& options);

/// A model of this block alone (-1: of the embeddings alone) that shares its tensors. It cannot be run as a
/// whole: tables that the part does not need are cut away, and of a decoder's head one row of zeros is left.
LoadedModel partOf(const LoadedModel& model, int block);

}  // namespace pareto::models
