#include <algorithm>

#include "engine/kernels/pack.h"
#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"

namespace pareto::runtime {
namespace {

/// Weights of 8, 4, 3 or 2 bits with a scale a group of columns, multiplied with inputs of 8 bits in integers.
class GroupWeight final : public PanelWeight {
public:
    GroupWeight(const Tensor& tensor, const Device& device)
        : PanelWeight(tensor.shape[0], tensor.shape[1]), m_device(device), m_rounding(roundingOf(tensor)) {
        const auto& q = tensor.quantized();
        const auto logical = weightRows(tensor);
        m_packed.kind = logical.kind;
        m_packed.rows = rows();
        m_packed.cols = cols();
        m_packed.groups = logical.groups;
        m_packed.groupSize = logical.groupSize;
        m_rounding.sumSize = logical.groupSize;
        m_rounding.sumFactor = -(1 << (bitsOf(q.format.format) - 1));
        m_name = withInputs(std::string(nameOf(q.format.format)), m_rounding);
        m_static = q.format.activations == Activations::Int8Static;
        m_codes = Buffer::createLasting(q.codes.size(), [&](std::span<std::byte> out) {
            kernels::packGroupCodes(logical.kind, q.codes.as<std::uint8_t>().data(), rows(), cols(),
                                    reinterpret_cast<std::uint8_t*>(out.data()));
        });
        m_scales = packed(q.scales.as<float>());
        m_zeroPoints = packed(q.zeroPoints.as<std::int8_t>());
        m_packed.codes = m_codes.as<std::uint8_t>().data();
        m_packed.scales = m_scales.as<float>().data();
        m_packed.zeroPoints = m_zeroPoints.empty() ? nullptr : m_zeroPoints.as<std::int8_t>().data();
    }

    std::optional<PanelWork> panelWork(LinearInput& x, const Epilogue& epilogue, at::Tensor& out) const override {
        kernels::GroupGemm work;
        const std::int64_t end = openProduct(m_device, x, epilogue, rows(), out, work);
        const auto& input = x.quantized(m_rounding);
        work.weight = m_packed;
        work.codes = reinterpret_cast<const std::int8_t*>(input.data());
        work.scales = input.scales.data();
        work.sums = input.sums.data();
        work.ldc = input.ldc;
        return panelWorkOf(epilogue, end, [this, work](std::int64_t from, std::int64_t to) {
            m_device.table->groupGemm(work, from, to);
        });
    }

    at::Tensor lookup(std::span<const std::int32_t> ids) const override {
        return lookedUp(m_device, ids, cols(), [&](std::int32_t row, float* to) { lookupRow(row, to); });
    }

    std::uint64_t bytes() const override {
        return m_codes.size() + m_scales.size() + m_zeroPoints.size() + (m_static ? sizeof(float) : 0);
    }

    std::string kernelName() const override {
        return m_name + " (" + m_device.table->int8Name + ", groups)";
    }

private:
    void lookupRow(std::int64_t row, float* to) const {
        const std::int64_t panel = row / kernels::kPanelRows;
        const std::int64_t height = kernels::panelRows(rows(), panel);
        for (std::int64_t g = 0; g < m_packed.groups; ++g) {
            const std::int64_t at = panel * kernels::kPanelRows * m_packed.groups + g * height + row % kernels::kPanelRows;
            const int zero = m_packed.zeroPoints != nullptr ? m_packed.zeroPoints[at] : 0;
            const std::int64_t end = std::min(cols(), (g + 1) * m_packed.groupSize);
            for (std::int64_t c = g * m_packed.groupSize; c < end; ++c) {
                to[c] = m_packed.scales[at] * static_cast<float>(kernels::groupCode(m_packed, row, c) - zero);
            }
        }
    }

    template <typename T>
    Buffer packed(std::span<const T> values) const {
        return Buffer::createLasting(values.size_bytes(), [&](std::span<std::byte> out) {
            if (!values.empty()) {
                kernels::packGroupValues(values.data(), rows(), m_packed.groups, reinterpret_cast<T*>(out.data()));
            }
        });
    }

    const Device m_device;
    Buffer m_codes;
    Buffer m_scales;
    Buffer m_zeroPoints;
    kernels::PackedGroups m_packed;
    InputRounding m_rounding;
    std::string m_name;
    bool m_static = false;
};

}  // namespace

bool hasGroupKernel(const Tensor& tensor, const Device& device) {
    const auto& q = tensor.quantized();
    const auto& format = q.format;
    if (device.table->groupGemm == nullptr || !format.isInt8Product() || bitsOf(format.format) > 8 ||
        !format.isInteger()) {
        return false;
    }
    const std::int64_t cols = tensor.shape[1];
    const std::int64_t step = kernels::groupColumns(weightRows(tensor).kind);
    const std::int64_t size = format.granularity == Granularity::Group ? format.groupSize : cols;
    // 255 · 128 · columns of a group has to stay below 2^31.
    return format.granularity != Granularity::Tensor && cols % step == 0 && size % step == 0 && size < 65536 &&
           (format.activationGroup == 0 || format.activationGroup == size);
}

std::shared_ptr<const Weight> makeGroupWeight(const Tensor& tensor, const Device& device) {
    return std::make_shared<GroupWeight>(tensor, device);
}

}  // namespace pareto::runtime
