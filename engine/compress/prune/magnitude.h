#pragma once

#include "engine/compress/prune/pattern.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// Sets the floor(ratio · n) values of least magnitude to zero; of equal ones the earlier in row-major
/// order goes first. Values that are zero already count among them. Whatever holds the values (fp32,
/// 16 bits, codes) keeps holding the others unchanged. Exact per tensor, the same for any thread count.
Tensor pruneMagnitude(const Tensor& weight, double ratio, const ParallelFor& parallel = serialFor);

/// The same for a pattern; N:M keeps the largest of every group of inputs of a row, of tiles the
/// floor(ratio · tiles) of least Σ |w| fall.
Tensor pruneMagnitude(const Tensor& weight, const SparsityPattern& pattern,
                      const ParallelFor& parallel = serialFor);

}  // namespace pareto::compress
