#include "engine/jobs/run/part_timeline.h"

#include <algorithm>

#include "engine/bench/workload.h"
#include "engine/jobs/run/shard_team.h"

namespace pareto::jobs {
namespace {

constexpr int kPasses = 3;
constexpr double kLongSeconds = 1.0;
constexpr std::int64_t kTokens = 3;
/// Segments of a step: of one process, and of all together.
constexpr std::size_t kMostSegments = 4000;
constexpr std::size_t kMostOfAll = 60000;
constexpr std::size_t kLeastSegments = 50;

struct Pass {
    std::vector<StepWindow> windows;  ///< of rank 0
    std::vector<KeptCalls> calls;
    double seconds() const { return windows.back().end - windows.front().begin; }
};

class Recorder {
public:
    Recorder(ReadyModel& ready, std::stop_token stop)
        : m_ready(ready), m_team(*ready.team), m_stop(std::move(stop)) {}

    Result<std::vector<PartTimeline>> run(Target target, std::uint64_t seed) {
        const bool generates = m_ready.runnable.model().layout().generates();
        target.generate = std::min(target.generate, kTokens);
        PARETO_TRY(const auto workload, bench::makeWorkload(m_ready.runnable, target, seed));
        workload->setStepEnd([this] { m_ends.push_back(ShardTeam::now()); });
        PARETO_CHECK(workload->pass(m_stop));
        PARETO_TRY(m_clocks, m_team.compareClocks());
        std::vector<Pass> passes;
        while (passes.size() < kPasses) {
            PARETO_CHECK(m_team.record());
            m_ends.clear();
            const double begin = ShardTeam::now();
            PARETO_CHECK(workload->pass(m_stop));
            PARETO_TRY(auto calls, m_team.recorded());
            passes.push_back({windowsOf(begin, generates), std::move(calls)});
            if (passes.back().seconds() > kLongSeconds) {
                break;
            }
        }
        std::sort(passes.begin(), passes.end(),
                  [](const Pass& a, const Pass& b) { return a.seconds() < b.seconds(); });
        return timelinesOf(passes[passes.size() / 2]);
    }

private:
    /// The whole pass, or the prompt and the last token.
    std::vector<StepWindow> windowsOf(double begin, bool generates) const {
        std::vector<StepWindow> out{{generates ? "prefill" : "pass", begin, m_ends.front()}};
        if (m_ends.size() > 1) {
            out.push_back({"decode", m_ends[m_ends.size() - 2], m_ends.back()});
        }
        return out;
    }

    std::vector<PartTimeline> timelinesOf(const Pass& pass) const {
        const auto place = m_team.place();
        const std::size_t ranks = pass.calls.size();
        const std::size_t most = std::clamp(kMostOfAll / ranks, kLeastSegments, kMostSegments);
        std::vector<PartTimeline> out;
        for (std::size_t rank = 0; rank < ranks; ++rank) {
            const auto& kept = pass.calls[rank];
            PartTimeline one;
            one.rank = static_cast<int>(rank);
            one.stage = one.rank / place.tp;
            one.host = m_team.hostOf(one.rank);
            one.clockError = m_clocks[rank].error;
            one.waitsKnown = kept.waitsKnown;
            auto calls = kept.calls;
            for (auto& call : calls) {
                call.begin -= m_clocks[rank].ahead;
                call.end -= m_clocks[rank].ahead;
            }
            for (const auto& window : pass.windows) {
                if (kept.leftOut > 0 && calls.back().end < window.end) {
                    one.leftOut.push_back(window.name);
                    continue;
                }
                one.steps.push_back(partStep(calls, window, place.pp > 1 && kept.waitsKnown, most));
                one.steps.back().begin = window.begin - pass.windows.front().begin;
            }
            out.push_back(std::move(one));
        }
        return out;
    }

    ReadyModel& m_ready;
    ShardTeam& m_team;
    std::stop_token m_stop;
    std::vector<ClockOffset> m_clocks;
    std::vector<double> m_ends;  ///< of steps, on rank 0
};

}  // namespace

Result<std::vector<PartTimeline>> recordSteps(ReadyModel& ready, const Target& target,
                                              std::uint64_t seed, std::stop_token stop) {
    return Recorder(ready, std::move(stop)).run(target, seed);
}

}  // namespace pareto::jobs
