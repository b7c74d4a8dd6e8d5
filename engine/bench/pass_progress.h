#pragma once

#include <cstdint>

#include "engine/core/progress.h"

namespace pareto::bench {

/// When repeated passes end: after both the time and the least number, or at the most. Passes are done
/// in groups of `step`, so the last group may go beyond either.
struct PassGoal {
    double minMs = 0.0;
    std::int64_t minPasses = 1;
    std::int64_t maxPasses = 1;
    std::int64_t step = 1;
};

/// How many passes there will be in the end, when `done` took `spentMs` and each further one takes
/// `passMs`. Never less than `done`.
std::int64_t passesInAll(const PassGoal& goal, std::int64_t done, double spentMs, double passMs);

/// Shows Stage::Timing with the passes that there will be: the total follows the time that passes
/// really take, so that what is done never exceeds it.
class PassProgress {
public:
    PassProgress(Progress& progress, const PassGoal& goal, double passMs);
    void update(std::int64_t done, double spentMs);

private:
    Progress& m_progress;
    PassGoal m_goal;
    std::int64_t m_total = 0;
};

}  // namespace pareto::bench
