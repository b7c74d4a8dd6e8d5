#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/records/run_record.h"

namespace pareto {

/// The most that a machine was measured to reach in one respect; see bench/roofs.h. 0: not measured.
struct Roof {
    double best = 0.0;  ///< of all rounds: what stands in plots and distances
    double median = 0.0;
};

/// The roofs of a machine for a number of threads, or of a GPU. G is 10⁹; a multiplication and an addition are two operations.
struct Roofs {
    std::string device;  ///< "cuda:0"; empty: the CPU
    int threads = 0;
    Roof weights;  ///< GB/s of reading (on a GPU: copying) as many bytes as the model's weights hold, again and again
    std::uint64_t weightsBytes = 0;
    Roof memory;  ///< GB/s of reading more than the caches hold
    std::uint64_t memoryBytes = 0;
    Roof fp32;            ///< GFLOP/s
    Roof fp16;            ///< GFLOP/s of 16-bit floats; 0: nothing is multiplied so
    Roof int8;            ///< GOP/s
    std::string fp32Way;  ///< what was run: "libtorch mm 1024×1024×1024"
    std::string fp16Way;
    std::string int8Way;
};

/// What a layer multiplies in, and so which roof is over it.
enum class Arithmetic { Fp32, Fp16, Int8 };
std::string_view nameOf(Arithmetic arithmetic);  ///< "fp32": the stable name in JSON

/// One layer, or the work between layers, in one step. Operations and bytes are those of bench/layer_work.h.
struct ProfiledLayer {
    std::string name;
    std::string kernel;  ///< empty: work between layers, of which nothing is counted
    Arithmetic arithmetic = Arithmetic::Fp32;
    double ms = 0.0;     ///< median over steps, all its calls in a step together
    double share = 0.0;  ///< of the whole step
    int calls = 1;       ///< in a step
    std::optional<std::int64_t> operations = std::nullopt;  ///< absent: not counted
    std::optional<std::uint64_t> bytes = std::nullopt;

    /// Operations a byte; absent where either was not counted or there are no operations.
    std::optional<double> intensity() const;
    std::optional<double> gops() const;       ///< GOP/s attained
    std::optional<double> gigabytes() const;  ///< GB/s attained
};
double computeRoof(const Roofs& roofs, Arithmetic arithmetic);
/// min(roof of computing, intensity × bandwidth) in GOP/s.
double roofAt(const Roofs& roofs, Arithmetic arithmetic, double intensity);
/// How much of its roof a layer attains: gops() / roofAt(…), for layers that only move bytes gigabytes() / bandwidth.
/// Roofs are measured, not derived: a layer whose data stay in nearer caches can be above 1.
std::optional<double> roofShare(const ProfiledLayer& layer, const Roofs& roofs);

/// What the processor counted in one step, all threads of the process together, without the system's own work.
struct HardwareCounts {
    std::optional<double> cycles = std::nullopt;
    std::optional<double> instructions = std::nullopt;
    std::optional<double> cacheMisses = std::nullopt;  ///< of the last-level cache
};

/// Steps of one kind: "pass" (an encoder), "prefill" (prompt and first token) or "decode" (one further token).
struct ProfiledStep {
    std::string name;
    double ms = 0.0;          ///< median
    std::int64_t steps = 0;   ///< that were measured
    std::int64_t tokens = 0;  ///< fed in one
    HardwareCounts counts;
    std::vector<ProfiledLayer> layers;  ///< in the order in which the model runs them
};

/// One call of a layer in the recorded pass; calls inside others lie within their times.
struct TimelineEvent {
    std::int32_t step = 0;    ///< which of Profile::timelineSteps
    std::int32_t layer = -1;  ///< index into its kind's layers; -1: the step itself
    double startUs = 0.0;     ///< since the pass began
    double durationUs = 0.0;
};

/// What a GPU did in the recorded pass, as CUPTI saw it.
struct KernelEvent {
    std::string name;          ///< of the kernel, or "Memcpy HtoD (…)"
    std::int64_t stream = 0;
    double startUs = 0.0;      ///< since the pass began, on the host's clock: next to the layers, to some 10 µs
    double durationUs = 0.0;
};

/// Where the time of a model goes on this machine, and how far each layer is from what the machine can do.
struct Profile {
    std::string modelPath;
    std::string modelName;
    std::string recipeSummary;
    std::string targetText;  ///< "CPU · 2 threads · 1×128"
    Json target = Json::object();
    Json recipe = Json::object();
    MachineInfo machine;
    Json versions = Json::object();
    std::uint64_t modelBytes = 0;
    Roofs roofs;
    std::string noCounters;  ///< why nothing was counted, in English; empty: it was
    bool disturbed = false;  ///< other load above 5 % of the cores while measuring
    std::string disturbance;
    std::vector<std::string> notes;  ///< of compressing
    std::vector<ProfiledStep> steps;
    std::vector<std::string> timelineSteps;  ///< kind of each step of the recorded pass
    std::vector<TimelineEvent> timeline;
    std::string timelineClock;         ///< "GPU events"; empty: the CPU's clock
    std::vector<KernelEvent> kernels;  ///< of the same pass; none on the CPU
    std::string noKernels;             ///< on a GPU: why there are none, in English
    Json gpu = Json::object();         ///< on a GPU: what was read while measuring (bench/gpu_watch.h), its memory

    const ProfiledStep* find(std::string_view step) const;
};

Json profileToJson(const Profile& profile);
Result<Profile> profileFromJson(const Json& json);  ///< ConfigInvalid

/// The recorded pass in Chrome's trace event format (complete events, microseconds), which chrome://tracing and
/// Perfetto open. A GPU's kernels stand in a process of their own, a row a stream. Of a layer that is called several times in a step, bytes and operations are the mean of its calls.
Json chromeTrace(const Profile& profile);

}  // namespace pareto
