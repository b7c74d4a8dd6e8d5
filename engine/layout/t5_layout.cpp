// T5 (Raffel et al. 2020), T5 1.1, FLAN-T5 and mT5: T5ForConditionalGeneration folders of transformers
// and GGUF files with general.architecture "t5".
#include <cmath>

#include "engine/layout/families.h"
#include "engine/layout/seq2seq_blocks.h"

namespace pareto {
namespace {

constexpr NameRow kNames[] = {
    {"embeddings.word", "shared", "token_embd"},
    {"encoder.relative_bias", "encoder.block.0.layer.0.SelfAttention.relative_attention_bias",
     "enc.blk.0.attn_rel_b"},
    {"decoder.relative_bias", "decoder.block.0.layer.0.SelfAttention.relative_attention_bias",
     "dec.blk.0.attn_rel_b"},
    {"encoder.layer.{}.attention.query", "encoder.block.{}.layer.0.SelfAttention.q", "enc.blk.{}.attn_q"},
    {"encoder.layer.{}.attention.key", "encoder.block.{}.layer.0.SelfAttention.k", "enc.blk.{}.attn_k"},
    {"encoder.layer.{}.attention.value", "encoder.block.{}.layer.0.SelfAttention.v", "enc.blk.{}.attn_v"},
    {"encoder.layer.{}.attention.output", "encoder.block.{}.layer.0.SelfAttention.o",
     "enc.blk.{}.attn_o"},
    {"encoder.layer.{}.attention.norm", "encoder.block.{}.layer.0.layer_norm", "enc.blk.{}.attn_norm"},
    {"encoder.layer.{}.ffn.in", "encoder.block.{}.layer.1.DenseReluDense.wi", "enc.blk.{}.ffn_up"},
    {"encoder.layer.{}.ffn.out", "encoder.block.{}.layer.1.DenseReluDense.wo", "enc.blk.{}.ffn_down"},
    {"encoder.layer.{}.ffn.gate", "encoder.block.{}.layer.1.DenseReluDense.wi_0", "enc.blk.{}.ffn_gate"},
    {"encoder.layer.{}.ffn.up", "encoder.block.{}.layer.1.DenseReluDense.wi_1", "enc.blk.{}.ffn_up"},
    {"encoder.layer.{}.ffn.down", "encoder.block.{}.layer.1.DenseReluDense.wo", "enc.blk.{}.ffn_down"},
    {"encoder.layer.{}.ffn.norm", "encoder.block.{}.layer.1.layer_norm", "enc.blk.{}.ffn_norm"},
    {"encoder.norm", "encoder.final_layer_norm", "enc.output_norm"},
    {"decoder.layer.{}.attention.query", "decoder.block.{}.layer.0.SelfAttention.q", "dec.blk.{}.attn_q"},
    {"decoder.layer.{}.attention.key", "decoder.block.{}.layer.0.SelfAttention.k", "dec.blk.{}.attn_k"},
    {"decoder.layer.{}.attention.value", "decoder.block.{}.layer.0.SelfAttention.v", "dec.blk.{}.attn_v"},
    {"decoder.layer.{}.attention.output", "decoder.block.{}.layer.0.SelfAttention.o",
     "dec.blk.{}.attn_o"},
    {"decoder.layer.{}.attention.norm", "decoder.block.{}.layer.0.layer_norm", "dec.blk.{}.attn_norm"},
    {"decoder.layer.{}.cross.query", "decoder.block.{}.layer.1.EncDecAttention.q",
     "dec.blk.{}.cross_attn_q"},
    {"decoder.layer.{}.cross.key", "decoder.block.{}.layer.1.EncDecAttention.k", "dec.blk.{}.cross_attn_k"},
    {"decoder.layer.{}.cross.value", "decoder.block.{}.layer.1.EncDecAttention.v",
     "dec.blk.{}.cross_attn_v"},
    {"decoder.layer.{}.cross.output", "decoder.block.{}.layer.1.EncDecAttention.o",
     "dec.blk.{}.cross_attn_o"},
    {"decoder.layer.{}.cross.norm", "decoder.block.{}.layer.1.layer_norm", "dec.blk.{}.cross_attn_norm"},
    {"decoder.layer.{}.ffn.in", "decoder.block.{}.layer.2.DenseReluDense.wi", "dec.blk.{}.ffn_up"},
    {"decoder.layer.{}.ffn.out", "decoder.block.{}.layer.2.DenseReluDense.wo", "dec.blk.{}.ffn_down"},
    {"decoder.layer.{}.ffn.gate", "decoder.block.{}.layer.2.DenseReluDense.wi_0", "dec.blk.{}.ffn_gate"},
    {"decoder.layer.{}.ffn.up", "decoder.block.{}.layer.2.DenseReluDense.wi_1", "dec.blk.{}.ffn_up"},
    {"decoder.layer.{}.ffn.down", "decoder.block.{}.layer.2.DenseReluDense.wo", "dec.blk.{}.ffn_down"},
    {"decoder.layer.{}.ffn.norm", "decoder.block.{}.layer.2.layer_norm", "dec.blk.{}.ffn_norm"},
    {"decoder.norm", "decoder.final_layer_norm", "dec.output_norm"},
    {"lm_head", "lm_head", "output"},
};

void setTraits(ModelLayout& out) {
    out.norm = NormKind::RmsNorm;
    out.preNorm = true;
    out.positions = Positions::RelativeBias;
    out.attentionScale = 1.0;
    out.outputs = Outputs::NextToken;
}

void addAll(LayoutBuilder& builder, const Seq2SeqSizes& sizes, bool tied) {
    auto& out = builder.layout;
    builder.addLayer({"embeddings.word", LayerRole::Embedding, out.vocabulary, out.hidden});
    // The tables lie in the first blocks of the files and serve all blocks, which may lose their first.
    builder.addPlain("encoder.relative_bias.weight", Shape{out.relativeBuckets, sizes.heads});
    builder.addPlain("decoder.relative_bias.weight", Shape{out.relativeBuckets, sizes.heads});
    addSeq2SeqBlocks(builder, sizes);
    builder.addNorm("encoder.norm", out.hidden);
    builder.addNorm("decoder.norm", out.hidden);
    if (tied) {
        builder.addTied("lm_head", LayerRole::Head, "embeddings.word");
        out.logitScale = 1.0 / std::sqrt(static_cast<double>(out.hidden));
    } else {
        builder.addLayer({"lm_head", LayerRole::Head, out.vocabulary, out.hidden});
    }
}

/// "relu", "gated-gelu": with a gate, and GELU by its tanh formula then.
void readFeedForward(JsonReader& config, const std::string& fallback, ModelLayout& out, bool& gated) {
    constexpr std::string_view kGated = "gated-";
    const auto kind = config.text("feed_forward_proj", fallback);
    gated = kind.starts_with(kGated);
    const auto name = gated ? kind.substr(kGated.size()) : kind;
    if (!activationFromName(kind == "gated-gelu" ? "gelu_new" : name, out.activation)) {
        config.fail("feed_forward_proj", "\"" + kind + "\" is not known (known: relu, gelu, silu, tanh, "
                                                       "each also as gated-…)");
    }
}

}  // namespace

std::span<const NameRow> t5Names() { return kNames; }

void describeT5Hf(const io::ModelFiles& files, LayoutBuilder& builder) {
    auto& out = builder.layout;
    setTraits(out);
    JsonReader config(files.config(), ErrorCode::ConfigInvalid, files.transformerFolder() + "/config.json");
    const bool mt5 = config.text("model_type") == "mt5";
    Seq2SeqSizes sizes;
    out.hidden = config.require("d_model").integer("d_model", 0, 1, kMaxSeq2SeqWidth);
    out.headDim = config.require("d_kv").integer("d_kv", 64, 1, 4096);
    sizes.encoderBlocks = config.require("num_layers").integer("num_layers", 0, 1, 10000);
    sizes.decoderBlocks = sizes.encoderBlocks;
    if (const Json* given = config.find("num_decoder_layers"); given != nullptr && !given->is_null()) {
        sizes.decoderBlocks = config.integer("num_decoder_layers", 0, 1, 10000);
    }
    sizes.heads = config.require("num_heads").integer("num_heads", 1, 1, 4096);
    sizes.encoderNeurons = config.require("d_ff").integer("d_ff", 0, 1, kMaxSeq2SeqWidth);
    sizes.decoderNeurons = sizes.encoderNeurons;
    out.vocabulary = config.require("vocab_size").integer("vocab_size", 0, 1, kMaxSeq2SeqRows);
    out.relativeBuckets = config.integer("relative_attention_num_buckets", 32, 4, 1 << 16);
    out.relativeMaxDistance = config.integer("relative_attention_max_distance", 128, 2, 1 << 20);
    out.normEpsilon = config.number("layer_norm_epsilon", 1e-6, 0.0, 1.0);
    readFeedForward(config, mt5 ? "gated-gelu" : "relu", out, sizes.gated);
    out.padId = configuredToken(config, "pad_token_id", 0);
    out.eosId = configuredToken(config, "eos_token_id", 1);
    out.decoderStartId = configuredToken(config, "decoder_start_token_id", out.padId);
    const bool tied = config.boolean("tie_word_embeddings", !mt5);
    if (config.failed()) {
        builder.fail(config.status().error());
        return;
    }
    addAll(builder, sizes, tied);
}

void describeT5Gguf(const io::ModelFiles& files, LayoutBuilder& builder) {
    auto& out = builder.layout;
    setTraits(out);
    JsonReader meta(files.gguf().values, ErrorCode::ConfigInvalid, files.path());
    Seq2SeqSizes sizes;
    const auto size = [&](const char* key, std::int64_t most) {
        return meta.require(key).integer(key, 1, 1, most);
    };
    out.hidden = size("t5.embedding_length", kMaxSeq2SeqWidth);
    sizes.encoderBlocks = size("t5.block_count", 10000);
    sizes.decoderBlocks = meta.integer("t5.decoder_block_count", sizes.encoderBlocks, 1, 10000);
    sizes.heads = size("t5.attention.head_count", 4096);
    out.headDim = meta.integer("t5.attention.key_length", out.hidden / sizes.heads, 1, 4096);
    sizes.encoderNeurons = sizes.decoderNeurons = size("t5.feed_forward_length", kMaxSeq2SeqWidth);
    out.relativeBuckets = meta.integer("t5.attention.relative_buckets_count", 32, 4, 1 << 16);
    out.normEpsilon = meta.number("t5.attention.layer_norm_rms_epsilon",
                                  meta.number("t5.attention.layer_norm_epsilon", 1e-6, 0.0, 1.0), 0.0, 1.0);
    sizes.gated = builder.hasTensor("encoder.layer.0.ffn.gate.weight");
    out.activation = sizes.gated ? Activation::GeluTanh : Activation::Relu;
    out.padId = configuredToken(meta, "tokenizer.ggml.padding_token_id", 0);
    out.eosId = configuredToken(meta, "tokenizer.ggml.eos_token_id", 1);
    out.decoderStartId = configuredToken(meta, "t5.decoder_start_token_id", out.padId);
    if (const auto* table = files.find("token_embd.weight"); table != nullptr && table->shape.rank() == 2) {
        out.vocabulary = table->shape[0];
    }
    if (meta.failed()) {
        builder.fail(meta.status().error());
        return;
    }
    addAll(builder, sizes, !builder.has("output.weight"));
}

}  // namespace pareto
