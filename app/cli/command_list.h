#pragma once

#include "app/cli/command.h"

/// The subcommands: one file each (command_<name>.cpp), one line here and one in commands.cpp or, for
/// those that need libtorch, commands_compute.cpp.
namespace pareto::cli {

extern const Command kAnswerCommand;
extern const Command kBenchCommand;
extern const Command kClassifyCommand;
extern const Command kCompareCommand;
extern const Command kDevicesCommand;
extern const Command kDistilCommand;
extern const Command kEmbedCommand;
extern const Command kEstimateCommand;
extern const Command kEvalCommand;
extern const Command kExportCommand;
extern const Command kFillCommand;
extern const Command kGenerateCommand;
extern const Command kInspectCommand;
extern const Command kOptimizeCommand;
extern const Command kProfileCommand;
extern const Command kScalingCommand;
extern const Command kProjectCommand;
extern const Command kRunCommand;
extern const Command kRunsCommand;
extern const Command kSweepCommand;
extern const Command kTagCommand;
extern const Command kTrainCommand;
extern const Command kTranslateCommand;
extern const Command kWorkerCommand;

/// Those that compute; none in a build without jobs/run.
std::vector<const Command*> computingCommands();

}  // namespace pareto::cli
