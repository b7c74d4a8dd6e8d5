#include "engine/layout/new_head.h"

#include <algorithm>
#include <set>

#include "engine/layout/encoder_layout.h"
#include "engine/layout/names.h"

namespace pareto {
namespace {

Status checkLabels(const std::vector<std::string>& labels) {
    std::set<std::string> seen;
    std::string reason = labels.empty() ? "must name at least one class" : "";
    for (const auto& label : labels) {
        if (!seen.insert(label).second) {
            reason = "name \"" + label + "\" twice";
        }
    }
    return reason.empty()
               ? Status(Done{})
               : makeError(ErrorCode::TaskInvalid, {{"field", "labels"}, {"reason", reason}});
}

/// Whether a layer, or the module of a plain tensor, is part of the head.
bool isOfHead(const ModelLayout& layout, const std::string& module) {
    return std::any_of(layout.head.begin(), layout.head.end(),
                       [&](const HeadStep& step) { return step.layer == module; });
}

/// Heads stand behind everything else (EncoderDescriber), so no index into `layers` moves.
void dropHead(ModelLayout& layout) {
    const auto module = [](const std::string& tensor) {
        return tensor.substr(0, tensor.find_last_of('.'));
    };
    std::erase_if(layout.bindings, [&](const TensorBinding& binding) {
        return isOfHead(layout, module(binding.name));
    });
    std::erase_if(layout.plain,
                  [&](const PlainTensor& plain) { return isOfHead(layout, module(plain.name)); });
    std::erase_if(layout.layers,
                  [&](const LayerInfo& layer) { return isOfHead(layout, layer.name); });
    layout.head.clear();
}

void addLinear(ModelLayout& layout, std::string_view name, LayerRole role, std::int64_t rows) {
    LayerInfo layer;
    layer.name = name;
    layer.role = role;
    layer.rows = rows;
    layer.cols = layout.hidden;
    layer.hasBias = true;
    layer.sourceType = "F32";
    layout.bindings.push_back({layer.name + ".weight", {}, Shape{rows, layout.hidden}});
    layout.bindings.push_back({layer.name + ".bias", {}, Shape{rows}});
    layout.layers.push_back(std::move(layer));
}

}  // namespace

Result<ModelLayout> withClassifier(const ModelLayout& layout, std::vector<std::string> labels) {
    const auto traits = encoderTraits(layout.family);
    if (!traits) {
        return makeError(ErrorCode::TaskUnfit,
                         {{"task", "classification"},
                          {"model", layout.name},
                          {"reason", "only an encoder is given a head that classifies texts"}});
    }
    PARETO_CHECK(checkLabels(labels));
    if (layout.isClassifier() && layout.labels == labels) {
        return layout;
    }
    ModelLayout out = layout;
    dropHead(out);
    addLinear(out, traits->classifierDense, LayerRole::Pooler, out.hidden);
    addLinear(out, traits->classifierOut, LayerRole::Head,
              static_cast<std::int64_t>(labels.size()));
    out.head = classifierSteps(*traits);
    out.outputs = Outputs::Classes;
    out.labels = std::move(labels);
    out.hfPrefix = traits->prefix;
    for (auto& binding : out.bindings) {
        binding = {binding.name, hfTensorName(out, binding.name), binding.shape};
    }
    return out;
}

std::string classifierDense(Family family) {
    const auto traits = encoderTraits(family);
    return traits ? std::string(traits->classifierDense) : std::string();
}

std::string headPrefix(Family family) {
    const auto traits = encoderTraits(family);
    return traits ? std::string(traits->prefix) : std::string();
}

}  // namespace pareto
