#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/compress/pipeline.h"
#include "engine/compress/tensorwise.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/run/model_cache.h"
#include "engine/models/model.h"
#include "engine/records/training.h"
#include "engine/spec/target.h"

namespace pareto::jobs {

class RankTeam;
class ShardTeam;

struct ReadyRequest {
    std::string model;
    Recipe recipe;
    Target target;
    bool baseline = false;  ///< memory is counted for the untouched model as well
    /// What keys and values are counted as; absent: as the recipe says.
    std::optional<models::CacheFormat> cache = std::nullopt;
    std::uint64_t beside = 0;  ///< bytes that are still to be taken beside this model
    bool isDraft = false;      ///< another model, which is in use, is what `target` is about
    RunSink* sink = nullptr;   ///< hears of training; may be null
    RankTeam* ranks = nullptr; ///< share training; may be null
    std::optional<LoadedModel> original = std::nullopt;  ///< originalFor() of the same, where it was asked for already
    /// The tensors are looked at afterwards (an export): else, where the recipe allows it, they are read when they are packed.
    bool whole = false;
    std::vector<double> blockSeconds = {};  ///< of a model in stages, where they were measured already (ShardParams)
};

/// What a decoder still holds of the dialogue answered last: the next turn begins with the same text.
struct PromptCache {
    std::unique_ptr<models::KvCache> cache;
    std::vector<std::int32_t> ids;    ///< held in the cache
    std::int64_t capacity = 0;
    std::optional<models::CacheFormat> format = std::nullopt;
};

/// A model after its recipe, packed and able to run.
struct ReadyModel {
    std::shared_ptr<ShardTeam> team;  ///< that holds the parts, where the target is for several processes
    std::shared_ptr<const OpenedModel> opened;
    /// Set where tensors are read when they are packed: `original` and `compressed.model` have layouts then, no tensors, and
    /// the report no layers.
    std::shared_ptr<const compress::TensorwiseModel> onDemand;
    LoadedModel original;  ///< untouched; with a new head where the recipe trains one
    std::vector<TrainingRecord> recovered;  ///< one a recovery step
    compress::CompressedModel compressed;
    models::RunnableModel runnable;
    /// What the recipe was adapted to, overrides that match nothing.
    std::vector<std::string> notes;
    std::optional<PromptCache> prompt;
    std::optional<PromptCache> draftPrompt;  ///< the same where it was another model's draft
};

/// The model that a recipe is applied to: as opened, or with a head for the classes that it trains on where it has none.
Result<LoadedModel> originalFor(const OpenedModel& opened, const Recipe& recipe, Progress& progress,
                                std::stop_token stop);

/// Opens and compresses, on the target's threads, or makes ready to do so tensor by tensor (`onDemand`); nothing is packed yet.
/// What keptModel keeps is let go first: runs are measured without it.
Result<ReadyModel> compressedModel(ModelCache& cache, const ReadyRequest& request,
                                   Progress& progress, std::stop_token stop);
/// Packs what compressedModel gave; where a team holds it, each its part.
Status pack(ReadyModel& ready, const Target& target, Progress& progress, std::stop_token stop);
/// The untouched model, as the target says.
Result<models::RunnableModel> packOriginal(ReadyModel& ready, const Target& target, Progress& progress, std::stop_token stop);
/// All the way.
Result<ReadyModel> readyModel(ModelCache& cache, const ReadyRequest& request, Progress& progress,
                              std::stop_token stop);

/// The same for jobs that people wait for: the last two models made so stay ready, as long as their
/// files are the same and memory suffices for others, so that an original and its optimized form answer
/// at once in turns.
Result<std::shared_ptr<ReadyModel>> keptModel(ModelCache& cache, const ReadyRequest& request,
                                              Progress& progress, std::stop_token stop);

/// TargetInvalid: more threads than cores this process may use; DeviceUnavailable. Said before
/// anything is opened.
Status checkDevice(const Target& target);

models::DeviceOptions deviceOptions(const Target& target);

}  // namespace pareto::jobs
