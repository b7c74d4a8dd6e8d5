#include "engine/models/blockwise.h"

#include "engine/models/network.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::models {
namespace {

class SlottedModel final : public Blockwise {
public:
    SlottedModel(const LoadedModel& model, runtime::Device device)
        : m_layout(model.layout), m_device(std::move(device)) {}

    void build(const LoadedModel& model, Progress& progress, std::stop_token stop) {
        const HeldTensors held(model);
        const PrepareInputs inputs{held, m_device, progress, std::move(stop), &m_slots};
        m_graph = m_layout.isDecoder() ? decoderBlocks(inputs) : encoderBlocks(inputs);
    }

    const ModelLayout& layout() const override { return m_layout; }

    Result<HiddenStates> embed(const TokenBatch& batch, std::stop_token stop) override {
        return m_graph->embedTokens(batch, std::move(stop));
    }

    Result<Matrix> runBlock(int block, const HiddenStates& hidden, const InputTap& tap,
                            std::stop_token stop) override {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        setTap(block, tap);
        auto out = m_graph->runOneBlock(block, hidden, std::move(stop));
        setTap(block, {});
        return out;
    }

    Status replaceWeight(const std::string& layer, const Tensor& weight, const Tensor* bias) override {
        const auto slot = m_slots.find(layer);
        if (slot == m_slots.end()) {
            return makeError(ErrorCode::EngineFailure,
                             {{"where", "replacing a weight"}, {"reason", layer + " is inside no block"}});
        }
        return runtime::guarded("replacing a weight", [&]() -> Status {
            const auto values = Buffer::copyOf(std::span<const float>(dequantize(weight, torchParallelFor())));
            slot->second->put(runtime::makeWeight(denseTensor(weight.shape, values), m_device));
            if (bias != nullptr) {
                slot->second->setBias(dequantize(*bias));
            }
            return Done{};
        });
    }

    void releaseBlock(int block) override {
        for (const auto& name : namesOf(block)) {
            m_slots.at(name)->put(nullptr);
        }
    }

private:
    std::vector<std::string> namesOf(int block) const {
        std::vector<std::string> names;
        for (const int index : m_layout.blocks.at(static_cast<std::size_t>(block)).layers) {
            const auto& name = m_layout.layers[static_cast<std::size_t>(index)].name;
            if (m_slots.contains(name)) {
                names.push_back(name);
            }
        }
        return names;
    }

    void setTap(int block, const InputTap& tap) {
        for (const auto& name : namesOf(block)) {
            m_slots.at(name)->setTap(tap ? runtime::SlotWeight::Tap([&tap, name](const runtime::LinearInput& x) {
                tap(name, x.data(), x.m(), x.cols());
            })
                                         : runtime::SlotWeight::Tap());
        }
    }

    ModelLayout m_layout;
    runtime::Device m_device;
    runtime::Slots m_slots;
    std::unique_ptr<BlockGraph> m_graph;
};

}  // namespace

Result<std::unique_ptr<Blockwise>> prepareBlockwise(const LoadedModel& model, const DeviceOptions& options,
                                                    Progress& progress, std::stop_token stop) {
    if (model.layout.isSeq2Seq()) {
        return makeError(ErrorCode::TaskUnfit,
                         {{"task", "calibration"},
                          {"model", model.layout.name},
                          {"reason", "encoder-decoder models cannot be calibrated yet; use methods that need no "
                                     "data"}});
    }
    PARETO_TRY(auto device, runtime::openDevice(options.device, options.threads));
    return runtime::guarded("packing the weights", [&]() -> Result<std::unique_ptr<Blockwise>> {
        auto out = std::make_unique<SlottedModel>(model, std::move(device));
        out->build(model, progress, std::move(stop));
        return std::unique_ptr<Blockwise>(std::move(out));
    });
}

}  // namespace pareto::models
