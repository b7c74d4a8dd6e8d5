#include "engine/weights/new_head.h"

#include "engine/core/random.h"
#include "engine/layout/names.h"
#include "engine/layout/new_head.h"
#include "engine/weights/load.h"

namespace pareto {
namespace {

constexpr double kDeviation = 0.02;  // initializer_range of every encoder's configuration

Tensor inFloats(const Tensor& tensor) {
    const auto values = dequantize(tensor);
    return denseTensor(tensor.shape, std::span<const float>(values));
}

Tensor drawn(const TensorBinding& binding, std::uint64_t seed) {
    std::vector<float> values(static_cast<std::size_t>(binding.shape.elements()), 0.0F);
    if (binding.shape.rank() == 2) {
        RandomStream random(seed, "head." + binding.name);
        for (float& value : values) {
            value = static_cast<float>(kDeviation * random.normal());
        }
    }
    return denseTensor(binding.shape, std::span<const float>(values));
}

/// The module in the files, under whichever prefix they have; empty when they have none.
std::string moduleIn(const io::ModelFiles& files, Family family, const std::string& layer) {
    const NameRow* row = findName(namesOf(family), layer);
    const auto kind = files.format() == io::Format::Gguf ? FileNames::Gguf : FileNames::HuggingFace;
    for (const std::string& prefix : {std::string(), headPrefix(family)}) {
        const auto module = row == nullptr ? std::string() : nameInFile(*row, layer, kind, prefix);
        if (!module.empty() && (files.find(module + ".weight") != nullptr ||
                                files.find(module + ".weight_packed") != nullptr)) {
            return module;
        }
    }
    return {};
}

/// Weight and bias of a layer that the files hold; none when they do not.
Result<std::map<std::string, Tensor>> fromFiles(const io::ModelFiles& files,
                                                const ModelLayout& layout, const LayerInfo& layer) {
    const auto module = moduleIn(files, layout.family, layer.name);
    if (module.empty()) {
        return std::map<std::string, Tensor>();
    }
    ModelLayout part;
    part.family = layout.family;
    part.layers = {layer};
    part.bindings = {{layer.name + ".weight", module + ".weight", Shape{layer.rows, layer.cols}}};
    if (files.find(module + ".bias") != nullptr) {
        part.bindings.push_back({layer.name + ".bias", module + ".bias", Shape{layer.rows}});
    }
    Progress progress;
    PARETO_TRY(LoadedModel loaded, loadWeights(files, std::move(part), progress, {}));
    return std::move(loaded.tensors);
}

/// The known tensors that a layout names; its last layer, and what is not known in its shape, is drawn.
LoadedModel filled(ModelLayout layout, const std::map<std::string, Tensor>& known, std::uint64_t seed) {
    LoadedModel out;
    const auto dense = classifierDense(layout.family);
    for (const auto& binding : layout.bindings) {
        const auto module = binding.name.substr(0, binding.name.find_last_of('.'));
        const auto found = known.find(binding.name);
        const bool isLast = module == layout.head.back().layer;
        if (isLast || found == known.end() || !(found->second.shape == binding.shape)) {
            out.tensors.emplace(binding.name, drawn(binding, seed));
        } else {
            out.tensors.emplace(binding.name, module == dense ? inFloats(found->second) : found->second);
        }
    }
    out.layout = std::move(layout);
    return out;
}

}  // namespace

Result<LoadedModel> withClassifier(const LoadedModel& model, std::vector<std::string> labels,
                                   std::uint64_t seed, const io::ModelFiles* source) {
    PARETO_TRY(ModelLayout layout, withClassifier(model.layout, labels));
    if (model.layout.isClassifier() && model.layout.labels == labels) {
        return model;
    }
    const LayerInfo& dense = *layout.findLayer(classifierDense(layout.family));
    std::map<std::string, Tensor> known = model.tensors;
    if (source != nullptr && !known.contains(dense.name + ".weight")) {
        PARETO_TRY(auto read, fromFiles(*source, layout, dense));
        known.merge(read);
    }
    return filled(std::move(layout), known, seed);
}

Result<LoadedModel> withTagger(const LoadedModel& model, std::vector<std::string> labels, std::uint64_t seed) {
    const bool same = model.layout.outputs == Outputs::TokenClasses && model.layout.labels == labels;
    PARETO_TRY(ModelLayout layout, withTagger(model.layout, std::move(labels)));
    return same ? model : filled(std::move(layout), model.tensors, seed);
}

Result<LoadedModel> withAnswerHead(const LoadedModel& model, std::uint64_t seed) {
    PARETO_TRY(ModelLayout layout, withAnswerHead(model.layout));
    return model.layout.outputs == Outputs::AnswerSpan ? model : filled(std::move(layout), model.tensors, seed);
}

}  // namespace pareto
