#include "engine/export/hf_seq2seq_config.h"

#include <algorithm>

namespace pareto::exporting {

namespace {

std::int64_t decoderBlocks(const ModelLayout& layout) {
    return std::count_if(layout.blocks.begin(), layout.blocks.end(),
                         [](const BlockInfo& block) { return block.crossAttention >= 0; });
}

const char* activationText(Activation activation) {
    switch (activation) {
    case Activation::Gelu:
    case Activation::GeluTanh:
        return "gelu";
    case Activation::Silu:
        return "silu";
    case Activation::Tanh:
        return "tanh";
    case Activation::Relu:
    case Activation::None:
        break;
    }
    return "relu";
}

}  // namespace

Json t5Base(const ModelLayout& layout) {
    const bool gated = layout.layerIndex(layout.blocks.front().name + ".ffn.gate") >= 0;
    return {{"architectures", {"T5ForConditionalGeneration"}},
            {"model_type", "t5"},
            {"is_encoder_decoder", true},
            {"vocab_size", layout.vocabulary},
            {"d_model", layout.hidden},
            {"d_kv", layout.headDim},
            {"feed_forward_proj", std::string(gated ? "gated-" : "") + activationText(layout.activation)},
            {"relative_attention_num_buckets", layout.relativeBuckets},
            {"relative_attention_max_distance", layout.relativeMaxDistance},
            {"layer_norm_epsilon", layout.normEpsilon},
            {"pad_token_id", layout.padId},
            {"decoder_start_token_id", layout.decoderStartId},
            {"dropout_rate", 0.1},
            {"initializer_factor", 1.0},
            {"use_cache", true}};
}

void setSeq2Seq(Json& config, const ModelLayout& layout) {
    const BlockInfo& block = layout.blocks.front();
    const std::int64_t decoders = decoderBlocks(layout);
    const std::int64_t encoders = static_cast<std::int64_t>(layout.blocks.size()) - decoders;
    const LayerInfo* head = layout.findLayer("lm_head");
    config["tie_word_embeddings"] = head != nullptr && !head->tiedTo.empty();
    if (layout.family == Family::T5) {
        config["num_layers"] = encoders;
        config["num_decoder_layers"] = decoders;
        config["num_heads"] = block.heads;
        config["d_ff"] = block.neurons;
        return;
    }
    config["num_hidden_layers"] = encoders;
    config["encoder_layers"] = encoders;
    config["decoder_layers"] = decoders;
    config["encoder_attention_heads"] = block.heads;
    config["decoder_attention_heads"] = block.heads;
    config["encoder_ffn_dim"] = block.neurons;
    config["decoder_ffn_dim"] = block.neurons;
}

}  // namespace pareto::exporting
