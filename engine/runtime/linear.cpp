#include "engine/runtime/linear.h"

#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"

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

}  // namespace

LinearInput::LinearInput(const Device& device, const at::Tensor& x)
    : m_device(device), m_x(x), m_rows(x.size(0)), m_cols(x.size(1)) {
    m_data = device.cuda ? nullptr : x.const_data_ptr<float>();
}

LinearInput::~LinearInput() = default;

const QuantizedInput& LinearInput::quantized(std::int64_t groupSize) {
    auto [at, added] = m_quantized.try_emplace(groupSize);
    auto& out = at->second;
    if (!added) {
        return out;
    }
    kernels::QuantizeRows work;
    work.x = m_data;
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
    out.kind = q.format.format == NumberFormat::Int4 ? kernels::WeightKind::Int4
                                                     : kernels::WeightKind::Int8;
    out.values = q.codes.data();
    out.scales = q.scales.as<float>().data();
    out.zeroPoints = q.zeroPoints.empty() ? nullptr : q.zeroPoints.as<std::int8_t>().data();
    const bool perTensor = q.format.granularity == Granularity::Tensor;
    out.groups = perTensor ? 0 : groupsPerRow(q.format, out.cols);
    out.groupSize = q.format.granularity == Granularity::Group ? q.format.groupSize : out.cols;
    return out;
}

std::shared_ptr<const Weight> makeWeight(const Tensor& tensor, const Device& device) {
    if (device.cuda) {
        return makeDeviceWeight(tensor, device);
    }
    if (tensor.isDense()) {
        return tensor.dense().dtype == DType::F32 ? makeDenseWeight(tensor, device)
                                                  : makeRowsWeight(tensor, device);
    }
    const auto& format = tensor.quantized().format;
    return format.activations == Activations::Int8Dynamic ? makeInt8Weight(tensor, device)
                                                          : makeRowsWeight(tensor, device);
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
