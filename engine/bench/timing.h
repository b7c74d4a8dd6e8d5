#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/bench/gpu_clock.h"
#include "engine/bench/workload.h"
#include "engine/core/progress.h"
#include "engine/records/run_record.h"

/// Latency, throughput and memory, measured honestly: warm-up apart, every pass kept, medians with
/// bootstrap intervals, the baseline interleaved, other programs' load noticed.
namespace pareto::bench {

/// Other processes that run the same passes at the same time, each with a batch of its own: a pass lasts until all are through.
class Companions {
public:
    virtual ~Companions() = default;
    virtual int count() const = 0;           ///< beside this process
    virtual Status begin(bool baseline) = 0; ///< all are here, and begin
    virtual Status end() = 0;                ///< until all are through
};

struct TimingOptions {
    Target target;
    int warmups = 3;
    double minSeconds = 3.0;     ///< of the model's own passes…
    int minIterations = 20;      ///< …and at least this many of them…
    int maxIterations = 2000;    ///< …but never more
    std::uint64_t seed = 0;
    /// Rates count what all processes do; latencies are those of the slowest in each pass (a generator's steps are stretched to
    /// it). Null: there are none.
    Companions* companions = nullptr;
};

struct TimingResult {
    std::vector<double> latenciesMs;       ///< of the model, in order
    std::vector<double> baselineMs;        ///< of the interleaved baseline, in order; may be empty
    std::vector<Measurement> measurements; ///< latency_*, throughput or token rates, latency_ratio
    Json details = Json::object();         ///< rounds, passes a batch, other load
    Json gpu = Json::object();             ///< on a GPU: "pass_ms" by its events, "watch" (gpu_watch.h), "memory"
    bool disturbed = false;
    std::string disturbance;               ///< why, in English
};

/// Warm-up passes of the model alone, and the most memory resident during them.
struct WarmUpResult {
    std::uint64_t peakRssBytes = 0;
    bool peakReset = false;    ///< false: the peak is the process's since its start
    std::optional<GpuMemory> gpu;  ///< on a GPU: its most during these passes
};
Result<WarmUpResult> warmUp(models::RunnableModel& model, const TimingOptions& options,
                            Progress& progress, std::stop_token stop);

/// A pass ends when its result is on the host: that is the latency, on a GPU as well. There the passes are timed by the
/// GPU's events, too, and what a pass has left for it to do is waited for before the next begins.
/// Times the model; with a baseline in rounds of A-B-B-A batches (A the baseline), so that drift of the
/// clock and of the load hits both alike. A batch is as many passes as take about 50 ms; after a
/// change of model one pass goes unrecorded where passes are short, for the caches hold the other
/// model. Expects the model to be warm; warms the baseline itself.
Result<TimingResult> timeModel(models::RunnableModel& model, models::RunnableModel* baseline,
                               const TimingOptions& options, Progress& progress,
                               std::stop_token stop);

}  // namespace pareto::bench
