#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "engine/models/blockwise.h"
#include "engine/models/partners.h"
#include "engine/runtime/device.h"
#include "engine/runtime/slot_weight.h"

namespace at {
class Tensor;
}

namespace pareto::runtime {
struct Linear;
class LayerStore;
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
runtime::Products linearsOf(LayerObserver* observer, std::initializer_list<const runtime::Linear*> layers,
                            runtime::LinearInput& x);

/// Of weight and bias.
std::uint64_t heldBytes(const runtime::Linear& layer);

/// What a family's prepare function is given.
struct PrepareInputs {
    const TensorSource& model;
    const runtime::Device& device;
    Progress& progress;
    std::stop_token stop;
    runtime::Slots* slots = nullptr;  ///< see LayerStore
    const Shard* shard = nullptr;     ///< `model` is its part of one; with those who hold the others
    Partners* partners = nullptr;
};

/// A graph whose blocks run one at a time; see Blockwise.
class BlockGraph {
public:
    virtual ~BlockGraph() = default;
    virtual Result<HiddenStates> embedTokens(const TokenBatch& batch, std::stop_token stop) = 0;
    virtual Result<Matrix> runOneBlock(int block, const HiddenStates& hidden, std::stop_token stop) = 0;
    /// The same on a tensor [rows][hidden] of the device, which may be overwritten where nobody wants gradients;
    /// sequence i has the rows starts[i] … starts[i + 1] − 1. Throws what libtorch throws.
    virtual at::Tensor runBlockOn(int block, at::Tensor states, const std::vector<std::int64_t>& starts) = 0;
    virtual const runtime::LayerStore& store() const = 0;
};

/// A step of a decoder: what is fed to the sequences of a cache.
struct CacheStep {
    std::vector<std::vector<std::int32_t>> ids;
    KvCache* cache = nullptr;
};

/// A decoder whose blocks lie in stages: steps of several caches, one behind the other, keep all stages busy.
class StagedDecoder {
public:
    virtual ~StagedDecoder() = default;
    /// Logits of each sequence's last token (of every token), step after step; empty where the caller is not.
    virtual Result<Matrix> steps(const std::vector<CacheStep>& steps, bool everyToken) = 0;
};

/// What a pass leaves for those who look inside; tensors of the graph, [tokens][…].
struct Inside {
    std::vector<at::Tensor> hidden;                 ///< behind each run of a block
    std::vector<at::Tensor> queries, keys, values;  ///< of each, [tokens][heads · headDim] as they are multiplied
};

/// A graph on a device with gradients, of sequences that lie one behind the other.
class GradientGraph {
public:
    virtual ~GradientGraph() = default;
    /// Hidden states before the head, [tokens][hidden]; of encoder-decoder models those of the batch's targets, which
    /// count as its tokens below. `inside` may be null, and is left empty by encoder-decoder models.
    virtual Result<at::Tensor> statesOf(const TokenBatch& batch, Inside* inside, std::stop_token stop) = 0;
    /// What the head makes of states: of models that work on whole texts a row each ([texts][classes or width]), else
    /// one for each row of `states`. Text i has the rows starts[i] … starts[i + 1] − 1.
    virtual at::Tensor outputsOf(const at::Tensor& states, const std::vector<std::int64_t>& starts) = 0;
    virtual const runtime::LayerStore& store() const = 0;
    /// Share of embeddings, attention maps and what sublayers add that is left out of each pass; 0: none.
    virtual void setDropout(double share) = 0;
    /// Whether passes that nobody looks inside keep only what stands between blocks, for later gradients.
    virtual void setRecompute(bool on) = 0;
};

/// starts[i]: the first token of sequence i among all of them, one behind the other; of its target where there is one.
std::vector<std::int64_t> startsOf(const TokenBatch& batch);

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
/// By the layout's kind. FamilyUnknown.
Result<RunnableModel> prepareGraph(const PrepareInputs& inputs);
std::unique_ptr<BlockGraph> encoderBlocks(const PrepareInputs& inputs);
std::unique_ptr<BlockGraph> decoderBlocks(const PrepareInputs& inputs);
std::unique_ptr<GradientGraph> encoderGradients(const PrepareInputs& inputs);
std::unique_ptr<GradientGraph> decoderGradients(const PrepareInputs& inputs);
std::unique_ptr<GradientGraph> seq2seqGradients(const PrepareInputs& inputs);
/// By the layout's kind.
std::unique_ptr<GradientGraph> gradientGraph(const PrepareInputs& inputs);

}  // namespace pareto::models
