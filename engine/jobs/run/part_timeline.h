#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "engine/jobs/run/ready_model.h"
#include "engine/records/step_timeline.h"

namespace pareto::jobs {

/// What each process does in one pass of a model in parts, by rank: an encoder's pass, or a prompt and the last of two further
/// tokens. Behind what is timed, which it does not disturb: one pass to warm up, then three of which the middle one is kept (one
/// where a pass takes longer than a second). `ready.team` is there. What ends the processes; Cancelled.
Result<std::vector<PartTimeline>> recordSteps(ReadyModel& ready, const Target& target,
                                              std::uint64_t seed, std::stop_token stop);

}  // namespace pareto::jobs
