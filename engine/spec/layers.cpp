#include "engine/spec/layers.h"

namespace pareto {

std::string familyName(Family family) { return family == Family::Bert ? "bert" : "llama"; }

int ModelLayout::layerIndex(const std::string& wanted) const {
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (layers[i].name == wanted) {
            return static_cast<int>(i);
        }
    }
    return -1;
}

const LayerInfo* ModelLayout::findLayer(const std::string& wanted) const {
    const int index = layerIndex(wanted);
    return index < 0 ? nullptr : &layers[static_cast<std::size_t>(index)];
}

std::int64_t ModelLayout::parameters() const {
    std::int64_t sum = 0;
    for (const auto& layer : layers) {
        sum += layer.parameters();
    }
    for (const auto& tensor : plain) {
        sum += tensor.shape.elements();
    }
    return sum;
}

}  // namespace pareto
