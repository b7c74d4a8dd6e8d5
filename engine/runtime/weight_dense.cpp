#include <cstdio>
#include <limits>

#include "engine/runtime/measured_choices.h"
#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"

namespace pareto::runtime {
namespace {

/// Up to this many input rows our own product beats libtorch's: 1.1 to 2.2 times from 6 to 63 rows (a 135M decoder, a
/// 6-layer encoder). From 64 rows on, where libtorch's takes another way, the processor decides.
constexpr std::int64_t kOwnLimit = 63;
/// What is timed then, and what it must gain; smaller weights take libtorch's, of larger ones so many rows stand for all.
constexpr std::int64_t kManyInputs = 128;
constexpr double kGain = 1.03;
constexpr std::int64_t kLeastValues = 256 * 256;
constexpr std::int64_t kMostRows = 2048;

/// fp32 as it lies in memory or in its mapped file.
class DenseWeight final : public Weight {
public:
    DenseWeight(const Tensor& tensor, const Device& device)
        : Weight(tensor.shape[0], tensor.shape[1]), m_device(device) {
        m_values = tensor.dense().values;
        if (!isAligned(m_values.data(), alignof(float))) {
            m_values = Buffer::copyOf(m_values.bytes());
        }
        m_view = viewBuffer(m_values, {rows(), cols()}, at::kFloat);
        m_kernel.values = m_values.data();
        m_kernel.rows = rows();
        m_kernel.cols = cols();
    }

    /// By how much our own product is faster than libtorch's with many inputs.
    void ownIsFaster(double gain) {
        m_ownLimit = gain >= kGain ? std::numeric_limits<std::int64_t>::max() : kOwnLimit;
        char text[32];
        std::snprintf(text, sizeof text, "; %.2f× of libtorch", gain);
        m_remark = gain >= kGain ? text : ", libtorch";
    }

    at::Tensor multiply(LinearInput& x, const Epilogue& epilogue) const override {
        const std::int64_t end = epilogue.rowEnd < 0 ? rows() : epilogue.rowEnd;
        at::Tensor out;
        if (const auto work = panelWork(x, epilogue, out)) {
            runRows(*work, cols());
            return out;
        }
        out = emptyFloats(m_device, {x.m(), end - epilogue.rowBegin});
        multiplyByTorch(x, m_view.slice(0, epilogue.rowBegin, end), epilogue, epilogue.rowBegin, out);
        activate(m_device, epilogue, out);
        return out;
    }

    std::optional<PanelWork> panelWork(LinearInput& x, const Epilogue& epilogue, at::Tensor& out) const override {
        if (x.m() > m_ownLimit) {
            return std::nullopt;
        }
        return rowsWork(m_device, m_kernel, x, epilogue, out);
    }

    at::Tensor lookup(std::span<const std::int32_t> ids) const override {
        at::Tensor out = emptyFloats(m_device, {static_cast<std::int64_t>(ids.size()), cols()});
        auto* to = out.mutable_data_ptr<float>();
        const float* from = m_values.as<float>().data();
        for (std::size_t i = 0; i < ids.size(); ++i) {
            std::memcpy(to + static_cast<std::int64_t>(i) * cols(), from + ids[i] * cols(),
                        static_cast<std::size_t>(cols()) * sizeof(float));
        }
        return out;
    }

    std::uint64_t bytes() const override { return m_values.size(); }
    std::string kernelName() const override { return std::string("fp32 (") + m_device.table->name + m_remark + ")"; }

private:
    const Device m_device;
    Buffer m_values;
    at::Tensor m_view;
    kernels::WeightRows m_kernel;
    std::int64_t m_ownLimit = kOwnLimit;
    std::string m_remark = ", libtorch";
};

/// Of a shape it is measured once for a machine (measured_choices.h).
double gainOfOwn(const Tensor& tensor, const Device& device) {
    const std::int64_t rows = std::min(tensor.shape[0], kMostRows);
    const std::string key = std::string("many fp32 inputs: ") + device.table->name + ", " + std::to_string(rows) + " × " +
                            std::to_string(tensor.shape[1]) + ", " + std::to_string(device.threads) + " threads";
    auto& choices = MeasuredChoices::ofMachine();
    if (const auto known = choices.find(key); known && known->size() == 1) {
        return known->front();
    }
    DenseWeight own(tensor, device);
    own.ownIsFaster(kGain);
    const DenseWeight theirs(tensor, device);
    const at::Tensor x = someInput(device, kManyInputs, tensor.shape[1]);
    Epilogue some;
    some.rowEnd = rows;
    const auto least = leastSeconds(
        {}, [&] { return secondsOf(theirs, device, x, some); }, [&] { return secondsOf(own, device, x, some); }, [] {});
    choices.put(key, {least.gain}, least.steady);
    return least.gain;
}

}  // namespace

std::shared_ptr<const Weight> makeDenseWeight(const Tensor& tensor, const Device& device) {
    auto weight = std::make_shared<DenseWeight>(tensor, device);
    if (tensor.shape.elements() >= kLeastValues) {
        weight->ownIsFaster(gainOfOwn(tensor, device));
    }
    return weight;
}

}  // namespace pareto::runtime
