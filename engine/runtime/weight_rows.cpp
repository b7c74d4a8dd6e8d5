#include <algorithm>

#include "engine/kernels/pack.h"
#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"

namespace pareto::runtime {
namespace {

/// Up to this many input rows weights are dequantized inside the product; above it a few panels are dequantized at a time,
/// packed and multiplied as fp32.
constexpr std::int64_t kRowsKernelLimit = 12;
/// Panels at a time, which read the inputs together; fewer of wide weights: they are to stay in the second cache (512 KiB).
constexpr std::int64_t kMostPanels = 12;
constexpr std::int64_t kPackedValues = std::int64_t{1} << 17;

const char* nameOfKind(kernels::WeightKind kind) {
    switch (kind) {
        case kernels::WeightKind::F32: return "fp32";
        case kernels::WeightKind::F16: return "fp16";
        case kernels::WeightKind::BF16: return "bf16";
        case kernels::WeightKind::F8: return "fp8";
        case kernels::WeightKind::Int16: return "int16";
        case kernels::WeightKind::Int8: return "int8";
        case kernels::WeightKind::Int4: return "int4";
        case kernels::WeightKind::Int3: return "int3";
        case kernels::WeightKind::Int2: return "int2";
    }
    return "";
}

/// 16-bit floats and codes that are multiplied as fp32, and fp32 that is only looked up, read in their logical row-major form.
class RowsWeight final : public Weight {
public:
    RowsWeight(const Tensor& tensor, const Device& device)
        : Weight(tensor.shape[0], tensor.shape[1]), m_device(device), m_tensor(aligned(tensor)) {
        m_kernel = weightRows(m_tensor);
        if (!tensor.isDense()) {
            m_activations = tensor.format().activations;
            m_rounding = roundingOf(tensor);
        }
    }

    at::Tensor multiply(LinearInput& x, const Epilogue& epilogue) const override {
        if (m_activations == Activations::None) {
            return multiplyFloats(x, epilogue);
        }
        const at::Tensor rounded =
            m_activations == Activations::Int16Dynamic ? x.rounded16(m_rounding.groupSize) : roundedInput(x);
        LinearInput input(m_device, rounded);
        return multiplyFloats(input, epilogue);
    }

    std::optional<PanelWork> panelWork(LinearInput& x, const Epilogue& epilogue, at::Tensor& out) const override {
        if (m_activations != Activations::None) {
            return std::nullopt;
        }
        return floatWork(x, epilogue, out);
    }

    at::Tensor lookup(std::span<const std::int32_t> ids) const override {
        return lookedUp(m_device, ids, cols(), [&](std::int32_t row, float* to) {
            m_device.table->dequantizeRows(m_kernel, row, row + 1, to, cols());
        });
    }

    std::uint64_t bytes() const override { return m_tensor.bytes(); }

    std::string kernelName() const override {
        const std::string name = nameOfKind(m_kernel.kind);
        const std::string table = std::string(" (") + m_device.table->name + ")";
        switch (m_activations) {
            case Activations::None: break;
            case Activations::Int8Dynamic:
            case Activations::Int8Static: return withInputs(name, m_rounding) + ", rounded inputs" + table;
            case Activations::Int16Dynamic:
                return (m_kernel.kind == kernels::WeightKind::Int16 ? "" : name + " weights, ") +
                       "int16 dynamic, products in fp32" + table;
        }
        return name + (m_kernel.kind == kernels::WeightKind::F32 ? "" : m_tensor.isDense() ? " weights" : " weight-only") + table;
    }

private:
    at::Tensor multiplyFloats(LinearInput& x, const Epilogue& epilogue) const {
        at::Tensor out;
        const auto work = floatWork(x, epilogue, out);
        x.m() <= kRowsKernelLimit ? runRows(work, cols()) : runPanels(work, panelGrain(cols(), x.m()));
        return out;
    }

    PanelWork floatWork(LinearInput& x, const Epilogue& epilogue, at::Tensor& out) const {
        if (x.m() <= kRowsKernelLimit) {
            return rowsWork(m_device, m_kernel, x, epilogue, out);
        }
        kernels::FloatGemm work;
        const std::int64_t end = openProduct(m_device, x, epilogue, rows(), out, work);
        work.x = x.data();
        work.ldx = cols();
        return panelWorkOf(epilogue, end, [this, work](std::int64_t from, std::int64_t to) { multiplyPacked(work, from, to); });
    }

    /// Panels [begin, end), a few of them at a time as a weight of their own.
    void multiplyPacked(const kernels::FloatGemm& all, std::int64_t begin, std::int64_t end) const {
        const std::int64_t panelValues = kernels::kPanelRows * cols();
        const std::int64_t most = std::clamp<std::int64_t>(kPackedValues / std::max<std::int64_t>(1, panelValues), 1, kMostPanels);
        float* packed = threadScratch(static_cast<std::size_t>((most + 1) * panelValues));
        float* rowMajor = packed + most * panelValues;
        kernels::FloatGemm work = all;
        work.weight = {packed, 0, cols()};
        work.firstRow = 0;
        for (std::int64_t panel = begin; panel < end; panel += most) {
            const std::int64_t row = panel * kernels::kPanelRows;
            work.weight.rows = std::min(rows() - row, std::min(most, end - panel) * kernels::kPanelRows);
            for (std::int64_t at = 0; at < work.weight.rows; at += kernels::kPanelRows) {
                const std::int64_t height = std::min(kernels::kPanelRows, work.weight.rows - at);
                m_device.table->dequantizeRows(m_kernel, row + at, row + at + height, rowMajor, cols());
                m_device.table->transpose(rowMajor, cols(), height, cols(), packed + at * cols(), height);
            }
            work.out = all.out + row - all.firstRow;
            work.bias = all.bias != nullptr ? all.bias + row : nullptr;
            m_device.table->floatGemm(work, 0, kernels::panelCount(work.weight.rows));
        }
    }

    /// What the integer product would see, as fp32: for int8 activations whose weights are grouped
    /// or asymmetric, where no integer kernel exists.
    at::Tensor roundedInput(LinearInput& x) const {
        const auto& codes = x.quantized(m_rounding);
        at::Tensor out = emptyFloats(m_device, {x.m(), cols()});
        float* to = out.mutable_data_ptr<float>();
        const std::int64_t length = m_rounding.groupSize == 0 ? cols() : m_rounding.groupSize;
        const std::int64_t groups = (cols() + length - 1) / length;
        for (std::int64_t i = 0; i < x.m(); ++i) {
            for (std::int64_t c = 0; c < cols(); ++c) {
                const int code = codes.data()[i * codes.ldc + c] - 128;
                to[i * cols() + c] = static_cast<float>(code) *
                                     codes.scales[static_cast<std::size_t>(i * groups + c / length)];
            }
        }
        return out;
    }

    const Device m_device;
    Tensor m_tensor;
    kernels::WeightRows m_kernel;
    Activations m_activations = Activations::None;
    InputRounding m_rounding;
};

}  // namespace

std::shared_ptr<const Weight> makeRowsWeight(const Tensor& tensor, const Device& device) {
    return std::make_shared<RowsWeight>(tensor, device);
}

}  // namespace pareto::runtime
