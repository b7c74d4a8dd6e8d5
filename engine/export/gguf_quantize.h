#pragma once

#include <cstddef>
#include <span>

#include "engine/io/gguf_dequant.h"

namespace pareto::exporting {

/// Whether encodeGguf() writes this type: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K.
bool encodesGguf(const io::GgmlType& type);

/// Rounds fp32 values to a tensor type of GGUF: the bytes that ggml's quantize_row_*_ref gives
/// (ggml/src/ggml-quants.c), its counterpart of io::dequantizeBlocks(). `values` fills whole blocks and
/// is finite; `out` holds blocks × blockBytes. F16 and BF16 round to nearest even.
void encodeGguf(const io::GgmlType& type, std::span<const float> values, std::span<std::byte> out);

}  // namespace pareto::exporting
