#include "engine/jobs/run/replica_team.h"

#include <array>

#include "engine/bench/workload.h"
#include "engine/jobs/api/params_json.h"
#include "engine/jobs/api/protocol.h"
#include "engine/jobs/run/guarded.h"
#include "engine/jobs/run/ready_model.h"

namespace pareto::jobs {
namespace {

/// What rank 0 says before a pass.
enum Word : std::int32_t { kOver = 0, kPass = 1, kBaselinePass = 2 };
constexpr int kWarmUps = 3;

/// What a replica runs.
struct Passes {
    ReadyModel ready;
    std::optional<models::RunnableModel> baseline;
    std::unique_ptr<bench::Workload> model;
    std::unique_ptr<bench::Workload> untouched;
};

Status makePasses(Passes& out, ModelCache& cache, const ReplicaParams& params, Progress& progress, const std::stop_token& stop) {
    const ReadyRequest request{params.model, params.recipe, params.target, params.baseline};
    PARETO_TRY(out.ready, readyModel(cache, request, progress, stop));
    PARETO_TRY(out.model, bench::makeWorkload(out.ready.runnable, params.target, params.seed));
    if (params.baseline) {
        PARETO_TRY(out.baseline, packOriginal(out.ready, params.target, progress, stop));
        PARETO_TRY(out.untouched, bench::makeWorkload(*out.baseline, params.target, params.seed));
    }
    for (auto* work : {out.model.get(), out.untouched.get()}) {
        for (int pass = 0; work != nullptr && pass < kWarmUps; ++pass) {
            PARETO_CHECK(work->pass(stop));
        }
    }
    return Done{};
}

}  // namespace

Json toJson(const ReplicaParams& params) {
    return {{"model", params.model},       {"recipe", recipeToJson(params.recipe)}, {"target", targetToJson(params.target)},
            {"baseline", params.baseline}, {"seed", params.seed}};
}

Result<ReplicaParams> replicaParamsFromJson(const Json& json) {
    JsonReader reader = paramsReader(json, kJobReplica);
    ReplicaParams params;
    params.model = reader.require("model").text("model");
    params.baseline = reader.boolean("baseline", false);
    params.seed = static_cast<std::uint64_t>(reader.integer("seed", 0, 0, INT64_MAX));
    PARETO_CHECK(reader.status());
    PARETO_TRY(params.recipe, takeRecipe(reader));
    PARETO_TRY(params.target, takeTarget(reader));
    return params;
}

Result<bool> ReplicaTeam::follows(const Target& target) {
    if (target.replicas == 1) {
        return false;
    }
    PARETO_TRY(const auto found, startedRanks(target.replicas));
    return found && found->rank > 0;
}

Result<std::unique_ptr<ReplicaTeam>> ReplicaTeam::gather(const ReplicaParams& params, std::stop_token stop) {
    const int size = params.target.replicas;
    if (size == 1) {
        return std::unique_ptr<ReplicaTeam>();
    }
    PARETO_TRY(const auto started, startedRanks(size));
    std::unique_ptr<ReplicaTeam> out(new ReplicaTeam(params));
    out->m_params.target.replicas = 1;
    PARETO_TRY(out->m_ranks, started ? RankGroup::join(*started, stop)
                                     : RankGroup::start(size, startLine({"rank", kJobReplica, toJson(params)}), stop));
    return out;
}

ReplicaTeam::~ReplicaTeam() {
    if (m_ranks == nullptr) {
        return;
    }
    Status ended = Done{};
    if (rank() == 0 && m_together && !m_ranks->group().lost()) {
        ended = say(kOver);
    } else if (rank() == 0) {
        m_ranks->group().fail("ended early");  // the others may wait for this one, whatever they do
    }
    (void)m_ranks->disband(ended, {});
}

Status ReplicaTeam::say(std::int32_t word) {
    std::array<std::int32_t, 1> words{word};
    return m_ranks->group().broadcast(std::as_writable_bytes(std::span(words)), 0, {});
}

Status ReplicaTeam::begin(bool baseline) { return say(baseline ? kBaselinePass : kPass); }

Status ReplicaTeam::end() { return m_ranks->group().barrier({}); }

Status ReplicaTeam::meet(std::stop_token stop) {
    PARETO_TRY(const auto said, m_ranks->exchange("", std::move(stop)));
    for (int other = 1; other < m_ranks->size(); ++other) {
        if (const auto& problem = said[static_cast<std::size_t>(other)]; !problem.empty()) {
            return m_ranks->unfit(other, "could not make the model: " + problem);
        }
    }
    m_together = true;
    return Done{};
}

Status ReplicaTeam::serve(ModelCache& cache, Progress& progress, std::stop_token stop) {
    Passes passes;
    const auto made = makePasses(passes, cache, m_params, progress, stop);
    PARETO_CHECK(m_ranks->exchange(made.ok() ? "" : problemOf(made), stop));
    for (;;) {
        std::array<std::int32_t, 1> word{kOver};
        PARETO_CHECK(m_ranks->group().broadcast(std::as_writable_bytes(std::span(word)), 0, {}));
        auto* work = word[0] == kPass ? passes.model.get() : passes.untouched.get();
        if (word[0] == kOver || work == nullptr) {
            return Done{};
        }
        if (const auto ran = work->pass(stop); !ran.ok()) {
            m_ranks->group().fail(problemOf(ran));
            return ran.cancelled() ? Status(Cancelled{}) : Status(ran.error());
        }
        PARETO_CHECK(end());
    }
}

Result<Json> runReplica(ModelCache& cache, const ReplicaParams& params, Progress& progress, std::stop_token stop) {
    return guarded(kJobReplica, [&]() -> Result<Json> {
        PARETO_TRY(const auto team, ReplicaTeam::gather(params, stop));
        if (team == nullptr || team->rank() == 0) {
            return wrongRanks("are not said by the environment: the job \"replica\" is for processes that pareto starts");
        }
        PARETO_CHECK(team->serve(cache, progress, stop));
        return Json::object();
    });
}

}  // namespace pareto::jobs
