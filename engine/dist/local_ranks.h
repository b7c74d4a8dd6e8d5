#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/dist/children.h"
#include "engine/dist/rank_environment.h"

namespace pareto::dist {

struct StartOptions {
    int size = 2;                       ///< with this process, which is rank 0
    std::vector<std::string> command;   ///< program and its words, the same for all on this machine
    std::string line;                   ///< what each reads first, with the line's end
    std::string address = "127.0.0.1";  ///< where this process listens
    std::uint16_t port = 0;
    std::string token;
    /// Other machines that ranks are started on over ssh: this one and these get neighbouring ranks, as many each as can be.
    /// They call `pareto worker` of their own; who they are they read from a line, for a command line can be seen by all.
    std::vector<SshHost> hosts;
};

/// Ranks on this machine, with this process, and behind them on each of `options.hosts`.
std::vector<int> ranksOfMachines(const StartOptions& options);

/// Ranks 1 to size − 1 as processes of this machine, which are told who they are by their environment (RANK and so on, see
/// rank_environment.h), and of others. The listener hears of them by rank. They end with the answer, see ~Children. ConfigInvalid.
Result<std::unique_ptr<Children>> startRanks(const StartOptions& options, const ChildListener& listener);

}  // namespace pareto::dist
