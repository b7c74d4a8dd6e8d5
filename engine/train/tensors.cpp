#include "engine/train/tensors.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include "engine/runtime/parallel.h"

namespace pareto::train {

Tensor denseOf(const Shape& shape, const at::Tensor& values) {
    const at::Tensor host = values.detach().to(at::kCPU).contiguous();
    return denseTensor(shape, std::span<const float>(host.const_data_ptr<float>(), static_cast<std::size_t>(host.numel())));
}

at::Tensor floatsOf(const Tensor& tensor) {
    auto values = dequantize(tensor, runtime::poolParallelFor());
    return at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())},
                         at::TensorOptions().dtype(at::kFloat))
        .clone();
}

bool isOf(LearnedPart part, const std::string& name, std::int64_t dimensions) {
    const bool bias = name.ends_with(".bias");
    const bool norm = name.ends_with(".weight") && dimensions == 1;
    switch (part) {
    case LearnedPart::All: return true;
    case LearnedPart::Biases: return bias;
    case LearnedPart::Norms: return norm;
    case LearnedPart::BiasesNorms: return bias || norm;
    }
    return true;
}

}  // namespace pareto::train
