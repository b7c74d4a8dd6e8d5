#include "engine/kernels/pack.h"
#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"

namespace pareto::runtime {
namespace {

/// fp32, packed for products.
class DenseWeight final : public PanelWeight {
public:
    DenseWeight(const Tensor& tensor, const Device& device) : PanelWeight(tensor.shape[0], tensor.shape[1]), m_device(device) {
        const Buffer values = aligned(tensor).dense().values;
        m_values = Buffer::createLasting(values.size(), [&](std::span<std::byte> out) {
            pack(values.as<float>().data(), reinterpret_cast<float*>(out.data()));
        });
        m_kernel = {m_values.as<float>().data(), rows(), cols()};
    }

    std::optional<PanelWork> panelWork(LinearInput& x, const Epilogue& epilogue, at::Tensor& out) const override {
        kernels::FloatGemm work;
        const std::int64_t end = openProduct(m_device, x, epilogue, rows(), out, work);
        work.weight = m_kernel;
        work.x = x.data();
        work.ldx = cols();
        return panelWorkOf(epilogue, end, [table = m_device.table, work](std::int64_t from, std::int64_t to) {
            table->floatGemm(work, from, to);
        });
    }

    at::Tensor lookup(std::span<const std::int32_t> ids) const override {
        return lookedUp(m_device, ids, cols(), [&](std::int32_t row, float* to) { kernels::unpackRow(m_kernel, row, to); });
    }

    std::uint64_t bytes() const override { return m_values.size(); }
    std::string kernelName() const override { return std::string("fp32 (") + m_device.table->name + ")"; }

private:
    void pack(const float* values, float* out) const {
        parallel(kernels::panelCount(rows()), 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t panel = begin; panel < end; ++panel) {
                const std::int64_t first = panel * kernels::kPanelRows * cols();
                const std::int64_t height = kernels::panelRows(rows(), panel);
                m_device.table->transpose(values + first, cols(), height, cols(), out + first, height);
            }
        });
    }

    const Device m_device;
    Buffer m_values;
    kernels::PackedFloats m_kernel;
};

}  // namespace

std::shared_ptr<const Weight> makeDenseWeight(const Tensor& tensor, const Device& device) {
    return std::make_shared<DenseWeight>(tensor, device);
}

}  // namespace pareto::runtime
