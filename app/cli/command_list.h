#pragma once

#include "app/cli/command.h"

/// The subcommands: one file each (command_<name>.cpp), one line here and one in commands.cpp.
namespace pareto::cli {

extern const Command kCompareCommand;
extern const Command kEstimateCommand;
extern const Command kInspectCommand;
extern const Command kRunsCommand;

}  // namespace pareto::cli
