// RoBERTa (Liu et al. 2019), XLM-RoBERTa (Conneau et al. 2020), CamemBERT (Martin et al. 2020) as
// transformers writes them.
#include "engine/layout/encoder_layout.h"

namespace pareto {
namespace {

constexpr NameRow kNames[] = {
    {"embeddings.word", "{p}embeddings.word_embeddings", ""},
    {"embeddings.position", "{p}embeddings.position_embeddings", ""},
    {"embeddings.type", "{p}embeddings.token_type_embeddings", ""},
    {"embeddings.norm", "{p}embeddings.LayerNorm", ""},
    {"encoder.layer.{}.attention.query", "{p}encoder.layer.{}.attention.self.query", ""},
    {"encoder.layer.{}.attention.key", "{p}encoder.layer.{}.attention.self.key", ""},
    {"encoder.layer.{}.attention.value", "{p}encoder.layer.{}.attention.self.value", ""},
    {"encoder.layer.{}.attention.output", "{p}encoder.layer.{}.attention.output.dense", ""},
    {"encoder.layer.{}.attention.norm", "{p}encoder.layer.{}.attention.output.LayerNorm", ""},
    {"encoder.layer.{}.ffn.in", "{p}encoder.layer.{}.intermediate.dense", ""},
    {"encoder.layer.{}.ffn.out", "{p}encoder.layer.{}.output.dense", ""},
    {"encoder.layer.{}.ffn.norm", "{p}encoder.layer.{}.output.LayerNorm", ""},
    {"pooler", "{p}pooler.dense", ""},
    {"classifier.dense", "classifier.dense", ""},
    {"classifier.out", "classifier.out_proj", ""},
    {"classifier", "classifier", ""},
    {"qa", "qa_outputs", ""},
    {"mlm.transform", "lm_head.dense", ""},
    {"mlm.norm", "lm_head.layer_norm", ""},
    {"mlm.decoder.bias", "lm_head.bias", ""},
    {"mlm.decoder", "lm_head.decoder", ""},
};

}  // namespace

std::span<const NameRow> robertaNames() { return kNames; }

EncoderTraits robertaTraits() {
    EncoderTraits traits;
    traits.prefix = "roberta.";
    traits.countsBehindPadding = true;
    traits.padId = 1;
    return traits;
}

void describeRoberta(const io::ModelFiles& files, LayoutBuilder& builder) {
    describeEncoder(files, builder, robertaTraits());
}

}  // namespace pareto
