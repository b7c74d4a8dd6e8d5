#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/bench/timing.h"
#include "engine/jobs/run/model_cache.h"
#include "engine/jobs/run/rank_group.h"
#include "engine/spec/recipe.h"
#include "engine/spec/target.h"

namespace pareto::jobs {

/// A whole model in each of Target::replicas processes.
struct ReplicaParams {
    std::string model;
    Recipe recipe;
    Target target;
    bool baseline = false;  ///< the untouched model as well
    std::uint64_t seed = 0;
};
Json toJson(const ReplicaParams& params);
Result<ReplicaParams> replicaParamsFromJson(const Json& json);

/// The processes that run the same passes at the same time, as one of them sees it: started by this one, each with its part of
/// the cores, or by torchrun or whoever else sets RANK and its siblings. Rank 0 leads: what it times is timed.
class ReplicaTeam : public bench::Companions {
public:
    /// Null where the target is for one. What RankGroup says.
    static Result<std::unique_ptr<ReplicaTeam>> gather(const ReplicaParams& params, std::stop_token stop);
    /// Whether this process serves a rank 0 that is another one. ConfigInvalid.
    static Result<bool> follows(const Target& target);
    /// The others end. None of the processes that this one started is left.
    ~ReplicaTeam() override;

    int rank() const { return m_ranks->rank(); }
    /// Rank 0, once its own model is ready: until those of the others are, and warm. RankUnfit: one could not make it.
    Status meet(std::stop_token stop);
    /// The others: passes as rank 0 says, until it says that it is over.
    Status serve(ModelCache& cache, Progress& progress, std::stop_token stop);

    int count() const override { return m_ranks->size() - 1; }
    Status begin(bool baseline) override;
    Status end() override;

private:
    explicit ReplicaTeam(ReplicaParams params) : m_params(std::move(params)) {}
    Status say(std::int32_t word);

    ReplicaParams m_params;
    std::unique_ptr<RankGroup> m_ranks;
    bool m_together = false;  ///< all have met, and nobody has said that it is over
};

/// The job "replica": what a process that another one started does.
inline constexpr const char* kJobReplica = "replica";
Result<Json> runReplica(ModelCache& cache, const ReplicaParams& params, Progress& progress, std::stop_token stop);

}  // namespace pareto::jobs
