#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/control.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/models/state_store.h"
#include "engine/records/training.h"
#include "engine/spec/recover.h"
#include "engine/weights/tensor.h"

namespace pareto::train {

struct ReconstructOptions {
    /// Of it: steps (of each block; 0: as many as `epochs` passes take), batch, accumulate, learningRate,
    /// schedule, warmup, weightDecay, clip, holdOut (0: the samples that are learned from decide),
    /// validateEvery (steps; 0: a quarter of them), patience, limit, maxLength.
    RecoverSpec spec;
    models::DeviceOptions device;
    std::uint64_t seed = 0;  ///< the order of the samples
    /// Which tensors of a block are fitted, by their names; empty: all of them.
    std::function<bool(const std::string& tensor)> fits;
    /// Behind each step, on the calling thread; may be empty.
    std::function<void(const TrainingPoint&)> report;
    const Control* control = nullptr;                 ///< may be null
    std::uint64_t memoryLimit = models::kStateBytes;  ///< bytes of hidden states in memory; more lie in a file
};

struct ReconstructedBlock {
    std::string name;
    /// ‖y − t‖² / ‖t‖², mean over the tokens that were held out: y behind this block, as it was or as it is,
    /// t behind the untouched one. `after` is never above `before`.
    double before = 0.0;
    double after = 0.0;
    std::int64_t keptStep = 0;  ///< 0: as it was
    double seconds = 0.0;
};

struct Reconstructed {
    LoadedModel model;  ///< shares every tensor that did not change
    std::vector<ReconstructedBlock> blocks;
    TrainingRecord record;  ///< without `source`
};

/// Brings back what pruning cost without labels: block after block, the weights that are not zero, biases and
/// norms are fitted by AdamW so that the block, reading what the blocks before it give by now, gives what the
/// untouched model's has at that place (BRECQ, Li et al. 2021, does so for rounding; EBFT, Guo et al. 2024,
/// for sparse models). Where blocks were removed, the one before them learns what the last of them gave. The
/// loss is the error of each token relative to its target, because a few tokens have states a thousand times
/// as large as all others.
///
/// `original`: untouched, of the same hidden size. `texts`: token ids, each 1 … maxPositions long. Zeros stay
/// zeros in layers that have any; tensors keep their format. In memory: one block with its gradients, and the
/// states of both models. The same seed gives the same bytes for a number of threads. When a person asks to
/// finish, the blocks that were not reached stay as they are. TaskUnfit for encoder-decoder models;
/// RecipeInvalid where blocks hold codes, where outputs cannot be compared, and for settings that are of
/// training; TrainingDiverged; EngineFailure as Model::checkTokens; DeviceUnavailable.
Result<Reconstructed> reconstruct(const LoadedModel& model, const LoadedModel& original,
                                  const std::vector<std::vector<std::int32_t>>& texts,
                                  const ReconstructOptions& options, Progress& progress,
                                  std::stop_token stop);

}  // namespace pareto::train
