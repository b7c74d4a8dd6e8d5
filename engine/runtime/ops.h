#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/runtime/device.h"

namespace at {
class Tensor;
}

namespace pareto::runtime {

/// LayerNorm(x + residual); `residual` may be null. x is consumed: the result may lie in it.
at::Tensor layerNorm(const Device& device, const at::Tensor& x, const at::Tensor* residual,
                     const at::Tensor& weight, const at::Tensor& bias, double epsilon);
/// RMSNorm(stream + add), with stream += add done in place; `add` may be null.
at::Tensor rmsNorm(const Device& device, at::Tensor& stream, const at::Tensor* add,
                   const at::Tensor& weight, double epsilon);
/// gate = silu(gate) · up, in place where possible.
at::Tensor siluMultiply(const Device& device, const at::Tensor& gate, const at::Tensor& up);

struct HeadShape {
    std::int64_t heads = 0;
    std::int64_t kvHeads = 0;
    std::int64_t headDim = 0;
};

/// Full attention inside each sequence; sequences lie one behind the other: sequence i has the rows
/// starts[i] … starts[i + 1] − 1 of q, k and v.
at::Tensor encoderAttention(const Device& device, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, std::span<const std::int64_t> starts,
                            const HeadShape& shape);

/// Cosines and sines of rotary embeddings, grown on demand. Angles as Hugging Face computes them:
/// position · 1 / theta^(2i/d) in fp32.
class RopeTable {
public:
    RopeTable(std::int64_t headDim, double theta);
    ~RopeTable();
    /// Rotates each head of x in place: row t of each of `batch` sequences is position first + t.
    void rotate(const Device& device, at::Tensor& x, std::int64_t batch, std::int64_t first,
                std::int64_t heads);

private:
    void grow(std::int64_t positions);
    std::int64_t m_half;
    double m_theta;
    std::vector<float> m_cosines;
    std::vector<float> m_sines;
};

/// Keys and values of one block: on the CPU keys are [batch][head][dim][capacity] (transposed, as
/// the attention kernel reads them), values [batch][head][capacity][dim].
class BlockCache {
public:
    BlockCache(const Device& device, std::int64_t batch, std::int64_t capacity,
               const HeadShape& shape);
    ~BlockCache();
    BlockCache(BlockCache&&) noexcept;
    BlockCache& operator=(BlockCache&&) = delete;

    /// Appends k and v ([batch · tokens][heads · dim], rotated) behind `past` tokens and attends
    /// causally: [batch · tokens][heads · dim].
    at::Tensor attend(const Device& device, const at::Tensor& q, const at::Tensor& k,
                      const at::Tensor& v, std::int64_t past);
    std::uint64_t bytes() const;
    /// Sequence i becomes a copy of what sequence parents[i] was.
    void reorder(std::span<const std::int64_t> parents);

private:
    void append(const Device& device, const at::Tensor& k, const at::Tensor& v, std::int64_t past,
                std::int64_t tokens);
    at::Tensor attendOnDevice(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                              std::int64_t past, std::int64_t tokens);
    HeadShape m_shape;
    std::int64_t m_batch;
    std::int64_t m_capacity;
    std::unique_ptr<at::Tensor> m_keys;
    std::unique_ptr<at::Tensor> m_values;
};

}  // namespace pareto::runtime
