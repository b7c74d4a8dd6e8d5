// ELECTRA (Clark et al. 2020) as transformers writes it: the discriminator as an encoder, and the
// generator with its masked-token head.
#include "engine/layout/encoder_layout.h"

namespace pareto {
namespace {

constexpr NameRow kNames[] = {
    {"embeddings.word", "{p}embeddings.word_embeddings", ""},
    {"embeddings.position", "{p}embeddings.position_embeddings", ""},
    {"embeddings.type", "{p}embeddings.token_type_embeddings", ""},
    {"embeddings.norm", "{p}embeddings.LayerNorm", ""},
    {"embeddings.projection", "{p}embeddings_project", ""},
    {"encoder.layer.{}.attention.query", "{p}encoder.layer.{}.attention.self.query", ""},
    {"encoder.layer.{}.attention.key", "{p}encoder.layer.{}.attention.self.key", ""},
    {"encoder.layer.{}.attention.value", "{p}encoder.layer.{}.attention.self.value", ""},
    {"encoder.layer.{}.attention.output", "{p}encoder.layer.{}.attention.output.dense", ""},
    {"encoder.layer.{}.attention.norm", "{p}encoder.layer.{}.attention.output.LayerNorm", ""},
    {"encoder.layer.{}.ffn.in", "{p}encoder.layer.{}.intermediate.dense", ""},
    {"encoder.layer.{}.ffn.out", "{p}encoder.layer.{}.output.dense", ""},
    {"encoder.layer.{}.ffn.norm", "{p}encoder.layer.{}.output.LayerNorm", ""},
    {"classifier.dense", "classifier.dense", ""},
    {"classifier.out", "classifier.out_proj", ""},
    {"classifier", "classifier", ""},
    {"qa", "qa_outputs", ""},
    {"mlm.transform", "generator_predictions.dense", ""},
    {"mlm.norm", "generator_predictions.LayerNorm", ""},
    {"mlm.decoder", "generator_lm_head", ""},
};

}  // namespace

std::span<const NameRow> electraNames() { return kNames; }

EncoderTraits electraTraits() {
    EncoderTraits traits;
    traits.prefix = "electra.";
    traits.embeddingKey = "embedding_size";
    traits.classifierActivation = Activation::Gelu;
    return traits;
}

void describeElectra(const io::ModelFiles& files, LayoutBuilder& builder) {
    describeEncoder(files, builder, electraTraits());
}

}  // namespace pareto
