#pragma once

#include "engine/layout/layout_builder.h"

namespace pareto {

/// What encoder-decoder families have in common.
struct Seq2SeqSizes {
    std::int64_t encoderBlocks = 0;
    std::int64_t decoderBlocks = 0;
    std::int64_t heads = 1;            ///< of every attention
    std::int64_t encoderNeurons = 0;
    std::int64_t decoderNeurons = 0;
    bool gated = false;                ///< ffn.gate, up and down instead of in and out
};

inline constexpr std::int64_t kMaxSeq2SeqWidth = 1 << 20;
inline constexpr std::int64_t kMaxSeq2SeqRows = 1 << 24;

/// The blocks "encoder.layer.N" (attention, ffn), then "decoder.layer.N" (attention, cross, ffn); each
/// side counts its own.
void addSeq2SeqBlocks(LayoutBuilder& builder, const Seq2SeqSizes& sizes);

/// A token id of the configuration, `fallback` where there is none.
int configuredToken(JsonReader& config, std::string_view key, int fallback);

}  // namespace pareto
