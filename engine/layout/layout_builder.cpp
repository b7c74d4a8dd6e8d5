#include "engine/layout/layout_builder.h"

#include <regex>

namespace pareto {
namespace {

/// True when one of a compressed-tensors group's targets means this module: the class "Linear", the
/// name itself, or "re:" and a regular expression.
bool targetsModule(const Json& targets, const std::string& module) {
    for (const auto& target : targets) {
        if (!target.is_string()) {
            continue;
        }
        const auto text = target.get<std::string>();
        if (text == "Linear" || text == module) {
            return true;
        }
        if (text.rfind("re:", 0) == 0 && text.size() < 512) {
            try {
                if (std::regex_search(module, std::regex(text.substr(3), std::regex::ECMAScript),
                                      std::regex_constants::match_continuous)) {
                    return true;
                }
            } catch (const std::regex_error&) {
                return false;
            }
        }
    }
    return false;
}

}  // namespace

LayoutBuilder::LayoutBuilder(const io::ModelFiles& files) : m_files(files) {
    auto packed = PackedConfig::parse(files);
    if (packed.ok()) {
        m_packed = std::move(packed).value();
    } else {
        fail(packed.error());
    }
}

void LayoutBuilder::fail(Error error) {
    if (!m_failed) {
        m_failed = true;
        m_error = std::move(error);
    }
}

void LayoutBuilder::beginBlock(const std::string& name) {
    m_block = static_cast<int>(layout.blocks.size());
    BlockInfo block;
    block.name = name;
    block.sourceIndex = m_block;
    layout.blocks.push_back(std::move(block));
    m_group = -1;
}

void LayoutBuilder::endBlock() {
    m_block = -1;
    m_group = -1;
}

void LayoutBuilder::beginGroup(const std::string& name, GroupKind kind, std::int64_t units) {
    m_group = static_cast<int>(layout.groups.size());
    auto& block = layout.blocks[static_cast<std::size_t>(m_block)];
    const bool cross = kind == GroupKind::Attention && block.attention >= 0;
    (cross                          ? block.crossAttention
     : kind == GroupKind::Attention ? block.attention
                                    : block.feedForward) = m_group;
    layout.groups.push_back({name, kind, m_block, units, {}, cross});
}

void LayoutBuilder::append(LayerInfo layer) {
    const int index = static_cast<int>(layout.layers.size());
    layer.block = m_block;
    layer.group = m_group;
    if (m_block >= 0) {
        layout.blocks[static_cast<std::size_t>(m_block)].layers.push_back(index);
    }
    if (m_group >= 0) {
        layout.groups[static_cast<std::size_t>(m_group)].layers.push_back(index);
    }
    layout.layers.push_back(std::move(layer));
}

/// What a compressed-tensors checkpoint holds this module in (quantization_config of config.json).
WeightFormat LayoutBuilder::quantizedFormat(const std::string& module, std::int64_t cols,
                                            std::string& typeName) {
    WeightFormat out;
    const auto& config = m_files.config();
    const auto refuse = [&](const std::string& reason) {
        fail(makeError(ErrorCode::ConfigInvalid, {{"file", m_files.path()},
                                                  {"field", "quantization_config"},
                                                  {"reason", module + ": " + reason}}));
    };
    const auto quantization =
        config.is_object() ? config.value("quantization_config", Json()) : Json();
    if (!quantization.is_object() || !quantization.contains("config_groups")) {
        refuse("the weight is quantized but config.json has no config_groups");
        return out;
    }
    for (const auto& [name, group] : quantization["config_groups"].items()) {
        if (!group.is_object() || !targetsModule(group.value("targets", Json::array()), module)) {
            continue;
        }
        const std::string field = "quantization_config.config_groups." + name;
        const Json arguments = group.value("weights", Json());  // the reader keeps a reference
        JsonReader weights(arguments, ErrorCode::ConfigInvalid, m_files.path(), field + ".weights");
        const auto bits = weights.integer("num_bits", 8, 1, 64);
        const auto strategy = weights.text("strategy", "channel");
        const bool floating = weights.text("type", "int") == "float" && bits == 8;
        typeName = floating                        ? "F8_E4M3"
                   : has(module + ".weight_packed") ? "INT" + std::to_string(bits) + " packed"
                                                    : "I8";
        out.symmetric = floating || weights.boolean("symmetric", true);
        out.format = floating ? NumberFormat::F8 : heldIntegers(bits);
        out.granularity = strategy == "tensor"    ? Granularity::Tensor
                          : strategy == "channel" ? Granularity::Channel
                                                  : Granularity::Group;
        if (out.granularity == Granularity::Group) {
            out.groupSize = weights.integer("group_size", 128, 1, 1 << 20);
        }
        if (weights.failed() || bits < 2 || bits > 8 || (!floating && weights.text("type", "int") != "int") ||
            (strategy != "tensor" && strategy != "channel" && strategy != "group")) {
            refuse("only integers of 2 to 8 bits per tensor, channel or group can be read");
        }
        if (const Json activations = group.value("input_activations", Json());
            activations.is_object() && floating) {
            ++m_floatInputs;
        } else if (activations.is_object()) {
            JsonReader input(activations, ErrorCode::ConfigInvalid, m_files.path(),
                             field + ".input_activations");
            const bool dynamic = input.boolean("dynamic", false);
            const bool fixed = !dynamic && input.text("strategy", "tensor") == "tensor";
            if (input.integer("num_bits", 0, 0, 64) != 8 || (!dynamic && !fixed) || input.failed()) {
                refuse("only dynamic 8 bit input activations, or static ones per tensor, can be run");
            }
            out.activations = fixed ? Activations::Int8Static : Activations::Int8Dynamic;
            if (dynamic && input.text("strategy", "token") == "group") {
                out.activationGroup = input.integer("group_size", 0, 0, 1 << 20);
            }
        }
        return unlessScattered(module + ".weight_g_idx", cols, out);
    }
    refuse("no config_group targets it");
    return out;
}

/// Groups of scattered inputs are held as values: no format of ours has them.
WeightFormat LayoutBuilder::unlessScattered(const std::string& groups, std::int64_t cols,
                                            WeightFormat format) {
    const auto scattered = scatteredGroups(m_files, groups, cols, format.groupSize);
    if (!scattered.ok()) {
        fail(scattered.error());
    } else if (!scattered->empty()) {
        ++m_scattered;
        return {};
    }
    return format;
}

/// What a GPTQ or AWQ checkpoint holds this module in.
WeightFormat LayoutBuilder::packedFormat(const std::string& module, std::int64_t cols,
                                         std::string& typeName) {
    if (m_packed.empty()) {
        fail(makeError(
            ErrorCode::ConfigInvalid,
            {{"file", m_files.path()},
             {"field", "quantization_config"},
             {"reason", module + ": the weight is packed but config.json does not say how"}}));
        return {};
    }
    const auto scheme = m_packed.find(module);
    typeName = (scheme.layout == PackedScheme::Layout::Awq ? "AWQ " : "GPTQ ") +
               std::to_string(scheme.bits) + " bit";
    return unlessScattered(module + ".g_idx", cols, scheme.format(cols));
}

WeightFormat LayoutBuilder::formatOf(const std::string& module, std::int64_t cols,
                                     std::string& typeName) {
    WeightFormat out;
    const auto* weight = m_files.find(module + ".weight");
    if (isPacked(m_files, module)) {
        return packedFormat(module, cols, typeName);
    }
    if (has(module + ".weight_packed") || has(module + ".weight_scale")) {
        return quantizedFormat(module, cols, typeName);
    }
    if (weight != nullptr) {
        typeName = weight->typeName;
        if (!weight->encoding.block && weight->encoding.dtype == DType::F16) {
            out.format = NumberFormat::F16;
        } else if (!weight->encoding.block && weight->encoding.dtype == DType::BF16) {
            out.format = NumberFormat::BF16;
        }
    }
    return out;
}

void LayoutBuilder::setNames(std::span<const NameRow> names, FileNames kind) {
    m_names = names;
    m_kind = kind;
}

std::string LayoutBuilder::sourceOf(const std::string& canonical) const {
    const NameRow* row = findName(m_names, canonical);
    return row == nullptr ? std::string() : nameInFile(*row, canonical, m_kind, layout.hfPrefix);
}

/// "<module>.weight" of "<canonical>.weight"; a row may name the one tensor, too.
std::string LayoutBuilder::fileTensor(const std::string& canonical) const {
    if (auto own = sourceOf(canonical); !own.empty()) {
        return own;
    }
    const auto dot = canonical.find_last_of('.');
    const std::string module = sourceOf(canonical.substr(0, dot));
    return module.empty() ? module : module + canonical.substr(dot);
}

bool LayoutBuilder::hasWeight(const std::string& layer) const {
    const std::string module = sourceOf(layer);
    return !module.empty() && (has(module + ".weight") || holdsCodes(module));
}

bool LayoutBuilder::hasTensor(const std::string& canonical) const {
    const std::string name = fileTensor(canonical);
    return !name.empty() && has(name);
}

std::int64_t LayoutBuilder::fileRows(const std::string& canonical) const {
    const auto* tensor = m_files.find(fileTensor(canonical));
    return tensor == nullptr || tensor->shape.rank() == 0 ? 0 : tensor->shape[0];
}

Transform LayoutBuilder::transformOf(const NameRow* row, Transform given) const {
    if (given != Transform::None || row == nullptr) {
        return given;
    }
    return m_kind == FileNames::HuggingFace ? row->hfTransform : row->ggufTransform;
}

const io::TensorInfo* LayoutBuilder::weightOf(const std::string& canonical) const {
    const std::string name = sourceOf(canonical) + ".weight";
    const auto* weight = m_files.find(name);
    return weight != nullptr ? weight : m_files.find(name + "_packed");
}

std::int64_t LayoutBuilder::rowsOf(const std::string& canonical) const {
    const auto* weight = weightOf(canonical);
    return weight != nullptr && weight->shape.rank() == 2 ? weight->shape[0] : 0;
}

void LayoutBuilder::choosePrefix(const std::string& canonical,
                                 std::initializer_list<std::string_view> prefixes) {
    for (const auto prefix : prefixes) {
        layout.hfPrefix = prefix;
        if (hasTensor(canonical + ".weight")) {
            return;
        }
    }
    layout.hfPrefix = *prefixes.begin();
}

/// The shape a tensor must have in the files: with the parts beside it, before it is transposed.
Shape shapeInFile(const TensorBinding& binding) {
    auto sizes = binding.shape.sizes();
    if (!sizes.empty()) {
        sizes.front() *= binding.parts;
    }
    if (binding.transform == Transform::Transpose && sizes.size() == 2) {
        std::swap(sizes[0], sizes[1]);
    }
    return Shape(std::move(sizes));
}

/// Whether a linear's weight lies packed, under another name than ".weight".
bool LayoutBuilder::holdsCodes(const std::string& module) const {
    return has(module + ".weight_packed") || isPacked(m_files, module);
}

void LayoutBuilder::bind(TensorBinding binding) {
    const auto* tensor = m_files.find(binding.source);
    constexpr std::string_view kWeight = ".weight";
    const bool packed =
        binding.source.ends_with(kWeight) &&
        holdsCodes(binding.source.substr(0, binding.source.size() - kWeight.size()));
    if (tensor == nullptr && !packed) {
        fail(makeError(ErrorCode::TensorMissing,
                       {{"file", m_files.path()},
                        {"tensor", binding.source.empty() ? binding.name : binding.source}}));
    } else if (tensor != nullptr && !(tensor->shape == shapeInFile(binding))) {
        fail(makeError(ErrorCode::TensorShape, {{"file", m_files.path()},
                                                {"tensor", binding.source},
                                                {"found", tensor->shape.text()},
                                                {"expected", shapeInFile(binding).text()}}));
    }
    layout.bindings.push_back(std::move(binding));
}

void LayoutBuilder::addLayer(const LayerSource& source) {
    const NameRow* row = source.module.empty() ? findName(m_names, source.name) : nullptr;
    const std::string module = source.module.empty() ? sourceOf(source.name) : source.module;
    if (!source.tieTo.empty() && !has(module + ".weight") && !holdsCodes(module)) {
        addTied(source.name, source.role, source.tieTo);
        return;
    }
    LayerInfo layer;
    layer.name = source.name;
    layer.role = source.role;
    layer.rows = source.rows;
    layer.cols = source.cols;
    layer.hasBias = !source.biasApart && has(module + ".bias");
    layer.sourceFormat = formatOf(module, source.cols, layer.sourceType);
    TensorBinding weight{source.name + ".weight", module + ".weight",
                         Shape{source.rows, source.cols}, transformOf(row, source.transform),
                         source.heads};
    if (row != nullptr) {
        weight.part = row->part;
        weight.parts = row->parts;
    }
    if (layer.hasBias) {
        TensorBinding bias = weight;
        bias.name = source.name + ".bias";
        bias.source = module + ".bias";
        bias.shape = Shape{source.rows};
        if (bias.transform == Transform::Transpose) {
            bias.transform = Transform::None;
        }
        bind(std::move(weight));
        bind(std::move(bias));
    } else {
        bind(std::move(weight));
    }
    append(std::move(layer));
}

void LayoutBuilder::addTied(const std::string& name, LayerRole role, const std::string& tiedTo) {
    const auto* owner = layout.findLayer(tiedTo);
    LayerInfo layer = *owner;
    layer.name = name;
    layer.role = role;
    layer.tiedTo = tiedTo;
    layer.hasBias = false;
    append(std::move(layer));
}

void LayoutBuilder::addPlain(const std::string& name, Shape shape, Transform transform) {
    addPlainFrom(fileTensor(name), name, std::move(shape), transform);
}

void LayoutBuilder::addPlainFrom(const std::string& source, const std::string& name, Shape shape,
                                 Transform transform) {
    layout.plain.push_back({name, shape, m_block});
    bind({name, source, std::move(shape), transform});
}

void LayoutBuilder::addNorm(const std::string& stem, std::int64_t width, Transform transform) {
    // Checkpoints converted from TensorFlow call the parameters gamma and beta.
    const std::string module = sourceOf(stem);
    transform = transformOf(findName(m_names, stem), transform);
    const bool old = has(module + ".gamma");
    addPlainFrom(module + (old ? ".gamma" : ".weight"), stem + ".weight", Shape{width}, transform);
    if (layout.norm == NormKind::LayerNorm) {
        addPlainFrom(module + (old ? ".beta" : ".bias"), stem + ".bias", Shape{width},
                     Transform::None);
    }
}

Result<ModelLayout> LayoutBuilder::finish() {
    if (m_failed) {
        return m_error;
    }
    layout.name = m_files.name();
    layout.notices = m_files.notices();
    if (m_scattered > 0) {
        layout.notices.push_back(
            std::to_string(m_scattered) +
            " linears have quantization groups of scattered inputs (act-order); they are "
            "held as fp32, with the same values.");
    }
    if (m_floatInputs > 0) {
        layout.notices.push_back(
            std::to_string(m_floatInputs) +
            " linears want their inputs rounded to 8-bit floats; they are not rounded here.");
    }
    return std::move(layout);
}

std::vector<std::string> labelsFor(std::int64_t classes, std::vector<std::string> known) {
    if (static_cast<std::int64_t>(known.size()) == classes) {
        return known;
    }
    known.clear();
    for (std::int64_t i = 0; i < classes; ++i) {
        known.push_back("LABEL_" + std::to_string(i));
    }
    return known;
}

bool activationFromName(const std::string& name, Activation& out) {
    if (name == "gelu") {
        out = Activation::Gelu;
    } else if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast") {
        out = Activation::GeluTanh;
    } else if (name == "relu") {
        out = Activation::Relu;
    } else if (name == "silu" || name == "swish") {
        out = Activation::Silu;
    } else if (name == "tanh") {
        out = Activation::Tanh;
    } else {
        return false;
    }
    return true;
}

}  // namespace pareto
