// DistilBERT (Sanh et al. 2019) as transformers writes it.
#include "engine/layout/encoder_layout.h"

namespace pareto {
namespace {

constexpr NameRow kNames[] = {
    {"embeddings.word", "{p}embeddings.word_embeddings", ""},
    {"embeddings.position", "{p}embeddings.position_embeddings", ""},
    {"embeddings.norm", "{p}embeddings.LayerNorm", ""},
    {"encoder.layer.{}.attention.query", "{p}transformer.layer.{}.attention.q_lin", ""},
    {"encoder.layer.{}.attention.key", "{p}transformer.layer.{}.attention.k_lin", ""},
    {"encoder.layer.{}.attention.value", "{p}transformer.layer.{}.attention.v_lin", ""},
    {"encoder.layer.{}.attention.output", "{p}transformer.layer.{}.attention.out_lin", ""},
    {"encoder.layer.{}.attention.norm", "{p}transformer.layer.{}.sa_layer_norm", ""},
    {"encoder.layer.{}.ffn.in", "{p}transformer.layer.{}.ffn.lin1", ""},
    {"encoder.layer.{}.ffn.out", "{p}transformer.layer.{}.ffn.lin2", ""},
    {"encoder.layer.{}.ffn.norm", "{p}transformer.layer.{}.output_layer_norm", ""},
    {"classifier.dense", "pre_classifier", ""},
    {"classifier", "classifier", ""},
    {"qa", "qa_outputs", ""},
    {"mlm.transform", "vocab_transform", ""},
    {"mlm.norm", "vocab_layer_norm", ""},
    {"mlm.decoder", "vocab_projector", ""},
};

}  // namespace

std::span<const NameRow> distilBertNames() { return kNames; }

EncoderTraits distilBertTraits() {
    EncoderTraits traits;
    traits.prefix = "distilbert.";
    traits.keys = kDistilBertKeys;
    traits.hiddenKey = "dim";
    traits.activationKey = "activation";
    traits.hasTypes = false;
    traits.classifierActivation = Activation::Relu;
    traits.classifierOut = "classifier";
    traits.maskedActivationOfModel = true;
    return traits;
}

void describeDistilBert(const io::ModelFiles& files, LayoutBuilder& builder) {
    describeEncoder(files, builder, distilBertTraits());
}

}  // namespace pareto
