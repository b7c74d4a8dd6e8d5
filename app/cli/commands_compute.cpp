#include "app/cli/command_list.h"

namespace pareto::cli {

std::vector<const Command*> computingCommands() {
    return {&kRunCommand,      &kOptimizeCommand, &kBenchCommand,  &kProfileCommand, &kScalingCommand,
            &kEvalCommand,    &kTrainCommand, &kDistilCommand, &kGenerateCommand,  &kTranslateCommand, &kClassifyCommand, &kEmbedCommand,
            &kAnswerCommand,  &kTagCommand,       &kFillCommand,   &kExportCommand, &kProjectCommand, &kSweepCommand, &kDevicesCommand, &kWorkerCommand};
}

}  // namespace pareto::cli
