// ALBERT (Lan et al. 2020) as transformers writes it: narrow embeddings, and blocks that share their
// weights: one block of the layout is run BlockInfo::repeats times.
#include "engine/layout/encoder_layout.h"

namespace pareto {
namespace {

constexpr NameRow kNames[] = {
    {"embeddings.word", "{p}embeddings.word_embeddings", ""},
    {"embeddings.position", "{p}embeddings.position_embeddings", ""},
    {"embeddings.type", "{p}embeddings.token_type_embeddings", ""},
    {"embeddings.norm", "{p}embeddings.LayerNorm", ""},
    {"embeddings.projection", "{p}encoder.embedding_hidden_mapping_in", ""},
    {"encoder.layer.{}.attention.query",
     "{p}encoder.albert_layer_groups.{}.albert_layers.0.attention.query", ""},
    {"encoder.layer.{}.attention.key",
     "{p}encoder.albert_layer_groups.{}.albert_layers.0.attention.key", ""},
    {"encoder.layer.{}.attention.value",
     "{p}encoder.albert_layer_groups.{}.albert_layers.0.attention.value", ""},
    {"encoder.layer.{}.attention.output",
     "{p}encoder.albert_layer_groups.{}.albert_layers.0.attention.dense", ""},
    {"encoder.layer.{}.attention.norm",
     "{p}encoder.albert_layer_groups.{}.albert_layers.0.attention.LayerNorm", ""},
    {"encoder.layer.{}.ffn.in", "{p}encoder.albert_layer_groups.{}.albert_layers.0.ffn", ""},
    {"encoder.layer.{}.ffn.out", "{p}encoder.albert_layer_groups.{}.albert_layers.0.ffn_output",
     ""},
    {"encoder.layer.{}.ffn.norm",
     "{p}encoder.albert_layer_groups.{}.albert_layers.0.full_layer_layer_norm", ""},
    {"pooler", "{p}pooler", ""},
    {"classifier", "classifier", ""},
    {"qa", "qa_outputs", ""},
    {"mlm.transform", "predictions.dense", ""},
    {"mlm.norm", "predictions.LayerNorm", ""},
    {"mlm.decoder.bias", "predictions.bias", ""},
    {"mlm.decoder", "predictions.decoder", ""},
};

/// More than one layer a group would be run in turns, which BlockInfo::repeats cannot say.
void refuseInnerGroups(const io::ModelFiles& files, LayoutBuilder& builder) {
    JsonReader config(files.config(), ErrorCode::ConfigInvalid,
                      files.transformerFolder() + "/config.json");
    if (config.integer("inner_group_num", 1, 1, 10000) != 1) {
        config.fail("inner_group_num", "is not 1: groups of several layers are not known");
    }
    if (config.failed()) {
        builder.fail(config.status().error());
    }
}

}  // namespace

std::span<const NameRow> albertNames() { return kNames; }

EncoderTraits albertTraits() {
    EncoderTraits traits;
    traits.prefix = "albert.";
    traits.keys = kAlbertKeys;
    traits.embeddingKey = "embedding_size";
    traits.activation = "gelu_new";
    traits.projectsAlways = true;
    traits.classifierDense = "pooler";
    traits.classifierOut = "classifier";
    traits.maskedActivationOfModel = true;
    return traits;
}

void describeAlbert(const io::ModelFiles& files, LayoutBuilder& builder) {
    refuseInnerGroups(files, builder);
    describeEncoder(files, builder, albertTraits());
}

}  // namespace pareto
