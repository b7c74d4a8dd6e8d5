#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/dtype.h"

namespace pareto::io {

/// A tensor type of the GGUF specification that can be read.
struct GgmlType {
    int id;
    std::string_view name;
    std::uint32_t blockElements;
    std::uint32_t blockBytes;
    bool block;   ///< a block format: dequantizeBlocks() reads it
    DType dtype;  ///< when !block
};

/// Null for a type that is not readable.
const GgmlType* ggmlType(std::uint32_t id);
/// The specification's name of any type, readable or not: "IQ4_NL", "type 99".
std::string ggmlTypeName(std::uint32_t id);
/// "F32, F16, …": for messages.
std::string readableGgmlTypes();

/// Values of whole blocks, bit for bit as gguf-py's dequantize (fp32 operations in its order).
/// `bytes` holds a whole number of blocks, `out` their elements.
void dequantizeBlocks(const GgmlType& type, std::span<const std::byte> bytes, float* out);

}  // namespace pareto::io
