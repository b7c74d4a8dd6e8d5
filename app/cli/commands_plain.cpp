#include "app/cli/command_list.h"

namespace pareto::cli {

// A build without jobs/run has no subcommand that computes.
std::vector<const Command*> computingCommands() { return {}; }

}  // namespace pareto::cli
