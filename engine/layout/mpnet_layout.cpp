// MPNet (Song et al. 2020) as transformers writes it: BERT's blocks with one relative position bias for
// all of them, positions counted behind the padding's, no token types.
#include "engine/layout/encoder_layout.h"

namespace pareto {
namespace {

constexpr NameRow kNames[] = {
    {"embeddings.word", "{p}embeddings.word_embeddings", ""},
    {"embeddings.position", "{p}embeddings.position_embeddings", ""},
    {"embeddings.norm", "{p}embeddings.LayerNorm", ""},
    {"encoder.relative_bias", "{p}encoder.relative_attention_bias", ""},
    {"encoder.layer.{}.attention.query", "{p}encoder.layer.{}.attention.attn.q", ""},
    {"encoder.layer.{}.attention.key", "{p}encoder.layer.{}.attention.attn.k", ""},
    {"encoder.layer.{}.attention.value", "{p}encoder.layer.{}.attention.attn.v", ""},
    {"encoder.layer.{}.attention.output", "{p}encoder.layer.{}.attention.attn.o", ""},
    {"encoder.layer.{}.attention.norm", "{p}encoder.layer.{}.attention.LayerNorm", ""},
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

std::span<const NameRow> mpnetNames() { return kNames; }

EncoderTraits mpnetTraits() {
    EncoderTraits traits;
    traits.prefix = "mpnet.";
    traits.hasTypes = false;
    traits.countsBehindPadding = true;
    traits.padId = 1;
    traits.relativeMaxDistance = 128;
    return traits;
}

void describeMpnet(const io::ModelFiles& files, LayoutBuilder& builder) {
    describeEncoder(files, builder, mpnetTraits());
}

}  // namespace pareto
