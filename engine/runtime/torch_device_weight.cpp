#include "engine/runtime/torch_device_weight.h"

#include <bit>

#include <ATen/TensorOperators.h>
#include <ATen/ops/ceil.h>
#include <ATen/ops/exp2.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log2.h>
#include <ATen/ops/mm.h>

#include "engine/kernels/cuda/cuda_table.h"
#include "engine/runtime/torch_ops.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {

DeviceWeight::DeviceWeight(const Tensor& tensor, const Device& device, DeviceKernel kernel,
                           const std::string& how)
    : Weight(tensor.shape[0], tensor.shape[1]), m_device(device) {
    m_name = how + " (" + std::string(opOf(kernel));
}

at::Tensor DeviceWeight::multiply(LinearInput& x, const Epilogue& epilogue) const {
    at::Tensor own;
    if (const DeviceCodes* codes = plainCodes(); codes != nullptr) {
        own = ownProduct(m_device, codes->codedRows(), x, epilogue);
    }
    return own.defined() ? own : product(x, epilogue);
}

at::Tensor DeviceWeight::lookup(std::span<const std::int32_t> ids) const {
    at::Tensor own;
    if (const DeviceCodes* codes = plainCodes(); codes != nullptr) {
        own = ownLookup(m_device, codes->codedRows(), ids);
    }
    return own.defined() ? own : rowsAt(ids);
}

std::string DeviceWeight::kernelName() const {
    const DeviceCodes* codes = plainCodes();
    const bool own = codes != nullptr && hasOwnProduct(m_device, codes->codedRows());
    return m_name +
           (own ? "; up to " + std::to_string(kMostOwnTokens) + " tokens " + m_device.cudaTable->name : "") +
           ") on " + m_device.name;
}

at::Tensor DeviceWeight::finished(const at::Tensor& out, const Epilogue& epilogue) const {
    if (epilogue.bias != nullptr) {
        out.add_(epilogue.bias->slice(0, epilogue.rowBegin, endOf(epilogue)));
    }
    return torchActivation(out, epilogue.act);
}

DeviceCodes::DeviceCodes(const Tensor& tensor, const Device& device)
    : format(tensor.format()),
      rows(tensor.shape[0]),
      cols(tensor.shape[1]),
      inputScale(tensor.quantized().inputScale) {
    const auto& q = tensor.quantized();
    const auto to = torchDevice(device);
    const bool wide = format.format == NumberFormat::Int16;
    const at::ScalarType type = wide                                  ? at::kShort
                                : format.format == NumberFormat::Int8 ? at::kChar
                                                                      : at::kByte;
    codes =
        viewBuffer(q.codes, {rows, codeBytes(format.format, cols) / (wide ? 2 : 1)}, type).to(to);
    const bool perTensor = format.granularity == Granularity::Tensor;
    const std::int64_t groups = perTensor ? 1 : groupsPerRow(format, cols);
    scales = viewBuffer(q.scales, {perTensor ? 1 : rows, groups}, at::kFloat).to(to);
    if (!q.zeroPoints.empty()) {
        zeros = viewBuffer(q.zeroPoints, {perTensor ? 1 : rows, groups}, at::kChar).to(to);
    }
}

at::Tensor DeviceCodes::numbersOf(const at::Tensor& held) const {
    const int bits = bitsOf(format.format);
    return format.format == NumberFormat::F8 ? unpackFloat8(held)
           : bits < 8                        ? unpackBits(held, cols, bits)
                                             : held.slice(1, 0, cols).to(at::kFloat);
}

at::Tensor DeviceCodes::values(std::int64_t begin, std::int64_t end) const {
    const auto part = [&](const at::Tensor& held) {
        return !held.defined() || held.size(0) == 1 ? held : held.slice(0, begin, end);
    };
    const std::int64_t length = format.granularity == Granularity::Group ? format.groupSize : cols;
    return scaleGroups(numbers(begin, end), part(scales), part(zeros), length);
}

at::Tensor DeviceCodes::lookup(const at::Tensor& ids) const {
    const auto part = [&](const at::Tensor& held) {
        return !held.defined() || held.size(0) == 1 ? held : held.index_select(0, ids);
    };
    const std::int64_t length = format.granularity == Granularity::Group ? format.groupSize : cols;
    return scaleGroups(numbersOf(codes.index_select(0, ids)), part(scales), part(zeros), length);
}

at::Tensor DeviceCodes::partOf(const at::Tensor& held, std::int64_t begin, std::int64_t end,
                               std::int64_t group) {
    const at::Tensor column = held.size(1) == 1 ? held : held.slice(1, group, group + 1);
    return (held.size(0) == 1 ? column : column.slice(0, begin, end)).t();
}

std::uint64_t DeviceCodes::bytes() const {
    return codes.nbytes() + scales.nbytes() + (zeros.defined() ? zeros.nbytes() : 0);
}

at::Tensor denseOnDevice(const Tensor& tensor, const Device& device) {
    const DType held = tensor.dense().dtype;
    const at::ScalarType type = held == DType::F16    ? at::kHalf
                                : held == DType::BF16 ? at::kBFloat16
                                                      : at::kFloat;
    return viewBuffer(tensor.dense().values, {tensor.shape[0], tensor.shape[1]}, type)
        .to(torchDevice(device));
}

std::string roundingKey(const char* what, int bits, std::int64_t group, float fixedScale) {
    return std::string(what) + " " + std::to_string(bits) + " " + std::to_string(group) + " " +
           std::to_string(std::bit_cast<std::uint32_t>(fixedScale));
}

HalfInput halfInput(LinearInput& x, at::ScalarType type, double largest) {
    if (type == at::kBFloat16) {
        const auto& made = x.derived(
            "bf16", [&] { return std::vector<at::Tensor>{x.tensor().to(at::kBFloat16)}; });
        return {made[0], {}};
    }
    const auto& made = x.derived("fp16 up to " + std::to_string(largest), [&] {
        const at::Tensor most = x.tensor().abs().amax({1}, true);
        const at::Tensor factors = at::exp2(at::ceil(at::log2(most / largest)).clamp_min(0));
        return std::vector<at::Tensor>{(x.tensor() / factors).to(at::kHalf), factors};
    });
    return {made[0], made[1]};
}

at::Tensor halfProduct(const at::Tensor& x, const at::Tensor& w) {
    // The CPU has no product of halves that sums and answers in fp32; the same numbers as fp32 give the same.
    return x.is_cuda() ? at::mm(x, w.t(), at::kFloat)
                       : at::linear(x.to(at::kFloat), w.to(at::kFloat));
}

std::string formatName(const Tensor& tensor) {
    const WeightFormat format = tensor.format();
    std::string name(nameOf(format.format));
    if (!format.isCoded()) {
        return name;
    }
    switch (format.activations) {
    case Activations::None:
        return name + " weight-only";
    case Activations::Int8Dynamic:
        return name + " dynamic";
    case Activations::Int8Static:
        return name + (tensor.quantized().inputScale > 0.0F ? " static" : " dynamic");
    case Activations::Int16Dynamic:
        break;
    }
    return (format.format == NumberFormat::Int16 ? "" : name + " weights, ") +
           std::string("int16 dynamic");
}

}  // namespace pareto::runtime
