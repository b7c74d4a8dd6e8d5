#include "engine/weights/fresh.h"

#include <algorithm>

#include "engine/core/random.h"

namespace pareto {
namespace {

constexpr double kDeviation = 0.02;

Tensor fresh(const std::string& name, const Shape& shape, std::uint64_t seed) {
    std::vector<float> values(static_cast<std::size_t>(shape.elements()), 0.0F);
    if (shape.rank() > 1) {
        RandomStream random(seed, "fresh." + name);
        for (auto& value : values) {
            value = static_cast<float>(random.normal() * kDeviation);
        }
    } else if (name.ends_with(".weight")) {
        std::fill(values.begin(), values.end(), 1.0F);
    }
    return denseTensor(shape, values);
}

}  // namespace

LoadedModel withFreshWeights(const LoadedModel& model, std::uint64_t seed) {
    LoadedModel out = model;
    for (auto& [name, tensor] : out.tensors) {
        tensor = fresh(name, tensor.shape, seed);
    }
    for (auto& layer : out.layout.layers) {
        layer.sourceFormat = out.weight(layer).format();
    }
    return out;
}

}  // namespace pareto
