#pragma once

#include <memory>

#include "engine/runtime/linear.h"

namespace pareto::runtime {

/// `dense`, or a weight of the same values without their zeros where that is faster on this machine: products with
/// one token (weights in memory, not in caches) and with 64 are timed once for every shape, kind and share of zeros
/// (rounded to 5 %) of a machine (measured_choices.h). Whole texts alone (Batching::Many) count 64 tokens only. A weight is exchanged when
/// one of the two gains 10 % and the other loses no more than 15 %; its kernelName() says the ratios, and that of a
/// dense one with at least 30 % zeros that there was no gain. $PARETO_SPARSE: "never" keeps all dense, "always" takes
/// the sparse form that reads the least, unmeasured.
std::shared_ptr<const Weight> fasterWithoutZeros(const Tensor& tensor, const Device& device,
                                                 std::shared_ptr<const Weight> dense, Batching batching);

}  // namespace pareto::runtime
