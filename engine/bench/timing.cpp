#include "engine/bench/timing.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>

#include "engine/bench/gpu_ranges.h"
#include "engine/bench/gpu_watch.h"
#include "engine/bench/load_watch.h"
#include "engine/bench/memory.h"
#include "engine/bench/pass_progress.h"
#include "engine/records/measured.h"
#include "engine/runtime/device.h"
#include "engine/stats/stats.h"

namespace pareto::bench {

namespace {

constexpr double kBatchMs = 50.0;
constexpr int kMaxBatchPasses = 50;
/// Longer passes bring their own weights into the caches early on; shorter ones get a pass for it.
constexpr double kSettleBelowMs = 200.0;

double medianOf(std::span<const double> values) {
    return stats::median(values);
}

Measurement summary(const std::string& key, std::span<const double> values,
                    const std::function<double(std::span<const double>)>& statistic,
                    std::uint64_t seed) {
    const auto interval = stats::bootstrap(values, statistic, {.seed = seed});
    return measuredFrom(key, statistic(values), interval.low, interval.high,
                        static_cast<std::int64_t>(values.size()));
}

/// Passes of one model.
class Side {
public:
    /// `gpu`: index of the CUDA device the model is on, -1 on the CPU.
    Side(Workload& workload, const TimingOptions& options, int gpu, bool isBaseline = false)
        : m_workload(workload), m_options(options), m_isBaseline(isBaseline), m_gpu(gpu < 0 ? nullptr : gpuClock(gpu)) {}

    Status warm(int passes, std::stop_token stop) {
        std::vector<double> taken;
        for (int i = 0; i < std::max(passes, 1); ++i) {
            PARETO_TRY(const auto timing, onePass(stop));
            taken.push_back(timing.ms);
        }
        m_passMs = *std::min_element(taken.begin(), taken.end());
        return Done{};
    }
    Status record(int passes, std::stop_token stop) {
        for (int i = 0; i < passes; ++i) {
            PARETO_TRY(auto timing, onePass(stop));
            if (m_gpu) {
                m_gpuMs.push_back(m_lastGpuMs);
            }
            m_totalMs += timing.ms;
            m_passes.push_back(std::move(timing));
        }
        return Done{};
    }
    /// After the other model ran.
    Status settle(std::stop_token stop) {
        if (m_passMs >= kSettleBelowMs) {
            return Done{};
        }
        PARETO_CHECK(onePass(stop));
        return Done{};
    }

    double passMs() const { return m_passMs; }
    double totalMs() const { return m_totalMs; }
    int count() const { return static_cast<int>(m_passes.size()); }
    const std::vector<PassTiming>& passes() const { return m_passes; }
    std::vector<double> milliseconds() const {
        std::vector<double> values;
        for (const auto& pass : m_passes) {
            values.push_back(pass.ms);
        }
        return values;
    }
    /// By the GPU's events, of the recorded passes; empty on the CPU.
    const std::vector<double>& gpuMs() const { return m_gpuMs; }
    bool enough() const {
        return count() >= m_options.maxIterations ||
               (count() >= m_options.minIterations && m_totalMs >= m_options.minSeconds * 1000.0);
    }

private:
    Result<PassTiming> onePass(std::stop_token stop) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        const GpuRange range("pass");
        if (m_options.companions != nullptr) {
            return sharedPass(stop);
        }
        if (!m_gpu) {
            return m_workload.pass(stop);
        }
        m_gpu->mark();
        PARETO_TRY(auto timing, m_workload.pass(stop));
        m_gpu->mark();
        const auto moments = m_gpu->times();
        m_lastGpuMs = moments.back() - moments.front();
        return timing;
    }

    /// With the companions: as long as the slowest takes.
    Result<PassTiming> sharedPass(std::stop_token stop) {
        PARETO_CHECK(m_options.companions->begin(m_isBaseline));
        const auto begin = std::chrono::steady_clock::now();
        auto timing = m_workload.pass(std::move(stop));
        PARETO_CHECK(m_options.companions->end());
        if (!timing.ok()) {
            return timing;
        }
        const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
        const double stretch = timing->ms > 0.0 ? std::max(1.0, ms / timing->ms) : 1.0;
        timing->ms *= stretch;
        timing->firstTokenMs *= stretch;
        for (double& token : timing->tokenMs) {
            token *= stretch;
        }
        return timing;
    }

    Workload& m_workload;
    const TimingOptions& m_options;
    const bool m_isBaseline;
    const std::unique_ptr<PhaseClock> m_gpu;
    std::vector<double> m_gpuMs;
    double m_lastGpuMs = 0.0;
    std::vector<PassTiming> m_passes;
    double m_passMs = 1.0;
    double m_totalMs = 0.0;
};

int batchPasses(double passMs) {
    return std::clamp(static_cast<int>(std::ceil(kBatchMs / std::max(passMs, 1e-3))), 1,
                      kMaxBatchPasses);
}

void addRate(std::vector<Measurement>& out, const std::string& key,
             const std::vector<double>& values, std::uint64_t seed) {
    if (!values.empty()) {
        out.push_back(summary(key, values, medianOf, seed));
    }
}

/// Of a pass, in all processes.
double itemsOf(const TimingOptions& options) {
    const int processes = 1 + (options.companions != nullptr ? options.companions->count() : 0);
    return static_cast<double>(options.target.batch * processes);
}

void addDecoderFigures(std::vector<Measurement>& out, const std::vector<PassTiming>& passes,
                       const TimingOptions& options) {
    const auto batch = itemsOf(options);
    std::vector<double> first, token, prefill, decode;
    for (const auto& pass : passes) {
        first.push_back(pass.firstTokenMs);
        prefill.push_back(batch * static_cast<double>(options.target.prompt) * 1000.0 /
                          pass.firstTokenMs);
        if (!pass.tokenMs.empty()) {
            const auto mean = stats::mean(pass.tokenMs);
            token.push_back(mean);
            decode.push_back(batch * 1000.0 / mean);
        }
    }
    addRate(out, "first_token_ms", first, options.seed);
    addRate(out, "token_ms", token, options.seed);
    addRate(out, "prefill_tokens_per_s", prefill, options.seed);
    addRate(out, "decode_tokens_per_s", decode, options.seed);
}

std::vector<Measurement> figuresOf(const Side& side, bool generates, const TimingOptions& options) {
    const auto ms = side.milliseconds();
    const auto at = [](double q) {
        return [q](std::span<const double> values) { return stats::quantile(values, q); };
    };
    std::vector<Measurement> out;
    out.push_back(summary("latency_p50_ms", ms, medianOf, options.seed));
    out.push_back(summary("latency_p90_ms", ms, at(0.90), options.seed));
    out.push_back(summary("latency_p99_ms", ms, at(0.99), options.seed));
    const auto mean = stats::bootstrapMean(ms, {.seed = options.seed});
    out.push_back(
        measuredFrom("latency_mean_ms", stats::mean(ms), mean.low, mean.high, side.count()));
    if (generates) {
        addDecoderFigures(out, side.passes(), options);
    } else {
        const auto items = itemsOf(options) * 1000.0;
        out.push_back(measuredFrom("throughput_items_per_s", items / stats::mean(ms),
                                   items / mean.high, items / mean.low, side.count()));
    }
    return out;
}

PassGoal goalOf(const TimingOptions& options, int step) {
    return {options.minSeconds * 1000.0, options.minIterations, options.maxIterations, step};
}

/// A-B-B-A rounds until the model has enough passes. Medians of each round go to `a` and `b`.
struct Rounds {
    std::vector<double> a;
    std::vector<double> b;
    int passesA = 1;
    int passesB = 1;
};

double medianFrom(const Side& side, int from) {
    const auto ms = side.milliseconds();
    return stats::median(std::span<const double>(ms).subspan(static_cast<std::size_t>(from)));
}

Result<Rounds> interleave(Side& baseline, Side& model, const TimingOptions& options,
                          Progress& progress, std::stop_token stop) {
    Rounds rounds;
    rounds.passesA = batchPasses(baseline.passMs());
    rounds.passesB = batchPasses(model.passMs());
    PassProgress shown(progress, goalOf(options, 2 * rounds.passesB), model.passMs());
    while (!model.enough()) {
        const auto firstA = baseline.count();
        const auto firstB = model.count();
        // The round before ended with the baseline: its caches are warm, except in the first round.
        if (firstA == 0) {
            PARETO_CHECK(baseline.settle(stop));
        }
        PARETO_CHECK(baseline.record(rounds.passesA, stop));
        PARETO_CHECK(model.settle(stop));
        PARETO_CHECK(model.record(2 * rounds.passesB, stop));
        PARETO_CHECK(baseline.settle(stop));
        PARETO_CHECK(baseline.record(rounds.passesA, stop));
        rounds.a.push_back(medianFrom(baseline, firstA));
        rounds.b.push_back(medianFrom(model, firstB));
        shown.update(model.count(), model.totalMs());
    }
    return rounds;
}

void noteLoad(TimingResult& result, const LoadWatch::Report& load) {
    result.details["other_load_known"] = load.known;
    if (!load.known) {
        return;
    }
    result.details["other_load_share"] = load.otherShare;
    result.disturbance = disturbanceOf(load);
    result.disturbed = !result.disturbance.empty();
}

/// What was read of the GPU meanwhile; nothing on the CPU.
void noteGpu(TimingResult& result, GpuWatch* watch, const Side& side) {
    if (!side.gpuMs().empty()) {
        result.gpu["pass_ms"] = {{"median", medianOf(side.gpuMs())}, {"n", side.gpuMs().size()}};
    }
    addWatch(watch, result);
}

int gpuOf(models::RunnableModel& model) { return runtime::cudaIndex(model.model().device().device); }

}  // namespace

Result<WarmUpResult> warmUp(models::RunnableModel& model, const TimingOptions& options,
                            Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto workload, makeWorkload(model, options.target, options.seed));
    const auto passes = std::max(options.warmups, 1);
    progress.begin(Stage::WarmingUp, passes, Unit::Iterations);
    WarmUpResult result;
    result.peakReset = resetPeakMemory();
    const int gpu = gpuOf(model);
    resetPeakGpuMemory(gpu);
    for (int i = 0; i < passes; ++i) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        PARETO_CHECK(workload->pass(stop));
        progress.advance();
    }
    result.peakRssBytes = peakMemory();
    result.gpu = gpuMemory(gpu);
    return result;
}

Result<TimingResult> timeModel(models::RunnableModel& model, models::RunnableModel* baseline,
                               const TimingOptions& options, Progress& progress,
                               std::stop_token stop) {
    PARETO_TRY(const auto work, makeWorkload(model, options.target, options.seed));
    const int gpu = gpuOf(model);
    Side side(*work, options, gpu);
    PARETO_CHECK(side.warm(1, stop));
    TimingResult result;
    std::optional<Rounds> rounds;
    std::vector<double> baselineMs;
    // The load is watched only while passes are recorded or settle.
    if (baseline != nullptr) {
        PARETO_TRY(const auto baseWork, makeWorkload(*baseline, options.target, options.seed));
        Side base(*baseWork, options, gpuOf(*baseline), true);
        progress.begin(Stage::WarmingUp, options.warmups, Unit::Iterations);
        PARETO_CHECK(base.warm(options.warmups, stop));
        const auto gpuWatch = watchGpu(gpu);
        const LoadWatch watch;
        PARETO_TRY(rounds, interleave(base, side, options, progress, stop));
        noteLoad(result, watch.report());
        noteGpu(result, gpuWatch.get(), side);
        result.baselineMs = base.milliseconds();
    } else {
        PassProgress shown(progress, goalOf(options, 1), side.passMs());
        const auto gpuWatch = watchGpu(gpu);
        const LoadWatch watch;
        while (!side.enough()) {
            PARETO_CHECK(side.record(1, stop));
            shown.update(side.count(), side.totalMs());
        }
        noteLoad(result, watch.report());
        noteGpu(result, gpuWatch.get(), side);
    }
    result.latenciesMs = side.milliseconds();
    result.measurements = figuresOf(side, model.generator() != nullptr, options);
    if (rounds) {
        const auto ratio = stats::pairedRatio(rounds->a, rounds->b, {.seed = options.seed});
        result.measurements.push_back(measuredFrom("latency_ratio", ratio.difference,
                                                   ratio.interval.low, ratio.interval.high, ratio.n));
        result.details["rounds"] = rounds->a.size();
        result.details["passes_a_batch"] = {rounds->passesA, rounds->passesB};
        result.details["baseline_p50_ms"] = stats::median(result.baselineMs);
    }
    return result;
}

}  // namespace pareto::bench
