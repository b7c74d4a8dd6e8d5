#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/spec/layers.h"
#include "engine/spec/recipe.h"

/// Edits of a recipe as pure functions: recipe in, recipe out. RecipeDocument wraps each in an undo
/// step. Names are exact names of layers, groups or blocks; what overrides add stays minimal, so that
/// taking an edit back by hand gives the recipe from before.
namespace pareto::studio {

using Names = std::vector<std::string>;

/// Sets the step of this pattern for the whole model; ratio 0 takes the step away.
/// Steps stand in the order blocks, heads, neurons, weights.
Recipe withPrune(Recipe recipe, PrunePattern pattern, PruneMethod method, double ratio);
/// The whole-model step of a pattern, or null.
const PruneSpec* findPrune(const Recipe& recipe, PrunePattern pattern);
Recipe withQuantize(Recipe recipe, const std::optional<QuantizeSpec>& spec);

/// Heads of attention groups, neurons of feed-forward groups.
Recipe withGroupRatio(Recipe recipe, const ModelLayout& layout, const Names& groups, double ratio);
/// Tied layers get the same setting: their weight is one.
Recipe withLayerSparsity(Recipe recipe, const ModelLayout& layout, const Names& layers,
                         double ratio);
Recipe withLayerFormat(Recipe recipe, const ModelLayout& layout, const Names& layers,
                       const std::optional<QuantizeSpec>& spec);
Recipe withBlocksRemoved(Recipe recipe, const Names& blocks, bool removed);
Recipe withoutOverrides(Recipe recipe, const Names& names);
/// The method that a pattern has in this version.
PruneMethod methodFor(PrunePattern pattern);

}  // namespace pareto::studio
