#pragma once

#include "app/cli/command.h"
#include "engine/jobs/api/project_steps.h"

namespace pareto::cli {

/// Why a step has to be done (again), by the runs of the context's store; empty: it need not be.
std::string whyDue(const jobs::OpenedProject& opened, const project::Step& step, Context& context);

/// Does what is due, in order; each result is saved before the next step begins. `again`: a step that is
/// done whatever its inputs say, "all" for every one. UsageUnknown: there is no such step.
Status runProject(jobs::OpenedProject& opened, const std::string& again, Context& context);

}  // namespace pareto::cli
