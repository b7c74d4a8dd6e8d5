#pragma once

#include <cstdint>

// The block formats of 256 values ("K-quants"), apart for their size. No part of the interface: see
// gguf_quantize.h.

namespace pareto::exporting {

/// 256 finite values into one block of 144, 176 and 210 bytes.
void encodeQ4K(const float* values, std::uint8_t* out);
void encodeQ5K(const float* values, std::uint8_t* out);
void encodeQ6K(const float* values, std::uint8_t* out);

}  // namespace pareto::exporting
