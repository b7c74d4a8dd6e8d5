#include "engine/dist/local_ranks.h"

#include <cstdlib>

namespace pareto::dist {
namespace {

struct Place {
    std::size_t machine = 0;  ///< 0: this one
    int localRank = 0;
    int localSize = 1;
};

Place placeOf(const std::vector<int>& machines, int rank) {
    Place out;
    out.localRank = rank;
    while (out.localRank >= machines[out.machine]) {
        out.localRank -= machines[out.machine++];
    }
    out.localSize = machines[out.machine];
    return out;
}

std::vector<std::pair<std::string, std::string>> environmentOf(const StartOptions& options, int rank, const Place& place) {
    const char* timeout = std::getenv(kTimeoutVariable);
    return {{"RANK", std::to_string(rank)},
            {"WORLD_SIZE", std::to_string(options.size)},
            {"MASTER_ADDR", options.address},
            {"MASTER_PORT", std::to_string(options.port)},
            {"LOCAL_RANK", std::to_string(place.localRank)},
            {"LOCAL_WORLD_SIZE", std::to_string(place.localSize)},
            {"TORCHELASTIC_RESTART_COUNT", ""},
            {"TORCHELASTIC_USE_AGENT_STORE", ""},
            {kTokenVariable, options.token},
            {kListenVariable, ""},
            {kTimeoutVariable, timeout != nullptr ? timeout : ""}};
}

}  // namespace

std::vector<int> ranksOfMachines(const StartOptions& options) {
    const auto machines = static_cast<int>(options.hosts.size()) + 1;
    std::vector<int> out;
    for (int machine = 0; machine < machines; ++machine) {
        out.push_back(options.size / machines + (machine < options.size % machines ? 1 : 0));
    }
    return out;
}

Result<std::unique_ptr<Children>> startRanks(const StartOptions& options, const ChildListener& listener) {
    const auto machines = ranksOfMachines(options);
    // Child 0 is rank 1.
    auto out = std::make_unique<Children>(
        ChildListener{[said = listener.said](int child, const std::string& line) {
                          if (said) {
                              said(child + 1, line);
                          }
                      },
                      [ended = listener.ended](int child, const std::string& how) {
                          if (ended) {
                              ended(child + 1, how);
                          }
                      }});
    for (int rank = 1; rank < options.size; ++rank) {
        const auto place = placeOf(machines, rank);
        const auto environment = environmentOf(options, rank, place);
        const bool here = place.machine == 0;
        PARETO_TRY(const int child, out->start(here ? ChildOptions{options.command, environment}
                                                    : ChildOptions{sshCommand(options.hosts[place.machine - 1], "worker --die-with-parent --environment"), {}}));
        // One that ends before it reads is heard of.
        out->write(child, here ? options.line : environmentLine(environment) + options.line);
    }
    return out;
}

}  // namespace pareto::dist
