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

void addBlock(LayoutBuilder& builder, const DecoderShape& shape, std::size_t i) {
    auto& out = builder.layout;
    const BlockSizes& sizes = shape.blocks[i];
    const auto name = "decoder.layer." + std::to_string(i);
    const auto width = out.hidden;
    const auto queries = sizes.heads * out.headDim;
    const auto keys = sizes.kvHeads * out.headDim;
    builder.beginBlock(name);
    auto& block = out.blocks.back();
    block.heads = sizes.heads;
    block.kvHeads = sizes.kvHeads;
    block.neurons = sizes.neurons;
    builder.beginGroup(name + ".attention", GroupKind::Attention, sizes.kvHeads);
    builder.addLayer({name + ".attention.query", LayerRole::Query, queries, width, Transform::None,
                      sizes.heads});
    builder.addLayer(
        {name + ".attention.key", LayerRole::Key, keys, width, Transform::None, sizes.kvHeads});
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
    builder.beginGroup(name + ".ffn", GroupKind::FeedForward, sizes.neurons);
    if (shape.gated) {
        builder.addLayer({name + ".ffn.gate", LayerRole::FfnGate, sizes.neurons, width});
        builder.addLayer({name + ".ffn.up", LayerRole::FfnUp, sizes.neurons, width});
        builder.addLayer({name + ".ffn.down", LayerRole::FfnDown, width, sizes.neurons});
    } else {
        builder.addLayer({name + ".ffn.in", LayerRole::FfnIn, sizes.neurons, width});
        builder.addLayer({name + ".ffn.out", LayerRole::FfnDown, width, sizes.neurons});
    }
    builder.addNorm(name + ".ffn.norm", width);
    if (shape.postNorms) {
        builder.addNorm(name + ".ffn.post_norm", width);
    }
    builder.endBlock();
}

void checkHeads(JsonReader& config, const ModelLayout& layout, const DecoderShape& shape,
                const std::string& heads) {
    for (std::size_t i = 0; i < shape.blocks.size() && !config.failed(); ++i) {
        if (shape.blocks[i].heads % shape.blocks[i].kvHeads != 0) {
            config.fail(heads, "is not a multiple of the number of key/value heads");
        }
    }
    const bool odd = layout.positions == Positions::Rotary && layout.headDim % 2 != 0;
    if (!config.failed() && (layout.headDim < 1 || odd)) {
        config.fail(heads, "makes heads of " + std::to_string(layout.headDim) + " values");
    }
}

/// One number for all blocks, or a list with one each.
std::vector<std::int64_t> perBlock(JsonReader& meta, const std::string& key, std::int64_t blocks,
                                   std::int64_t fallback, std::int64_t most) {
    const Json* value = meta.find(key);
    const auto count = static_cast<std::size_t>(blocks);
    if (value == nullptr || !value->is_array()) {
        return std::vector<std::int64_t>(count, meta.integer(key, fallback, 1, most));
    }
    std::vector<std::int64_t> out;
    for (const auto& number : *value) {
        if (number.is_number_integer() && number >= 1 && number <= most) {
            out.push_back(number.get<std::int64_t>());
        }
    }
    if (out.size() != count || value->size() != count) {
        meta.fail(key, "is not a list of one number from 1 to " + std::to_string(most) +
                           " for each block");
        out.assign(count, 1);
    }
    return out;
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
    const auto blocks =
        config.require("num_hidden_layers").integer("num_hidden_layers", 1, 1, 10000);
    BlockSizes sizes;
    if (defaults.heads == 0) {
        config.require("num_attention_heads");
    }
    sizes.heads =
        config.integer("num_attention_heads", std::max<std::int64_t>(1, defaults.heads), 1, 4096);
    sizes.kvHeads = config.integer("num_key_value_heads",
                                   defaults.kvHeads > 0 ? defaults.kvHeads : sizes.heads, 1, 4096);
    sizes.neurons =
        config.require("intermediate_size").integer("intermediate_size", 0, 1, kMaxWidth);
    out.vocabulary = config.has("vocab_size") ? config.integer("vocab_size", 0, 1, kMaxRows)
                                              : builder.fileRows("embeddings.word.weight");
    out.maxPositions = config.integer("max_position_embeddings", 2048, 1, kMaxRows);
    out.normEpsilon = config.number("rms_norm_eps", 1e-6, 0.0, 1.0);
    const bool fits = out.hidden % sizes.heads == 0;
    if (!config.has("head_dim") && defaults.headDim == 0 && !fits) {
        config.fail("num_attention_heads", "does not divide hidden_size and head_dim is missing");
    }
    out.headDim = config.integer(
        "head_dim", defaults.headDim > 0 ? defaults.headDim : out.hidden / sizes.heads, 2, 4096);
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
    shape.blocks.assign(static_cast<std::size_t>(blocks), sizes);
    shape.tied = config.boolean("tie_word_embeddings", defaults.tied) ||
                 !builder.hasWeight("lm_head");
    checkHeads(config, out, shape, "num_attention_heads");
    return shape;
}

DecoderShape readGgufDecoder(JsonReader& meta, const io::ModelFiles& files, LayoutBuilder& builder,
                             const std::string& architecture) {
    auto& out = builder.layout;
    const auto key = [&](const char* name) { return architecture + "." + name; };
    DecoderShape shape;
    out.hidden =
        meta.require(key("embedding_length")).integer(key("embedding_length"), 1, 1, kMaxWidth);
    const auto blocks = meta.require(key("block_count")).integer(key("block_count"), 1, 1, 10000);
    const auto headsKey = key("attention.head_count");
    const auto kvKey = key("attention.head_count_kv");
    const auto neuronsKey = key("feed_forward_length");
    const auto heads = perBlock(meta.require(headsKey), headsKey, blocks, 1, 4096);
    const auto kvHeads = meta.has(kvKey) ? perBlock(meta, kvKey, blocks, 1, 4096) : heads;
    const auto neurons = perBlock(meta.require(neuronsKey), neuronsKey, blocks, 1, kMaxWidth);
    for (std::size_t i = 0; i < heads.size(); ++i) {
        shape.blocks.push_back({heads[i], kvHeads[i], neurons[i]});
    }
    out.maxPositions = meta.integer(key("context_length"), 2048, 1, kMaxRows);
    const auto epsilon = key(out.norm == NormKind::RmsNorm ? "attention.layer_norm_rms_epsilon"
                                                           : "attention.layer_norm_epsilon");
    out.normEpsilon = meta.number(epsilon, out.norm == NormKind::RmsNorm ? 1e-6 : 1e-5, 0.0, 1.0);
    out.headDim = meta.integer(key("attention.key_length"), out.hidden / heads.front(), 2, 4096);
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
    shape.tied = !builder.hasWeight("lm_head");
    checkHeads(meta, out, shape, key("attention.head_count"));
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
    for (std::size_t i = 0; i < shape.blocks.size(); ++i) {
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

void setGgufWindows(JsonReader& meta, ModelLayout& layout, const std::string& architecture,
                    std::int64_t window, std::int64_t pattern) {
    const auto key = architecture + ".attention.sliding_window_pattern";
    const Json* flags = meta.find(key);
    const bool listed = flags != nullptr && flags->is_array();
    if (listed && flags->size() != layout.blocks.size()) {
        meta.fail(key, "has " + std::to_string(flags->size()) + " entries for " +
                           std::to_string(layout.blocks.size()) + " blocks");
        return;
    }
    const auto every = listed ? pattern : meta.integer(key, pattern, 1, 10000);
    for (std::size_t i = 0; i < layout.blocks.size(); ++i) {
        const bool slides = listed ? (*flags)[i] == true || (*flags)[i] == 1
                                   : (static_cast<std::int64_t>(i) + 1) % every != 0;
        layout.blocks[i].window = slides ? window : 0;
    }
}

}  // namespace pareto
