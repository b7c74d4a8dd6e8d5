#pragma once

#include <cstdint>
#include <span>

#include "engine/runtime/device.h"

namespace at {
class Tensor;
}

namespace pareto::runtime {

/// LayerNorm(x + residual); `residual` may be null. x is consumed: the result may lie in it.
at::Tensor layerNorm(const Device& device, const at::Tensor& x, const at::Tensor* residual,
                     const at::Tensor& weight, const at::Tensor& bias, double epsilon);
/// stream += add, in place unless a graph to differentiate needs the stream as it was; `add` may be null.
void addToStream(const Device& device, at::Tensor& stream, const at::Tensor* add);
/// RMSNorm(stream + add) of every stretch of as many values as the weight has (on devices that libtorch drives: of rows that
/// long), with stream += add done in place; `add` may be null.
at::Tensor rmsNorm(const Device& device, at::Tensor& stream, const at::Tensor* add,
                   const at::Tensor& weight, double epsilon);
/// LayerNorm(stream + add), the same.
at::Tensor layerNormOfStream(const Device& device, at::Tensor& stream, const at::Tensor* add,
                             const at::Tensor& weight, const at::Tensor& bias, double epsilon);
/// gate = act(gate) · up, in place where possible.
at::Tensor activateMultiply(const Device& device, const at::Tensor& gate, const at::Tensor& up,
                            kernels::Act act);

struct HeadShape {
    std::int64_t heads = 0;
    std::int64_t kvHeads = 0;
    std::int64_t headDim = 0;
    double scale = 0.0;  ///< factor of q·k; 0: 1/√headDim
    double dropout = 0.0;  ///< share of the attention map that is left out, on devices with gradients
    bool rounded = false;  ///< q, k and v come from products whose inputs were rounded to 8 bits
};

class RelativeBias;

/// Factor of q·k.
float attentionScale(const HeadShape& shape);
/// Whether attention of `tokens` tokens of a sequence, in one step, is computed by products of bfloat16: where the processor
/// has them, where its inputs were rounded more coarsely before, and where the tokens are enough to make up for rounding.
bool attendsInPairs(const Device& device, const HeadShape& shape, std::int64_t tokens);
inline constexpr std::int64_t kPairTokens = 16;
/// The tile's keys, in pages of [headDim][kKeyPage], and values, `count` of each, become what attentionPairs reads, in `room`
/// of pairFloats() floats, which holds that kernel's scratch too.
void toPairs(const Device& device, kernels::AttentionTile& tile, std::int64_t count, float* room);
std::int64_t pairFloats(std::int64_t count, std::int64_t headDim);

/// Full attention inside each sequence (`bias` may be null); sequences lie one behind the other: sequence i has the rows
/// starts[i] … starts[i + 1] − 1 of q, k and v.
at::Tensor encoderAttention(const Device& device, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, std::span<const std::int64_t> starts,
                            const HeadShape& shape, const RelativeBias* bias = nullptr);

}  // namespace pareto::runtime
