// Gemma 2 (Riviere et al. 2024) and Gemma 3 (Kamath et al. 2025), text only: norms that multiply by
// 1 + weight, norms before and after the sublayers, scaled embeddings, a gate with GELU, sliding windows
// in most blocks. Gemma 2 caps scores and logits; Gemma 3 normalizes queries and keys instead and turns
// them more slowly in the blocks without a window.
#include <cmath>

#include "engine/core/dtype.h"
#include "engine/layout/decoder_layout.h"
#include "engine/layout/families.h"
#include "engine/layout/rope_settings.h"

namespace pareto {
namespace {

constexpr auto kOne = Transform::AddOne;  // GGUF holds 1 + weight already

constexpr NameRow kNames[] = {
    {"embeddings.word", "{p}embed_tokens", "token_embd"},
    {"decoder.layer.{}.attention.query", "{p}layers.{}.self_attn.q_proj", "blk.{}.attn_q"},
    {"decoder.layer.{}.attention.key", "{p}layers.{}.self_attn.k_proj", "blk.{}.attn_k"},
    {"decoder.layer.{}.attention.value", "{p}layers.{}.self_attn.v_proj", "blk.{}.attn_v"},
    {"decoder.layer.{}.attention.output", "{p}layers.{}.self_attn.o_proj", "blk.{}.attn_output"},
    {"decoder.layer.{}.attention.query_norm", "{p}layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm",
     0, 1, kOne},
    {"decoder.layer.{}.attention.key_norm", "{p}layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm",
     0, 1, kOne},
    {"decoder.layer.{}.attention.norm", "{p}layers.{}.input_layernorm", "blk.{}.attn_norm", 0, 1,
     kOne},
    {"decoder.layer.{}.attention.post_norm", "{p}layers.{}.post_attention_layernorm",
     "blk.{}.post_attention_norm", 0, 1, kOne},
    {"decoder.layer.{}.ffn.gate", "{p}layers.{}.mlp.gate_proj", "blk.{}.ffn_gate"},
    {"decoder.layer.{}.ffn.up", "{p}layers.{}.mlp.up_proj", "blk.{}.ffn_up"},
    {"decoder.layer.{}.ffn.down", "{p}layers.{}.mlp.down_proj", "blk.{}.ffn_down"},
    {"decoder.layer.{}.ffn.norm", "{p}layers.{}.pre_feedforward_layernorm", "blk.{}.ffn_norm", 0, 1,
     kOne},
    {"decoder.layer.{}.ffn.post_norm", "{p}layers.{}.post_feedforward_layernorm",
     "blk.{}.post_ffw_norm", 0, 1, kOne},
    {"decoder.norm", "{p}norm", "output_norm", 0, 1, kOne},
    {"lm_head", "lm_head", "output"},
};

/// Every pattern-th block attends to everything.
bool slides(std::int64_t block, std::int64_t pattern) { return (block + 1) % pattern != 0; }

/// √hidden in the number format that transformers multiplies in: that of the table.
double embeddingScale(const ModelLayout& layout, const io::ModelFiles& files,
                      const std::string& table) {
    const auto root = static_cast<float>(std::sqrt(static_cast<double>(layout.hidden)));
    const auto* info = files.find(table);
    if (info == nullptr || info->encoding.block || files.format() == io::Format::Gguf) {
        return static_cast<double>(root);
    }
    switch (info->encoding.dtype) {
    case DType::BF16:
        return static_cast<double>(bfloatToFloat(floatToBfloat(root)));
    case DType::F16:
        return static_cast<double>(halfToFloat(floatToHalf(root)));
    default:
        return static_cast<double>(root);
    }
}

void setTraits(ModelLayout& out) {
    setRotaryTraits(out);
    out.activation = Activation::GeluTanh;
}

/// Blocks without a window use the first rotary settings, those with one the second.
void setRopes(ModelLayout& out) {
    for (auto& block : out.blocks) {
        block.rope = out.ropes.size() > 1 && block.window > 0 ? 1 : 0;
    }
}

}  // namespace

std::span<const NameRow> gemmaNames() { return kNames; }

void describeGemmaHf(const io::ModelFiles& files, LayoutBuilder& builder) {
    auto& out = builder.layout;
    setTraits(out);
    const bool third = out.family == Family::Gemma3;
    // A model with a vision part keeps its language model's configuration apart.
    const auto& all = files.config();
    const bool nested = all.contains("text_config") && all["text_config"].is_object();
    HfConfig config(files, nested ? all["text_config"] : all);
    builder.choosePrefix("embeddings.word",
                         {"model.", "model.language_model.", "language_model.model."});
    HfDefaults defaults;
    defaults.heads = 8;
    defaults.kvHeads = 4;
    defaults.headDim = 256;
    defaults.tied = true;
    defaults.activationKey = "hidden_activation";
    defaults.activation = Activation::GeluTanh;
    if (!config.reader.has("max_position_embeddings")) {
        config.values["max_position_embeddings"] = third ? 131072 : 8192;
    }
    DecoderShape shape = readHfDecoder(config, builder, defaults);
    shape.postNorms = true;
    shape.headNorms = third;
    auto& reader = config.reader;
    out.attentionScale = 1.0 / std::sqrt(reader.number("query_pre_attn_scalar", 256.0, 1e-6, 1e9));
    out.attentionSoftcap =
        reader.number("attn_logit_softcapping",
                      third || all.contains("attn_logit_softcapping") ? 0.0 : 50.0, 0.0, 1e9);
    out.logitSoftcap =
        reader.number("final_logit_softcapping",
                      third || all.contains("final_logit_softcapping") ? 0.0 : 30.0, 0.0, 1e9);
    if (reader.boolean("use_bidirectional_attention", false)) {
        reader.fail("use_bidirectional_attention",
                    "true is an encoder, which is not available in this version");
    }
    HfRopeKeys global;
    global.defaultTheta = third ? 1e6 : 1e4;
    out.ropes = {ropeFromHf(config, builder, global)};
    if (third) {
        out.ropes.push_back(
            ropeFromHf(config, builder, {"rope_local_base_freq", "", "sliding_attention", 1e4}));
    }
    if (!accepted(reader, builder)) {
        return;
    }
    out.embeddingScale =
        embeddingScale(out, files, builder.sourceOf("embeddings.word") + ".weight");
    addDecoder(builder, shape);
    setWindows(config, out, reader.integer("sliding_window", 4096, 1, kMaxRows), slides,
               reader.integer("sliding_window_pattern", third ? 6 : 2, 1, 10000));
    setRopes(out);
    out.hfPrefix = "model.";  // what is written is the language model alone
    accepted(reader, builder);
}

void describeGemmaGguf(const io::ModelFiles& files, LayoutBuilder& builder) {
    auto& out = builder.layout;
    setTraits(out);
    const bool third = out.family == Family::Gemma3;
    const std::string architecture = familyName(out.family);
    const auto key = [&](const char* name) { return architecture + "." + name; };
    JsonReader meta(files.gguf().values, ErrorCode::ConfigInvalid, files.path());
    DecoderShape shape = readGgufDecoder(meta, files, builder, architecture);
    shape.postNorms = true;
    shape.headNorms = third;
    // llama.cpp has no field for query_pre_attn_scalar: the 27B models are told by their depth.
    const bool largest = shape.blocks.size() == (third ? 62U : 46U);
    const auto scalar = largest ? out.hidden / shape.blocks.front().heads : out.headDim;
    out.attentionScale = 1.0 / std::sqrt(static_cast<double>(scalar));
    out.attentionSoftcap = meta.number(key("attn_logit_softcapping"), third ? 0.0 : 50.0, 0.0, 1e9);
    out.logitSoftcap = meta.number(key("final_logit_softcapping"), third ? 0.0 : 30.0, 0.0, 1e9);
    out.ropes = {ropeFromGguf(meta, files, out, architecture)};
    if (third) {
        RopeSettings local;
        local.theta = meta.number(key("rope.freq_base_swa"), 1e4, 1.0, 1e12);
        out.ropes.push_back(local);
    }
    const auto window =
        meta.integer(key("attention.sliding_window"), third ? 0 : 4096, 0, kMaxRows);
    if (!accepted(meta, builder)) {
        return;
    }
    out.embeddingScale = embeddingScale(out, files, "token_embd.weight");
    addDecoder(builder, shape);
    setGgufWindows(meta, out, architecture, window, third ? 6 : 2);
    setRopes(out);
    accepted(meta, builder);
}

}  // namespace pareto
