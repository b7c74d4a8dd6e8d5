#pragma once

#include <span>

#include "engine/core/dtype.h"

namespace pareto::io {

/// fp32 values of elements stored as `type`; `bytes` need not be aligned. Integers beyond 2^24 and
/// F64 are rounded to nearest.
void convertToFloat(DType type, std::span<const std::byte> bytes, float* out);

}  // namespace pareto::io
