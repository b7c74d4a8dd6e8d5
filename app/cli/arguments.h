#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/cli/command.h"

namespace pareto::cli {

/// One call, taken apart.
struct Call {
    const Command* command = nullptr;   ///< null: only --help or --version
    Arguments arguments{"", {}, {}};
    bool help = false;
    bool version = false;
    bool json = false;
    bool quiet = false;
    std::optional<std::string> database;
};

/// `words`: without the program's name. UsageUnknown, UsageMissing. Failures still say whether --json
/// was among the words, through `json`.
Result<Call> parseCall(const std::vector<std::string>& words, bool& json);

std::string programHelp();
std::string commandHelp(const Command& command);

}  // namespace pareto::cli
