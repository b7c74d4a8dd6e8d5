#include <array>
#include <optional>
#include <set>

#include "engine/runtime/failures.h"
#include "engine/runtime/ops.h"
#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_layers.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {

Products runTogether(std::initializer_list<const Linear*> layers, LinearInput& x) {
    TORCH_CHECK(layers.size() <= kMostTogether, "too many layers read one input");
    Products out;
    std::array<std::optional<PanelWork>, kMostTogether> work;
    std::array<std::int64_t, kMostTogether + 1> starts{};  // of a layer's panels among all
    std::size_t at = 0;
    for (const Linear* layer : layers) {
        Epilogue epilogue;
        epilogue.bias = layer->bias.defined() ? &layer->bias : nullptr;
        work[at] = layer->weight->panelWork(x, epilogue, out[at]);
        if (!work[at]) {
            out[at] = layer->weight->multiply(x, epilogue);
        }
        starts[at + 1] = starts[at] + (work[at] ? work[at]->end - work[at]->begin : 0);
        ++at;
    }
    if (starts[at] == 0) {
        return out;
    }
    const auto all = [&](std::int64_t begin, std::int64_t end) {
        for (std::size_t i = 0; i < at; ++i) {
            const std::int64_t first = std::max(begin, starts[i]);
            const std::int64_t last = std::min(end, starts[i + 1]);
            if (first < last) {
                work[i]->run(work[i]->begin + first - starts[i], work[i]->begin + last - starts[i]);
            }
        }
    };
    runPanels({0, starts[at], all}, panelGrain(x.cols(), x.m()));
    return out;
}

namespace {

Tensor held(Result<Tensor> tensor) {
    if (!tensor.ok()) {
        throw Failure(tensor.cancelled() ? makeError(ErrorCode::EngineFailure, {{"where", "packing the weights"}, {"reason", "it was cancelled"}})
                                         : tensor.error());
    }
    return std::move(tensor).value();
}

}  // namespace

LayerStore::LayerStore(const TensorSource& model, const Device& device, Progress& progress, Slots* slots) {
    const auto& layout = model.layout();
    const Batching batching = slots != nullptr     ? Batching::Unknown
                              : layout.isEncoder() ? Batching::Many
                                                   : Batching::Both;
    if (attendsInPairs(device, {.headDim = layout.headDim, .rounded = true}, kPairTokens)) {
        m_pairsName = std::string("attention in bf16 (") + device.table->name + ")";
    }
    std::set<std::string> shared;
    for (const auto& info : layout.layers) {
        shared.insert(info.tiedTo);
    }
    const auto usesOf = [&](const LayerInfo& info) {
        return !info.isEmbedding() ? Uses::Products : shared.contains(info.name) ? Uses::Both : Uses::Lookups;
    };
    progress.begin(Stage::Packing, static_cast<std::int64_t>(layout.layers.size()), Unit::Layers);
    for (const auto& info : layout.layers) {
        if (info.tiedTo.empty()) {
            const Tensor weight = held(model.weight(info));
            auto& layer = m_layers[info.name];
            layer.name = info.name;
            if (device.gradients) {
                auto parameter = makeParameter(weight, device);
                m_trainable[info.name + ".weight"] = parameter.values;
                m_hooks[info.name] = std::move(parameter.hooks);
                layer.weight = std::move(parameter.weight);
            } else {
                layer.weight = makeWeight(weight, device, batching, usesOf(info));
            }
            layer.rounded = !weight.isDense() && weight.format().isInt8Product();
            m_bytes += layer.weight->bytes();
            if (slots != nullptr && info.block >= 0) {
                auto slot = std::make_shared<SlotWeight>(layer.weight);
                slots->emplace(info.name, slot);
                layer.weight = std::move(slot);
            }
        }
        progress.advance();
    }
    std::set<std::string> biases;
    for (const auto& info : layout.layers) {
        auto& layer = m_layers[info.name];
        if (!info.tiedTo.empty()) {
            layer.name = info.name;
            layer.weight = m_layers.at(info.tiedTo).weight;
        }
        if (const std::string bias = info.name + ".bias"; model.has(bias)) {
            layer.bias = floats(bias, held(model.tensor(bias)), device);
            biases.insert(bias);
        }
    }
    for (const auto& plain : layout.plain) {
        // A layer that shares its weight has a bias of its own among the plain tensors.
        if (!biases.contains(plain.name)) {
            m_plain[plain.name] = floats(plain.name, held(model.tensor(plain.name)), device);
        }
    }
}

std::string LayerStore::kernelOf(const std::string& name) const {
    constexpr std::string_view kScores = ".attention.scores";
    if (has(name)) {
        return layer(name).weight->kernelName();
    }
    if (!name.ends_with(kScores)) {
        return {};
    }
    const auto query = m_layers.find(name.substr(0, name.size() - kScores.size()) + ".attention.query");
    return query != m_layers.end() && query->second.rounded ? m_pairsName : std::string();
}

/// Biases and norms are always held in fp32; their share of a model is far below one percent.
at::Tensor LayerStore::floats(const std::string& name, const Tensor& tensor, const Device& device) {
    const bool usable = tensor.isDense() && tensor.dense().dtype == DType::F32 &&
                        isAligned(tensor.dense().values.data(), alignof(float));
    const Buffer values =
        usable ? tensor.dense().values
               : Buffer::copyOf(std::span<const float>(dequantize(tensor, poolParallelFor())));
    m_bytes += values.size();
    at::Tensor held = viewBuffer(values, tensor.shape.sizes(), at::kFloat).to(torchDevice(device));
    if (device.gradients) {
        held = held.clone();  // a mapped file is not written to
        m_trainable[name] = held;
    }
    return held;
}

}  // namespace pareto::runtime
