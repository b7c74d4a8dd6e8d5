#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/dist/children.h"

namespace pareto::dist {

struct LocalRanksOptions {
    int size = 2;                       ///< with this process, which is rank 0
    std::vector<std::string> command;   ///< program and its words, the same for all
    std::string line;                   ///< what each reads first, with the line's end
    std::uint16_t port = 0;             ///< of 127.0.0.1, where this process listens
    std::string token;
};

/// Ranks 1 to size − 1 as processes of this machine, which are told who they are by their environment (RANK and so on, see
/// rank_environment.h). The listener hears of them by rank. They end with the answer, see ~Children. ConfigInvalid.
Result<std::unique_ptr<Children>> startLocalRanks(const LocalRanksOptions& options, const ChildListener& listener);

}  // namespace pareto::dist
