#include "engine/jobs/run/rank_team.h"

#include <algorithm>

#include "engine/jobs/api/protocol.h"

namespace pareto::jobs {
namespace {

/// Whether there is anything that ranks share: training, and rows of tasks.
bool shares(const RunParams& params) {
    const auto& steps = params.recipe.recover;
    return params.task || params.validation || std::any_of(steps.begin(), steps.end(), [](const RecoverSpec& step) {
               return step.method == RecoverMethod::Train;
           });
}

/// Who this process is, where somebody else started the ranks of this job.
Result<std::optional<dist::RankEnvironment>> environmentFor(const RunParams& params) {
    PARETO_TRY(auto found, startedRanks(params.ranks));
    return shares(params) ? std::move(found) : std::optional<dist::RankEnvironment>();
}

/// The same job as a rank of it does it: it measures and writes nothing.
std::string followerLine(const RunParams& params) {
    RunParams theirs = params;
    theirs.exportTo.clear();
    return startLine({"rank", kJobRun, toJson(theirs)});
}

}  // namespace

Result<bool> RankTeam::follows(const RunParams& params) {
    PARETO_TRY(const auto found, environmentFor(params));
    return found && found->rank > 0;
}

Result<std::unique_ptr<RankTeam>> RankTeam::gather(const RunParams& params, std::stop_token stop) {
    PARETO_TRY(const auto started, environmentFor(params));
    if (!started && params.ranks <= 1) {
        return std::unique_ptr<RankTeam>();
    }
    if (!shares(params)) {
        return wrongRanks("is " + std::to_string(params.ranks) + ", but nothing is trained and no task is measured: only "
                          "these are shared (tp and pp divide the model itself)");
    }
    std::unique_ptr<RankTeam> out(new RankTeam());
    PARETO_TRY(out->m_ranks, started ? RankGroup::join(*started, std::move(stop))
                                     : RankGroup::start(params.ranks, followerLine(params), std::move(stop)));
    return out;
}

}  // namespace pareto::jobs
