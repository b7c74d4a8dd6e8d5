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
/// Which single weights may fall, and how their share spreads over the layers.
struct WeightsPattern {
    int keepOf = 0;  ///< N:M; 0: anywhere
    int groupOf = 0;
    int tileRows = 1;
    int tileCols = 1;
    Allocation allocation = Allocation::Uniform;
    bool operator==(const WeightsPattern&) const = default;
};
WeightsPattern patternOf(const PruneSpec& step);
/// Gives the step of single weights this pattern, and makes one of half the weights by `method` when there is none.
/// N:M says the ratio; one threshold over all layers goes with magnitude alone.
Recipe withWeightsPattern(Recipe recipe, const WeightsPattern& pattern, PruneMethod method);
/// How heads, neurons or blocks are chosen and what is left does about it; nothing without a step.
Recipe withUnitMethod(Recipe recipe, PrunePattern pattern, PruneMethod method, Compensation compensation);
/// The whole-model step of a pattern, or null.
const PruneSpec* findPrune(const Recipe& recipe, PrunePattern pattern);
Recipe withQuantize(Recipe recipe, const std::optional<QuantizeSpec>& spec);

/// The first recovery step; nullopt takes all of them away.
Recipe withRecover(Recipe recipe, const std::optional<RecoverSpec>& spec);
/// Which student block learns from which teacher block, in the first recovery step that distils; nothing
/// without one. Sorted by the student's; empty: spread evenly.
Recipe withDistilPairs(Recipe recipe, std::vector<std::pair<int, int>> blocks);
/// The first recovery step that distils, or null.
const RecoverSpec* findDistil(const Recipe& recipe);

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
