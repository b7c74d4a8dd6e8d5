#pragma once

#include <cstdint>
#include <cstring>

#include "engine/core/dtype.h"

// What the files that dequantize GGUF's blocks share. No part of the reader's interface.

namespace pareto::io::gguf {

using Bytes = const std::uint8_t*;

/// Reads one block, writes its elements.
using BlockFunction = void (*)(Bytes, float*);

inline std::uint16_t halfWordAt(Bytes p) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, p, sizeof bits);
    return bits;
}
inline std::uint32_t wordAt(Bytes p) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, p, sizeof bits);
    return bits;
}
inline float halfAt(Bytes p) { return halfToFloat(halfWordAt(p)); }
inline float asFloat(int value) { return static_cast<float>(value); }

/// The function for a type whose codes index a table of values (IQ*, MXFP4, NVFP4); null for others.
BlockFunction codebookFunction(int ggmlType);

}  // namespace pareto::io::gguf
