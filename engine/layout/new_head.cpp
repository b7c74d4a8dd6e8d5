#include "engine/layout/new_head.h"

#include <algorithm>
#include <set>

#include "engine/layout/encoder_layout.h"
#include "engine/layout/names.h"
#include "engine/spec/task.h"

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

Result<EncoderTraits> traitsOf(const ModelLayout& layout, TaskKind kind) {
    if (auto traits = encoderTraits(layout.family)) {
        return *traits;
    }
    return makeError(ErrorCode::TaskUnfit, {{"task", std::string(nameOf(kind))},
                                            {"model", layout.name},
                                            {"reason", "only an encoder is given a new head"}});
}

/// Names are those of a checkpoint with a head from now on.
void bindAnew(ModelLayout& layout, const EncoderTraits& traits) {
    layout.hfPrefix = traits.prefix;
    for (auto& binding : layout.bindings) {
        binding = {binding.name, hfTensorName(layout, binding.name), binding.shape};
    }
}

/// A head that is one linear on every token.
ModelLayout onTokens(const ModelLayout& layout, const EncoderTraits& traits, const std::string& name, std::int64_t rows) {
    ModelLayout out = layout;
    dropHead(out);
    addLinear(out, name, LayerRole::Head, rows);
    out.head = {{HeadStep::Kind::Dense, Pooling::None, name, Activation::None}};
    bindAnew(out, traits);
    return out;
}

}  // namespace

Result<ModelLayout> withClassifier(const ModelLayout& layout, std::vector<std::string> labels) {
    PARETO_TRY(const auto traits, traitsOf(layout, TaskKind::Classification));
    PARETO_CHECK(checkLabels(labels));
    if (layout.isClassifier() && layout.labels == labels) {
        return layout;
    }
    ModelLayout out = layout;
    dropHead(out);
    addLinear(out, traits.classifierDense, LayerRole::Pooler, out.hidden);
    addLinear(out, traits.classifierOut, LayerRole::Head,
              static_cast<std::int64_t>(labels.size()));
    out.head = classifierSteps(traits);
    out.outputs = Outputs::Classes;
    out.labels = std::move(labels);
    bindAnew(out, traits);
    return out;
}

Result<ModelLayout> withTagger(const ModelLayout& layout, std::vector<std::string> labels) {
    PARETO_TRY(const auto traits, traitsOf(layout, TaskKind::TokenClassification));
    PARETO_CHECK(checkLabels(labels));
    if (layout.outputs == Outputs::TokenClasses && layout.labels == labels) {
        return layout;
    }
    ModelLayout out = onTokens(layout, traits, "classifier", static_cast<std::int64_t>(labels.size()));
    out.outputs = Outputs::TokenClasses;
    out.labels = std::move(labels);
    return out;
}

Result<ModelLayout> withAnswerHead(const ModelLayout& layout) {
    PARETO_TRY(const auto traits, traitsOf(layout, TaskKind::QuestionAnswering));
    if (layout.outputs == Outputs::AnswerSpan) {
        return layout;
    }
    constexpr std::int64_t kEnds = 2;
    ModelLayout out = onTokens(layout, traits, "qa", kEnds);
    out.outputs = Outputs::AnswerSpan;
    out.labels.clear();
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
