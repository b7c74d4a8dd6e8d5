#pragma once

#include <map>
#include <vector>

#include "engine/weights/tensor.h"

namespace pareto::compress {

/// L1 norm of each unit of a group: Σ |w| over all weights that exist for this unit alone — its rows
/// of query, key and value (gate, up, ffn.in) and its columns of the output layer. A unit of a decoder's
/// attention is a key/value head with all its query heads. Biases do not count. (Li et al., "Pruning
/// Filters for Efficient ConvNets", ICLR 2017, carried over to heads and neurons.)
std::vector<double> unitImportance(const LoadedModel& model, int group);

/// Σ |w| over all layers of a block.
double blockImportance(const LoadedModel& model, int block);

/// All but the `remove` least important units, ascending; of equal ones the earlier goes first.
std::vector<std::int64_t> keepStrongest(const std::vector<double>& importance, std::int64_t remove);

/// Of units, by the group's index.
using UnitImportance = std::map<int, std::vector<double>>;

/// The units of a group that stay: by what is `known` of them, else by their L1 norms.
std::vector<std::int64_t> keepStrongest(const LoadedModel& model, int group, const UnitImportance& known,
                                        std::int64_t remove);

/// Index of the layer that reads what the units of a group make.
int outputLayer(const ModelLayout& layout, int group);

/// Rows (of query, key, value, gate, up, ffn.in) or columns (of the output layers) that belong to the
/// units, for a layer of a group that has `units` units in all.
struct UnitLines {
    bool columns = false;
    std::vector<std::int64_t> lines;
};
UnitLines linesOfUnits(const LayerInfo& layer, std::int64_t units,
                       const std::vector<std::int64_t>& kept);

/// Removes all other units: weights, biases, and every number of the layout that speaks of them.
void cutGroup(LoadedModel& model, int group, const std::vector<std::int64_t>& kept);

/// Keeps the first `kept` channels of the residual stream of a decoder that whyUnrotatable() lets through and whose
/// norms' weights are 1 (rotateModel): columns of what reads it, rows and biases of what writes it. An RMSNorm over fewer
/// channels divides by what is left of the mean square, which was hardly less in all: its weight becomes √(kept / hidden),
/// so that what the layers read keeps its scale.
void cutWidth(LoadedModel& model, std::int64_t kept);

/// Removes blocks (removed[i] for the i-th) and numbers the others anew from 0 (encoder and
/// decoder of one model each on its own); BlockInfo::sourceIndex
/// keeps the number in the files.
void removeBlocks(LoadedModel& model, const std::vector<bool>& removed);

}  // namespace pareto::compress
