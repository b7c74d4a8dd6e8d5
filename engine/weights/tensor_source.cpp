#include "engine/weights/tensor_source.h"

namespace pareto {

Result<Tensor> TensorSource::weight(const LayerInfo& layer) const {
    const LayerInfo* owner = &layer;
    while (!owner->tiedTo.empty()) {
        owner = layout().findLayer(owner->tiedTo);
    }
    return tensor(owner->name + ".weight");
}

std::vector<std::string> HeldTensors::names() const {
    std::vector<std::string> out;
    for (const auto& [name, tensor] : m_model.tensors) {
        out.push_back(name);
    }
    return out;
}

Result<Tensor> HeldTensors::tensor(const std::string& name) const {
    const auto found = m_model.tensors.find(name);
    if (found == m_model.tensors.end()) {
        return makeError(ErrorCode::TensorMissing, {{"file", m_model.layout.name}, {"tensor", name}});
    }
    return found->second;
}

Result<LoadedModel> holdAll(const TensorSource& source) {
    LoadedModel model;
    model.layout = source.layout();
    for (const auto& name : source.names()) {
        PARETO_TRY(auto tensor, source.tensor(name));
        model.tensors.emplace(name, std::move(tensor));
    }
    return model;
}

}  // namespace pareto
