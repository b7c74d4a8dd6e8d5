#pragma once

// Torch headers: only for .cpp files of runtime/ and models/.
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/core/progress.h"
#include "engine/runtime/linear.h"
#include "engine/runtime/slot_weight.h"
#include "engine/weights/tensor_source.h"

namespace pareto::runtime {

/// A layer ready to run. Copies share the weight.
struct Linear {
    std::string name;
    std::shared_ptr<const Weight> weight;
    at::Tensor bias;  ///< undefined when there is none
    bool rounded = false;  ///< its inputs are rounded to 8 bits

    at::Tensor run(LinearInput& x, kernels::Act act = kernels::Act::None) const {
        Epilogue epilogue;
        epilogue.bias = bias.defined() ? &bias : nullptr;
        epilogue.act = act;
        return weight->multiply(x, epilogue);
    }
};

/// One input through several layers. Products that are work on panels share one round of the pool's threads.
Products runTogether(std::initializer_list<const Linear*> layers, LinearInput& x);

/// What stands between a weight on a device with gradients and the products it takes part in, such as rounding that
/// training is to see. They leave a graph to differentiate; empty: nothing.
struct ParameterHooks {
    /// The values as they act: of the whole weight, or of the rows with those numbers.
    std::function<at::Tensor(const at::Tensor& values, const at::Tensor* rows)> weight;
    std::function<at::Tensor(const at::Tensor& input)> input;
    /// Added to the product: [tokens][outputs] from [tokens][inputs]. Not of lookups.
    std::function<at::Tensor(const at::Tensor& input)> beside;
    bool bf16 = false;  ///< products of inputs and values rounded to bf16, sums in fp32
};

/// A weight on a device with gradients. It holds the values that `values` names; who wants gradients says so to
/// libtorch (requires_grad).
struct Parameter {
    at::Tensor values;
    std::shared_ptr<const Weight> weight;
    std::shared_ptr<ParameterHooks> hooks;
};
Parameter makeParameter(const Tensor& tensor, const Device& device);

/// Every layer and plain tensor of a model on one device, each packed once; counts what is held.
class LayerStore {
public:
    /// Packs all layers, one tensor after the other: of a source that reads them when they are asked for no two are held at once.
    /// `model` may go away afterwards. `slots`, when there, gets one for each layer inside a block, and the layers run
    /// through it. Throws Failure with what the source says.
    LayerStore(const TensorSource& model, const Device& device, Progress& progress, Slots* slots = nullptr);

    const Linear& layer(const std::string& name) const { return m_layers.at(name); }
    bool has(const std::string& name) const { return m_layers.contains(name); }
    const at::Tensor& plain(const std::string& name) const { return m_plain.at(name); }
    std::uint64_t bytes() const { return m_bytes; }
    /// How a layer is computed, or a block's attention ("<block>.attention.scores") where that is not in fp32; empty: there is
    /// no such layer.
    std::string kernelOf(const std::string& name) const;
    /// A layer's weight on a device with gradients; null: there is no such layer, or it shares another one's.
    const at::Tensor* ownWeight(const std::string& layer) const {
        return m_hooks.contains(layer) ? &m_trainable.at(layer + ".weight") : nullptr;
    }
    /// Every tensor by its canonical name ("<layer>.weight", "<layer>.bias", "<norm>.weight"), on a device with
    /// gradients: fp32 memory of their own.
    const std::map<std::string, at::Tensor>& trainable() const { return m_trainable; }
    /// Of a layer that has a weight of its own, on a device with gradients.
    ParameterHooks& hooks(const std::string& layer) const { return *m_hooks.at(layer); }

private:
    at::Tensor floats(const std::string& name, const Tensor& tensor, const Device& device);
    std::string m_pairsName;  ///< of attention in bfloat16
    std::map<std::string, Linear> m_layers;
    std::map<std::string, at::Tensor> m_plain;
    std::map<std::string, at::Tensor> m_trainable;
    std::map<std::string, std::shared_ptr<ParameterHooks>> m_hooks;
    std::uint64_t m_bytes = 0;
};

}  // namespace pareto::runtime
