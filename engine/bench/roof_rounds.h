#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "engine/bench/gpu_clock.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/records/profile.h"

/// How roofs are gone through; shared by those of the CPU and of a GPU.
namespace pareto::bench {

/// One thing that is done again and again: `work` in each round.
struct RoofSource {
    double work = 0.0;
    std::function<void()> round;
    std::vector<double> rates = {};  ///< G a second, of the rounds that count

    Roof roof() const;  ///< 0 where no round counted
};

/// All sources `kRoofSweeps` times in turn, so that what disturbs one moment does not hit one roof alone; each at least
/// `seconds` and `rounds` in all. The first round of a sweep is not counted: pages and caches fill. Shows Stage::Timing.
Status sweepRoofs(std::vector<RoofSource>& sources, PhaseClock& clock, double seconds, int rounds, Progress& progress,
                  const std::stop_token& stop);

inline constexpr int kRoofSweeps = 3;

}  // namespace pareto::bench
