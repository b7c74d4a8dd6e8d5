#pragma once

#include <cstdint>
#include <span>

#include "engine/runtime/linear.h"
#include "engine/spec/weight_format.h"

namespace pareto::runtime {

/// A coded weight as its tensor holds it, on a device; what it points to outlives the call.
struct CodedRows {
    WeightFormat format;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    const at::Tensor& codes;   ///< [rows][codes of a row], int8, int16 or bytes
    const at::Tensor& scales;  ///< [rows or 1][groups]
    const at::Tensor& zeros;   ///< the same, int8; undefined when symmetric
    float inputScale = 0.0F;   ///< of int8 static
};

/// More tokens read the weight several times; libtorch's products are made for them.
constexpr std::int64_t kMostOwnTokens = 8;

/// Whether our CUDA kernels multiply this weight with so few tokens.
bool hasOwnProduct(const Device& device, const CodedRows& weight);
/// What `multiply` would answer, by our CUDA kernels: few tokens, for which a product is bound by reading codes.
/// Undefined where they do not apply: no plugin, more tokens, inputs rounded to 16 bits, codes held otherwise.
at::Tensor ownProduct(const Device& device, const CodedRows& weight, LinearInput& x,
                      const Epilogue& epilogue);
/// The rows with these numbers in fp32; undefined where our kernels do not apply.
at::Tensor ownLookup(const Device& device, const CodedRows& weight,
                     std::span<const std::int32_t> ids);

}  // namespace pareto::runtime
