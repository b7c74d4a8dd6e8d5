#pragma once

#include <string>
#include <string_view>

#include "engine/layout/decoder_layout.h"

namespace pareto {

/// Where config.json says what of rotary positions: transformers 4 has "rope_theta" and "rope_scaling",
/// 5 has both in "rope_parameters", there by kind of layer where a model has several.
struct HfRopeKeys {
    std::string_view theta = "rope_theta";
    std::string_view scaling = "rope_scaling";  ///< empty: never scaled
    std::string_view layerType = "full_attention";
    double defaultTheta = 10000.0;
};

/// Wrong fields are told to the config's reader or the builder. Scalings that reach beyond
/// max_position_embeddings raise the layout's maxPositions.
RopeSettings ropeFromHf(HfConfig& config, LayoutBuilder& builder, const HfRopeKeys& keys = {});
/// From "<architecture>.rope.…" and the tensors rope_freqs, rope_factors_long and rope_factors_short
/// (llama.cpp divides each pair's frequency by them).
RopeSettings ropeFromGguf(JsonReader& meta, const io::ModelFiles& files, const ModelLayout& layout,
                          const std::string& architecture);
/// Sets rope_theta, rope_scaling and what belongs to them as transformers 4 and 5 read them.
void writeHfRope(Json& config, const RopeSettings& settings);

}  // namespace pareto
