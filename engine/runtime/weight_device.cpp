#include <ATen/ops/gelu.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tanh.h>

#include "engine/runtime/own_products.h"
#include "engine/runtime/torch_ops.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"

namespace pareto::runtime {
namespace {

/// Any format on a device that libtorch drives: values as held, brought to fp32 when used.
class DeviceWeight final : public Weight {
public:
    DeviceWeight(const Tensor& tensor, const Device& device)
        : Weight(tensor.shape[0], tensor.shape[1]), m_device(device), m_format(tensor.format()) {
        const auto to = torchDevice(device);
        if (tensor.isDense()) {
            const auto type = tensor.dense().dtype == DType::F16    ? at::kHalf
                              : tensor.dense().dtype == DType::BF16 ? at::kBFloat16
                                                                    : at::kFloat;
            m_values = viewBuffer(tensor.dense().values, {rows(), cols()}, type).to(to);
            m_bytes = tensor.bytes();
            return;
        }
        const auto& q = tensor.quantized();
        m_inputScale = q.inputScale;
        const bool wide = m_format.format == NumberFormat::Int16;
        m_values = viewBuffer(q.codes, {rows(), codeBytes(m_format.format, cols()) / (wide ? 2 : 1)},
                              wide                                     ? at::kShort
                              : m_format.format == NumberFormat::Int8 ? at::kChar
                                                                       : at::kByte)
                       .to(to);
        const bool perTensor = m_format.granularity == Granularity::Tensor;
        m_groups = perTensor ? 1 : groupsPerRow(m_format, cols());
        const std::int64_t scaleRows = perTensor ? 1 : rows();
        m_scales = viewBuffer(q.scales, {scaleRows, m_groups}, at::kFloat).to(to);
        if (!q.zeroPoints.empty()) {
            m_zeros = viewBuffer(q.zeroPoints, {scaleRows, m_groups}, at::kChar).to(to);
        }
        // Sums of codes serve u8×s8 products, which are not used here.
        m_bytes = tensor.bytes();
    }

    at::Tensor multiply(LinearInput& x, const Epilogue& epilogue) const override {
        if (m_scales.defined()) {
            at::Tensor own = ownProduct(m_device, codedRows(), x, epilogue);
            if (own.defined()) {
                return own;
            }
        }
        const std::int64_t end = epilogue.rowEnd < 0 ? rows() : epilogue.rowEnd;
        const at::Tensor weight = floats(epilogue.rowBegin, end);
        const int bits = m_format.activations == Activations::Int16Dynamic ? 16 : 8;
        const at::Tensor input =
            m_format.activations != Activations::None
                ? roundActivations(x.tensor(), m_format.activationGroup, bits, m_inputScale)
                : x.tensor();
        at::Tensor out = epilogue.bias != nullptr
                             ? at::linear(input, weight, epilogue.bias->slice(0, epilogue.rowBegin, end))
                             : at::linear(input, weight);
        return torchActivation(out, epilogue.act);
    }

    at::Tensor lookup(std::span<const std::int32_t> ids) const override {
        if (m_scales.defined()) {
            at::Tensor own = ownLookup(m_device, codedRows(), ids);
            if (own.defined()) {
                return own;
            }
        }
        const at::Tensor index = idsOnDevice(m_device, ids);
        if (m_scales.defined()) {
            return dequantized(m_values.index_select(0, index),
                               m_scales.size(0) == 1 ? m_scales : m_scales.index_select(0, index),
                               !m_zeros.defined()      ? m_zeros
                               : m_zeros.size(0) == 1 ? m_zeros
                                                      : m_zeros.index_select(0, index));
        }
        return m_values.index_select(0, index).to(at::kFloat);
    }

    std::uint64_t bytes() const override { return m_bytes; }
    std::string kernelName() const override { return "libtorch on " + m_device.name; }

private:
    CodedRows codedRows() const { return {m_format, rows(), cols(), m_values, m_scales, m_zeros, m_inputScale}; }

    at::Tensor floats(std::int64_t begin, std::int64_t end) const {
        const at::Tensor part = m_values.slice(0, begin, end);
        if (!m_scales.defined()) {
            return part.to(at::kFloat);
        }
        const bool shared = m_scales.size(0) == 1;
        return dequantized(part, shared ? m_scales : m_scales.slice(0, begin, end),
                           !m_zeros.defined() || shared ? m_zeros : m_zeros.slice(0, begin, end));
    }

    at::Tensor dequantized(const at::Tensor& codes, const at::Tensor& scales,
                           const at::Tensor& zeros) const {
        const int bits = bitsOf(m_format.format);
        const at::Tensor values = m_format.format == NumberFormat::F8 ? unpackFloat8(codes)
                                  : bits < 8                          ? unpackBits(codes, cols(), bits)
                                                                      : codes.to(at::kFloat);
        const std::int64_t length =
            m_format.granularity == Granularity::Group ? m_format.groupSize : cols();
        return scaleGroups(values, scales, zeros, length);
    }

    const Device m_device;
    WeightFormat m_format;
    at::Tensor m_values;
    at::Tensor m_scales;
    at::Tensor m_zeros;
    std::int64_t m_groups = 1;
    float m_inputScale = 0.0F;
    std::uint64_t m_bytes = 0;
};

}  // namespace

std::shared_ptr<const Weight> makeDeviceWeight(const Tensor& tensor, const Device& device) {
    return std::make_shared<DeviceWeight>(tensor, device);
}

}  // namespace pareto::runtime
