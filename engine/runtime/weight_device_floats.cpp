#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>

#include "engine/runtime/torch_device_weight.h"
#include "engine/runtime/torch_ops.h"

namespace pareto::runtime {
namespace {

/// Values of any format, held as they are.
class FloatsWeight final : public DeviceWeight {
public:
    FloatsWeight(const Tensor& tensor, const Device& device)
        : DeviceWeight(tensor, device, DeviceKernel::Floats, nameOfKind(tensor)),
          m_format(tensor.format()) {
        if (tensor.isDense()) {
            m_values = denseOnDevice(tensor, device);
        } else {
            m_codes.emplace(tensor, device);
            m_inputScale = tensor.quantized().inputScale;
        }
    }

    at::Tensor product(LinearInput& x, const Epilogue& epilogue) const override {
        const at::Tensor input = inputOf(x);
        const std::int64_t unpacked = m_format.format == NumberFormat::F32 ? 0 : cols();
        const at::Tensor out = inStrips(epilogue.rowBegin, endOf(epilogue), unpacked,
                                        [&](std::int64_t begin, std::int64_t end) {
                                            std::optional<at::Tensor> bias;
                                            if (epilogue.bias != nullptr) {
                                                bias = epilogue.bias->slice(0, begin, end);
                                            }
                                            return at::linear(input, valuesOf(begin, end), bias);
                                        });
        return torchActivation(out, epilogue.act);
    }

    at::Tensor rowsAt(std::span<const std::int32_t> ids) const override {
        const at::Tensor index = idsOnDevice(device(), ids);
        return m_codes ? m_codes->lookup(index) : m_values.index_select(0, index).to(at::kFloat);
    }

    std::uint64_t bytes() const override { return m_codes ? m_codes->bytes() : m_values.nbytes(); }

protected:
    const DeviceCodes* plainCodes() const override { return m_codes ? &*m_codes : nullptr; }

private:
    static std::string nameOfKind(const Tensor& tensor) {
        const WeightFormat format = tensor.format();
        return formatName(tensor) + (format.isInt8Product() ? ", rounded inputs" : "") +
               (format.format == NumberFormat::F32 ? "" : ", products in fp32");
    }

    at::Tensor valuesOf(std::int64_t begin, std::int64_t end) const {
        return m_codes ? m_codes->values(begin, end) : m_values.slice(0, begin, end).to(at::kFloat);
    }

    at::Tensor inputOf(LinearInput& x) const {
        if (m_format.activations == Activations::None) {
            return x.tensor();
        }
        const int bits = m_format.activations == Activations::Int16Dynamic ? 16 : 8;
        return x.derived(roundingKey("rounded", bits, m_format.activationGroup, m_inputScale), [&] {
            return std::vector<at::Tensor>{
                roundActivations(x.tensor(), m_format.activationGroup, bits, m_inputScale,
                                 x.largestOnDevice(m_format.activationGroup, m_inputScale))};
        })[0];
    }

    WeightFormat m_format;
    at::Tensor m_values;  ///< of dense tensors
    std::optional<DeviceCodes> m_codes;
    float m_inputScale = 0.0F;
};

}  // namespace

std::shared_ptr<const Weight> makeFloatsWeight(const Tensor& tensor, const Device& device) {
    return std::make_shared<FloatsWeight>(tensor, device);
}

}  // namespace pareto::runtime
