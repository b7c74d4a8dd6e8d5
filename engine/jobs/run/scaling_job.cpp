#include "engine/jobs/run/scaling_job.h"

#include <algorithm>
#include <map>

#include "engine/bench/load_watch.h"
#include "engine/bench/profile.h"
#include "engine/bench/scaling.h"
#include "engine/bench/workload.h"
#include "engine/jobs/api/machine_lock.h"
#include "engine/jobs/run/guarded.h"
#include "engine/jobs/run/ready_model.h"
#include "engine/jobs/run/shard_team.h"
#include "engine/runtime/device.h"
#include "engine/stats/stats.h"

namespace pareto::jobs {
namespace {

constexpr int kLeastPasses = 3;
constexpr int kMostPasses = 500;

/// Milliseconds of each kind of step.
using StepTimes = std::map<std::string, std::vector<double>>;

struct Division {
    int tp = 1;
    int pp = 1;
    StepTimes times = {};
    double seconds = 0.0;  ///< that rank 0 took while these were measured …
    double moving = 0.0;
    double waiting = 0.0;
};

stats::Interval intervalOf(const std::vector<double>& values) {
    return stats::bootstrap(values, [](std::span<const double> sample) { return stats::median(sample); });
}

class Job {
public:
    Job(ModelCache& cache, const ScalingParams& params, Progress& progress, std::stop_token stop)
        : m_cache(cache), m_params(params), m_progress(progress), m_stop(std::move(stop)) {}

    Result<Scaling> run() {
        auto& target = m_params.target;
        if (target.processes() > 1 || target.device != "cpu") {
            return makeError(ErrorCode::TargetInvalid,
                             {{"field", target.device != "cpu" ? "device" : "tp"},
                              {"reason", "is for one process of the CPU here: the job divides the model itself"}});
        }
        target.threads = std::max(1, target.threads);
        PARETO_CHECK(checkDevice(target));
        PARETO_TRY(const auto opened, m_cache.openHeaders(m_params.model, m_progress));
        PARETO_CHECK(bench::checkLengths(opened->weights.layout, target));
        m_progress.begin(Stage::WaitingForMachine);
        PARETO_TRY(const auto lock, MachineLock::acquire("scaling of " + opened->files->name(), m_stop));
        PARETO_CHECK(watch());
        PARETO_CHECK(findLink());
        PARETO_CHECK(timeDivisions());
        m_out.modelName = opened->files->name();
        m_out.recipeSummary = recipeSummary(m_params.recipe);
        m_out.targetText = targetSummary(target, m_layout.generates());
        fill();
        return std::move(m_out);
    }

private:
    int cores() const { return runtime::usableCores() / m_params.target.threads; }

    Result<ReadyModel> ready(int tp, int pp) {
        ReadyRequest request{m_params.model, m_params.recipe, m_params.target};
        request.target.tensorParallel = tp;
        request.target.pipelineParallel = pp;
        request.blockSeconds = m_blocks;
        return readyModel(m_cache, request, m_progress, m_stop);
    }

    /// Where the time of one process goes.
    Status watch() {
        PARETO_TRY(auto model, ready(1, 1));
        m_layout = model.runnable.model().layout();
        bench::ProfileOptions options;
        options.target = m_params.target;
        options.minSeconds = m_params.minSeconds;
        options.seed = m_params.seed;
        PARETO_TRY(const auto profile, bench::profileModel(model.runnable, options, m_progress, m_stop));
        m_watched = profile.steps;
        m_blocks = bench::blockSeconds(m_layout, m_params.target, m_watched);
        m_divisions.push_back({1, 1});
        return time(model, m_divisions.front());
    }

    Status findLink() {
        if (m_params.link) {
            m_out.link = *m_params.link;
            return Done{};
        }
        if (cores() < 2) {
            return makeError(ErrorCode::ConfigInvalid,
                             {{"file", "pareto"}, {"field", "link"},
                              {"reason", "is not given, and this machine has no second core to measure one with: say what it is, "
                                         "as \"25us,12.5GB/s\""}});
        }
        // Of whichever division into two there is.
        const bool tensors = bench::canDivide(m_layout, 2, 1);
        if (!tensors) {
            return makeError(ErrorCode::ConfigInvalid, {{"file", "pareto"}, {"field", "link"},
                                                        {"reason", "is not given, and the model cannot be divided in two to measure "
                                                                   "one: say what it is, as \"25us,12.5GB/s\""}});
        }
        PARETO_TRY(const auto model, ready(2, 1));
        PARETO_TRY(const auto link, model.team->measureLink());
        m_out.link = {link.latency * 1e6, link.bandwidth / 1e9};
        m_out.linkMeasured = true;
        return Done{};
    }

    Status timeDivisions() {
        if (!m_params.measure) {
            m_out.notMeasured = "it was not asked for";
            return Done{};
        }
        for (int tp = 1; tp <= cores(); ++tp) {
            for (int pp = 1; tp * pp <= cores(); ++pp) {
                if (tp * pp > 1 && bench::canDivide(m_layout, tp, pp)) {
                    m_divisions.push_back({tp, pp});
                }
            }
        }
        if (m_divisions.size() == 1) {
            m_out.notMeasured = "this machine has cores for one process of " + std::to_string(m_params.target.threads) + " threads";
            return Done{};
        }
        for (int round = 0; round < m_params.rounds; ++round) {
            for (std::size_t i = 0; i < m_divisions.size(); ++i) {
                // Back and forth, so that what changes with time meets all alike.
                auto& division = m_divisions[round % 2 == 0 ? i : m_divisions.size() - 1 - i];
                PARETO_TRY(auto model, ready(division.tp, division.pp));
                PARETO_CHECK(time(model, division));
            }
        }
        return Done{};
    }

    Status time(ReadyModel& model, Division& division) {
        PARETO_TRY(const auto workload, bench::makeWorkload(model.runnable, m_params.target, m_params.seed));
        m_progress.begin(Stage::WarmingUp);
        PARETO_CHECK(workload->pass(m_stop));
        if (model.team) {
            PARETO_CHECK(model.team->report());
        }
        m_progress.begin(Stage::Timing, kMostPasses, Unit::Iterations);
        // On this process's cores, which are a part of the machine's where others hold parts.
        const bench::LoadWatch load;
        double spent = 0.0;
        for (int passes = 0; passes < kLeastPasses || (passes < kMostPasses && spent < m_params.minSeconds * 1000.0); ++passes) {
            PARETO_TRY(const auto timing, workload->pass(m_stop));
            spent += timing.ms;
            m_progress.advance();
            if (!m_layout.generates()) {
                division.times["pass"].push_back(timing.ms);
                continue;
            }
            division.times["prefill"].push_back(timing.firstTokenMs);
            if (!timing.tokenMs.empty()) {
                division.times["decode"].push_back(stats::median(timing.tokenMs));
            }
        }
        m_out.disturbed = m_out.disturbed || !bench::disturbanceOf(load.report()).empty();
        if (model.team) {
            PARETO_TRY(const auto reports, model.team->report());
            const auto& first = reports.front();
            division.seconds += first.total;
            division.waiting += first.waiting;
            division.moving += first.sums + first.handing - first.waiting;
        }
        return Done{};
    }

    void fill() {
        const bench::Link link{m_out.link.latencyUs / 1e6, m_out.link.gigabytes * 1e9};
        const auto& alone = m_divisions.front();
        for (const auto& watched : m_watched) {
            const auto found = alone.times.find(watched.name);
            if (found == alone.times.end()) {
                continue;
            }
            const double ms = stats::median(found->second);
            const auto around = intervalOf(found->second);
            m_out.alone.push_back({watched.name, watched.tokens, ms, around.low, around.high});
            const auto cost = bench::stepCost(m_layout, m_params.target, watched, ms / 1000.0);
            for (const auto& division : m_divisions) {
                if (division.tp * division.pp > 1) {
                    add(cost, bench::predict(m_layout, cost, link, division.tp, division.pp, m_blocks), &division);
                }
            }
            for (int processes = 2; processes <= m_params.most; processes *= 2) {
                add(cost, bench::fastest(m_layout, cost, link, processes, m_blocks), nullptr, true);
                for (const auto& [tp, pp] : {std::pair{processes, 1}, std::pair{1, processes}}) {
                    if (bench::canDivide(m_layout, tp, pp)) {
                        add(cost, bench::predict(m_layout, cost, link, tp, pp, m_blocks), nullptr);
                    }
                }
                auto replicas = bench::predict(m_layout, cost, link, 1, 1);
                replicas.replicas = processes;
                add(cost, replicas, nullptr);
            }
        }
    }

    void add(const bench::StepCost& cost, const bench::Prediction& prediction, const Division* measured, bool fastest = false) {
        ScalingPoint point;
        point.fastest = fastest;
        point.step = cost.name;
        point.tp = prediction.tp;
        point.pp = prediction.pp;
        point.replicas = prediction.replicas;
        point.predictedMs = prediction.seconds * 1000.0;
        point.sums = std::min(1.0, prediction.sums / static_cast<double>(prediction.pp) / prediction.seconds);
        point.handing = std::min(1.0, prediction.handing / prediction.seconds);
        point.bubble = prediction.bubble;
        const auto same = [&](const ScalingPoint& other) {
            return other.step == point.step && other.tp == point.tp && other.pp == point.pp && other.replicas == point.replicas;
        };
        if (measured != nullptr) {
            const auto& times = measured->times.at(cost.name);
            const auto around = intervalOf(times);
            point.measuredMs = stats::median(times);
            point.low = around.low;
            point.high = around.high;
            if (measured->seconds > 0.0) {
                point.moving = std::max(0.0, measured->moving / measured->seconds);
                point.waiting = measured->waiting / measured->seconds;
            }
        } else if (const auto there = std::find_if(m_out.points.begin(), m_out.points.end(), same); there != m_out.points.end()) {
            there->fastest = there->fastest || fastest;
            return;
        }
        m_out.points.push_back(std::move(point));
    }

    ModelCache& m_cache;
    ScalingParams m_params;
    Progress& m_progress;
    std::stop_token m_stop;
    ModelLayout m_layout;
    std::vector<ProfiledStep> m_watched;
    std::vector<double> m_blocks;  ///< seconds of each
    std::vector<Division> m_divisions;  ///< the undivided model first
    Scaling m_out;
};

}  // namespace

Result<Scaling> runScaling(ModelCache& cache, const ScalingParams& params, Progress& progress, std::stop_token stop) {
    return guarded(kJobScaling, [&] { return Job(cache, params, progress, std::move(stop)).run(); });
}

}  // namespace pareto::jobs
