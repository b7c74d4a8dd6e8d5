#include "engine/runtime/linear.h"

#include <algorithm>
#include <cmath>

#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"
#include "engine/weights/rounding.h"

namespace pareto::runtime {
namespace {

/// Fewer values than this are not worth a second thread.
constexpr std::int64_t kGrainValues = 16384;
/// Rows of codes start on cache lines.
constexpr std::int64_t kCodeAlignment = 64;

kernels::WeightKind kindOf(DType type) {
    return type == DType::F16    ? kernels::WeightKind::F16
           : type == DType::BF16 ? kernels::WeightKind::BF16
                                 : kernels::WeightKind::F32;
}

kernels::WeightKind kindOf(NumberFormat format) {
    switch (format) {
        case NumberFormat::F32: return kernels::WeightKind::F32;
        case NumberFormat::F16: return kernels::WeightKind::F16;
        case NumberFormat::BF16: return kernels::WeightKind::BF16;
        case NumberFormat::F8: return kernels::WeightKind::F8;
        case NumberFormat::Int16: return kernels::WeightKind::Int16;
        case NumberFormat::Int8: return kernels::WeightKind::Int8;
        case NumberFormat::Int4: return kernels::WeightKind::Int4;
        case NumberFormat::Int3: return kernels::WeightKind::Int3;
        case NumberFormat::Int2: return kernels::WeightKind::Int2;
    }
    return kernels::WeightKind::F32;
}

void round16(const float* x, std::int64_t count, float* out) {
    float largest = 0.0F;
    for (std::int64_t i = 0; i < count; ++i) {
        largest = std::max(largest, std::fabs(x[i]));
    }
    const float scale = largest / 32767.5F;
    const float inverse = scale > 0.0F ? 1.0F / scale : 0.0F;
    for (std::int64_t i = 0; i < count; ++i) {
        out[i] = scale * std::clamp(rounding::roundToEven(x[i] * inverse), -32768.0F, 32767.0F);
    }
}

}  // namespace

LinearInput::LinearInput(const Device& device, const at::Tensor& x)
    : m_device(device), m_x(x), m_rows(x.size(0)), m_cols(x.size(1)) {
    m_data = device.usesTorch() ? nullptr : x.const_data_ptr<float>();
}

LinearInput::~LinearInput() = default;

const QuantizedInput& LinearInput::quantized(std::int64_t groupSize, float fixedScale) {
    auto [at, added] = m_quantized.try_emplace({groupSize, fixedScale});
    auto& out = at->second;
    if (!added) {
        return out;
    }
    kernels::QuantizeRows work;
    work.x = m_data;
    work.fixedScale = fixedScale;
    work.k = m_cols;
    work.ldx = m_cols;
    work.groupSize = groupSize == 0 ? m_cols : groupSize;
    work.groups = (m_cols + work.groupSize - 1) / work.groupSize;
    work.ldc = (m_cols + kCodeAlignment - 1) / kCodeAlignment * kCodeAlignment;
    out.ldc = work.ldc;
    out.codes.resize(static_cast<std::size_t>(m_rows * work.ldc));
    out.scales.resize(static_cast<std::size_t>(m_rows * work.groups));
    work.codes = out.codes.data();
    work.scales = out.scales.data();
    parallel(m_rows, std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, m_cols)),
             [&](std::int64_t begin, std::int64_t end) {
                 m_device.table->quantizeRows(work, begin, end);
             });
    return out;
}

const at::Tensor& LinearInput::rounded16(std::int64_t groupSize) {
    auto [found, added] = m_rounded.try_emplace(groupSize);
    if (!added) {
        return found->second;
    }
    found->second = emptyFloats(m_device, {m_rows, m_cols});
    float* out = found->second.mutable_data_ptr<float>();
    const std::int64_t length = std::max<std::int64_t>(1, groupSize == 0 ? m_cols : groupSize);
    parallel(m_rows, std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, m_cols)),
             [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row) {
                     for (std::int64_t col = 0; col < m_cols; col += length) {
                         const std::int64_t at = row * m_cols + col;
                         round16(m_data + at, std::min(length, m_cols - col), out + at);
                     }
                 }
             });
    return found->second;
}

kernels::WeightRows weightRows(const Tensor& tensor) {
    kernels::WeightRows out;
    out.rows = tensor.shape[0];
    out.cols = tensor.shape[1];
    if (tensor.isDense()) {
        out.kind = kindOf(tensor.dense().dtype);
        out.values = tensor.dense().values.data();
        return out;
    }
    const auto& q = tensor.quantized();
    out.kind = kindOf(q.format.format);
    out.values = q.codes.data();
    out.scales = q.scales.as<float>().data();
    out.zeroPoints = q.zeroPoints.empty() ? nullptr : q.zeroPoints.as<std::int8_t>().data();
    const bool perTensor = q.format.granularity == Granularity::Tensor;
    out.groups = perTensor ? 0 : groupsPerRow(q.format, out.cols);
    out.groupSize = q.format.granularity == Granularity::Group ? q.format.groupSize : out.cols;
    return out;
}

std::shared_ptr<const Weight> makeWeight(const Tensor& tensor, const Device& device) {
    if (device.usesTorch()) {
        return makeDeviceWeight(tensor, device);
    }
    if (tensor.isDense()) {
        return tensor.dense().dtype == DType::F32 ? makeDenseWeight(tensor, device)
                                                  : makeRowsWeight(tensor, device);
    }
    const auto& format = tensor.quantized().format;
    return format.isInt8Product() ? makeInt8Weight(tensor, device) : makeRowsWeight(tensor, device);
}

kernels::Act actOf(Activation activation) {
    switch (activation) {
        case Activation::None: return kernels::Act::None;
        case Activation::Gelu: return kernels::Act::Gelu;
        case Activation::GeluTanh: return kernels::Act::GeluTanh;
        case Activation::Relu: return kernels::Act::Relu;
        case Activation::Silu: return kernels::Act::Silu;
        case Activation::Tanh: return kernels::Act::Tanh;
    }
    return kernels::Act::None;
}

}  // namespace pareto::runtime
