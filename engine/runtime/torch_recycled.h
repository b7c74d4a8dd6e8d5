#pragma once

#include <c10/util/ArrayRef.h>

namespace at {
class Tensor;
}

namespace pareto::runtime {

/// Uninitialized fp32 on the CPU, for passes that no graph is made of (InferenceMode): a tensor of these sizes that this thread
/// got here before and that nobody holds any more, nor a view of it; else a new one. A thread keeps up to kMostRecycledBytes of
/// them (a quarter of that where it takes parts of others' work), so blocks of a model take turns with the same few tensors instead of allocating each: the system takes large ones back at
/// once and clears every page of the next.
at::Tensor recycledFloats(at::IntArrayRef sizes);
inline constexpr std::size_t kMostRecycledBytes = std::size_t{1} << 27;

}  // namespace pareto::runtime
