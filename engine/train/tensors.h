#pragma once

#include <string>

#include "engine/spec/recover.h"
#include "engine/weights/tensor.h"

namespace at {
class Tensor;
}

namespace pareto::train {

/// fp32 values of a libtorch tensor on any device, as many as `shape` says.
Tensor denseOf(const Shape& shape, const at::Tensor& values);
/// The values in fp32, flat, on the CPU, in memory of their own.
at::Tensor floatsOf(const Tensor& tensor);
/// Whether a tensor of that canonical name belongs to the part. Weights of norms are vectors.
bool isOf(LearnedPart part, const std::string& name, std::int64_t dimensions);

}  // namespace pareto::train
