#pragma once

#include "engine/core/json.h"
#include "engine/spec/layers.h"

namespace pareto::exporting {

/// config.json of a T5 that comes from a file without one.
Json t5Base(const ModelLayout& layout);

/// What a recipe may have changed in the configuration of an encoder-decoder model: blocks of each side,
/// heads, feed-forward width, whether the head shares the table.
void setSeq2Seq(Json& config, const ModelLayout& layout);

}  // namespace pareto::exporting
