// Marian (Junczys-Dowmunt et al. 2018) as transformers writes it: MarianMTModel, the Opus-MT models.
#include <cmath>

#include "engine/layout/families.h"
#include "engine/layout/seq2seq_blocks.h"

namespace pareto {
namespace {

constexpr NameRow kNames[] = {
    {"embeddings.word", "{p}shared", ""},
    {"encoder.layer.{}.attention.query", "{p}encoder.layers.{}.self_attn.q_proj", ""},
    {"encoder.layer.{}.attention.key", "{p}encoder.layers.{}.self_attn.k_proj", ""},
    {"encoder.layer.{}.attention.value", "{p}encoder.layers.{}.self_attn.v_proj", ""},
    {"encoder.layer.{}.attention.output", "{p}encoder.layers.{}.self_attn.out_proj", ""},
    {"encoder.layer.{}.attention.norm", "{p}encoder.layers.{}.self_attn_layer_norm", ""},
    {"encoder.layer.{}.ffn.in", "{p}encoder.layers.{}.fc1", ""},
    {"encoder.layer.{}.ffn.out", "{p}encoder.layers.{}.fc2", ""},
    {"encoder.layer.{}.ffn.norm", "{p}encoder.layers.{}.final_layer_norm", ""},
    {"decoder.layer.{}.attention.query", "{p}decoder.layers.{}.self_attn.q_proj", ""},
    {"decoder.layer.{}.attention.key", "{p}decoder.layers.{}.self_attn.k_proj", ""},
    {"decoder.layer.{}.attention.value", "{p}decoder.layers.{}.self_attn.v_proj", ""},
    {"decoder.layer.{}.attention.output", "{p}decoder.layers.{}.self_attn.out_proj", ""},
    {"decoder.layer.{}.attention.norm", "{p}decoder.layers.{}.self_attn_layer_norm", ""},
    {"decoder.layer.{}.cross.query", "{p}decoder.layers.{}.encoder_attn.q_proj", ""},
    {"decoder.layer.{}.cross.key", "{p}decoder.layers.{}.encoder_attn.k_proj", ""},
    {"decoder.layer.{}.cross.value", "{p}decoder.layers.{}.encoder_attn.v_proj", ""},
    {"decoder.layer.{}.cross.output", "{p}decoder.layers.{}.encoder_attn.out_proj", ""},
    {"decoder.layer.{}.cross.norm", "{p}decoder.layers.{}.encoder_attn_layer_norm", ""},
    {"decoder.layer.{}.ffn.in", "{p}decoder.layers.{}.fc1", ""},
    {"decoder.layer.{}.ffn.out", "{p}decoder.layers.{}.fc2", ""},
    {"decoder.layer.{}.ffn.norm", "{p}decoder.layers.{}.final_layer_norm", ""},
    {"lm_head", "lm_head", ""},
    {"logits_bias", "final_logits_bias", ""},
};

void readSizes(JsonReader& config, ModelLayout& out, Seq2SeqSizes& sizes) {
    out.hidden = config.require("d_model").integer("d_model", 0, 2, kMaxSeq2SeqWidth);
    sizes.encoderBlocks = config.require("encoder_layers").integer("encoder_layers", 0, 1, 10000);
    sizes.decoderBlocks = config.require("decoder_layers").integer("decoder_layers", 0, 1, 10000);
    sizes.heads =
        config.require("encoder_attention_heads").integer("encoder_attention_heads", 1, 1, 4096);
    const auto decoderHeads = config.integer("decoder_attention_heads", sizes.heads, 1, 4096);
    sizes.encoderNeurons =
        config.require("encoder_ffn_dim").integer("encoder_ffn_dim", 0, 1, kMaxSeq2SeqWidth);
    sizes.decoderNeurons = config.integer("decoder_ffn_dim", sizes.encoderNeurons, 1, kMaxSeq2SeqWidth);
    out.vocabulary = config.require("vocab_size").integer("vocab_size", 0, 1, kMaxSeq2SeqRows);
    const auto decoderVocabulary =
        config.integer("decoder_vocab_size", out.vocabulary, 1, kMaxSeq2SeqRows);
    out.maxPositions = config.integer("max_position_embeddings", 1024, 1, kMaxSeq2SeqRows);
    if (config.failed()) {
        return;
    }
    out.headDim = out.hidden / sizes.heads;
    if (out.hidden % sizes.heads != 0) {
        config.fail("encoder_attention_heads", "does not divide d_model");
    } else if (decoderHeads != sizes.heads) {
        config.fail("decoder_attention_heads", "differs from encoder_attention_heads; heads of two "
                                               "sizes are not available in this version");
    } else if (decoderVocabulary != out.vocabulary ||
               !config.boolean("share_encoder_decoder_embeddings", true)) {
        config.fail("share_encoder_decoder_embeddings",
                    "is false; a vocabulary of each side's own is not available in this version");
    }
}

}  // namespace

std::span<const NameRow> marianNames() { return kNames; }

void describeMarian(const io::ModelFiles& files, LayoutBuilder& builder) {
    auto& out = builder.layout;
    out.hfPrefix = "model.";
    out.norm = NormKind::LayerNorm;
    out.preNorm = false;
    out.positions = Positions::Sinusoidal;
    out.outputs = Outputs::NextToken;
    out.normEpsilon = 1e-5;
    JsonReader config(files.config(), ErrorCode::ConfigInvalid, files.transformerFolder() + "/config.json");
    Seq2SeqSizes sizes;
    readSizes(config, out, sizes);
    if (config.boolean("scale_embedding", false)) {
        out.embeddingScale = std::sqrt(static_cast<double>(out.hidden));
    }
    const auto activation = config.text("activation_function", "gelu");
    if (!activationFromName(activation, out.activation)) {
        config.fail("activation_function",
                    "\"" + activation + "\" is not known (known: swish, relu, gelu, tanh)");
    }
    out.padId = configuredToken(config, "pad_token_id", static_cast<int>(out.vocabulary) - 1);
    out.eosId = configuredToken(config, "eos_token_id", 0);
    out.decoderStartId = configuredToken(config, "decoder_start_token_id", out.padId);
    out.forcedBosId = configuredToken(config, "forced_bos_token_id", -1);
    out.suppressedIds = {out.padId};
    if (config.failed()) {
        builder.fail(config.status().error());
        return;
    }
    builder.addLayer({"embeddings.word", LayerRole::Embedding, out.vocabulary, out.hidden});
    addSeq2SeqBlocks(builder, sizes);
    if (config.boolean("tie_word_embeddings", true) || !builder.hasWeight("lm_head")) {
        builder.addTied("lm_head", LayerRole::Head, "embeddings.word");
    } else {
        builder.addLayer({"lm_head", LayerRole::Head, out.vocabulary, out.hidden});
    }
    if (builder.hasTensor("logits_bias")) {
        builder.addPlain("logits_bias", Shape{1, out.vocabulary});
    }
}

}  // namespace pareto
