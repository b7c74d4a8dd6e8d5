#include <ATen/TensorOperators.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>

#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_layers.h"
#include "engine/runtime/torch_ops.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {
namespace {

/// fp32 values that a graph can be differentiated by.
class TrainableWeight final : public Weight {
public:
    TrainableWeight(at::Tensor values, const Device& device, std::shared_ptr<const ParameterHooks> hooks)
        : Weight(values.size(0), values.size(1)),
          m_device(device),
          m_values(std::move(values)),
          m_hooks(std::move(hooks)) {}

    at::Tensor multiply(LinearInput& x, const Epilogue& epilogue) const override {
        const std::int64_t end = epilogue.rowEnd < 0 ? rows() : epilogue.rowEnd;
        const at::Tensor weight =
            (m_hooks->weight ? m_hooks->weight(m_values, nullptr) : m_values).slice(0, epilogue.rowBegin, end);
        const at::Tensor input = m_hooks->input ? m_hooks->input(x.tensor()) : x.tensor();
        std::optional<at::Tensor> bias;
        if (epilogue.bias != nullptr) {
            bias = epilogue.bias->slice(0, epilogue.rowBegin, end);
        }
        if (m_hooks->bf16) {
            const at::Tensor out = at::linear(input.to(at::kBFloat16), weight.to(at::kBFloat16)).to(at::kFloat);
            return torchActivation(withBeside(bias ? out + *bias : out, input, epilogue.rowBegin, end), epilogue.act);
        }
        return torchActivation(withBeside(at::linear(input, weight, bias), input, epilogue.rowBegin, end), epilogue.act);
    }

    at::Tensor lookup(std::span<const std::int32_t> ids) const override {
        const at::Tensor rows = idsOnDevice(m_device, ids);
        const at::Tensor found = at::embedding(m_values, rows);
        return m_hooks->weight ? m_hooks->weight(found, &rows) : found;
    }

    std::uint64_t bytes() const override { return m_values.nbytes(); }
    std::string kernelName() const override { return "libtorch with gradients on " + m_device.name; }

private:
    at::Tensor withBeside(const at::Tensor& product, const at::Tensor& input, std::int64_t begin, std::int64_t end) const {
        return m_hooks->beside ? product + m_hooks->beside(input).slice(-1, begin, end) : product;
    }

    const Device m_device;
    at::Tensor m_values;
    std::shared_ptr<const ParameterHooks> m_hooks;
};

}  // namespace

Parameter makeParameter(const Tensor& tensor, const Device& device) {
    const auto values = Buffer::copyOf(std::span<const float>(dequantize(tensor, poolParallelFor())));
    const at::Tensor held = viewBuffer(values, tensor.shape.sizes(), at::kFloat).to(torchDevice(device));
    auto hooks = std::make_shared<ParameterHooks>();
    return {held, std::make_shared<TrainableWeight>(held, device, hooks), hooks};
}

}  // namespace pareto::runtime
