#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/models/blockwise.h"
#include "engine/runtime/device.h"
#include "engine/runtime/slot_weight.h"

namespace at {
class Tensor;
}

namespace pareto::runtime {
struct Linear;
class LinearInput;
}  // namespace pareto::runtime

namespace pareto::models {

/// Reports the time between construction and destruction under `phase`, if anybody listens.
class Phase {
public:
    Phase(LayerObserver* observer, const std::string& phase) : m_observer(observer), m_phase(phase) {
        if (m_observer != nullptr) {
            m_observer->begin(m_phase);
        }
    }
    ~Phase() {
        if (m_observer != nullptr) {
            m_observer->end(m_phase);
        }
    }
    Phase(const Phase&) = delete;
    Phase& operator=(const Phase&) = delete;

private:
    LayerObserver* m_observer;
    const std::string& m_phase;
};

/// One input through several layers, one after the other where somebody wants to know each one's time.
std::vector<at::Tensor> linearsOf(LayerObserver* observer, std::initializer_list<const runtime::Linear*> layers,
                                  runtime::LinearInput& x);

/// Of weight and bias.
std::uint64_t heldBytes(const runtime::Linear& layer);

/// What a family's prepare function is given.
struct PrepareInputs {
    const LoadedModel& model;
    const runtime::Device& device;
    Progress& progress;
    std::stop_token stop;
    runtime::Slots* slots = nullptr;  ///< see LayerStore
};

/// A graph whose blocks run one at a time; see Blockwise.
class BlockGraph {
public:
    virtual ~BlockGraph() = default;
    virtual Result<HiddenStates> embedTokens(const TokenBatch& batch, std::stop_token stop) = 0;
    virtual Result<Matrix> runOneBlock(int block, const HiddenStates& hidden, std::stop_token stop) = 0;
};

/// A graph on a device with gradients; see WeightGradients in gradients.h.
class GradientGraph {
public:
    virtual ~GradientGraph() = default;
    /// Of one sequence: logits or a vector [1][width]; of models that work on tokens, a row each.
    virtual Result<at::Tensor> outputsOf(const std::vector<std::int32_t>& ids, std::stop_token stop) = 0;
    virtual const std::map<std::string, at::Tensor>& parameters() const = 0;
};

DeviceInfo infoOf(const runtime::Device& device);

/// A tensor of rank 2 on any device as rows in memory.
Matrix toMatrix(const at::Tensor& values);
/// The rows where they lie; good as long as they do.
at::Tensor viewOf(const Matrix& values);

/// EngineFailure unless every sequence has 1 … maxPositions tokens inside the vocabulary.
Status checkTokens(const std::vector<std::vector<std::int32_t>>& ids, const ModelLayout& layout);

/// One forward graph a kind of model; what differs between families stands in the layout.
Result<RunnableModel> prepareEncoder(const PrepareInputs& inputs);
Result<RunnableModel> prepareDecoder(const PrepareInputs& inputs);
Result<RunnableModel> prepareSeq2Seq(const PrepareInputs& inputs);
std::unique_ptr<BlockGraph> encoderBlocks(const PrepareInputs& inputs);
std::unique_ptr<BlockGraph> decoderBlocks(const PrepareInputs& inputs);
std::unique_ptr<GradientGraph> encoderGradients(const PrepareInputs& inputs);
std::unique_ptr<GradientGraph> decoderGradients(const PrepareInputs& inputs);

}  // namespace pareto::models
