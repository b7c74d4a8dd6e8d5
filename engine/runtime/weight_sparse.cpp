#include <algorithm>

#include "engine/kernels/pack.h"
#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"

namespace pareto::runtime {
namespace {

/// Up to this many tokens a weight's entries are spread for, and read once for all of them.
constexpr std::int64_t kFewTokens = 8;

/// What all forms hold.
class SparseWeight : public PanelWeight {
public:
    std::uint64_t bytes() const override { return packBytes() + m_scales.size() + m_sums.size(); }
    std::string kernelName() const override {
        return m_name + ", zeros left out (" + m_device.table->name + ")";
    }

protected:
    SparseWeight(const Tensor& tensor, const Device& device)
        : PanelWeight(tensor.shape[0], tensor.shape[1]), m_device(device) {
        if (tensor.isDense()) {
            m_name = "fp32";
            return;
        }
        m_rounding = roundingOf(tensor);
        m_name = withInputs("int8", m_rounding);
        m_scales = tensor.quantized().scales;
    }

    virtual std::uint64_t packBytes() const = 0;

    bool isFloat() const { return m_scales.empty(); }
    /// The dense integer product's shape, with scales and sums, which this holds.
    kernels::PackedInt8 denseShape(const Tensor& tensor) {
        m_sums = int8Sums(tensor);
        kernels::PackedInt8 shape = int8Shape(tensor);
        shape.scales = m_scales.as<float>().data();
        shape.codeSums = m_sums.as<std::int32_t>().data();
        return shape;
    }
    /// fp32 inputs, or their codes.
    template <typename Work>
    void setInput(LinearInput& x, Work& work) const {
        if (isFloat()) {
            work.x = x.data();
            work.ldx = cols();
            return;
        }
        const auto& input = x.quantized(m_rounding);
        work.x = input.data();
        work.ldx = input.ldc;
        work.inputScales = input.scales.data();
    }
    /// Columns of an entry of 4 bytes: an fp32 value, or codes.
    std::int64_t entryColumns() const { return isFloat() ? 1 : 4; }
    /// Entry `place` of a row into that row, [cols].
    void putEntry(const std::byte* entry, std::int64_t place, std::int32_t row, float* out) const {
        if (isFloat()) {
            std::memcpy(out + place, entry, sizeof(float));
            return;
        }
        const auto scales = m_scales.as<float>();
        const float scale = scales[scales.size() == 1 ? 0 : static_cast<std::size_t>(row)];
        for (std::int64_t c = 4 * place; c < std::min(cols(), 4 * place + 4); ++c) {
            out[c] = scale * static_cast<float>(std::to_integer<std::int8_t>(entry[c - 4 * place]));
        }
    }

    const Device m_device;
    InputRounding m_rounding;
    std::string m_name;
    Buffer m_scales;
    Buffer m_sums;
};

/// fp32 values, or int8 codes in blocks of four columns, row by row.
class SparseRowsWeight final : public SparseWeight {
public:
    SparseRowsWeight(const Tensor& tensor, const Device& device) : SparseWeight(tensor, device) {
        m_kernel.rows = rows();
        m_kernel.cols = cols();
        std::int64_t entries = cols();
        if (tensor.isDense()) {
            pack(tensor.dense().values.as<float>().data());
        } else {
            const auto& q = tensor.quantized();
            m_name += ", blocks of 4";
            m_kernel.kind = kernels::WeightKind::Int8;
            pack(q.codes.as<std::int8_t>().data());
            m_sums = q.codeSums;
            m_kernel.scales = m_scales.as<float>().data();
            m_kernel.codeSums = m_sums.as<std::int32_t>().data();
            m_kernel.perTensor = q.format.granularity == Granularity::Tensor;
            entries = (cols() + 3) / 4;
        }
        m_kernel.words = (entries + 63) / 64;
        m_kernel.masks = m_pack.masks.data();
        m_kernel.values = m_pack.values.data();
        m_kernel.starts = m_pack.starts.data();
    }

    std::optional<PanelWork> panelWork(LinearInput& x, const Epilogue& epilogue, at::Tensor& out) const override {
        kernels::SparseGemm work;
        const std::int64_t end = openProduct(m_device, x, epilogue, rows(), out, work);
        work.weight = m_kernel;
        const bool many = x.m() > kFewTokens;
        setInput(x, work);
        work.panels = !many ? nullptr : isFloat() ? x.floatPanels() : x.codePanels(m_rounding);
        return panelWorkOf(epilogue, end, [this, work, end](std::int64_t from, std::int64_t to) {
            m_device.table->sparseGemm(work, from * kernels::kPanelRows, std::min(end, to * kernels::kPanelRows));
        });
    }

    at::Tensor lookup(std::span<const std::int32_t> ids) const override {
        at::Tensor out = at::zeros({static_cast<std::int64_t>(ids.size()), cols()}, at::kFloat);
        float* to = out.mutable_data_ptr<float>();
        for (const std::int32_t id : ids) {
            const auto* entry = m_pack.values.data() + std::size_t{4} * m_pack.starts[static_cast<std::size_t>(id)];
            for (std::int64_t at = 0; at * entryColumns() < cols(); ++at) {
                if ((m_kernel.masks[id / m_kernel.maskRows * m_kernel.words + at / 64] >> (at % 64) & 1) != 0) {
                    putEntry(entry, at, id, to);
                    entry += 4;
                }
            }
            to += cols();
        }
        return out;
    }

private:
    std::uint64_t packBytes() const override { return m_pack.bytes(); }

    /// Rows share masks where that stores few entries more: inputs are then read once for four rows.
    template <typename T>
    void pack(const T* values) {
        constexpr double kFewMore = 1.1;
        const auto stored = [&](std::int64_t maskRows) {
            return static_cast<double>(kernels::sparseEntries(values, rows(), cols(), maskRows));
        };
        if (rows() % kernels::kMaskRows == 0 && stored(kernels::kMaskRows) <= kFewMore * stored(1)) {
            m_kernel.maskRows = kernels::kMaskRows;
            m_name += ", four rows alike";
        }
        m_pack = kernels::packSparseRows(values, rows(), cols(), m_kernel.maskRows);
    }

    kernels::SparsePack m_pack;
    kernels::SparseRows m_kernel;
};

/// int8 codes in the panels of the dense product. Many tokens: panels are put back and multiplied densely.
class SparsePanelsWeight final : public SparseWeight {
public:
    SparsePanelsWeight(const Tensor& tensor, const Device& device) : SparseWeight(tensor, device) {
        const auto& q = tensor.quantized();
        std::vector<std::int8_t> packed(q.codes.size());
        kernels::packCodes(q.codes.as<std::int8_t>().data(), rows(), cols(), packed.data());
        m_pack = kernels::packSparsePanels(packed.data(), rows(), cols());
        m_kernel.dense = denseShape(tensor);
        m_kernel.masks = m_pack.masks.data();
        m_kernel.codes = reinterpret_cast<const std::int8_t*>(m_pack.values.data());
        m_kernel.starts = m_pack.starts.data();
    }

    std::optional<PanelWork> panelWork(LinearInput& x, const Epilogue& epilogue, at::Tensor& out) const override {
        kernels::SparsePanelGemm work;
        const std::int64_t end = openProduct(m_device, x, epilogue, rows(), out, work.work);
        const auto& input = x.quantized(m_rounding);
        work.weight = m_kernel;
        work.work.codes = input.data();
        work.work.scales = input.scales.data();
        work.work.ldc = input.ldc;
        return panelWorkOf(epilogue, end, [this, work](std::int64_t from, std::int64_t to) {
            work.work.m <= kFewTokens ? m_device.table->sparsePanelGemm(work, from, to) : multiplyDense(work, from, to);
        });
    }

    at::Tensor lookup(std::span<const std::int32_t> ids) const override {
        at::Tensor out = emptyFloats(m_device, {static_cast<std::int64_t>(ids.size()), cols()});
        float* to = out.mutable_data_ptr<float>();
        std::vector<std::int8_t> codes(static_cast<std::size_t>(kernels::kPanelRows * cols()));
        for (const std::int32_t id : ids) {
            const std::int64_t panel = id / kernels::kPanelRows;
            m_device.table->expandPanels(m_kernel, panel, panel + 1, codes.data());
            const std::int64_t height = kernels::panelRows(rows(), panel);
            const float scale = m_kernel.dense.scales[m_kernel.dense.perTensor ? 0 : id];
            for (std::int64_t c = 0; c < cols(); ++c) {
                const std::int64_t at = (c / 4 * height + id % kernels::kPanelRows) * 4 + c % 4;
                *to++ = scale * static_cast<float>(codes[static_cast<std::size_t>(at)]);
            }
        }
        return out;
    }

private:
    std::uint64_t packBytes() const override { return m_pack.bytes(); }

    /// A few panels at a time, so that their codes are still in the cache when they are multiplied.
    void multiplyDense(const kernels::SparsePanelGemm& sparse, std::int64_t from, std::int64_t to) const {
        constexpr std::int64_t kPanels = 6;
        const std::int64_t panelBytes = kernels::kPanelRows * cols();
        auto* codes = reinterpret_cast<std::int8_t*>(
            threadScratch(static_cast<std::size_t>(kPanels * panelBytes) / sizeof(float)));
        for (std::int64_t first = from; first < to; first += kPanels) {
            const std::int64_t last = std::min(to, first + kPanels);
            m_device.table->expandPanels(m_kernel, first, last, codes);
            kernels::Int8Gemm work = sparse.work;
            work.weight = m_kernel.dense;
            work.weight.codes = codes - first * panelBytes;  // where panel 0 would be
            m_device.table->int8Gemm(work, first, last);
        }
    }

    kernels::SparsePack m_pack;
    kernels::SparsePanels m_kernel;
};

/// Columns of 16 rows, of codes four at a time, whole.
class SparseStepsWeight final : public SparseWeight {
public:
    SparseStepsWeight(const Tensor& tensor, const Device& device) : SparseWeight(tensor, device) {
        m_name += ", columns of 16 rows";
        if (tensor.isDense()) {
            m_kernel.dense.rows = rows();
            m_kernel.dense.cols = cols();
            m_pack = kernels::packSparseSteps(tensor.dense().values.as<float>().data(), rows(), cols());
        } else {
            const auto& q = tensor.quantized();
            m_kernel.kind = kernels::WeightKind::Int8;
            m_kernel.dense = denseShape(tensor);
            m_pack = kernels::packSparseSteps(q.codes.as<std::int8_t>().data(), rows(), cols(),
                                              q.format.activationGroup);
        }
        m_kernel.entries = m_pack.entries.data();
        m_kernel.places = m_pack.places.data();
        m_kernel.starts = m_pack.starts.data();
    }

    std::optional<PanelWork> panelWork(LinearInput& x, const Epilogue& epilogue, at::Tensor& out) const override {
        kernels::SparseStepGemm work;
        const std::int64_t end = openProduct(m_device, x, epilogue, rows(), out, work);
        work.weight = m_kernel;
        setInput(x, work);
        return panelWorkOf(epilogue, end, [this, work](std::int64_t from, std::int64_t to) {
            m_device.table->sparseStepGemm(work, from, to);
        });
    }

    at::Tensor lookup(std::span<const std::int32_t> ids) const override {
        at::Tensor out = at::zeros({static_cast<std::int64_t>(ids.size()), cols()}, at::kFloat);
        float* to = out.mutable_data_ptr<float>();
        for (const std::int32_t id : ids) {
            const auto* starts = m_kernel.starts + id / kernels::kPanelRows * m_kernel.dense.groups;
            for (std::uint32_t at = starts[0]; at < starts[m_kernel.dense.groups]; ++at) {
                putEntry(m_pack.entries[at].bytes + 4 * (id % kernels::kPanelRows), m_kernel.places[at], id, to);
            }
            to += cols();
        }
        return out;
    }

private:
    std::uint64_t packBytes() const override { return m_pack.bytes(); }

    kernels::StepsPack m_pack;
    kernels::SparseSteps m_kernel;
};

/// Entries are counted in 32 bits.
bool countable(const Tensor& tensor) { return tensor.shape.elements() < (std::int64_t{1} << 32); }

}  // namespace

std::shared_ptr<const Weight> makeSparseRows(const Tensor& tensor, const Device& device) {
    const bool oneScale = tensor.isDense() || tensor.format().activationGroup == 0;
    return device.table->sparseGemm != nullptr && oneScale && countable(tensor)
               ? std::make_shared<SparseRowsWeight>(tensor, device)
               : nullptr;
}

std::shared_ptr<const Weight> makeSparsePanels(const Tensor& tensor, const Device& device) {
    const bool fits = !tensor.isDense() && tensor.shape[1] % 4 == 0 && tensor.format().activationGroup % 4 == 0;
    return device.table->sparsePanelGemm != nullptr && fits && countable(tensor)
               ? std::make_shared<SparsePanelsWeight>(tensor, device)
               : nullptr;
}

std::shared_ptr<const Weight> makeSparseSteps(const Tensor& tensor, const Device& device) {
    constexpr std::int64_t kMostColumns = 65536;
    const bool fits = tensor.shape[1] <= kMostColumns && (tensor.isDense() || tensor.format().activationGroup % 4 == 0);
    return device.table->sparseStepGemm != nullptr && fits && countable(tensor)
               ? std::make_shared<SparseStepsWeight>(tensor, device)
               : nullptr;
}

}  // namespace pareto::runtime
