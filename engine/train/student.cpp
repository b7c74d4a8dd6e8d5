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

Result<std::unique_ptr<Student>> Student::create(const LoadedModel& model, const models::PrepareInputs& inputs,
                                                 const RecoverSpec& spec, const std::vector<LayerPlan>& plans,
                                                 std::int64_t steps, std::uint64_t seed) {
    std::unique_ptr<Student> out(new Student(model, inputs, spec, steps));
    PARETO_CHECK(out->adapt(seed));
    const auto& store = out->m_graph->store();
    for (std::size_t i = 0; i < out->m_layout.layers.size(); ++i) {
        const auto& layer = out->m_layout.layers[i];
        if (!layer.tiedTo.empty()) {
            continue;
        }
        store.hooks(layer.name).bf16 = spec.bf16;
        if (i < plans.size() && plans[i].sparsity > 0.0 && isTrained(plans[i].method)) {
            out->m_sparsifier.add(layer.name, *store.ownWeight(layer.name), plans[i]);
        }
        if (i < plans.size() && spec.quantizeAware && plans[i].format.isInteger()) {
            out->round(plans[i].format, layer);
        }
        out->hook(layer);
    }
    if (spec.adapters && !out->m_sparsifier.isEmpty()) {
        return makeError(ErrorCode::RecipeInvalid,
                         {{"file", "recipe"},
                          {"field", "recover.adapters"},
                          {"reason", "cannot stand with a method that prunes while it trains: adapters leave weights as "
                                     "they are (prune by another method, or train without adapters)"}});
    }
    if (out->parameters().empty()) {
        return makeError(ErrorCode::RecipeInvalid,
                         {{"file", "recipe"},
                          {"field", "recover.learns"},
                          {"reason", "is \"" + std::string(nameOf(spec.learns)) + "\", of which this model has none"}});
    }
    return out;
}

Student::Student(const LoadedModel& model, const models::PrepareInputs& inputs, const RecoverSpec& spec,
                 std::int64_t steps)
    : m_layout(model.layout),
      m_spec(spec),
      m_graph(models::gradientGraph(inputs)),
      m_adapters(spec.adapters.value_or(AdapterSpec{})),
      m_sparsifier(spec.sparsify, steps) {
    m_graph->setRecompute(spec.recompute);
    for (const auto& [name, values] : m_graph->store().trainable()) {
        mask(name, values);
        at::Tensor leaf = values;
        leaf.requires_grad_(learns(name, values));
    }
}

Student::~Student() = default;

/// A head that a task needs is new to the model: it is learned whatever else is.
bool Student::learns(const std::string& name, const at::Tensor& values) const {
    const auto layer = name.substr(0, name.rfind('.'));
    const int index = m_layout.layerIndex(layer);
    const bool ofHead = index >= 0 && m_layout.layers[static_cast<std::size_t>(index)].role == LayerRole::Head &&
                        !m_layout.generates();
    if (ofHead) {
        return true;
    }
    if (m_spec.adapters) {
        return false;
    }
    return isOf(m_spec.learns, name, values.dim());
}

Status Student::adapt(std::uint64_t seed) {
    if (!m_spec.adapters) {
        return Done{};
    }
    PARETO_TRY(const auto layers, Adapters::layersOf(*m_spec.adapters, m_layout));
    for (const auto& layer : layers) {
        m_adapters.add(layer, *m_graph->store().ownWeight(layer), seed);
    }
    return Done{};
}

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
    m_rounded.emplace(layer.name, std::move(rounded));
}

/// What stands between a layer's values and its products, in this order: adapters, pruning, rounding. Adapters of dense
/// weights that nothing rounds compute beside them, which is less work.
void Student::hook(const LayerInfo& layer) {
    auto& hooks = m_graph->store().hooks(layer.name);
    const std::string& name = layer.name;
    const auto rounded = m_rounded.find(name);
    Rounded* own = rounded == m_rounded.end() ? nullptr : rounded->second.get();
    const bool masked = m_masks.contains(name + ".weight");
    if (m_adapters.has(name) && !masked && own == nullptr) {
        hooks.beside = [this, name](const at::Tensor& input) { return m_adapters.beside(name, input); };
    } else if (m_adapters.has(name) || m_sparsifier.has(name) || own != nullptr) {
        hooks.weight = [this, name, own](const at::Tensor& values, const at::Tensor* rows) {
            const at::Tensor acts = rows == nullptr ? acting(name, values) : values;
            return own != nullptr ? own->weight.act(acts, rows) : acts;
        };
    }
    if (own != nullptr && own->weight.format().activations != Activations::None) {
        hooks.input = [own](const at::Tensor& input) { return own->input.act(input); };
    }
}

at::Tensor Student::acting(const std::string& layer, const at::Tensor& values) const {
    if (m_adapters.has(layer)) {
        const at::Tensor product = m_adapters.product(layer);
        const auto mask = m_masks.find(layer + ".weight");
        return values + (mask == m_masks.end() ? product : product * mask->second);
    }
    return m_sparsifier.act(layer, values);
}

std::map<std::string, at::Tensor> Student::parameters() const {
    std::map<std::string, at::Tensor> out;
    for (const auto& [name, values] : m_graph->store().trainable()) {
        if (values.requires_grad()) {
            out.emplace(name, values);
        }
    }
    out.merge(m_adapters.parameters());
    out.merge(m_sparsifier.scores());
    for (const auto& [layer, rounded] : m_rounded) {
        out.emplace("quantize." + layer + ".ratios", rounded->weight.ratios());
        if (rounded->input.scale().defined()) {
            out.emplace("quantize." + layer + ".input", rounded->input.scale());
        }
    }
    return out;
}

std::map<std::string, at::Tensor> Student::state() const {
    auto out = parameters();
    out.merge(m_sparsifier.state());
    return out;
}

void Student::addTo(AdamW& optimizer) {
    const auto& weights = m_graph->store().trainable();
    for (const auto& [name, values] : parameters()) {
        if (!m_added.insert(name).second) {
            continue;
        }
        const bool scores = name.starts_with("prune.");
        // Norms' weights are vectors; scales and scores are not weights.
        const bool decays = (weights.contains(name) && isWeight(name) && values.dim() == 2) || name.starts_with("adapter.");
        const double rate = scores && m_spec.learningRate > 0.0 ? m_spec.sparsify.scoreRate / m_spec.learningRate : 1.0;
        optimizer.add(name, values, decays ? m_spec.weightDecay : 0.0, rate);
    }
}

at::Tensor Student::penalty() const { return m_sparsifier.penalty(); }

void Student::maskGradients() const {
    const at::NoGradGuard noGradients;
    for (const auto& [name, mask] : m_masks) {
        at::Tensor values = m_graph->store().trainable().at(name);
        if (values.grad().defined()) {
            values.mutable_grad().mul_(mask);
        }
    }
    m_sparsifier.maskGradients();
}

void Student::stepDone(std::int64_t step) {
    const at::NoGradGuard noGradients;
    for (const auto& [name, mask] : m_masks) {
        at::Tensor values = m_graph->store().trainable().at(name);
        if (values.requires_grad()) {
            values.mul_(mask);
        }
    }
    m_sparsifier.choose(step);
}

void Student::setDropout(double share) {
    m_graph->setDropout(share);
    m_adapters.setTraining(true);
}

void Student::setHighest(const std::function<double(double)>& highest) {
    for (auto& [layer, rounded] : m_rounded) {
        rounded->input.setHighest(highest);
    }
}

void Student::setShare(double ofTokens) {
    for (auto& [layer, rounded] : m_rounded) {
        rounded->input.setShare(ofTokens);
    }
}

void Student::restore(const std::map<std::string, at::Tensor>& values) {
    const at::NoGradGuard noGradients;
    const auto known = state();
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

at::Tensor Student::finished(const std::string& layer, const at::Tensor& values) const {
    return m_adapters.has(layer) ? acting(layer, values) : m_sparsifier.pruned(layer, values);
}

LoadedModel Student::snapshot(const LoadedModel& original) const {
    const at::NoGradGuard noGradients;
    LoadedModel out = original;
    for (const auto& [name, values] : m_graph->store().trainable()) {
        const auto layer = name.substr(0, name.rfind('.'));
        const bool changes = isWeight(name) && (m_adapters.has(layer) || m_sparsifier.has(layer));
        if (values.requires_grad() || changes) {
            out.tensors.insert_or_assign(name, denseOf(original.tensors.at(name).shape,
                                                       changes ? finished(layer, values) : values));
        }
    }
    for (const auto& [layer, rounded] : m_rounded) {
        const auto& scale = rounded->input.scale();
        out.tensors.insert_or_assign(
            layer + ".weight", rounded->weight.finished(finished(layer, *m_graph->store().ownWeight(layer)),
                                                        scale.defined() ? scale.item<float>() : 0.0F));
    }
    for (auto& layer : out.layout.layers) {
        layer.sourceFormat = out.weight(layer).format();
    }
    return out;
}

std::int64_t Student::maskedLayers() const { return static_cast<std::int64_t>(m_masks.size()); }

}  // namespace pareto::train
