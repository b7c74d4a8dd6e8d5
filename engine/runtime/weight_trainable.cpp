#include <ATen/ops/index_select.h>
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
    TrainableWeight(at::Tensor values, const Device& device)
        : Weight(values.size(0), values.size(1)), m_device(device), m_values(std::move(values)) {}

    at::Tensor multiply(LinearInput& x, const Epilogue& epilogue) const override {
        const std::int64_t end = epilogue.rowEnd < 0 ? rows() : epilogue.rowEnd;
        const at::Tensor weight = m_values.slice(0, epilogue.rowBegin, end);
        const at::Tensor out =
            epilogue.bias != nullptr
                ? at::linear(x.tensor(), weight, epilogue.bias->slice(0, epilogue.rowBegin, end))
                : at::linear(x.tensor(), weight);
        return torchActivation(out, epilogue.act);
    }

    at::Tensor lookup(std::span<const std::int32_t> ids) const override {
        return m_values.index_select(0, idsOnDevice(m_device, ids));
    }

    std::uint64_t bytes() const override { return m_values.nbytes(); }
    std::string kernelName() const override { return "libtorch with gradients on " + m_device.name; }

private:
    const Device m_device;
    at::Tensor m_values;
};

}  // namespace

Parameter makeParameter(const Tensor& tensor, const Device& device) {
    const auto values = Buffer::copyOf(std::span<const float>(dequantize(tensor, poolParallelFor())));
    const at::Tensor held = viewBuffer(values, tensor.shape.sizes(), at::kFloat).to(torchDevice(device));
    return {held, std::make_shared<TrainableWeight>(held, device)};
}

}  // namespace pareto::runtime
