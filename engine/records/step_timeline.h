#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/json.h"
#include "engine/core/result.h"

namespace pareto {

/// What a process that holds a part of a model does at a moment of a step. All but computing is seen from its calls to the
/// others; what lies between these is computing (on rank 0 also choosing tokens).
enum class PartDoing : std::uint8_t {
    Compute,
    Sum,        ///< values go between the parts of a stage: sums, largest values, gathering
    Hand,       ///< states go from stage to stage
    WaitPart,   ///< for a part of its own stage, before values moved
    WaitStage,  ///< for another stage, before states moved
    Idle,       ///< until rank 0 says what to do; rank 0: saying it
};
inline constexpr int kPartDoings = 6;
std::string_view nameOf(PartDoing doing);  ///< "wait_part": the stable name in JSON

/// A call to others, in seconds of the process's own clock.
struct PartCall {
    PartDoing doing = PartDoing::Sum;  ///< Sum, Hand or Idle
    double begin = 0.0;
    double end = 0.0;
    double waited = 0.0;  ///< of that, before anything moved
};

/// Seconds since the step began.
struct PartSegment {
    PartDoing doing = PartDoing::Compute;
    double begin = 0.0;
    double end = 0.0;
};

/// Of a step's time; the first three are all of it.
struct PartShares {
    double compute = 0.0;
    double transfer = 0.0;  ///< Sum and Hand
    double wait = 0.0;      ///< WaitPart, WaitStage and Idle
    std::optional<double> bubble =
        std::nullopt;  ///< of `wait`: nothing to do for its stage; absent: not asked for
};

struct PartStep {
    std::string name;      ///< "pass", "prefill" or "decode"
    double begin = 0.0;    ///< seconds since the recorded pass began
    double seconds = 0.0;  ///< from rank 0's begin to its end: the same for all ranks
    PartShares shares;
    std::vector<PartSegment> segments;  ///< one behind the other, without gaps
    std::int64_t leftOut = 0;           ///< segments behind those, beyond what is kept
};

/// What one process did in one recorded pass of a model in parts.
struct PartTimeline {
    int rank = 0;
    int stage = 0;
    std::string host;
    double clockError =
        0.0;  ///< seconds by which its clock may be off rank 0's; 0: it is the same clock
    bool waitsKnown =
        true;  ///< false: what is waited for counts as Sum and Hand (not in shared memory), and no bubble is known
    std::vector<PartStep> steps;
    std::vector<std::string> leftOut;  ///< names of steps with more calls than are kept
};

/// When a step began and ended on rank 0.
struct StepWindow {
    std::string name;
    double begin = 0.0;
    double end = 0.0;
};
/// Calls, in order, on the window's clock. Waiting is put at the begin of its call. `pipeline`: of two stages or more, whose waits
/// are known: there is a bubble.
/// `most`: segments that are kept; shares are of all.
PartStep partStep(std::span<const PartCall> calls, const StepWindow& window, bool pipeline,
                  std::size_t most);

/// A run's details["parts"][rank]["timeline"]. Times in µs, in columns, for there are thousands:
/// {"stage", "clock_error_us", "waits_known", "left_out", "kinds": [names], "steps": [{"name", "begin_us", "duration_us", "compute", "transfer",
/// "wait", "bubble"?, "left_out", "kind": [index], "segment_begin_us": […], "segment_us": […]}]}
Json timelineToJson(const PartTimeline& timeline);
/// All ranks of details["parts"]; none where nothing was recorded. ConfigInvalid.
Result<std::vector<PartTimeline>> partTimelinesFromJson(const Json& parts);

/// In Chrome's trace event format, which chrome://tracing and Perfetto open: a row a rank.
Json chromeTrace(const std::vector<PartTimeline>& timelines, const std::string& title);

}  // namespace pareto
