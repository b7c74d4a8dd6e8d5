// Qwen2 (Yang et al. 2024: Llama with biases of query, key and value) and Qwen3 (Yang et al. 2025: no
// biases, an RMSNorm of each query and key head): folders of transformers and GGUF files.
#include "engine/layout/decoder_layout.h"
#include "engine/layout/families.h"
#include "engine/layout/rope_settings.h"

namespace pareto {
namespace {

constexpr NameRow kNames[] = {
    {"embeddings.word", "{p}embed_tokens", "token_embd"},
    {"decoder.layer.{}.attention.query", "{p}layers.{}.self_attn.q_proj", "blk.{}.attn_q"},
    {"decoder.layer.{}.attention.key", "{p}layers.{}.self_attn.k_proj", "blk.{}.attn_k"},
    {"decoder.layer.{}.attention.value", "{p}layers.{}.self_attn.v_proj", "blk.{}.attn_v"},
    {"decoder.layer.{}.attention.output", "{p}layers.{}.self_attn.o_proj", "blk.{}.attn_output"},
    {"decoder.layer.{}.attention.query_norm", "{p}layers.{}.self_attn.q_norm",
     "blk.{}.attn_q_norm"},
    {"decoder.layer.{}.attention.key_norm", "{p}layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm"},
    {"decoder.layer.{}.attention.norm", "{p}layers.{}.input_layernorm", "blk.{}.attn_norm"},
    {"decoder.layer.{}.ffn.gate", "{p}layers.{}.mlp.gate_proj", "blk.{}.ffn_gate"},
    {"decoder.layer.{}.ffn.up", "{p}layers.{}.mlp.up_proj", "blk.{}.ffn_up"},
    {"decoder.layer.{}.ffn.down", "{p}layers.{}.mlp.down_proj", "blk.{}.ffn_down"},
    {"decoder.layer.{}.ffn.norm", "{p}layers.{}.post_attention_layernorm", "blk.{}.ffn_norm"},
    {"decoder.norm", "{p}norm", "output_norm"},
    {"lm_head", "lm_head", "output"},
};

/// The first max_window_layers blocks attend to everything.
bool slides(std::int64_t block, std::int64_t maxWindowLayers) { return block >= maxWindowLayers; }

}  // namespace

std::span<const NameRow> qwenNames() { return kNames; }

void describeQwenHf(const io::ModelFiles& files, LayoutBuilder& builder) {
    auto& out = builder.layout;
    setRotaryTraits(out);
    HfConfig config(files, files.config());
    const bool third = out.family == Family::Qwen3;
    HfDefaults defaults;
    defaults.headDim = third ? 128 : 0;
    DecoderShape shape = readHfDecoder(config, builder, defaults);
    shape.headNorms = third;
    out.ropes = {ropeFromHf(config, builder)};
    if (!accepted(config.reader, builder)) {
        return;
    }
    addDecoder(builder, shape);
    const bool windows = config.reader.boolean("use_sliding_window", false) &&
                         files.config().contains("sliding_window") &&
                         !files.config()["sliding_window"].is_null();
    if (windows) {
        setWindows(config, out, config.reader.integer("sliding_window", 4096, 1, kMaxRows), slides,
                   config.reader.integer("max_window_layers", 28, 0, 10000));
    }
    accepted(config.reader, builder);
}

void describeQwenGguf(const io::ModelFiles& files, LayoutBuilder& builder) {
    auto& out = builder.layout;
    setRotaryTraits(out);
    out.activation = Activation::Silu;
    JsonReader meta(files.gguf().values, ErrorCode::ConfigInvalid, files.path());
    const std::string architecture = familyName(out.family);
    DecoderShape shape = readGgufDecoder(meta, files, builder, architecture);
    shape.headNorms = out.family == Family::Qwen3;
    out.ropes = {ropeFromGguf(meta, files, out, architecture)};
    if (accepted(meta, builder)) {
        addDecoder(builder, shape);
    }
}

}  // namespace pareto
