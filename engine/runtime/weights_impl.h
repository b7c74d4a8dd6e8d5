#pragma once

#include "engine/runtime/linear.h"

namespace pareto::runtime {

std::shared_ptr<const Weight> makeDenseWeight(const Tensor& tensor, const Device& device);
std::shared_ptr<const Weight> makeRowsWeight(const Tensor& tensor, const Device& device);
std::shared_ptr<const Weight> makeInt8Weight(const Tensor& tensor, const Device& device);
std::shared_ptr<const Weight> makeDeviceWeight(const Tensor& tensor, const Device& device);

/// The logical form as kernels take it; points into `tensor`'s buffers.
kernels::WeightRows weightRows(const Tensor& tensor);

}  // namespace pareto::runtime
