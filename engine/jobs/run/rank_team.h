#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/dist/group.h"
#include "engine/dist/local_ranks.h"
#include "engine/jobs/api/jobs.h"
#include "engine/tasks/peers.h"
#include "engine/train/ranks.h"

namespace pareto::jobs {

/// The processes that share a job's training and its tasks: started by this one (RunParams::ranks), or by torchrun or
/// whoever else sets RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT. Each computes on its own part of the cores that the
/// machine has for them, until the team is left.
class RankTeam : public train::Ranks, public tasks::Peers {
public:
    /// Nothing where the job is this process's alone. ConfigInvalid (nothing to share, a port in use, ranks that do not
    /// come), RankLost (one that this process started), Cancelled.
    static Result<std::unique_ptr<RankTeam>> gather(const RunParams& params, std::stop_token stop);
    /// See jobs::isFollower.
    static Result<bool> follows(const RunParams& params);
    /// None of the processes that this one started is left.
    ~RankTeam() override;

    int rank() const override;
    int size() const override;
    std::string hostOf(int rank) const override;
    int here() const override { return m_here; }
    Status allReduceSum(std::span<float> values, std::stop_token stop) override;
    Status broadcast(std::span<std::byte> bytes, std::stop_token stop) override;
    Result<std::vector<std::string>> exchange(const std::string& own, std::stop_token stop) override;
    Error unfit(int rank, const std::string& reason) const override;

    /// Behind what the ranks did together: all others are waited for; where `did` failed, they hear why.
    Status disband(const Status& did, std::stop_token stop);

private:
    RankTeam() = default;
    Status startHere(const RunParams& params, std::stop_token stop);
    Status join(const dist::GroupOptions& options, std::stop_token stop);
    void bind(int localRank, int localSize);
    void hear(int rank, const std::string& line);
    void lost(int rank, const std::string& how);

    int m_here = 1;
    std::vector<int> m_cores;                 ///< that the process may use otherwise
    std::mutex m_mutex;                       ///< of the next two
    std::unique_ptr<dist::Group> m_group;
    std::optional<Error> m_early;             ///< a rank ended before it came
    std::stop_source m_giveUp;
    std::unique_ptr<dist::Children> m_local;
};

}  // namespace pareto::jobs
