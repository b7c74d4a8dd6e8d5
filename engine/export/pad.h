#pragma once

#include <cstdint>

#include "engine/weights/tensor.h"

namespace pareto::exporting {

/// The tensor with zeros appended up to `rows` × `cols` (rank 1: rows). Existing values stay as held; new
/// rows and groups get scale 1.
Tensor padTensor(const Tensor& tensor, std::int64_t rows, std::int64_t cols = 0);

/// One scale a row instead of one for the tensor or one group a row: the same values, in a form that more
/// readers know.
Tensor scalePerRow(const Tensor& tensor);

}  // namespace pareto::exporting
