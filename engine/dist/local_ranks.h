#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/result.h"

namespace pareto::dist {

struct LocalRanksOptions {
    int size = 2;                       ///< with this process, which is rank 0
    std::vector<std::string> command;   ///< program and its words, the same for all
    std::string line;                   ///< what each reads first, without the line's end
    std::uint16_t port = 0;             ///< of 127.0.0.1, where this process listens
    std::string token;
};

/// What ranks are heard saying. Called from a thread of LocalRanks.
struct RankListener {
    std::function<void(int rank, const std::string& line)> said;   ///< a line of its output
    std::function<void(int rank, const std::string& how)> ended;   ///< "was killed by signal 9 (Killed)"
};

/// Ranks 1 to size − 1 as processes of this machine. They are told who they are by their environment (RANK and so on,
/// see rank_environment.h) and have a process group of their own, so that signals of the terminal reach rank 0 alone.
/// What they read on their input ends when they are to end.
class LocalRanks {
public:
    /// ConfigInvalid where a process cannot be started; those that were are ended then.
    static Result<std::unique_ptr<LocalRanks>> start(const LocalRanksOptions& options, RankListener listener);
    /// Asks them to end, and kills those that have not within 5 s: none is left.
    ~LocalRanks();
    LocalRanks(const LocalRanks&) = delete;
    LocalRanks& operator=(const LocalRanks&) = delete;

private:
    struct State;
    explicit LocalRanks(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

}  // namespace pareto::dist
