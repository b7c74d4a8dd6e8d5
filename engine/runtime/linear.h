#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <memory_resource>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/kernels/kernel_table.h"
#include "engine/runtime/device.h"
#include "engine/runtime/thread_memory.h"
#include "engine/spec/layers.h"
#include "engine/weights/tensor.h"

namespace at {
class Tensor;
}

namespace pareto::runtime {

/// Activations as codes; see kernels::QuantizeRows.
struct QuantizedInput {
    ThreadArray<std::uint8_t> codes;
    ThreadArray<float> scales;
    ThreadArray<std::int32_t> sums;  ///< of signed codes only
    std::int64_t ldc = 0;

    const std::uint8_t* data() const { return codes.data(); }
};

/// How an input is rounded to 8 bits.
struct InputRounding {
    std::int64_t groupSize = 0;  ///< columns a scale covers; 0: one scale a row
    float fixedScale = 0.0F;     ///< see kernels::QuantizeRows
    std::int64_t sumSize = 0;    ///< not 0: signed codes with sums over so many columns; groupSize is that or 0
    std::int32_t sumFactor = 1;  ///< what sums are multiplied with

    auto operator<=>(const InputRounding&) const = default;
};

/// Makes values that each of several processes has of its own columns the largest of all of theirs. Throws.
using LargestOfAll = std::function<void(std::span<float>)>;

/// The input of one or more linears, [m][cols] contiguous fp32. It is quantized at most once for
/// each grouping and scale, however many linears read it. Lives as long as the call; not shared by threads.
class LinearInput {
public:
    /// `largestOfAll`: where x is this process's columns of an input that others hold the rest of, so that a row is rounded
    /// as a whole; null: x is all of it. It outlives the input.
    LinearInput(const Device& device, const at::Tensor& x, const LargestOfAll* largestOfAll = nullptr);
    ~LinearInput();
    LinearInput(const LinearInput&) = delete;
    LinearInput& operator=(const LinearInput&) = delete;

    const at::Tensor& tensor() const { return m_x; }
    const Device& device() const { return m_device; }
    std::int64_t m() const { return m_rows; }
    std::int64_t cols() const { return m_cols; }
    const float* data() const { return m_data; }
    const QuantizedInput& quantized(const InputRounding& how);
    /// The input, or its codes of `how`, with neighbouring tokens side by side: see kernels::SparseGemm.
    const void* floatPanels();
    const void* codePanels(const InputRounding& how);
    /// Each row, or `groupSize` columns of it, rounded to 16-bit codes with a scale of its own
    /// (max|x| / 32767.5, as for 8 bits) and back: [m][cols].
    const at::Tensor& rounded16(std::int64_t groupSize);
    /// Of an input on a device of libtorch's that is rounded with `groupSize` and `fixedScale` (InputRounding): the largest
    /// magnitude of each whole row, [m][1], which the other processes are asked for once. Undefined where x is all of its rows
    /// or scales do not come from whole rows.
    at::Tensor largestOnDevice(std::int64_t groupSize, float fixedScale);
    /// What weights on a device of libtorch's make of the input: made once for each `key`, however many weights ask.
    const std::vector<at::Tensor>& derived(const std::string& key,
                                           const std::function<std::vector<at::Tensor>()>& make);

private:
    const Device& m_device;
    const at::Tensor& m_x;
    const float* m_data = nullptr;
    std::int64_t m_rows = 0;
    std::int64_t m_cols = 0;
    at::Tensor panels(const float* entries, std::int64_t ld) const;
    std::vector<float> largestOfRows() const;
    const LargestOfAll* m_largestOfAll = nullptr;

    std::pmr::map<InputRounding, QuantizedInput> m_quantized;
    std::pmr::map<InputRounding, at::Tensor> m_codePanels;
    std::pmr::vector<at::Tensor> m_floatPanels;  ///< one, once it is asked for
    std::pmr::map<std::int64_t, at::Tensor> m_rounded;
    std::map<std::string, std::vector<at::Tensor>> m_derived;
};

/// What a product does beside multiplying.
struct Epilogue {
    const at::Tensor* bias = nullptr;  ///< [rows] fp32 on the device, or null
    kernels::Act act = kernels::Act::None;
    std::int64_t rowBegin = 0;         ///< outputs [rowBegin, rowEnd); a multiple of 16
    std::int64_t rowEnd = -1;          ///< -1: all; else a multiple of 16 or the weight's rows()
};

/// What is run on ranges of panels, held by value: making one allocates nothing.
class PanelRun {
public:
    template <typename Body>
    PanelRun(const Body& body) : m_call([](const void* held, std::int64_t begin, std::int64_t end) {
        (*static_cast<const Body*>(held))(begin, end);
    }) {
        static_assert(std::is_trivially_copyable_v<Body> && sizeof(Body) <= kBytes && alignof(Body) <= kAlignment);
        new (m_body) Body(body);
    }
    void operator()(std::int64_t begin, std::int64_t end) const { m_call(m_body, begin, end); }

private:
    static constexpr std::size_t kBytes = 320;
    static constexpr std::size_t kAlignment = alignof(std::max_align_t);
    alignas(kAlignment) std::byte m_body[kBytes];
    void (*m_call)(const void* body, std::int64_t begin, std::int64_t end);
};

/// A product as work on panels [begin, end) of 16 rows of the weight, any ranges of which may run at the same time.
struct PanelWork {
    std::int64_t begin;
    std::int64_t end;
    PanelRun run;
};

/// What several layers make of the same input, in their order.
inline constexpr std::size_t kMostTogether = 3;
using Products = std::array<at::Tensor, kMostTogether>;

/// Panels of a product with `m` inputs of `cols` columns that are worth a thread.
std::int64_t panelGrain(std::int64_t cols, std::int64_t m);
void runPanels(const PanelWork& work, std::int64_t grain);

/// A weight matrix in the form its kernel reads. Immutable; users of tied weights share one.
class Weight {
public:
    virtual ~Weight() = default;
    /// x · wᵀ with the epilogue: [m][rowEnd − rowBegin].
    virtual at::Tensor multiply(LinearInput& x, const Epilogue& epilogue) const = 0;
    /// The same as work that fills `out`, for those who have several products to do at once. Empty: only as a whole.
    virtual std::optional<PanelWork> panelWork(LinearInput& x, const Epilogue& epilogue, at::Tensor& out) const;
    /// The rows with these numbers as fp32: [ids][cols]. Ids are in range.
    virtual at::Tensor lookup(std::span<const std::int32_t> ids) const = 0;
    /// Bytes held; on the CPU weightBytes() of the format unless zeros are left out, on a GPU what lies there.
    virtual std::uint64_t bytes() const = 0;
    /// "int8 dynamic (VNNI)", "int8 static (VNNI)"
    virtual std::string kernelName() const = 0;

    std::int64_t rows() const { return m_rows; }
    std::int64_t cols() const { return m_cols; }

protected:
    Weight(std::int64_t rows, std::int64_t cols) : m_rows(rows), m_cols(cols) {}

private:
    std::int64_t m_rows;
    std::int64_t m_cols;
};

/// A weight whose products are always work on panels.
class PanelWeight : public Weight {
public:
    at::Tensor multiply(LinearInput& x, const Epilogue& epilogue) const final;

protected:
    using Weight::Weight;
};

/// How many tokens a weight is multiplied with at a time.
enum class Batching : std::uint8_t {
    Unknown,  ///< weights that come and go: nothing is measured, zeros stay
    Many,  ///< whole texts
    Both,  ///< whole texts first, then a token at a time
};

/// What is asked of a weight.
enum class Uses : std::uint8_t { Products, Lookups, Both };

/// Packs a rank-2 tensor for the device. Mapped fp32 that is only looked up is used where it lies if it is aligned there; of what is
/// packed the pages are given back. Zeros are left out where
/// that was measured to be faster here (see sparse_choice.h). Not every form on a GPU can be looked up in.
std::shared_ptr<const Weight> makeWeight(const Tensor& tensor, const Device& device,
                                         Batching batching = Batching::Unknown, Uses uses = Uses::Both);

kernels::Act actOf(Activation activation);

}  // namespace pareto::runtime
