#include "engine/export/hf_names.h"

#include <array>
#include <string_view>
#include <utility>

namespace pareto::exporting {

namespace {

using Names = std::pair<std::string_view, std::string_view>;  // canonical, transformers

constexpr std::array kBertBlock{
    Names{"attention.query", "attention.self.query"},
    Names{"attention.key", "attention.self.key"},
    Names{"attention.value", "attention.self.value"},
    Names{"attention.output", "attention.output.dense"},
    Names{"attention.norm", "attention.output.LayerNorm"},
    Names{"ffn.in", "intermediate.dense"},
    Names{"ffn.out", "output.dense"},
    Names{"ffn.norm", "output.LayerNorm"},
};
constexpr std::array kBert{
    Names{"embeddings.word", "embeddings.word_embeddings"},
    Names{"embeddings.position", "embeddings.position_embeddings"},
    Names{"embeddings.type", "embeddings.token_type_embeddings"},
    Names{"embeddings.norm", "embeddings.LayerNorm"},
    Names{"pooler", "pooler.dense"},
};
constexpr std::array kLlamaBlock{
    Names{"attention.query", "self_attn.q_proj"},
    Names{"attention.key", "self_attn.k_proj"},
    Names{"attention.value", "self_attn.v_proj"},
    Names{"attention.output", "self_attn.o_proj"},
    Names{"attention.norm", "input_layernorm"},
    Names{"ffn.gate", "mlp.gate_proj"},
    Names{"ffn.up", "mlp.up_proj"},
    Names{"ffn.down", "mlp.down_proj"},
    Names{"ffn.norm", "post_attention_layernorm"},
};
constexpr std::array kLlama{
    Names{"embeddings.word", "model.embed_tokens"},
    Names{"decoder.norm", "model.norm"},
    Names{"lm_head", "lm_head"},
};

template <typename Table>
std::string_view lookUp(const Table& table, std::string_view name) {
    for (const auto& [canonical, theirs] : table) {
        if (canonical == name) {
            return theirs;
        }
    }
    return {};
}

/// "encoder.layer.12.ffn.in" -> {"12", "ffn.in"}; empty when the name is of no block.
std::pair<std::string_view, std::string_view> splitBlock(std::string_view name,
                                                         std::string_view stem) {
    if (!name.starts_with(stem)) {
        return {};
    }
    name.remove_prefix(stem.size());
    const auto dot = name.find('.');
    return {name.substr(0, dot), name.substr(dot + 1)};
}

}  // namespace

std::string hfPrefix(const ModelLayout& layout) {
    return layout.family == Family::Bert && layout.layerIndex("classifier") >= 0 ? "bert." : "";
}

int denseNumber(const std::string& layer) {
    constexpr std::string_view kStem = "dense.";
    return layer.starts_with(kStem) ? std::stoi(layer.substr(kStem.size())) : -1;
}

std::string hfModuleName(const ModelLayout& layout, const std::string& layer) {
    if (layout.family == Family::Bert) {
        if (layer == "classifier") {
            return layer;
        }
        const std::string prefix = hfPrefix(layout);
        if (const auto [number, rest] = splitBlock(layer, "encoder.layer."); !number.empty()) {
            return prefix + "encoder.layer." + std::string(number) + "." +
                   std::string(lookUp(kBertBlock, rest));
        }
        const auto name = lookUp(kBert, layer);
        return name.empty() ? std::string() : prefix + std::string(name);
    }
    if (const auto [number, rest] = splitBlock(layer, "decoder.layer."); !number.empty()) {
        return "model.layers." + std::string(number) + "." + std::string(lookUp(kLlamaBlock, rest));
    }
    return std::string(lookUp(kLlama, layer));
}

std::string hfTensorName(const ModelLayout& layout, const std::string& canonical) {
    const auto dot = canonical.find_last_of('.');
    const std::string module = hfModuleName(layout, canonical.substr(0, dot));
    return module.empty() ? std::string() : module + canonical.substr(dot);
}

}  // namespace pareto::exporting
