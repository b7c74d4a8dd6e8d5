// Llama (Touvron et al. 2023) with grouped-query attention and Mistral (Jiang et al. 2023): the same
// with a sliding window. LlamaForCausalLM and MistralForCausalLM folders of transformers; GGUF files of
// both say general.architecture "llama" or, where blocks differ in size, "deci".
#include "engine/layout/decoder_layout.h"
#include "engine/layout/families.h"
#include "engine/layout/rope_settings.h"

namespace pareto {
namespace {

constexpr auto kPairs = Transform::UnpermuteRope;  // how GGUF keeps the rows of this architecture

constexpr NameRow kNames[] = {
    {"embeddings.word", "{p}embed_tokens", "token_embd"},
    {"decoder.layer.{}.attention.query", "{p}layers.{}.self_attn.q_proj", "blk.{}.attn_q", 0, 1,
     Transform::None, kPairs},
    {"decoder.layer.{}.attention.key", "{p}layers.{}.self_attn.k_proj", "blk.{}.attn_k", 0, 1,
     Transform::None, kPairs},
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

}  // namespace

std::span<const NameRow> llamaNames() { return kNames; }

void describeLlamaHf(const io::ModelFiles& files, LayoutBuilder& builder) {
    auto& out = builder.layout;
    setRotaryTraits(out);
    HfConfig config(files, files.config());
    const DecoderShape shape = readHfDecoder(config, builder, {});
    out.ropes = {ropeFromHf(config, builder)};
    if (accepted(config.reader, builder)) {
        addDecoder(builder, shape);
    }
}

void describeMistralHf(const io::ModelFiles& files, LayoutBuilder& builder) {
    describeLlamaHf(files, builder);
    // null turns the window off; where nothing is said, MistralConfig assumes one.
    const auto& config = files.config();
    const auto given = config.find("sliding_window");
    HfConfig values(files, config);
    const std::int64_t window = given != config.end() && given->is_null()
                                    ? 0
                                    : values.reader.integer("sliding_window", 4096, 0, kMaxRows);
    if (accepted(values.reader, builder)) {
        for (auto& block : builder.layout.blocks) {
            block.window = window;
        }
    }
}

void describeLlamaGguf(const io::ModelFiles& files, LayoutBuilder& builder) {
    auto& out = builder.layout;
    setRotaryTraits(out);
    out.activation = Activation::Silu;
    JsonReader meta(files.gguf().values, ErrorCode::ConfigInvalid, files.path());
    const auto architecture = meta.text("general.architecture");
    const DecoderShape shape = readGgufDecoder(meta, files, builder, architecture);
    out.ropes = {ropeFromGguf(meta, files, out, architecture)};
    if (accepted(meta, builder)) {
        addDecoder(builder, shape);
    }
}

}  // namespace pareto
