#pragma once

#include <QString>

#include "engine/jobs/api/sweep.h"

namespace pareto::studio {

struct FollowedSweep;
struct Job;
struct SweepRun;

/// How a job ended, in the language of the window; empty while it has not.
QString outcomeText(const Job& job);
/// The folder that an export wrote; empty for other jobs and before it is written.
QString exportFolder(const Job& job);

/// "12 of 40 finished, 2 failed, 3 running"
QString countsText(const FollowedSweep& sweep);
/// Who works on it, how far it is, and what went wrong.
QString stateText(const FollowedSweep& sweep);
QString text(jobs::Sweep::State state);
/// The headline figure, or the error.
QString resultText(const SweepRun& run);

}  // namespace pareto::studio
