// BERT (Devlin et al. 2019) as transformers writes it, sentence-transformers folders around a BertModel,
// and GGUF files with general.architecture "bert".
#include "engine/layout/encoder_layout.h"

namespace pareto {
namespace {

constexpr NameRow kNames[] = {
    {"embeddings.word", "{p}embeddings.word_embeddings", "token_embd"},
    {"embeddings.position", "{p}embeddings.position_embeddings", "position_embd"},
    {"embeddings.type", "{p}embeddings.token_type_embeddings", "token_types"},
    {"embeddings.norm", "{p}embeddings.LayerNorm", "token_embd_norm"},
    {"encoder.layer.{}.attention.query", "{p}encoder.layer.{}.attention.self.query",
     "blk.{}.attn_q"},
    {"encoder.layer.{}.attention.key", "{p}encoder.layer.{}.attention.self.key", "blk.{}.attn_k"},
    {"encoder.layer.{}.attention.value", "{p}encoder.layer.{}.attention.self.value",
     "blk.{}.attn_v"},
    {"encoder.layer.{}.attention.output", "{p}encoder.layer.{}.attention.output.dense",
     "blk.{}.attn_output"},
    {"encoder.layer.{}.attention.norm", "{p}encoder.layer.{}.attention.output.LayerNorm",
     "blk.{}.attn_output_norm"},
    {"encoder.layer.{}.ffn.in", "{p}encoder.layer.{}.intermediate.dense", "blk.{}.ffn_up"},
    {"encoder.layer.{}.ffn.out", "{p}encoder.layer.{}.output.dense", "blk.{}.ffn_down"},
    {"encoder.layer.{}.ffn.norm", "{p}encoder.layer.{}.output.LayerNorm",
     "blk.{}.layer_output_norm"},
    {"pooler", "{p}pooler.dense", "cls"},
    {"classifier", "classifier", "cls.output"},
    {"qa", "qa_outputs", ""},
    {"mlm.transform", "cls.predictions.transform.dense", ""},
    {"mlm.norm", "cls.predictions.transform.LayerNorm", ""},
    {"mlm.decoder.bias", "cls.predictions.bias", ""},
    {"mlm.decoder", "cls.predictions.decoder", ""},
};

/// llama.cpp's enum llama_pooling_type.
enum class GgufPooling { None, Mean, Cls, Last, Rank };

/// Rows of a table of the file; its count is nowhere else.
std::int64_t rowsOfTable(const LayoutBuilder& builder, JsonReader& meta, const char* canonical) {
    const auto rows = builder.rowsOf(canonical);
    if (rows < 1) {
        meta.fail(builder.sourceOf(canonical) + ".weight", "is missing or no table");
    }
    return rows;
}

EncoderSizes ggufSizes(JsonReader& meta, LayoutBuilder& builder) {
    auto& out = builder.layout;
    EncoderSizes sizes;
    const auto required = [&](const char* key, std::int64_t most) {
        return meta.require(key).integer(key, 1, 1, most);
    };
    out.hidden = required("bert.embedding_length", kMaxEncoderWidth);
    sizes.blocks = required("bert.block_count", 10000);
    sizes.ownBlocks = sizes.blocks;
    sizes.heads = required("bert.attention.head_count", 4096);
    sizes.neurons = required("bert.feed_forward_length", kMaxEncoderWidth);
    out.normEpsilon = meta.number("bert.attention.layer_norm_epsilon", 1e-12, 0.0, 1.0);
    out.padId =
        static_cast<int>(meta.integer("tokenizer.ggml.padding_token_id", 0, 0, kMaxEncoderRows));
    out.vocabulary = rowsOfTable(builder, meta, "embeddings.word");
    out.maxPositions = rowsOfTable(builder, meta, "embeddings.position");
    out.typeVocabulary = rowsOfTable(builder, meta, "embeddings.type");
    if (out.hidden % sizes.heads != 0) {
        meta.fail("bert.attention.head_count", "does not divide bert.embedding_length");
    }
    if (meta.boolean("bert.attention.causal", false)) {
        meta.fail("bert.attention.causal", "is true: this family is run as an encoder only");
    }
    out.headDim = out.hidden / sizes.heads;
    return sizes;
}

}  // namespace

std::span<const NameRow> bertNames() { return kNames; }

EncoderTraits bertTraits() {
    EncoderTraits traits;
    traits.prefix = "bert.";
    traits.classifierDense = "pooler";
    traits.classifierOut = "classifier";
    traits.maskedActivationOfModel = true;
    return traits;
}

void describeBert(const io::ModelFiles& files, LayoutBuilder& builder) {
    describeEncoder(files, builder, bertTraits());
}

void describeBertGguf(const io::ModelFiles& files, LayoutBuilder& builder) {
    JsonReader meta(files.gguf().values, ErrorCode::ConfigInvalid, files.path());
    const auto sizes = ggufSizes(meta, builder);
    const auto pooling = static_cast<GgufPooling>(meta.integer("bert.pooling_type", 1, 0, 4));
    if (meta.failed()) {
        builder.fail(meta.status().error());
        return;
    }
    const auto traits = bertTraits();
    builder.layout.hfPrefix = pooling == GgufPooling::Rank ? traits.prefix : "";
    addEncoder(builder, sizes, traits);
    if (pooling == GgufPooling::Rank) {
        const auto labels = files.gguf().strings.find("bert.classifier.output_labels");
        addClassifier(
            files, builder, traits,
            labels == files.gguf().strings.end() ? std::vector<std::string>() : labels->second);
        return;
    }
    builder.layout.head = {{HeadStep::Kind::Pool,
                            pooling == GgufPooling::Cls    ? Pooling::Cls
                            : pooling == GgufPooling::Last ? Pooling::LastToken
                                                           : Pooling::Mean,
                            {},
                            Activation::None}};
}

}  // namespace pareto
