#pragma once

#include <cstdint>
#include <vector>

#include "engine/core/result.h"
#include "engine/weights/tensor_source.h"

namespace pareto {

/// Where a process stands among those that hold one model. `tp` of them share each block: heads, neurons and vocabulary
/// are divided among them (tensor parallel, Shoeybi et al. 2019, arXiv 1909.08053); `pp` stages hold neighbouring blocks
/// (pipeline parallel, Huang et al. 2019, arXiv 1811.06965).
struct ShardPlace {
    int tp = 1;
    int pp = 1;
    int rank = 0;  ///< stage · tp + part
    int part() const { return rank % tp; }
    int stage() const { return rank / tp; }
};

/// What one process holds of a model: what is divided in memory of its own, what is not shared with the whole.
struct Shard {
    /// Only the blocks and layers that are here; blocks say the heads and neurons that are. Biases behind a product whose
    /// inputs are divided are part 0's. Tables that are small (norms, positions, pooler, classifier) are everywhere where
    /// they are used.
    LoadedModel model;
    ShardPlace place;
    int firstBlock = 0;   ///< number in the whole model of the first block here
    int encoderBlocks = 0;  ///< of the whole model, the encoder's (encoder-decoder models only)
    /// Part i has the rows bounds[i] … bounds[i + 1] − 1 of the token table, and of layers of the head with an output a token.
    std::vector<std::int64_t> vocabularyBounds;

    bool begins() const { return place.stage() == 0; }
    bool ends() const { return place.stage() + 1 == place.pp; }
};

/// Number of the first block of each stage, so that the longest stage is as short as it can be. `seconds`: of each block (any
/// unit). Every stage has a block: no more stages than blocks.
std::vector<int> stageStarts(const std::vector<double>& seconds, int stages);
/// What a block costs where nothing was measured: its parameters, each time it is run; the last one's with the head's.
std::vector<double> blockCosts(const ModelLayout& layout);

/// Values and codes are those of the whole model: ranges of columns end where groups of scales do. TargetInvalid (tp, pp):
/// fewer key/value heads, neurons, groups or blocks than processes; names what is too small.
/// Asks for the tensors that the process has a part of, one at a time; what asking says.
Result<Shard> shardOf(const TensorSource& model, const ShardPlace& place, const std::vector<int>& stageStarts);
Result<Shard> shardOf(const LoadedModel& model, const ShardPlace& place, const std::vector<int>& stageStarts);

}  // namespace pareto
