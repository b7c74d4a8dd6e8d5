// Llama (Touvron et al. 2023) with grouped-query attention: LlamaForCausalLM folders of transformers
// and GGUF files with general.architecture "llama".
#include "engine/layout/families.h"
#include "engine/layout/layout_builder.h"

namespace pareto {
namespace {

constexpr std::int64_t kMaxWidth = 1 << 20;
constexpr std::int64_t kMaxRows = 1 << 24;

struct LlamaSizes {
    std::int64_t blocks = 0;
    std::int64_t heads = 1;
    std::int64_t kvHeads = 1;
    std::int64_t neurons = 0;
};

constexpr NameRow kNames[] = {
    {"embeddings.word", "{p}embed_tokens", "token_embd"},
    {"decoder.layer.{}.attention.query", "{p}layers.{}.self_attn.q_proj", "blk.{}.attn_q"},
    {"decoder.layer.{}.attention.key", "{p}layers.{}.self_attn.k_proj", "blk.{}.attn_k"},
    {"decoder.layer.{}.attention.value", "{p}layers.{}.self_attn.v_proj", "blk.{}.attn_v"},
    {"decoder.layer.{}.attention.output", "{p}layers.{}.self_attn.o_proj", "blk.{}.attn_output"},
    {"decoder.layer.{}.attention.norm", "{p}layers.{}.input_layernorm", "blk.{}.attn_norm"},
    {"decoder.layer.{}.ffn.gate", "{p}layers.{}.mlp.gate_proj", "blk.{}.ffn_gate"},
    {"decoder.layer.{}.ffn.up", "{p}layers.{}.mlp.up_proj", "blk.{}.ffn_up"},
    {"decoder.layer.{}.ffn.down", "{p}layers.{}.mlp.down_proj", "blk.{}.ffn_down"},
    {"decoder.layer.{}.ffn.norm", "{p}layers.{}.post_attention_layernorm", "blk.{}.ffn_norm"},
    {"decoder.norm", "{p}norm", "output_norm"},
    {"lm_head", "lm_head", "output"},
};

void addBlock(LayoutBuilder& builder, Transform rope, const LlamaSizes& sizes, std::int64_t i) {
    auto& out = builder.layout;
    const auto name = "decoder.layer." + std::to_string(i);
    const auto width = out.hidden;
    const auto queries = sizes.heads * out.headDim;
    const auto keys = sizes.kvHeads * out.headDim;
    builder.beginBlock(name);
    auto& block = out.blocks.back();
    block.heads = sizes.heads;
    block.kvHeads = sizes.kvHeads;
    block.neurons = sizes.neurons;
    builder.beginGroup(name + ".attention", GroupKind::Attention, sizes.kvHeads);
    builder.addLayer({name + ".attention.query", LayerRole::Query, queries, width, rope, sizes.heads});
    builder.addLayer({name + ".attention.key", LayerRole::Key, keys, width, rope, sizes.kvHeads});
    builder.addLayer({name + ".attention.value", LayerRole::Value, keys, width});
    builder.addLayer({name + ".attention.output", LayerRole::AttentionOutput, width, queries});
    builder.addNorm(name + ".attention.norm", width);
    builder.beginGroup(name + ".ffn", GroupKind::FeedForward, sizes.neurons);
    builder.addLayer({name + ".ffn.gate", LayerRole::FfnGate, sizes.neurons, width});
    builder.addLayer({name + ".ffn.up", LayerRole::FfnUp, sizes.neurons, width});
    builder.addLayer({name + ".ffn.down", LayerRole::FfnDown, width, sizes.neurons});
    builder.addNorm(name + ".ffn.norm", width);
    builder.endBlock();
}

/// What the families of this file have in common.
void setTraits(ModelLayout& out) {
    out.norm = NormKind::RmsNorm;
    out.preNorm = true;
    out.positions = Positions::Rotary;
    out.outputs = Outputs::NextToken;
    out.hfPrefix = "model.";
}

void addAll(LayoutBuilder& builder, Transform rope, const LlamaSizes& sizes, bool tied) {
    auto& out = builder.layout;
    builder.addLayer({"embeddings.word", LayerRole::Embedding, out.vocabulary, out.hidden});
    for (std::int64_t i = 0; i < sizes.blocks; ++i) {
        addBlock(builder, rope, sizes, i);
    }
    builder.addNorm("decoder.norm", out.hidden);
    if (tied) {
        builder.addTied("lm_head", LayerRole::Head, "embeddings.word");
    } else {
        builder.addLayer({"lm_head", LayerRole::Head, out.vocabulary, out.hidden});
    }
}

int tokenId(JsonReader& config, std::string_view key, int fallback) {
    const Json* value = config.find(key);
    if (value != nullptr && value->is_array() && !value->empty() && value->front().is_number_integer()) {
        return value->front().get<int>();
    }
    if (value == nullptr || !value->is_number_integer()) {
        return fallback;
    }
    return static_cast<int>(config.integer(key, fallback, -1, kMaxRows));
}

void checkHeads(JsonReader& config, const LlamaSizes& sizes, std::string_view key) {
    if (!config.failed() && sizes.heads % sizes.kvHeads != 0) {
        config.fail(key, "does not divide the number of attention heads");
    }
}

/// Scaled position encodings would silently give other text beyond the original length.
void refuseRopeScaling(JsonReader& config, std::string_view key, std::string_view typeKey) {
    const Json* scaling = config.find(key);
    if (scaling == nullptr || scaling->is_null() || !scaling->is_object()) {
        return;
    }
    for (const auto& name : {std::string(typeKey), std::string("type")}) {
        const auto found = scaling->find(name);
        if (found != scaling->end() && found->is_string() && *found != "default") {
            config.fail(key, "of type " + found->dump() + " is not available in this version");
        }
    }
}

}  // namespace

std::span<const NameRow> llamaNames() { return kNames; }

void describeLlamaHf(const io::ModelFiles& files, LayoutBuilder& builder) {
    auto& out = builder.layout;
    setTraits(out);
    RopeSettings rope;
    JsonReader config(files.config(), ErrorCode::ConfigInvalid, files.transformerFolder() + "/config.json");
    LlamaSizes sizes;
    out.hidden = config.require("hidden_size").integer("hidden_size", 0, 1, kMaxWidth);
    sizes.blocks = config.require("num_hidden_layers").integer("num_hidden_layers", 0, 1, 10000);
    sizes.heads = config.require("num_attention_heads").integer("num_attention_heads", 1, 1, 4096);
    sizes.kvHeads = config.integer("num_key_value_heads", sizes.heads, 1, 4096);
    sizes.neurons = config.require("intermediate_size").integer("intermediate_size", 0, 1, kMaxWidth);
    out.vocabulary = config.require("vocab_size").integer("vocab_size", 0, 1, kMaxRows);
    out.maxPositions = config.integer("max_position_embeddings", 2048, 1, kMaxRows);
    out.normEpsilon = config.number("rms_norm_eps", 1e-6, 0.0, 1.0);
    out.headDim = out.hidden / sizes.heads;
    if (const auto* dim = config.find("head_dim"); dim != nullptr && !dim->is_null()) {
        out.headDim = config.integer("head_dim", out.headDim, 2, 4096);
    } else if (out.hidden % sizes.heads != 0) {
        config.fail("num_attention_heads", "does not divide hidden_size and head_dim is missing");
    }
    rope.theta = config.number("rope_theta", 10000.0, 1.0, 1e12);
    if (const auto* given = config.find("rope_parameters"); given != nullptr && given->is_object()) {
        JsonReader inner(*given, ErrorCode::ConfigInvalid, files.transformerFolder() + "/config.json", "rope_parameters");
        rope.theta = inner.number("rope_theta", rope.theta, 1.0, 1e12);
        if (inner.failed()) {
            builder.fail(inner.status().error());
        }
    }
    refuseRopeScaling(config, "rope_scaling", "rope_type");
    refuseRopeScaling(config, "rope_parameters", "rope_type");
    const auto activation = config.text("hidden_act", "silu");
    if (!activationFromName(activation, out.activation) || out.activation != Activation::Silu) {
        config.fail("hidden_act", "\"" + activation + "\" is not known (known: silu)");
    }
    out.bosId = tokenId(config, "bos_token_id", -1);
    out.eosId = tokenId(config, "eos_token_id", -1);
    out.padId = tokenId(config, "pad_token_id", 0);
    checkHeads(config, sizes, "num_key_value_heads");
    if (config.failed()) {
        builder.fail(config.status().error());
        return;
    }
    const bool tied = config.boolean("tie_word_embeddings", false) || !builder.has("lm_head.weight");
    out.ropes = {rope};
    addAll(builder, Transform::None, sizes, tied);
}

void describeLlamaGguf(const io::ModelFiles& files, LayoutBuilder& builder) {
    auto& out = builder.layout;
    setTraits(out);
    RopeSettings rope;
    JsonReader meta(files.gguf().values, ErrorCode::ConfigInvalid, files.path());
    LlamaSizes sizes;
    out.hidden = meta.require("llama.embedding_length").integer("llama.embedding_length", 0, 1, kMaxWidth);
    sizes.blocks = meta.require("llama.block_count").integer("llama.block_count", 0, 1, 10000);
    sizes.heads = meta.require("llama.attention.head_count").integer("llama.attention.head_count", 1, 1, 4096);
    sizes.kvHeads = meta.integer("llama.attention.head_count_kv", sizes.heads, 1, 4096);
    sizes.neurons = meta.require("llama.feed_forward_length").integer("llama.feed_forward_length", 0, 1, kMaxWidth);
    out.maxPositions = meta.integer("llama.context_length", 2048, 1, kMaxRows);
    out.normEpsilon = meta.number("llama.attention.layer_norm_rms_epsilon", 1e-6, 0.0, 1.0);
    out.headDim = meta.integer("llama.attention.key_length", out.hidden / sizes.heads, 2, 4096);
    const auto rotated = meta.integer("llama.rope.dimension_count", out.headDim, 2, 4096);
    if (rotated != out.headDim) {
        meta.fail("llama.rope.dimension_count", "is not the size of a head; partly rotated heads are not available in this version");
    }
    rope.theta = meta.number("llama.rope.freq_base", 10000.0, 1.0, 1e12);
    if (const auto scaling = meta.text("llama.rope.scaling.type", "none"); scaling != "none") {
        meta.fail("llama.rope.scaling.type", "\"" + scaling + "\" is not available in this version");
    }
    if (builder.has("rope_freqs.weight")) {
        meta.fail("rope_freqs.weight", "means scaled rotary frequencies, which are not available in this version");
    }
    out.activation = Activation::Silu;
    out.bosId = tokenId(meta, "tokenizer.ggml.bos_token_id", -1);
    out.eosId = tokenId(meta, "tokenizer.ggml.eos_token_id", -1);
    out.padId = tokenId(meta, "tokenizer.ggml.padding_token_id", 0);
    checkHeads(meta, sizes, "llama.attention.head_count_kv");
    if (const auto* table = files.find("token_embd.weight"); table != nullptr && table->shape.rank() == 2) {
        out.vocabulary = table->shape[0];
    }
    if (meta.failed()) {
        builder.fail(meta.status().error());
        return;
    }
    out.ropes = {rope};
    addAll(builder, Transform::UnpermuteRope, sizes, !builder.has("output.weight"));
}

}  // namespace pareto
