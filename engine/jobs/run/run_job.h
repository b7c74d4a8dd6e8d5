#pragma once

#include <stop_token>

#include "engine/core/progress.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/run/model_cache.h"

namespace pareto::jobs {

/// What can be said before a model is opened: TargetInvalid, DeviceUnavailable; FileWriteDenied where
/// no export could go. runRun begins with it.
Status checkRun(const RunParams& params);

/// Whether this process computes for a rank 0 that is another one, as RANK and its siblings say: it has no result of its
/// own. ConfigInvalid.
Result<bool> isFollower(const RunParams& params);
/// The same of a job that nothing but the target divides among processes.
Result<bool> isFollower(const Target& target);

/// Opens the model, applies the recipe, packs, measures (interleaved with the untouched model when the
/// recipe changes something and `pairedBaseline` asks for it), evaluates, exports. The record is
/// complete but for its id. Timing waits for the machine's lock; another process's load is noted.
/// Where RunParams::ranks or RANK and its siblings say so, training and tasks are shared by processes; one that follows another
/// (isFollower) answers a record with nothing in it when that is done.
/// An export that fails after all was measured leaves the record Finished; details["export"]["error"]
/// has its error (errorToJson).
Result<RunRecord> runRun(ModelCache& cache, const RunParams& params, Progress& progress,
                         std::stop_token stop, RunSink* sink = nullptr);

}  // namespace pareto::jobs
