#include "engine/dist/local_ranks.h"

#include "engine/dist/rank_environment.h"

namespace pareto::dist {
namespace {

std::vector<std::pair<std::string, std::string>> environmentOf(const LocalRanksOptions& options, int rank) {
    const auto own = std::to_string(rank);
    const auto size = std::to_string(options.size);
    return {{"RANK", own},
            {"WORLD_SIZE", size},
            {"MASTER_ADDR", "127.0.0.1"},
            {"MASTER_PORT", std::to_string(options.port)},
            {"LOCAL_RANK", own},
            {"LOCAL_WORLD_SIZE", size},
            {"TORCHELASTIC_RESTART_COUNT", ""},
            {"TORCHELASTIC_USE_AGENT_STORE", ""},
            {kTokenVariable, options.token},
            {kListenVariable, ""}};
}

}  // namespace

Result<std::unique_ptr<Children>> startLocalRanks(const LocalRanksOptions& options, const ChildListener& listener) {
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
        PARETO_TRY(const int child, out->start({options.command, environmentOf(options, rank)}));
        out->write(child, options.line);  // one that ends before it reads is heard of
    }
    return out;
}

}  // namespace pareto::dist
