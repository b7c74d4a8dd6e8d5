#include "engine/export/hf_config.h"

#include <algorithm>

#include "engine/export/compressed_tensors_writer.h"

namespace pareto::exporting {

namespace {

/// Half precision only where every weight is held so: transformers casts the whole model to this type.
std::string torchDtype(const LoadedModel& model) {
    const auto all = [&](NumberFormat format) {
        return std::all_of(
            model.layout.layers.begin(), model.layout.layers.end(),
            [&](const LayerInfo& layer) { return model.weight(layer).format().format == format; });
    };
    return all(NumberFormat::F16) ? "float16" : all(NumberFormat::BF16) ? "bfloat16" : "float32";
}

Json llamaBase(const ModelLayout& layout) {
    return {{"architectures", {"LlamaForCausalLM"}},
            {"model_type", "llama"},
            {"vocab_size", layout.vocabulary},
            {"hidden_size", layout.hidden},
            {"hidden_act", "silu"},
            {"max_position_embeddings", layout.maxPositions},
            {"rms_norm_eps", layout.normEpsilon},
            {"rope_theta", layout.ropes.front().theta},
            {"rope_scaling", nullptr},
            {"initializer_range", 0.02},
            {"attention_dropout", 0.0},
            {"pretraining_tp", 1},
            {"use_cache", true}};
}

void setToken(Json& config, const char* key, int id) {
    if (id >= 0) {
        config[key] = id;
    }
}

bool hasBias(const ModelLayout& layout, GroupKind kind) {
    return std::any_of(layout.layers.begin(), layout.layers.end(), [&](const LayerInfo& layer) {
        return layer.hasBias && layer.group >= 0 &&
               layout.groups[static_cast<std::size_t>(layer.group)].kind == kind;
    });
}

void setLlama(Json& config, const ModelLayout& layout) {
    const BlockInfo& block = layout.blocks.front();
    const LayerInfo* head = layout.findLayer("lm_head");
    config["num_attention_heads"] = block.heads;
    config["num_key_value_heads"] = block.kvHeads;
    config["head_dim"] = layout.headDim;
    config["attention_bias"] = hasBias(layout, GroupKind::Attention);
    config["mlp_bias"] = hasBias(layout, GroupKind::FeedForward);
    config["tie_word_embeddings"] = head != nullptr && !head->tiedTo.empty();
}

}  // namespace

Json hfConfig(const LoadedModel& model, const io::ModelFiles& source) {
    const ModelLayout& layout = model.layout;
    Json config;
    if (source.format() == io::Format::Gguf) {
        config = llamaBase(layout);
        setToken(config, "bos_token_id", layout.bosId);
        setToken(config, "eos_token_id", layout.eosId);
    } else {
        config = source.config();
        for (const char* key : {"quantization_config", "_name_or_path", "auto_map", "dtype"}) {
            config.erase(key);
        }
    }
    config["num_hidden_layers"] = layout.blocks.size();
    config["intermediate_size"] = layout.blocks.front().neurons;
    config["torch_dtype"] = torchDtype(model);
    if (layout.isDecoder()) {
        setLlama(config, layout);
    }
    if (Json quantization = quantizationConfig(model); !quantization.is_null()) {
        config["quantization_config"] = std::move(quantization);
    }
    return config;
}

Json generationConfig(const ModelLayout& layout) {
    Json config = {{"_from_model_config", true}};
    setToken(config, "bos_token_id", layout.bosId);
    setToken(config, "eos_token_id", layout.eosId);
    return config;
}

}  // namespace pareto::exporting
