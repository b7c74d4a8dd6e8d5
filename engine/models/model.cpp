#include "engine/models/model.h"

#include "engine/kernels/cuda/cuda_table.h"
#include "engine/models/network.h"
#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_layers.h"
#include "engine/runtime/torch_tensor.h"

#include <torch/headeronly/version.h>

namespace pareto::models {
namespace {

Error badInput(const std::string& reason) {
    return makeError(ErrorCode::EngineFailure, {{"where", "the model's input"}, {"reason", reason}});
}

}  // namespace

DeviceInfo infoOf(const runtime::Device& device) {
    std::string table = device.table->name;
    if (device.cudaTable != nullptr) {
        table += std::string(", ") + device.cudaTable->name;
    } else if (device.cuda) {
        table += ", libtorch";
    }
    return {device.name, device.threads, std::move(table), ""};
}

runtime::Products linearsOf(LayerObserver* observer, std::initializer_list<const runtime::Linear*> layers,
                            runtime::LinearInput& x) {
    if (observer == nullptr) {
        return runtime::runTogether(layers, x);
    }
    runtime::Products out;
    std::size_t at = 0;
    for (const runtime::Linear* layer : layers) {
        const Phase phase(observer, layer->name);
        out.at(at++) = layer->run(x);
    }
    return out;
}

std::uint64_t heldBytes(const runtime::Linear& layer) {
    return layer.weight->bytes() + (layer.bias.defined() ? layer.bias.nbytes() : 0);
}

Matrix toMatrix(const at::Tensor& values) {
    const at::Tensor host = values.to(at::kCPU).contiguous();
    const float* data = host.const_data_ptr<float>();
    return {host.size(0), host.size(1), std::vector<float>(data, data + host.numel())};
}

at::Tensor viewOf(const Matrix& values) {
    // libtorch has no read-only tensors: nothing here writes to one.
    auto* data = const_cast<float*>(values.values.data());
    return at::from_blob(data, {values.rows, values.cols}, at::TensorOptions().dtype(at::kFloat));
}

std::vector<std::int64_t> startsOf(const TokenBatch& batch) {
    std::vector<std::int64_t> out{0};
    for (const auto& ids : batch.targets.empty() ? batch.ids : batch.targets) {
        out.push_back(out.back() + static_cast<std::int64_t>(ids.size()));
    }
    return out;
}

std::unique_ptr<GradientGraph> gradientGraph(const PrepareInputs& inputs) {
    switch (inputs.model.layout().kind()) {
        case ModelKind::Encoder: return encoderGradients(inputs);
        case ModelKind::Decoder: return decoderGradients(inputs);
        case ModelKind::Seq2Seq: return seq2seqGradients(inputs);
    }
    return nullptr;
}

Status checkTokens(const std::vector<std::vector<std::int32_t>>& ids, const ModelLayout& layout) {
    if (ids.empty()) {
        return badInput("there is no sequence");
    }
    for (const auto& sequence : ids) {
        if (sequence.empty()) {
            return badInput("a sequence has no tokens");
        }
        if (layout.maxPositions > 0 &&
            static_cast<std::int64_t>(sequence.size()) > layout.maxPositions) {
            return badInput("a sequence has " + std::to_string(sequence.size()) +
                            " tokens, the model takes " + std::to_string(layout.maxPositions));
        }
        for (const auto id : sequence) {
            if (id < 0 || id >= layout.vocabulary) {
                return badInput("the token " + std::to_string(id) + " is outside the vocabulary of " +
                                std::to_string(layout.vocabulary));
            }
        }
    }
    return Done{};
}

Result<RunnableModel> prepareGraph(const PrepareInputs& inputs) {
    const auto& layout = inputs.model.layout();
    switch (layout.kind()) {
        case ModelKind::Encoder: return prepareEncoder(inputs);
        case ModelKind::Decoder: return prepareDecoder(inputs);
        case ModelKind::Seq2Seq: return prepareSeq2Seq(inputs);
    }
    return makeError(ErrorCode::FamilyUnknown, {{"file", layout.name},
                                                {"family", familyName(layout.family)},
                                                {"known", "encoders, decoders and both"}});
}

Result<RunnableModel> prepareModel(const LoadedModel& model, const DeviceOptions& options, Progress& progress, std::stop_token stop) {
    return prepareModel(HeldTensors(model), options, progress, std::move(stop));
}

Result<RunnableModel> prepareModel(const TensorSource& model, const DeviceOptions& options, Progress& progress, std::stop_token stop) {
    PARETO_TRY(auto device, runtime::openDevice(options.device, options.threads));
    if (stop.stop_requested()) {
        return Cancelled{};
    }
    auto made = runtime::guarded("packing the weights", [&]() -> Result<RunnableModel> {
        return prepareGraph({model, device, progress, stop});
    });
    if (!made.ok() && stop.stop_requested()) {
        return Cancelled{};
    }
    return made;
}

DeviceList listDevices() {
    DeviceList out{{"cpu"}, runtime::cudaProblem()};
    const auto& gpus = runtime::cudaDriver().gpus;
    for (std::size_t i = 0; i < gpus.size() && !runtime::cudaProblem(); ++i) {
        const auto problem = runtime::cudaProblem(static_cast<int>(i));
        if (!problem) {
            out.devices.push_back(runtime::deviceLine(static_cast<int>(i), gpus[i]));
        } else if (!out.noCuda) {
            out.noCuda = problem;
        }
    }
    return out;
}

ParallelFor torchParallelFor() { return runtime::poolParallelFor(); }

int setThreads(int threads) {
    return runtime::setPoolThreads(threads > 0 ? threads : runtime::usableCores());
}

std::string libtorchVersion() {
    return std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) + "." +
           std::to_string(TORCH_VERSION_PATCH);
}

}  // namespace pareto::models
