#pragma once

#include <span>

#include "engine/weights/tensor.h"

namespace pareto {

/// The given rows (rank 2) or values (rank 1) in that order, as held: no value changes.
Tensor selectRows(const Tensor& tensor, std::span<const std::int64_t> rows);

/// The given columns of a rank 2 tensor in that order. Values do not change unless scales cover groups
/// of columns: those are dequantized and rounded again, because the groups fall apart.
Tensor selectCols(const Tensor& tensor, std::span<const std::int64_t> cols);

/// Rows or columns [begin, end), in memory of their own: no value and no code changes. Columns of a tensor with scales a
/// group begin and end where groups do.
Tensor sliceRows(const Tensor& tensor, std::int64_t begin, std::int64_t end);
Tensor sliceCols(const Tensor& tensor, std::int64_t begin, std::int64_t end);

/// Sets the values at the given places (row-major, ascending) to exactly zero, as held.
Tensor zeroValues(const Tensor& tensor, std::span<const std::int64_t> places);

}  // namespace pareto
