#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/io/model_files.h"
#include "engine/layout/layout_builder.h"

namespace pareto {

/// What the describers of decoder families share. They read sizes from config.json or GGUF's metadata,
/// then add the same blocks; what differs is a table of names and the fields of these structs.
struct BlockSizes {
    std::int64_t heads = 1;
    std::int64_t kvHeads = 1;
    std::int64_t neurons = 0;
};
struct DecoderShape {
    std::vector<BlockSizes> blocks;
    bool gated = true;       ///< gate, up and down, else in and out
    bool headNorms = false;  ///< an RMSNorm of each query and key head
    bool postNorms = false;  ///< norms of what the sublayers add
    bool tied = false;       ///< the head is the token table
};

/// config.json, or a part of it, without the fields that are null.
struct HfConfig {
    HfConfig(const io::ModelFiles& files, const Json& object);
    HfConfig(const HfConfig&) = delete;
    HfConfig& operator=(const HfConfig&) = delete;

    Json values;
    std::string source;
    JsonReader reader;
};

/// What a family's configuration class of transformers assumes where config.json says nothing;
/// 0: must be said, or follows from other fields.
struct HfDefaults {
    std::int64_t heads = 0;
    std::int64_t kvHeads = 0;
    std::int64_t headDim = 0;
    bool tied = false;
    std::string_view activationKey = "hidden_act";
    Activation activation = Activation::Silu;
};

/// Traits of a family with rotary positions and RMSNorm.
void setRotaryTraits(ModelLayout& layout);
/// Sizes, ids and activation from config.json's usual names.
DecoderShape readHfDecoder(HfConfig& config, LayoutBuilder& builder, const HfDefaults& defaults);
/// The same from "<architecture>.…" of GGUF's metadata, where blocks may differ in size.
DecoderShape readGgufDecoder(JsonReader& meta, const io::ModelFiles& files, LayoutBuilder& builder,
                             const std::string& architecture);
/// False, and told to the builder, if anything was wrong with the fields.
bool accepted(const JsonReader& reader, LayoutBuilder& builder);
/// Token table, position table where positions are learned, blocks, last norm, head.
void addDecoder(LayoutBuilder& builder, const DecoderShape& shape);

int tokenId(JsonReader& config, std::string_view key, int fallback);
/// End-of-text ids: the first one and, if it is a list, the others.
void readStopIds(JsonReader& config, ModelLayout& layout);
/// The blocks that `layer_types` calls "sliding_attention", or else those for which `slides` is true,
/// attend to the last `window` tokens only.
void setWindows(HfConfig& config, ModelLayout& layout, std::int64_t window,
                bool (*slides)(std::int64_t block, std::int64_t pattern), std::int64_t pattern);

/// The same from "attention.sliding_window_pattern": a flag a block, or every how many blocks one sees
/// everything; `pattern` where nothing is said.
void setGgufWindows(JsonReader& meta, ModelLayout& layout, const std::string& architecture,
                    std::int64_t window, std::int64_t pattern);

inline constexpr std::int64_t kMaxWidth = 1 << 20;
inline constexpr std::int64_t kMaxRows = 1 << 24;

}  // namespace pareto
