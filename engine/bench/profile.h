#pragma once

#include <stop_token>

#include "engine/bench/workload.h"
#include "engine/core/progress.h"
#include "engine/records/profile.h"

namespace pareto::bench {

struct ProfileOptions {
    Target target;
    double minSeconds = 1.0;  ///< passes go on for at least so long…
    int minPasses = 5;        ///< …and at least so many
    int maxPasses = 200;
    std::uint64_t seed = 0;
};

/// Times every layer and the work between layers in each kind of step (an encoder's pass; a generator's first token,
/// its further tokens), with what it moves and computes (layer_work.h), and records one whole pass as a timeline: the
/// last one, of a generator its first kTimelineTokens further tokens. Watching costs time, and layers with one input run one
/// after the other while they are watched, and the texts of a batch, which a run divides among threads, together: steps are
/// slower than in a plain measurement. A decoding step's work is that of the middle one of a pass, for caches grow. Fills steps, timeline, counters and load of the answer.
/// On a GPU layers are timed by events on its stream, without waiting for any of them: a layer's time runs from when the
/// GPU reaches it to when the GPU is through with it, idle waits for the host included. The timeline is one more pass, of
/// which CUPTI records the kernels; there are no hardware counters, and `gpu` says what the GPU did meanwhile.
Result<Profile> profileModel(models::RunnableModel& model, const ProfileOptions& options,
                             Progress& progress, std::stop_token stop);

inline constexpr int kTimelineTokens = 8;

}  // namespace pareto::bench
