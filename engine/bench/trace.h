#pragma once

#include <stop_token>
#include <vector>

#include "engine/bench/workload.h"
#include "engine/core/progress.h"
#include "engine/records/run_record.h"

namespace pareto::bench {

/// Time of each layer and of the work between layers, in passes of their own (watching costs time):
/// the median over passes of the time spent in a phase, phases inside it not counted twice, and its
/// share of the whole pass. In the order in which the model runs them. Layers of the model carry
/// their bytes, shape and kernel as well; other phases have rows = cols = 0.
struct TraceOptions {
    Target target;
    double minSeconds = 0.5;
    int minPasses = 5;
    int maxPasses = 200;
    std::uint64_t seed = 0;
};
Result<std::vector<LayerMeasurement>> traceLayers(models::RunnableModel& model,
                                                  const TraceOptions& options, Progress& progress,
                                                  std::stop_token stop);

}  // namespace pareto::bench
