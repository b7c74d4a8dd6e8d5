#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/control.h"
#include "engine/core/progress.h"
#include "engine/models/model.h"
#include "engine/records/training.h"
#include "engine/spec/recover.h"
#include "engine/spec/resolve.h"
#include "engine/train/example.h"

namespace pareto::train {

class Ranks;

/// A metric's value on rows that are not trained on, and which way is better.
struct Validated {
    std::string metric;
    double value = 0.0;
    bool higherIsBetter = true;
    std::optional<ConfusionMatrix> confusion = std::nullopt;  ///< where classes are told apart
};

struct TrainOptions {
    RecoverSpec spec;
    models::DeviceOptions device;
    std::uint64_t seed = 0;
    const Control* control = nullptr;                          ///< may be null
    std::function<void(const TrainingPoint&)> stepDone;        ///< may be empty
    std::function<void(const ValidationPoint&)> validated;     ///< may be empty
    /// With the weights as they are now, rounded where training sees them rounded. Empty: the last weights are kept.
    std::function<Result<Validated>(const LoadedModel& now, std::stop_token stop)> validate;
    bool everyRankValidates = false;  ///< `validate` is called on all ranks at once, and answers the same on each
    /// Processes that share every batch (data-parallel training); null: this one has it alone. All are given the same
    /// model, data, spec and seed. Rank 0 validates (see everyRankValidates), reads and writes the checkpoint, and is told
    /// when to end.
    Ranks* ranks = nullptr;
    std::string checkpoint;           ///< file; empty: none is written
    std::string key;                  ///< says what is trained: a checkpoint under another one is not gone on with
    double checkpointSeconds = 60.0;  ///< between two of them
};

struct TrainOutcome {
    LoadedModel model;     ///< fp32 where training changed it; layers that were rounded in their format
    TrainingRecord record;
};

/// Trains all weights, biases and norms of a model. Of layers in which at least 0.5 % of the values are
/// zero, zeros stay (pruning made them). `plans`, in the layout's order, or empty: the format that each layer is to be
/// rounded to, looked at where spec.quantizeAware, and the zeros that training makes of it where its method is a trained
/// one (isTrained). `teacher`: where spec.distil; it gets the same ids. The same seed, threads, ranks and kernels give
/// the same bytes, also when a killed training goes on from its checkpoint; every rank gets the same model.
/// TaskUnfit (objectives that the outputs do not fit); RecipeInvalid (a teacher whose outputs,
/// blocks or widths do not fit); TrainingDiverged; DeviceUnavailable, MemoryShort; RankLost; RankUnfit (a rank trains
/// something else).
Result<TrainOutcome> train(const LoadedModel& student, const LoadedModel* teacher,
                           const std::vector<LayerPlan>& plans, const TrainingData& data,
                           const TrainOptions& options, Progress& progress, std::stop_token stop);

}  // namespace pareto::train
