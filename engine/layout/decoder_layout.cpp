#include "engine/layout/decoder_layout.h"

namespace pareto {
namespace {

Json withoutNulls(const Json& object) {
    Json out = Json::object();
    if (object.is_object()) {
        for (const auto& [key, value] : object.items()) {
            if (!value.is_null()) {
                out[key] = value;
            }
        }
    }
    return out;
}

void addBlock(LayoutBuilder& builder, const DecoderShape& shape, std::int64_t i) {
    auto& out = builder.layout;
    const auto name = "decoder.layer." + std::to_string(i);
    const auto width = out.hidden;
    const auto queries = shape.heads * out.headDim;
    const auto keys = shape.kvHeads * out.headDim;
    builder.beginBlock(name);
    auto& block = out.blocks.back();
    block.heads = shape.heads;
    block.kvHeads = shape.kvHeads;
    block.neurons = shape.neurons;
    builder.beginGroup(name + ".attention", GroupKind::Attention, shape.kvHeads);
    builder.addLayer({name + ".attention.query", LayerRole::Query, queries, width, Transform::None,
                      shape.heads});
    builder.addLayer(
        {name + ".attention.key", LayerRole::Key, keys, width, Transform::None, shape.kvHeads});
    builder.addLayer({name + ".attention.value", LayerRole::Value, keys, width});
    builder.addLayer({name + ".attention.output", LayerRole::AttentionOutput, width, queries});
    builder.addNorm(name + ".attention.norm", width);
    if (shape.headNorms) {
        builder.addNorm(name + ".attention.query_norm", out.headDim);
        builder.addNorm(name + ".attention.key_norm", out.headDim);
    }
    if (shape.postNorms) {
        builder.addNorm(name + ".attention.post_norm", width);
    }
    builder.beginGroup(name + ".ffn", GroupKind::FeedForward, shape.neurons);
    if (shape.gated) {
        builder.addLayer({name + ".ffn.gate", LayerRole::FfnGate, shape.neurons, width});
        builder.addLayer({name + ".ffn.up", LayerRole::FfnUp, shape.neurons, width});
        builder.addLayer({name + ".ffn.down", LayerRole::FfnDown, width, shape.neurons});
    } else {
        builder.addLayer({name + ".ffn.in", LayerRole::FfnIn, shape.neurons, width});
        builder.addLayer({name + ".ffn.out", LayerRole::FfnDown, width, shape.neurons});
    }
    builder.addNorm(name + ".ffn.norm", width);
    if (shape.postNorms) {
        builder.addNorm(name + ".ffn.post_norm", width);
    }
    builder.endBlock();
}

void checkHeads(JsonReader& config, const DecoderShape& shape, std::string_view key) {
    if (!config.failed() && shape.heads % shape.kvHeads != 0) {
        config.fail(key, "does not divide the number of attention heads");
    }
}

/// Rows of the token table, for files that do not say the vocabulary.
std::int64_t tableRows(const io::ModelFiles& files, const std::string& table) {
    const auto* info = files.find(table);
    return info != nullptr && info->shape.rank() == 2 ? info->shape[0] : 0;
}

}  // namespace

HfConfig::HfConfig(const io::ModelFiles& files, const Json& object)
    : values(withoutNulls(object)),
      source(files.transformerFolder() + "/config.json"),
      reader(values, ErrorCode::ConfigInvalid, source) {}

void setRotaryTraits(ModelLayout& layout) {
    layout.norm = NormKind::RmsNorm;
    layout.preNorm = true;
    layout.positions = Positions::Rotary;
    layout.outputs = Outputs::NextToken;
    layout.hfPrefix = "model.";
}

int tokenId(JsonReader& config, std::string_view key, int fallback) {
    const Json* value = config.find(key);
    if (value != nullptr && value->is_array() && !value->empty() &&
        value->front().is_number_integer()) {
        return value->front().get<int>();
    }
    if (value == nullptr || !value->is_number_integer()) {
        return fallback;
    }
    return static_cast<int>(config.integer(key, fallback, -1, kMaxRows));
}

void readStopIds(JsonReader& config, ModelLayout& layout) {
    layout.eosId = tokenId(config, "eos_token_id", -1);
    const Json* ids = config.find("eos_token_id");
    for (std::size_t i = 1; ids != nullptr && ids->is_array() && i < ids->size(); ++i) {
        if ((*ids)[i].is_number_integer()) {
            layout.stopIds.push_back((*ids)[i].get<int>());
        }
    }
}

DecoderShape readHfDecoder(HfConfig& from, LayoutBuilder& builder, const HfDefaults& defaults) {
    auto& out = builder.layout;
    auto& config = from.reader;
    DecoderShape shape;
    out.hidden = config.require("hidden_size").integer("hidden_size", 1, 1, kMaxWidth);
    shape.blocks = config.require("num_hidden_layers").integer("num_hidden_layers", 0, 1, 10000);
    if (defaults.heads == 0) {
        config.require("num_attention_heads");
    }
    shape.heads =
        config.integer("num_attention_heads", std::max<std::int64_t>(1, defaults.heads), 1, 4096);
    shape.kvHeads = config.integer("num_key_value_heads",
                                   defaults.kvHeads > 0 ? defaults.kvHeads : shape.heads, 1, 4096);
    shape.neurons =
        config.require("intermediate_size").integer("intermediate_size", 0, 1, kMaxWidth);
    out.vocabulary = config.has("vocab_size") ? config.integer("vocab_size", 0, 1, kMaxRows)
                                              : builder.fileRows("embeddings.word.weight");
    out.maxPositions = config.integer("max_position_embeddings", 2048, 1, kMaxRows);
    out.normEpsilon = config.number("rms_norm_eps", 1e-6, 0.0, 1.0);
    const bool fits = out.hidden % shape.heads == 0;
    if (!config.has("head_dim") && defaults.headDim == 0 && !fits) {
        config.fail("num_attention_heads", "does not divide hidden_size and head_dim is missing");
    }
    out.headDim = config.integer(
        "head_dim", defaults.headDim > 0 ? defaults.headDim : out.hidden / shape.heads, 2, 4096);
    if (config.number("partial_rotary_factor", 1.0, 0.0, 1.0) != 1.0) {
        config.fail("partial_rotary_factor", "other than 1 is not available in this version");
    }
    out.activation = defaults.activation;
    const auto activation = config.text(defaults.activationKey);
    if (!activation.empty() && !activationFromName(activation, out.activation)) {
        config.fail(defaults.activationKey, "\"" + activation + "\" is not known");
    }
    out.bosId = tokenId(config, "bos_token_id", -1);
    out.padId = tokenId(config, "pad_token_id", 0);
    readStopIds(config, out);
    shape.tied = config.boolean("tie_word_embeddings", defaults.tied) ||
                 !builder.hasTensor("lm_head.weight");
    checkHeads(config, shape, "num_key_value_heads");
    return shape;
}

DecoderShape readGgufDecoder(JsonReader& meta, const io::ModelFiles& files, LayoutBuilder& builder,
                             const std::string& architecture) {
    auto& out = builder.layout;
    const auto key = [&](const char* name) { return architecture + "." + name; };
    DecoderShape shape;
    out.hidden =
        meta.require(key("embedding_length")).integer(key("embedding_length"), 1, 1, kMaxWidth);
    shape.blocks = meta.require(key("block_count")).integer(key("block_count"), 0, 1, 10000);
    shape.heads =
        meta.require(key("attention.head_count")).integer(key("attention.head_count"), 1, 1, 4096);
    shape.kvHeads = meta.integer(key("attention.head_count_kv"), shape.heads, 1, 4096);
    shape.neurons = meta.require(key("feed_forward_length"))
                        .integer(key("feed_forward_length"), 0, 1, kMaxWidth);
    out.maxPositions = meta.integer(key("context_length"), 2048, 1, kMaxRows);
    const auto epsilon = key(out.norm == NormKind::RmsNorm ? "attention.layer_norm_rms_epsilon"
                                                           : "attention.layer_norm_epsilon");
    out.normEpsilon = meta.number(epsilon, out.norm == NormKind::RmsNorm ? 1e-6 : 1e-5, 0.0, 1.0);
    out.headDim = meta.integer(key("attention.key_length"), out.hidden / shape.heads, 2, 4096);
    if (meta.integer(key("attention.value_length"), out.headDim, 2, 4096) != out.headDim) {
        meta.fail(key("attention.value_length"),
                  "is not the size of a key, which is not available in this version");
    }
    out.bosId = tokenId(meta, "tokenizer.ggml.bos_token_id", -1);
    out.eosId = tokenId(meta, "tokenizer.ggml.eos_token_id", -1);
    out.padId = tokenId(meta, "tokenizer.ggml.padding_token_id", 0);
    if (const int turn = tokenId(meta, "tokenizer.ggml.eot_token_id", -1);
        turn >= 0 && turn != out.eosId) {
        out.stopIds.push_back(turn);
    }
    out.vocabulary = tableRows(files, "token_embd.weight");
    shape.tied = !builder.hasTensor("lm_head.weight");
    checkHeads(meta, shape, key("attention.head_count_kv"));
    return shape;
}

bool accepted(const JsonReader& reader, LayoutBuilder& builder) {
    if (reader.failed()) {
        builder.fail(reader.status().error());
    }
    return !reader.failed();
}

void addDecoder(LayoutBuilder& builder, const DecoderShape& shape) {
    auto& out = builder.layout;
    builder.addLayer({"embeddings.word", LayerRole::Embedding, out.vocabulary, out.hidden});
    if (out.positions == Positions::Learned) {
        builder.addLayer(
            {"embeddings.position", LayerRole::Embedding, out.maxPositions, out.hidden});
    }
    for (std::int64_t i = 0; i < shape.blocks; ++i) {
        addBlock(builder, shape, i);
    }
    builder.addNorm("decoder.norm", out.hidden);
    if (shape.tied) {
        builder.addTied("lm_head", LayerRole::Head, "embeddings.word");
    } else {
        builder.addLayer({"lm_head", LayerRole::Head, out.vocabulary, out.hidden});
    }
}

void setWindows(HfConfig& config, ModelLayout& layout, std::int64_t window,
                bool (*slides)(std::int64_t block, std::int64_t pattern), std::int64_t pattern) {
    const auto types = config.values.find("layer_types");
    const bool listed = types != config.values.end() && types->is_array();
    if (listed && types->size() != layout.blocks.size()) {
        config.reader.fail("layer_types", "has " + std::to_string(types->size()) + " entries for " +
                                              std::to_string(layout.blocks.size()) + " layers");
        return;
    }
    for (std::size_t i = 0; i < layout.blocks.size(); ++i) {
        const bool sliding = listed ? (*types)[i] == "sliding_attention"
                                    : slides(static_cast<std::int64_t>(i), pattern);
        if (listed && !sliding && (*types)[i] != "full_attention") {
            config.reader.fail("layer_types", (*types)[i].dump() +
                                                  " is not known (known: "
                                                  "full_attention, sliding_attention)");
            return;
        }
        layout.blocks[i].window = sliding ? window : 0;
    }
}

}  // namespace pareto
