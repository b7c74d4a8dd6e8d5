#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/dist/group.h"
#include "engine/dist/local_ranks.h"
#include "engine/dist/rank_environment.h"

namespace pareto::jobs {

/// The processes of one job: started by this one, or by torchrun or whoever else sets RANK, WORLD_SIZE, MASTER_ADDR and
/// MASTER_PORT. Each computes on its own part of the cores that the machine has for them, until the group is left.
class RankGroup {
public:
    /// `size` − 1 processes of this machine, which read `line` first.
    static Result<std::unique_ptr<RankGroup>> start(int size, const std::string& line, std::stop_token stop);
    /// ConfigInvalid (a port in use, ranks that do not come), RankLost, Cancelled.
    static Result<std::unique_ptr<RankGroup>> join(const dist::RankEnvironment& environment, std::stop_token stop);
    /// None of the processes that this one started is left.
    ~RankGroup();

    dist::Group& group() const { return *m_group; }
    int rank() const { return m_group->rank(); }
    int size() const { return m_group->size(); }
    const std::string& hostOf(int rank) const { return m_group->hostOf(rank); }
    /// Processes on this machine.
    int here() const { return m_here; }
    /// This one's number among those.
    int localRank() const { return m_localRank; }

    /// What each rank gives, by rank; the same everywhere.
    Result<std::vector<std::string>> exchange(const std::string& own, std::stop_token stop);
    Error unfit(int rank, const std::string& reason) const;
    /// Behind what the ranks did together: all others are waited for; where `did` failed, they hear why.
    Status disband(const Status& did, std::stop_token stop);

private:
    RankGroup() = default;
    Status startHere(int size, const std::string& line, std::stop_token stop);
    Status joinAs(const dist::GroupOptions& options, std::stop_token stop);
    void bind(int localRank, int localSize);
    void hear(int rank, const std::string& line);
    void lost(int rank, const std::string& how);

    int m_here = 1;
    int m_localRank = 0;
    std::vector<int> m_cores;                 ///< that the process may use otherwise
    std::mutex m_mutex;                       ///< of the next two
    std::unique_ptr<dist::Group> m_group;
    std::optional<Error> m_early;             ///< a rank ended before it came
    std::stop_source m_giveUp;
    std::unique_ptr<dist::Children> m_local;
};

/// Where this process starts ranks beside itself (SshHost), from now on. ConfigInvalid.
Status useHosts(const std::string& hosts);
/// See dist::takeEnvironment.
Status takeRankEnvironment(const std::string& line);
/// Why something failed, as text for the other ranks.
template <typename T>
std::string problemOf(const Result<T>& result) {
    return result.cancelled() ? "was cancelled" : errorMessage(result.error());
}
/// ConfigInvalid about the number of ranks.
Error wrongRanks(const std::string& reason);
/// Who this process is, where somebody else started more than one rank; `wanted` (1: any number) must be as many.
Result<std::optional<dist::RankEnvironment>> startedRanks(int wanted);

}  // namespace pareto::jobs
