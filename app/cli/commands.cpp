#include "app/cli/command_list.h"

namespace pareto::cli {

const std::vector<const Command*>& commands() {
    // In the order of --help.
    static const std::vector<const Command*> all = [] {
        std::vector<const Command*> list{&kInspectCommand, &kEstimateCommand};
        const auto computing = computingCommands();
        list.insert(list.end(), computing.begin(), computing.end());
        list.insert(list.end(), {&kRunsCommand, &kCompareCommand});
        return list;
    }();
    return all;
}

}  // namespace pareto::cli
