// GPT-2 (Radford et al. 2019): learned positions, LayerNorm, one fused matrix for query, key and value.
// transformers keeps its linears as Conv1D, [inputs][outputs]; GGUF the usual way round.
#include "engine/layout/decoder_layout.h"
#include "engine/layout/families.h"

namespace pareto {
namespace {

constexpr auto kConv = Transform::Transpose;

constexpr NameRow kNames[] = {
    {"embeddings.word", "{p}wte", "token_embd"},
    {"embeddings.position", "{p}wpe", "position_embd"},
    {"decoder.layer.{}.attention.query", "{p}h.{}.attn.c_attn", "blk.{}.attn_qkv", 0, 3, kConv},
    {"decoder.layer.{}.attention.key", "{p}h.{}.attn.c_attn", "blk.{}.attn_qkv", 1, 3, kConv},
    {"decoder.layer.{}.attention.value", "{p}h.{}.attn.c_attn", "blk.{}.attn_qkv", 2, 3, kConv},
    {"decoder.layer.{}.attention.output", "{p}h.{}.attn.c_proj", "blk.{}.attn_output", 0, 1, kConv},
    {"decoder.layer.{}.attention.norm", "{p}h.{}.ln_1", "blk.{}.attn_norm"},
    {"decoder.layer.{}.ffn.in", "{p}h.{}.mlp.c_fc", "blk.{}.ffn_up", 0, 1, kConv},
    {"decoder.layer.{}.ffn.out", "{p}h.{}.mlp.c_proj", "blk.{}.ffn_down", 0, 1, kConv},
    {"decoder.layer.{}.ffn.norm", "{p}h.{}.ln_2", "blk.{}.ffn_norm"},
    {"decoder.norm", "{p}ln_f", "output_norm"},
    {"lm_head", "lm_head", "output"},
};

void setTraits(ModelLayout& out) {
    out.norm = NormKind::LayerNorm;
    out.preNorm = true;
    out.positions = Positions::Learned;
    out.outputs = Outputs::NextToken;
    out.activation = Activation::GeluTanh;
    out.hfPrefix = "transformer.";
}

/// What changes the computation and is off in every published model.
void refuseVariants(JsonReader& config) {
    for (const char* key : {"scale_attn_by_inverse_layer_idx", "add_cross_attention"}) {
        if (config.boolean(key, false)) {
            config.fail(key, "true is not available in this version");
        }
    }
    if (!config.boolean("scale_attn_weights", true)) {
        config.fail("scale_attn_weights", "false is not available in this version");
    }
}

}  // namespace

std::span<const NameRow> gpt2Names() { return kNames; }

void describeGpt2Hf(const io::ModelFiles& files, LayoutBuilder& builder) {
    auto& out = builder.layout;
    setTraits(out);
    builder.choosePrefix("embeddings.word", {"transformer.", ""});
    HfConfig from(files, files.config());
    auto& config = from.reader;
    DecoderShape shape;
    shape.gated = false;
    out.hidden = config.require("n_embd").integer("n_embd", 1, 1, kMaxWidth);
    const auto blocks = config.require("n_layer").integer("n_layer", 1, 1, 10000);
    BlockSizes sizes;
    sizes.heads = sizes.kvHeads = config.require("n_head").integer("n_head", 1, 1, 4096);
    sizes.neurons = config.integer("n_inner", 4 * out.hidden, 1, kMaxWidth);
    shape.blocks.assign(static_cast<std::size_t>(blocks), sizes);
    out.vocabulary =
        config.integer("vocab_size", builder.fileRows("embeddings.word.weight"), 1, kMaxRows);
    out.maxPositions =
        config.integer("n_positions", config.integer("n_ctx", 1024, 1, kMaxRows), 1, kMaxRows);
    out.normEpsilon = config.number("layer_norm_epsilon", 1e-5, 0.0, 1.0);
    if (out.hidden % sizes.heads != 0) {
        config.fail("n_head", "does not divide n_embd");
    }
    out.headDim = out.hidden / sizes.heads;
    if (const auto name = config.text("activation_function", "gelu_new");
        !activationFromName(name, out.activation)) {
        config.fail("activation_function", "\"" + name + "\" is not known");
    }
    refuseVariants(config);
    out.bosId = tokenId(config, "bos_token_id", -1);
    out.padId = tokenId(config, "pad_token_id", 0);
    readStopIds(config, out);
    shape.tied =
        config.boolean("tie_word_embeddings", true) || !builder.hasWeight("lm_head");
    if (accepted(config, builder)) {
        addDecoder(builder, shape);
    }
}

void describeGpt2Gguf(const io::ModelFiles& files, LayoutBuilder& builder) {
    setTraits(builder.layout);
    JsonReader meta(files.gguf().values, ErrorCode::ConfigInvalid, files.path());
    DecoderShape shape = readGgufDecoder(meta, files, builder, "gpt2");
    shape.gated = false;
    if (accepted(meta, builder)) {
        addDecoder(builder, shape);
    }
}

}  // namespace pareto
