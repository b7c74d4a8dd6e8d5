#include "engine/layout/seq2seq_blocks.h"

namespace pareto {
namespace {

void addAttention(LayoutBuilder& builder, const std::string& name, std::int64_t heads) {
    const std::int64_t width = builder.layout.hidden;
    const std::int64_t inner = heads * builder.layout.headDim;
    builder.beginGroup(name, GroupKind::Attention, heads);
    builder.addLayer({name + ".query", LayerRole::Query, inner, width});
    builder.addLayer({name + ".key", LayerRole::Key, inner, width});
    builder.addLayer({name + ".value", LayerRole::Value, inner, width});
    builder.addLayer({name + ".output", LayerRole::AttentionOutput, width, inner});
    builder.addNorm(name + ".norm", width);
}

void addFeedForward(LayoutBuilder& builder, const std::string& name, std::int64_t neurons,
                    bool gated) {
    const std::int64_t width = builder.layout.hidden;
    builder.beginGroup(name, GroupKind::FeedForward, neurons);
    if (gated) {
        builder.addLayer({name + ".gate", LayerRole::FfnGate, neurons, width});
        builder.addLayer({name + ".up", LayerRole::FfnUp, neurons, width});
        builder.addLayer({name + ".down", LayerRole::FfnDown, width, neurons});
    } else {
        builder.addLayer({name + ".in", LayerRole::FfnIn, neurons, width});
        builder.addLayer({name + ".out", LayerRole::FfnDown, width, neurons});
    }
    builder.addNorm(name + ".norm", width);
}

void addBlock(LayoutBuilder& builder, const Seq2SeqSizes& sizes, bool decoder, std::int64_t i) {
    const std::string name = (decoder ? "decoder.layer." : "encoder.layer.") + std::to_string(i);
    builder.beginBlock(name);
    BlockInfo& block = builder.layout.blocks.back();
    block.sourceIndex = static_cast<int>(i);
    block.heads = block.kvHeads = sizes.heads;
    block.crossHeads = decoder ? sizes.heads : 0;
    block.neurons = decoder ? sizes.decoderNeurons : sizes.encoderNeurons;
    addAttention(builder, name + ".attention", sizes.heads);
    if (decoder) {
        addAttention(builder, name + ".cross", sizes.heads);
    }
    addFeedForward(builder, name + ".ffn", builder.layout.blocks.back().neurons, sizes.gated);
    builder.endBlock();
}

}  // namespace

void addSeq2SeqBlocks(LayoutBuilder& builder, const Seq2SeqSizes& sizes) {
    for (std::int64_t i = 0; i < sizes.encoderBlocks; ++i) {
        addBlock(builder, sizes, false, i);
    }
    for (std::int64_t i = 0; i < sizes.decoderBlocks; ++i) {
        addBlock(builder, sizes, true, i);
    }
}

int configuredToken(JsonReader& config, std::string_view key, int fallback) {
    const Json* value = config.find(key);
    if (value == nullptr || value->is_null()) {
        return fallback;
    }
    return static_cast<int>(config.integer(key, fallback, -1, kMaxSeq2SeqRows));
}

}  // namespace pareto
