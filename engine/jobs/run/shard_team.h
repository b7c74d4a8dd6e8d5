#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/bench/scaling.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/run/gpu_exchange.h"
#include "engine/jobs/run/model_cache.h"
#include "engine/jobs/run/part_circles.h"
#include "engine/jobs/run/rank_group.h"
#include "engine/models/sharded.h"
#include "engine/records/step_timeline.h"

namespace pareto::jobs {

/// A model of which each process holds a part (Target::tensorParallel, pipelineParallel).
struct ShardParams {
    std::string model;
    Recipe recipe;
    Target target;
    /// Rank 0: what each block of the model takes, where that is known (bench::blockSeconds); empty: it is measured. Not in JSON.
    std::vector<double> blockSeconds = {};
};
Json toJson(const ShardParams& params);
Result<ShardParams> shardParamsFromJson(const Json& json);

/// What a process did since it was last asked. Times in seconds.
struct ShardReport {
    int rank = 0;
    std::string host;
    double total = 0.0;
    double sums = 0.0;     ///< in sums and largest values among the parts of a stage
    double handing = 0.0;  ///< in handing states from stage to stage
    double waiting = 0.0;  ///< of these two: for others, before anything moved; 0 where that is not known (not in memory)
    double idle = 0.0;     ///< waiting to hear what to do
    std::uint64_t bytes = 0;    ///< of weights held
    std::uint64_t resident = 0; ///< of the process in memory now, libraries and mapped files included
    std::string device = "cpu";
    std::string exchange;  ///< how a GPU's values go to others: "NCCL", or "through host memory"; empty on the CPU
    std::string exchangeReason;  ///< why not over NCCL
};
Json toJson(const ShardReport& report);

/// What a process called while calls were kept, in order, in seconds of its own clock (ShardTeam::now).
struct KeptCalls {
    std::vector<PartCall> calls;
    std::int64_t leftOut = 0;  ///< behind those
    bool waitsKnown = true;    ///< apart from what is moved (Circle::waited)
};
/// A process's clock against rank 0's, in seconds.
struct ClockOffset {
    double ahead = 0.0;
    double error = 0.0;  ///< the true one is within ± of `ahead`
};

/// The processes that hold the parts, as one of them sees it: started by this one, or by torchrun or whoever else sets RANK
/// and its siblings. Rank 0 leads.
class ShardTeam : public models::Partners, public std::enable_shared_from_this<ShardTeam> {
public:
    /// Null where the target is for one process. On GPUs each process of a machine has one of its own, from
    /// the target's on (runtime::deviceOfRank). TargetInvalid: a recipe that trains; DeviceUnavailable; what RankGroup says.
    static Result<std::shared_ptr<ShardTeam>> gather(const ShardParams& params, std::stop_token stop);
    /// Whether this process serves a rank 0 that is another one. ConfigInvalid.
    static Result<bool> follows(const Target& target);
    /// Tells the others that it is over. None of the processes that this one started is left.
    ~ShardTeam() override;

    /// Rank 0: all make their parts of what the parameters name (`original`: without the recipe), this one of `model`, which
    /// comes from `opened`. RankUnfit: another one could not, or has another model.
    Result<models::RunnableModel> prepare(const TensorSource& model, bool original, const OpenedModel& opened,
                                          Progress& progress, std::stop_token stop);
    /// The others: until rank 0 says that it is over.
    Status serve(ModelCache& cache, Progress& progress, std::stop_token stop);
    /// Rank 0: of all, by rank.
    Result<std::vector<ShardReport>> report();
    /// Rank 0: between the parts of a stage, of which there are two or more: how long sums of a few and of many values take.
    Result<bench::Link> measureLink();
    /// Rank 0: from here on all keep what they call, anew.
    Status record();
    /// Rank 0: no longer; what each kept, by rank.
    Result<std::vector<KeptCalls>> recorded();
    /// Rank 0: by rank. On one machine all read the same clock (CLOCK_MONOTONIC). Across machines each is asked what time it is,
    /// many times: it looks between the question and the answer, so half of the shortest round trip is the error, and its middle
    /// the moment (Cristian 1989).
    Result<std::vector<ClockOffset>> compareClocks();
    /// Of the clock that calls are kept in.
    static double now();
    /// Rank 0, of the model made last: the first block of each stage.
    const std::vector<std::int32_t>& stages() const { return m_stages; }
    bool measuredStages() const { return m_measuredStages; }  ///< else they were divided by parameters
    /// Why it ended.
    std::optional<Error> lost() const { return m_ranks->group().lost(); }
    int rank() const { return m_ranks->rank(); }
    const std::string& hostOf(int rank) const { return m_ranks->hostOf(rank); }
    /// Machines that they are on.
    int machines() const;

    ShardPlace place() const override { return m_place; }
    Status sum(std::span<float> values) override;
    Status largest(std::span<float> values) override;
    Status gather(std::span<const float> own, std::span<const std::size_t> counts, std::span<float> all) override;
    Status giveNext(std::span<float> values) override;
    Status takePrevious(std::span<float> values) override;
    Status giveFirst(std::span<float> values) override;
    Status takeLast(std::span<float> values) override;
    models::Exchange* onDevice() override { return m_gpus.get(); }
    Status tell(const std::vector<std::int32_t>& words) override;
    Result<std::vector<std::int32_t>> hear(std::size_t most) override;
    void breakUp(const std::string& reason) override { m_ranks->group().fail(reason); }

private:
    explicit ShardTeam(ShardParams params) : m_params(std::move(params)) {}
    Status tellEndSoon();
    Status takeDevice();
    Status connectGpus(const std::stop_token& stop);
    /// The first block of each stage, by what each block of the whole model takes here.
    Result<std::vector<std::int32_t>> findStages(const TensorSource& model, Progress& progress, std::stop_token stop);
    Result<std::vector<double>> timeBlocks(const TensorSource& model, Progress& progress, std::stop_token stop) const;
    /// A process's part, and what rank 0 must know of it.
    struct Part {
        Result<models::RunnableModel> model;
        Json said;
    };
    Part makePart(const TensorSource& model, const OpenedModel& opened, const std::vector<std::int32_t>& stageStarts,
                  Progress& progress, std::stop_token stop);
    Result<models::RunnableModel> cutPart(const TensorSource& model, const std::vector<std::int32_t>& stageStarts,
                                          Progress& progress, std::stop_token stop);
    struct Source;
    Result<Source> openSource(ModelCache& cache, const Recipe& recipe, Progress& progress, std::stop_token stop) const;
    Result<std::string> identify(const TensorSource& model, const OpenedModel& opened, Progress& progress,
                                 std::stop_token stop) const;
    Result<models::ShardedModel> joinParts(const std::vector<std::string>& said, const ModelLayout& layout) const;
    Result<bench::Link> timeSums();
    Status sayReport(std::vector<ShardReport>* all);
    Status keep(bool on, std::vector<KeptCalls>* all);
    bool knowsWaits() const;
    Result<std::vector<ClockOffset>> pingAll();
    template <typename Call>
    Status timed(PartDoing doing, dist::Circle* circle, const Call& call);

    ShardParams m_params;
    ShardPlace m_place;
    std::unique_ptr<RankGroup> m_ranks;
    PartCircles m_circles;
    std::unique_ptr<GpuExchange> m_gpus;       ///< over these circles but the last; null: values go through host memory
    std::stop_token m_hurry;  ///< of what is told
    std::vector<std::int32_t> m_stages;
    bool m_measuredStages = false;
    std::int64_t m_models = 0;
    bool m_together = false;  ///< rank 0: the others hear it; else: rank 0 said that it is over
    ShardReport m_did;
    double m_since = 0.0;
    bool m_keeping = false;
    KeptCalls m_kept;
};

/// The job "shard": what a rank that another process started does.
inline constexpr const char* kJobShard = "shard";
Result<Json> runShard(ModelCache& cache, const ShardParams& params, Progress& progress, std::stop_token stop);

}  // namespace pareto::jobs
