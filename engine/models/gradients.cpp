#include "engine/models/gradients.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/log_softmax.h>

#include "engine/models/network.h"
#include "engine/runtime/torch_layers.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::models {
namespace {

Error failed(const std::string& reason) {
    return makeError(ErrorCode::EngineFailure, {{"where", "finding gradients"}, {"reason", reason}});
}

/// One column a row, drawn with the probabilities whose logarithms are given: [rows][columns] on the CPU.
std::vector<std::int64_t> draw(const at::Tensor& logProbabilities, RandomStream& random) {
    const at::Tensor host = logProbabilities.detach().contiguous();
    const float* values = host.const_data_ptr<float>();
    const std::int64_t columns = host.size(1);
    std::vector<std::int64_t> out;
    for (std::int64_t row = 0; row < host.size(0); ++row) {
        double left = random.uniform();
        std::int64_t chosen = columns - 1;  // where rounding leaves a rest
        for (std::int64_t column = 0; column < columns; ++column) {
            left -= std::exp(static_cast<double>(values[row * columns + column]));
            if (left < 0.0) {
                chosen = column;
                break;
            }
        }
        out.push_back(chosen);
    }
    return out;
}

class DifferentiableModel final : public GradientModel {
public:
    DifferentiableModel(const LoadedModel& model, runtime::Device device)
        : m_layout(model.layout), m_device(std::move(device)) {}

    void build(const LoadedModel& model, Progress& progress, std::stop_token stop) {
        const HeldTensors held(model);
        const PrepareInputs inputs{held, m_device, progress, std::move(stop)};
        m_graph = gradientGraph(inputs);
    }

    const ModelLayout& layout() const override { return m_layout; }

    Result<double> differentiate(const std::vector<std::int32_t>& ids, RandomStream& random,
                                 std::span<const std::string> layers, const Receive& receive,
                                 std::stop_token stop) override {
        std::map<std::string, at::Tensor> asked;
        for (const auto& name : layers) {
            const at::Tensor* found = m_graph->store().ownWeight(name);
            if (found == nullptr) {
                return failed(name + " has no weight of its own");
            }
            asked.emplace(name, *found);
        }
        return runtime::caught("finding gradients", [&]() -> Result<double> {
            for (auto& [name, weight] : asked) {
                weight.requires_grad_(true);
            }
            auto loss = lossOf(ids, random, stop);
            if (loss.ok() && !asked.empty()) {
                loss.value().backward();
            }
            for (auto& [name, weight] : asked) {
                const at::Tensor gradient = weight.grad();
                if (loss.ok() && gradient.defined()) {
                    const at::Tensor flat = gradient.contiguous();
                    receive(name, {flat.const_data_ptr<float>(), static_cast<std::size_t>(flat.numel())});
                }
                weight.mutable_grad() = at::Tensor();
                weight.requires_grad_(false);
            }
            if (!loss.ok()) {
                return loss.cancelled() ? Result<double>(Cancelled{}) : Result<double>(loss.error());
            }
            return loss.value().item<double>();
        });
    }

    Status replaceWeight(const std::string& layer, const Tensor& weight) override {
        const at::Tensor* found = m_graph->store().ownWeight(layer);
        if (found == nullptr) {
            return failed(layer + " has no weight of its own");
        }
        return runtime::caught("replacing a weight", [&]() -> Status {
            const at::NoGradGuard noGradients;
            auto values = dequantize(weight, torchParallelFor());
            at::Tensor held = *found;
            held.copy_(at::from_blob(values.data(), held.sizes(), at::TensorOptions().dtype(at::kFloat)));
            return Done{};
        });
    }

private:
    Result<at::Tensor> lossOf(const std::vector<std::int32_t>& ids, RandomStream& random,
                              const std::stop_token& stop) {
        const TokenBatch batch{{ids}, {}};
        PARETO_TRY(const at::Tensor states, m_graph->statesOf(batch, nullptr, stop));
        const at::Tensor outputs = m_graph->outputsOf(states, startsOf(batch));
        const bool vector = m_layout.outputs == Outputs::Embedding ||
                            (m_layout.outputs == Outputs::Classes && outputs.size(1) == 1);
        if (vector) {  // −ln of a normal density around the output, up to what does not depend on it
            std::vector<float> noise(static_cast<std::size_t>(outputs.numel()));
            std::generate(noise.begin(), noise.end(), [&] { return static_cast<float>(random.normal()); });
            const at::Tensor drawn =
                at::from_blob(noise.data(), outputs.sizes(), at::TensorOptions().dtype(at::kFloat)).clone();
            return (outputs * drawn).sum();
        }
        const at::Tensor logProbabilities = at::log_softmax(outputs, 1);
        auto answers = draw(logProbabilities, random);
        const at::Tensor index =
            at::from_blob(answers.data(), {outputs.size(0), 1}, at::TensorOptions().dtype(at::kLong)).clone();
        return -logProbabilities.gather(1, index).sum();
    }

    ModelLayout m_layout;
    runtime::Device m_device;
    std::unique_ptr<GradientGraph> m_graph;
};

}  // namespace

Result<std::unique_ptr<GradientModel>> prepareGradients(const LoadedModel& model, const DeviceOptions& options,
                                                        Progress& progress, std::stop_token stop) {
    if (model.layout.isSeq2Seq()) {
        return makeError(ErrorCode::TaskUnfit,
                         {{"task", "gradients"},
                          {"model", model.layout.name},
                          {"reason", "encoder-decoder models cannot be differentiated yet; use methods that need no "
                                     "gradients"}});
    }
    PARETO_TRY(auto device, runtime::openDevice(options.device, options.threads));
    device.gradients = true;
    return runtime::caught("packing the weights", [&]() -> Result<std::unique_ptr<GradientModel>> {
        auto out = std::make_unique<DifferentiableModel>(model, std::move(device));
        out->build(model, progress, std::move(stop));
        return std::unique_ptr<GradientModel>(std::move(out));
    });
}

}  // namespace pareto::models
