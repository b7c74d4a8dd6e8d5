#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/jobs/api/jobs.h"
#include "engine/jobs/run/rank_group.h"
#include "engine/tasks/peers.h"
#include "engine/train/ranks.h"

namespace pareto::jobs {

/// The processes that share a job's training and its tasks (RunParams::ranks).
class RankTeam : public train::Ranks, public tasks::Peers {
public:
    /// Nothing where the job is this process's alone. ConfigInvalid (nothing to share), and what RankGroup says.
    static Result<std::unique_ptr<RankTeam>> gather(const RunParams& params, std::stop_token stop);
    /// See jobs::isFollower.
    static Result<bool> follows(const RunParams& params);

    int rank() const override { return m_ranks->rank(); }
    int size() const override { return m_ranks->size(); }
    std::string hostOf(int rank) const override { return m_ranks->hostOf(rank); }
    int here() const override { return m_ranks->here(); }
    Status allReduceSum(std::span<float> values, std::stop_token stop) override {
        return m_ranks->group().allReduceSum(values, std::move(stop));
    }
    Status broadcast(std::span<std::byte> bytes, std::stop_token stop) override {
        return m_ranks->group().broadcast(bytes, 0, std::move(stop));
    }
    Result<std::vector<std::string>> exchange(const std::string& own, std::stop_token stop) override {
        return m_ranks->exchange(own, std::move(stop));
    }
    Error unfit(int rank, const std::string& reason) const override { return m_ranks->unfit(rank, reason); }

    /// See RankGroup.
    Status disband(const Status& did, std::stop_token stop) { return m_ranks->disband(did, std::move(stop)); }

private:
    RankTeam() = default;
    std::unique_ptr<RankGroup> m_ranks;
};

}  // namespace pareto::jobs
