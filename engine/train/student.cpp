#include "engine/train/student.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/count_nonzero.h>

#include "engine/runtime/torch_layers.h"
#include "engine/train/fake_quantize.h"
#include "engine/train/tensors.h"

namespace pareto::train {
namespace {

/// No training leaves so many exact zeros; rows of padding in tables of tokens are fewer.
constexpr double kPrunedShare = 0.005;

bool isWeight(const std::string& name) { return name.ends_with(".weight"); }

}  // namespace

struct Student::Rounded {
    Rounded(const WeightFormat& format, const at::Tensor& values) : weight(format, values), input(format) {}
    FakeWeight weight;
    FakeInput input;
};

Student::Student(const LoadedModel& model, const models::PrepareInputs& inputs, const RecoverSpec& spec,
                 const std::vector<WeightFormat>& formats)
    : m_layout(model.layout),
      m_graph(m_layout.isDecoder() ? models::decoderGradients(inputs) : models::encoderGradients(inputs)) {
    m_graph->setRecompute(spec.recompute);
    const auto& store = m_graph->store();
    for (const auto& [name, values] : store.trainable()) {
        mask(name, values);
        at::Tensor leaf = values;
        leaf.requires_grad_(true);
    }
    for (std::size_t i = 0; i < m_layout.layers.size(); ++i) {
        const auto& layer = m_layout.layers[i];
        if (!layer.tiedTo.empty()) {
            continue;
        }
        store.hooks(layer.name).bf16 = spec.bf16;
        if (i < formats.size() && formats[i].isInteger()) {
            round(formats[i], layer);
        }
    }
}

Student::~Student() = default;

void Student::mask(const std::string& name, const at::Tensor& values) {
    if (values.dim() != 2) {
        return;
    }
    const auto zeros = values.numel() - at::count_nonzero(values).item<std::int64_t>();
    if (static_cast<double>(zeros) >= kPrunedShare * static_cast<double>(values.numel())) {
        m_masks.emplace(name, (values != 0).to(at::kFloat));
    }
}

void Student::round(const WeightFormat& format, const LayerInfo& layer) {
    const auto& store = m_graph->store();
    auto rounded = std::make_unique<Rounded>(format, *store.ownWeight(layer.name));
    at::Tensor ratios = rounded->weight.ratios();
    ratios.requires_grad_(true);
    auto& hooks = store.hooks(layer.name);
    Rounded* own = rounded.get();
    hooks.weight = [own](const at::Tensor& values, const at::Tensor* rows) { return own->weight.act(values, rows); };
    if (format.activations != Activations::None) {
        hooks.input = [own](const at::Tensor& input) { return own->input.act(input); };
    }
    m_rounded.emplace(layer.name, std::move(rounded));
}

std::map<std::string, at::Tensor> Student::parameters() const {
    std::map<std::string, at::Tensor> out = m_graph->store().trainable();
    for (const auto& [layer, rounded] : m_rounded) {
        out.emplace("quantize." + layer + ".ratios", rounded->weight.ratios());
        if (rounded->input.scale().defined()) {
            out.emplace("quantize." + layer + ".input", rounded->input.scale());
        }
    }
    return out;
}

void Student::addTo(AdamW& optimizer, double weightDecay) {
    for (const auto& [name, values] : parameters()) {
        if (m_added.insert(name).second) {
            // Norms' weights are vectors; scales are not weights.
            const bool decays = isWeight(name) && values.dim() == 2 && !name.starts_with("quantize.");
            optimizer.add(name, values, decays ? weightDecay : 0.0);
        }
    }
}

void Student::maskGradients() const {
    const at::NoGradGuard noGradients;
    for (const auto& [name, mask] : m_masks) {
        at::Tensor values = m_graph->store().trainable().at(name);
        if (values.grad().defined()) {
            values.mutable_grad().mul_(mask);
        }
    }
}

void Student::maskValues() const {
    const at::NoGradGuard noGradients;
    for (const auto& [name, mask] : m_masks) {
        at::Tensor values = m_graph->store().trainable().at(name);
        values.mul_(mask);
    }
}

void Student::setDropout(double share) { m_graph->setDropout(share); }

void Student::restore(const std::map<std::string, at::Tensor>& values) {
    const at::NoGradGuard noGradients;
    const auto known = parameters();
    for (const auto& [name, value] : values) {
        if (const auto found = known.find(name); found != known.end()) {
            at::Tensor held = found->second;
            held.copy_(value);
            continue;
        }
        constexpr std::string_view kPrefix = "quantize.";
        constexpr std::string_view kSuffix = ".input";
        if (name.starts_with(kPrefix) && name.ends_with(kSuffix)) {
            const auto layer = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
            if (const auto found = m_rounded.find(layer); found != m_rounded.end()) {
                found->second->input.setScale(value.clone().requires_grad_(true));
            }
        }
    }
}

LoadedModel Student::snapshot(const LoadedModel& original) const {
    const at::NoGradGuard noGradients;
    LoadedModel out = original;
    for (const auto& [name, values] : m_graph->store().trainable()) {
        out.tensors.insert_or_assign(name, denseOf(original.tensors.at(name).shape, values));
    }
    for (const auto& [layer, rounded] : m_rounded) {
        const auto& scale = rounded->input.scale();
        out.tensors.insert_or_assign(
            layer + ".weight", rounded->weight.finished(*m_graph->store().ownWeight(layer),
                                                        scale.defined() ? scale.item<float>() : 0.0F));
    }
    for (auto& layer : out.layout.layers) {
        layer.sourceFormat = out.weight(layer).format();
    }
    return out;
}

std::int64_t Student::maskedLayers() const { return static_cast<std::int64_t>(m_masks.size()); }

}  // namespace pareto::train
