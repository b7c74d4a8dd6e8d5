#pragma once

#include "app/cli/command.h"
#include "engine/project/results.h"

namespace pareto::cli {

/// A project's folder, opened: what it says, what is done and what is due.
struct OpenedProject {
    std::string folder;  ///< absolute
    project::Project project;
    project::Results results;
    project::Inputs inputs;
};
Result<OpenedProject> openProject(const std::string& folder, Context& context);

/// Why a step has to be done (again); empty: it need not be.
std::string whyDue(const OpenedProject& opened, const project::Step& step, Context& context);

/// Does what is due, in order; each result is saved before the next step begins. `again`: a step that is
/// done whatever its inputs say, "all" for every one. UsageUnknown: there is no such step.
Status runProject(OpenedProject& opened, const std::string& again, Context& context);

}  // namespace pareto::cli
