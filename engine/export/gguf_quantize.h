#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/io/gguf_dequant.h"

namespace pareto::exporting {

/// Whether encodeGguf() writes this type: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K.
bool encodesGguf(const io::GgmlType& type);

/// Rounds fp32 values to a tensor type of GGUF: the bytes that ggml's quantize_row_*_ref gives
/// (ggml/src/ggml-quants.c), its counterpart of io::dequantizeBlocks(). `values` fills whole blocks and
/// is finite; `out` holds blocks × blockBytes. F16 and BF16 round to nearest even.
void encodeGguf(const io::GgmlType& type, std::span<const float> values, std::span<std::byte> out);

/// One block of 32 integers n with value = scale · n, kept as they are: Q8_0 (n in −128 … 127), Q4_0
/// (−8 … 7), Q4_1 and Q5_1 (a range of at most 15 and 31), Q5_0 (−16 … 15). Scale and minimum are rounded
/// to half precision.
void encodeGgufCodes(const io::GgmlType& type, std::span<const std::int16_t, 32> integers, float scale,
                     std::span<std::byte> out);

}  // namespace pareto::exporting
