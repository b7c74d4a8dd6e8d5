#include "engine/kernels/pack.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"

namespace pareto::runtime {
namespace {

/// int8 weights whose products with inputs of 8 bits run on integer arithmetic.
class Int8Weight final : public PanelWeight {
public:
    Int8Weight(const Tensor& tensor, const Device& device)
        : PanelWeight(tensor.shape[0], tensor.shape[1]), m_device(device), m_rounding(roundingOf(tensor)) {
        const auto& q = tensor.quantized();
        m_static = q.format.activations == Activations::Int8Static;
        m_packed = int8Shape(tensor);
        m_codes = Buffer::createLasting(q.codes.size(), [&](std::span<std::byte> out) {
            kernels::packCodes(q.codes.as<std::int8_t>().data(), rows(), cols(),
                               reinterpret_cast<std::int8_t*>(out.data()));
        });
        m_sums = int8Sums(tensor);
        m_scales = q.scales;
        m_packed.codes = m_codes.as<std::int8_t>().data();
        m_packed.codeSums = m_sums.as<std::int32_t>().data();
        m_packed.scales = m_scales.as<float>().data();
    }

    std::optional<PanelWork> panelWork(LinearInput& x, const Epilogue& epilogue, at::Tensor& out) const override {
        kernels::Int8Gemm work;
        const std::int64_t end = openProduct(m_device, x, epilogue, rows(), out, work);
        const auto& input = x.quantized(m_rounding);
        work.weight = m_packed;
        work.codes = input.data();
        work.scales = input.scales.data();
        work.ldc = input.ldc;
        return panelWorkOf(epilogue, end, [this, work](std::int64_t from, std::int64_t to) {
            m_device.table->int8Gemm(work, from, to);
        });
    }

    at::Tensor lookup(std::span<const std::int32_t> ids) const override {
        at::Tensor out = emptyFloats(m_device, {static_cast<std::int64_t>(ids.size()), cols()});
        float* to = out.mutable_data_ptr<float>();
        std::vector<std::int8_t> codes(static_cast<std::size_t>(cols()));
        for (std::size_t i = 0; i < ids.size(); ++i) {
            kernels::unpackRow(m_packed, ids[i], codes.data());
            const float scale = m_packed.scales[m_packed.perTensor ? 0 : ids[i]];
            float* row = to + static_cast<std::int64_t>(i) * cols();
            for (std::int64_t c = 0; c < cols(); ++c) {
                row[c] = scale * static_cast<float>(codes[static_cast<std::size_t>(c)]);
            }
        }
        return out;
    }

    std::uint64_t bytes() const override {
        return m_codes.size() + m_scales.size() + m_sums.size() + (m_static ? sizeof(m_rounding.fixedScale) : 0);
    }

    std::string kernelName() const override {
        return withInputs("int8", m_rounding) + " (" + m_device.table->int8Name + ")";
    }

private:
    const Device m_device;
    const InputRounding m_rounding;
    Buffer m_codes;
    Buffer m_scales;
    Buffer m_sums;
    kernels::PackedInt8 m_packed;
    bool m_static = false;
};

}  // namespace

bool hasInt8Kernel(const Tensor& tensor) {
    // 255 · 128 · columns has to stay below 2^31.
    constexpr std::int64_t kMaxCols = 65536;
    return tensor.format().hasCodeSums() && tensor.shape[1] <= kMaxCols;
}

kernels::PackedInt8 int8Shape(const Tensor& tensor) {
    const WeightFormat format = tensor.format();
    kernels::PackedInt8 out;
    out.rows = tensor.shape[0];
    out.cols = tensor.shape[1];
    out.groupSize = format.activationGroup == 0 ? out.cols : format.activationGroup;
    out.groups = (out.cols + out.groupSize - 1) / out.groupSize;
    out.perTensor = format.granularity == Granularity::Tensor;
    return out;
}

Buffer int8Sums(const Tensor& tensor) {
    const auto& sums = tensor.quantized().codeSums;
    return Buffer::createLasting(sums.size(), [&](std::span<std::byte> out) {
        kernels::packSums(sums.as<std::int32_t>().data(), tensor.shape[0], int8Shape(tensor).groups,
                          reinterpret_cast<std::int32_t*>(out.data()));
    });
}

std::shared_ptr<const Weight> makeInt8Weight(const Tensor& tensor, const Device& device) {
    return std::make_shared<Int8Weight>(tensor, device);
}

}  // namespace pareto::runtime
