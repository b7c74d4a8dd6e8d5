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
    (kind == GroupKind::Attention ? block.attention : block.feedForward) = m_group;
    layout.groups.push_back({name, kind, m_block, units, {}});
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
WeightFormat LayoutBuilder::quantizedFormat(const std::string& module) {
    WeightFormat out;
    const auto& config = m_files.config();
    const auto refuse = [&](const std::string& reason) {
        fail(makeError(ErrorCode::ConfigInvalid, {{"file", m_files.path()},
                                                  {"field", "quantization_config"},
                                                  {"reason", module + ": " + reason}}));
    };
    const auto quantization = config.is_object() ? config.value("quantization_config", Json()) : Json();
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
        out.symmetric = weights.boolean("symmetric", true);
        out.format = bits == 4 ? NumberFormat::Int4 : NumberFormat::Int8;
        out.granularity = strategy == "tensor"    ? Granularity::Tensor
                          : strategy == "channel" ? Granularity::Channel
                                                  : Granularity::Group;
        if (out.granularity == Granularity::Group) {
            out.groupSize = weights.integer("group_size", 128, 1, 1 << 20);
        }
        if (weights.failed() || (bits != 4 && bits != 8) || weights.text("type", "int") != "int" ||
            (strategy != "tensor" && strategy != "channel" && strategy != "group")) {
            refuse("only 4 and 8 bit integers per tensor, channel or group can be read");
        }
        if (const Json activations = group.value("input_activations", Json()); activations.is_object()) {
            JsonReader input(activations, ErrorCode::ConfigInvalid, m_files.path(), field + ".input_activations");
            const bool dynamic = input.boolean("dynamic", false);
            if (input.integer("num_bits", 0, 0, 64) != 8 || !dynamic || input.failed()) {
                refuse("only dynamic 8 bit input activations can be run");
            }
            out.activations = Activations::Int8Dynamic;
            if (input.text("strategy", "token") == "group") {
                out.activationGroup = input.integer("group_size", 0, 0, 1 << 20);
            }
        }
        return out;
    }
    refuse("no config_group targets it");
    return out;
}

WeightFormat LayoutBuilder::formatOf(const LayerSource& source, std::string& typeName) {
    WeightFormat out;
    const bool packed = has(source.module + ".weight_packed");
    const auto* weight = m_files.find(source.module + ".weight");
    if (packed || has(source.module + ".weight_scale")) {
        out = quantizedFormat(source.module);
        typeName = packed ? (out.format == NumberFormat::Int4 ? "INT4 packed" : "INT8 packed") : "I8";
        return out;
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

void LayoutBuilder::bind(const LayerSource& source, const std::string& suffix, Shape shape) {
    const auto name = source.module + suffix;
    const bool packed = suffix == ".weight" && has(source.module + ".weight_packed");
    const auto* tensor = m_files.find(name);
    if (tensor == nullptr && !packed) {
        fail(makeError(ErrorCode::TensorMissing, {{"file", m_files.path()}, {"tensor", name}}));
    } else if (tensor != nullptr && !(tensor->shape == shape)) {
        fail(makeError(ErrorCode::TensorShape, {{"file", m_files.path()},
                                                {"tensor", name},
                                                {"found", tensor->shape.text()},
                                                {"expected", shape.text()}}));
    }
    layout.bindings.push_back(
        {source.name + suffix, name, std::move(shape), source.transform, source.heads});
}

void LayoutBuilder::addLayer(const LayerSource& source) {
    LayerInfo layer;
    layer.name = source.name;
    layer.role = source.role;
    layer.rows = source.rows;
    layer.cols = source.cols;
    layer.hasBias = has(source.module + ".bias");
    layer.sourceFormat = formatOf(source, layer.sourceType);
    bind(source, ".weight", Shape{source.rows, source.cols});
    if (layer.hasBias) {
        bind(source, ".bias", Shape{source.rows});
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

void LayoutBuilder::addPlain(const std::string& name, const std::string& source, Shape shape) {
    layout.plain.push_back({name, shape, m_block});
    bind({.name = name, .module = source}, "", std::move(shape));
}

Result<ModelLayout> LayoutBuilder::finish() {
    if (m_failed) {
        return m_error;
    }
    layout.name = m_files.name();
    return std::move(layout);
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
