#include "app/cli/command_list.h"

namespace pareto::cli {

const std::vector<const Command*>& commands() {
    // In the order of --help.
    static const std::vector<const Command*> all{
        &kInspectCommand,
        &kEstimateCommand,
        &kRunsCommand,
        &kCompareCommand,
    };
    return all;
}

}  // namespace pareto::cli
