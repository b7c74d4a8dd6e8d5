#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <vector>

#include "engine/kernels/cuda/cuda_table.h"
#include "engine/runtime/ops.h"
#include "engine/spec/weight_format.h"

namespace pareto::runtime {

struct DeviceRows;

/// Which rows of a step belong to which sequence of a cache.
struct StepRows {
    std::vector<std::int64_t> starts{0};  ///< sequence i has the rows starts[i] … starts[i + 1] − 1
    std::vector<std::int64_t> past;       ///< tokens that sequence i held before the step
    /// The same for our CUDA kernels (torch_cuda_kernels.h); null where there are none.
    std::shared_ptr<const DeviceRows> onDevice;

    std::size_t sequences() const { return past.size(); }
    std::int64_t rows() const { return starts.back(); }
    std::int64_t tokens(std::size_t sequence) const {
        return starts[sequence + 1] - starts[sequence];
    }
};

struct CausalAttention {
    float scale = 1.0F;       ///< factor of q·k
    float softcap = 0.0F;     ///< see kernels::AttentionTile
    std::int64_t window = 0;  ///< a token sees itself and window − 1 before it; 0: all
    const RelativeBias* bias = nullptr;  ///< where heads share no keys; may be null
};

/// Keys and values of one block for sequences of any lengths, each with room for `capacity` tokens. A token in a step of
/// up to 4 of its sequence gets the bits that it gets in a step of its own.
/// F32 on the CPU: keys are [sequence][head][page][dim][kKeyPage] (as the attention kernel reads them), values
/// [sequence][head][capacity][dim]. F16, Int8, Int4 and CUDA: both
/// [sequence][head][capacity][dim]. Int8 with an fp32 scale a head and token, as kernels::QuantizeRows finds
/// it (per token as in KIVI, Liu et al. 2024). Int4: code + 8 in nibbles, the even value low, with an fp32
/// scale (largest magnitude / 7.5) a head, token and 32 values. Those are widened to fp32 a head at a time,
/// in memory of the thread. Where a step has its rows on the device our CUDA kernels append, and attend for steps of a
/// few tokens.
class BlockCache {
public:
    /// `held`: F32, F16, Int8 or Int4.
    BlockCache(const Device& device, std::int64_t sequences, std::int64_t capacity,
               const HeadShape& shape, NumberFormat held);
    ~BlockCache();
    BlockCache(BlockCache&&) noexcept;
    BlockCache& operator=(BlockCache&&) = delete;

    /// Appends k and v ([rows][heads · dim], rotated) behind what the sequences hold and attends
    /// causally: [rows][heads · dim].
    at::Tensor attend(const Device& device, const at::Tensor& q, const at::Tensor& k,
                      const at::Tensor& v, const StepRows& step, const CausalAttention& how);
    std::uint64_t bytes() const;
    /// Of the keys, or the values, of one head and token.
    static std::int64_t headBytes(NumberFormat held, std::int64_t headDim);
    /// Sequence i becomes a copy of what sequence parents[i] was; there are as many sequences as
    /// parents afterwards. `used`: tokens of the longest.
    void reorder(std::span<const std::int64_t> parents, std::int64_t used);

private:
    /// Steps of up to so many tokens treat each by itself, so that it gets the bits that it gets alone.
    static constexpr std::int64_t kFewTokens = 4;
    struct Tensors;
    struct Task;
    class Parts;
    bool transposedKeys() const;
    void append(const Device& device, const at::Tensor& k, const at::Tensor& v,
                const StepRows& step);
    void appendFloats(const Device& device, const at::Tensor& k, const at::Tensor& v,
                      const StepRows& step);
    void appendNarrow(const Device& device, const at::Tensor& x, const StepRows& step, at::Tensor& values,
                      at::Tensor& scales);
    void appendOnDevice(const at::Tensor& x, const StepRows& step, at::Tensor& codes, at::Tensor& scales);
    std::pmr::vector<Task> tasksOf(const Device& device, const StepRows& step, const CausalAttention& how) const;
    std::int64_t partsOf(const Device& device, const CausalAttention& how, std::int64_t position) const;
    std::int64_t firstKey(const CausalAttention& how, std::int64_t position) const;
    struct HeadView {
        const float* keys;  ///< in pages
        const float* values;
    };
    HeadView viewOf(const Device& device, std::int64_t head, std::int64_t begin, std::int64_t end,
                    float* room) const;
    /// `logSums`: of the task's rows, where it sees only a part of the keys; or null.
    void run(const Device& device, const Task& task, const StepRows& step, const CausalAttention& how, const float* q,
             float* out, float* logSums) const;
    at::Tensor attendOnDevice(const at::Tensor& q, const StepRows& step,
                              const CausalAttention& how) const;
    /// By our CUDA kernels (block_cache_device.cpp).
    kernels::cuda::HeldRows heldKeys() const;
    kernels::cuda::HeldRows heldValues() const;
    kernels::cuda::HeldRows heldRows(at::Tensor& codes, at::Tensor& scales) const;
    void appendOwn(const Device& device, const at::Tensor& x, const StepRows& step,
                   const kernels::cuda::HeldRows& held) const;
    bool attendsByToken(const Device& device, const StepRows& step, const CausalAttention& how) const;
    at::Tensor attendOwn(const Device& device, const at::Tensor& q, const StepRows& step,
                         const CausalAttention& how) const;
    HeadShape m_shape;
    std::int64_t m_capacity;
    bool m_torch;
    NumberFormat m_held;
    std::unique_ptr<Tensors> m_tensors;
};

}  // namespace pareto::runtime
