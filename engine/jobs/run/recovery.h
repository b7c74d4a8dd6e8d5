#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/compress/pipeline.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/run/model_cache.h"
#include "engine/records/training.h"
#include "engine/spec/target.h"

namespace pareto::jobs {

class RankTeam;

/// What the recovery steps of a job share.
struct RecoveryJob {
    std::shared_ptr<const OpenedModel> opened;  ///< its tokenizer reads the texts
    Target target;                              ///< device and threads
    RunSink* sink = nullptr;                    ///< hears of steps and validations, may ask for the end; may be null
    std::vector<TrainingRecord>* records = nullptr;  ///< gets one a step; outlives the compression
    RankTeam* ranks = nullptr;                       ///< share training and its validations; may be null
};

/// Recovery for CompressTools. What a step found is kept in a file of the cache folder ($XDG_CACHE_HOME/pareto-studio/
/// recovered), named after everything it came from, so that an export of the same recipe finds the same weights, and a
/// killed step goes on where it was. Threads and device are not part of that name. The oldest files go when all of them
/// are more than 8 GiB. $PARETO_CHECKPOINT_SECONDS: between two states of a training on disk (60).
compress::RecoverModel recoveryOf(RecoveryJob job);

}  // namespace pareto::jobs
