#include <algorithm>

#include "engine/kernels/pack.h"
#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"

namespace pareto::runtime {
namespace {

/// int8 weights whose products with inputs of 8 bits run on integer arithmetic.
class Int8Weight final : public PanelWeight {
public:
    Int8Weight(const Tensor& tensor, const Device& device)
        : PanelWeight(tensor.shape[0], tensor.shape[1]), m_device(device) {
        const auto& q = tensor.quantized();
        m_static = q.format.activations == Activations::Int8Static;
        m_inputScale = q.inputScale;
        m_inputGroup = q.format.activationGroup;
        m_packed.rows = rows();
        m_packed.cols = cols();
        m_packed.groupSize = m_inputGroup == 0 ? cols() : m_inputGroup;
        m_packed.groups = (cols() + m_packed.groupSize - 1) / m_packed.groupSize;
        m_packed.perTensor = q.format.granularity == Granularity::Tensor;
        m_codes = Buffer::create(q.codes.size(), [&](std::span<std::byte> out) {
            kernels::packCodes(q.codes.as<std::int8_t>().data(), rows(), cols(),
                               reinterpret_cast<std::int8_t*>(out.data()));
        });
        m_sums = Buffer::create(q.codeSums.size(), [&](std::span<std::byte> out) {
            kernels::packSums(q.codeSums.as<std::int32_t>().data(), rows(), m_packed.groups,
                              reinterpret_cast<std::int32_t*>(out.data()));
        });
        m_scales = q.scales;
        m_packed.codes = m_codes.as<std::int8_t>().data();
        m_packed.codeSums = m_sums.as<std::int32_t>().data();
        m_packed.scales = m_scales.as<float>().data();
    }

    std::optional<PanelWork> panelWork(LinearInput& x, const Epilogue& epilogue, at::Tensor& out) const override {
        const std::int64_t end = epilogue.rowEnd < 0 ? rows() : epilogue.rowEnd;
        const auto& input = x.quantized({m_inputGroup, m_inputScale});
        out = emptyFloats(m_device, {x.m(), end - epilogue.rowBegin});
        kernels::Int8Gemm work;
        work.weight = m_packed;
        work.codes = input.codes.data();
        work.scales = input.scales.data();
        work.m = x.m();
        work.ldc = input.ldc;
        work.out = out.mutable_data_ptr<float>();
        work.ldo = end - epilogue.rowBegin;
        work.bias = epilogue.bias != nullptr ? epilogue.bias->const_data_ptr<float>() : nullptr;
        work.act = epilogue.act;
        work.firstRow = epilogue.rowBegin;
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
        return m_codes.size() + m_scales.size() + m_sums.size() + (m_static ? sizeof(m_inputScale) : 0);
    }

    std::string kernelName() const override {
        return std::string(m_inputScale > 0.0F ? "int8 static (" : "int8 dynamic (") +
               m_device.table->int8Name + ")";
    }

private:
    const Device m_device;
    Buffer m_codes;
    Buffer m_scales;
    Buffer m_sums;
    kernels::PackedInt8 m_packed;
    std::int64_t m_inputGroup = 0;
    bool m_static = false;
    float m_inputScale = 0.0F;  ///< 0: found for each token
};

}  // namespace

bool hasInt8Kernel(const Tensor& tensor) {
    // 255 · 128 · columns has to stay below 2^31.
    constexpr std::int64_t kMaxCols = 65536;
    return tensor.format().hasCodeSums() && tensor.shape[1] <= kMaxCols;
}

std::shared_ptr<const Weight> makeInt8Weight(const Tensor& tensor, const Device& device) {
    return std::make_shared<Int8Weight>(tensor, device);
}

}  // namespace pareto::runtime
