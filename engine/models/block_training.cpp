#include "engine/models/block_training.h"

#include <algorithm>

#include "engine/models/network.h"
#include "engine/runtime/torch_layers.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::models {
namespace {

class SingleBlock final : public TrainableBlock {
public:
    SingleBlock(const LoadedModel& part, const runtime::Device& device) {
        Progress unseen;
        const HeldTensors held(part);
        const PrepareInputs inputs{held, device, unseen, {}};
        m_graph = part.layout.isDecoder() ? decoderBlocks(inputs) : encoderBlocks(inputs);
        for (const auto& layer : part.layout.layers) {
            if (layer.block >= 0) {
                add(layer.name + ".weight");
                add(layer.name + ".bias");
            }
        }
        for (const auto& plain : part.layout.plain) {
            if (plain.block >= 0) {
                add(plain.name);
            }
        }
    }

    at::Tensor run(const at::Tensor& states, const std::vector<std::int64_t>& starts) override {
        return m_graph->runBlockOn(0, states, starts);
    }

    const std::map<std::string, at::Tensor>& parameters() const override { return m_parameters; }

private:
    void add(const std::string& name) {
        const auto& all = m_graph->store().trainable();
        if (const auto found = all.find(name); found != all.end()) {
            m_parameters.emplace(name, found->second);
        }
    }

    std::unique_ptr<BlockGraph> m_graph;
    std::map<std::string, at::Tensor> m_parameters;
};

bool isEmbeddingPart(const LayerInfo& layer) {
    return layer.block < 0 && (layer.isEmbedding() || layer.role == LayerRole::Projection);
}

}  // namespace

LoadedModel partOf(const LoadedModel& model, int block) {
    const ModelLayout& whole = model.layout;
    LoadedModel out{whole, model.tensors};
    ModelLayout& layout = out.layout;
    layout.blocks.clear();
    layout.groups.clear();
    layout.layers.clear();
    layout.plain.clear();
    if (block >= 0) {
        layout.blocks.push_back(whole.blocks.at(static_cast<std::size_t>(block)));
        layout.blocks.front().layers.clear();
    }
    for (LayerInfo layer : whole.layers) {
        const bool ofBlock = block >= 0 && layer.block == block;
        if (!ofBlock && !(block < 0 && isEmbeddingPart(layer)) && layer.name != "lm_head") {
            continue;
        }
        layer.group = -1;
        if (ofBlock) {
            layer.block = 0;
            layout.blocks.front().layers.push_back(static_cast<int>(layout.layers.size()));
        } else if (layer.name == "lm_head") {
            layer.rows = 1;
            layer.hasBias = false;
            layer.tiedTo.clear();
            const std::vector<float> zeros(static_cast<std::size_t>(layer.cols));
            out.tensors.insert_or_assign(layer.name + ".weight", denseTensor(Shape{1, layer.cols}, zeros));
        }
        layout.layers.push_back(std::move(layer));
    }
    for (PlainTensor plain : whole.plain) {
        if (plain.block < 0 || plain.block == block) {
            plain.block = plain.block < 0 ? -1 : 0;
            layout.plain.push_back(std::move(plain));
        }
    }
    return out;
}

Result<std::unique_ptr<TrainableBlock>> prepareTrainableBlock(const LoadedModel& model, int block,
                                                              const DeviceOptions& options) {
    if (model.layout.isSeq2Seq()) {
        return makeError(ErrorCode::TaskUnfit,
                         {{"task", "reconstruction"},
                          {"model", model.layout.name},
                          {"reason", "blocks of encoder-decoder models cannot be trained one by one yet"}});
    }
    PARETO_TRY(auto device, runtime::openDevice(options.device, options.threads));
    device.gradients = true;
    return runtime::caught("packing the weights", [&]() -> Result<std::unique_ptr<TrainableBlock>> {
        return std::unique_ptr<TrainableBlock>(std::make_unique<SingleBlock>(partOf(model, block), device));
    });
}

}  // namespace pareto::models
