#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/core/result.h"
#include "engine/spec/recipe.h"
#include "engine/spec/target.h"

namespace pareto::jobs {

/// The job's name in the worker's protocol; it answers a Scaling.
inline constexpr const char* kJobScaling = "scaling";

/// What is between processes: moving n bytes takes latency + n / bandwidth.
struct ScalingLink {
    double latencyUs = 0.0;
    double gigabytes = 0.0;  ///< a second
    bool operator==(const ScalingLink&) const = default;
};
/// "25us,12.5GB/s". ConfigInvalid.
Result<ScalingLink> parseLink(const std::string& text);

/// How a model would run in parts on 2 … `most` processes, from what one process takes layer by layer and the link between
/// them; and how it does run on as many as this machine has cores for. Nothing is stored.
struct ScalingParams {
    std::string model;  ///< path on the machine that runs it
    Recipe recipe;
    Target target;      ///< `threads`: of each process, 0: 1
    std::optional<ScalingLink> link = std::nullopt;  ///< absent: measured between two processes of this machine
    bool measure = true;
    int most = 1024;
    int rounds = 3;            ///< in which the divisions take turns
    double minSeconds = 1.0;   ///< of each, in each round
    std::uint64_t seed = 0;
};
Json toJson(const ScalingParams& params);
Result<ScalingParams> scalingParamsFromJson(const Json& json);

/// One step ("pass", "prefill", "decode") divided among tp × pp processes, with `replicas` of these. Shares are of the step's time.
struct ScalingPoint {
    std::string step;
    int tp = 1;
    int pp = 1;
    int replicas = 1;      ///< of the whole, that do steps of their own at the same time
    double predictedMs = 0.0;
    double sums = 0.0;     ///< share predicted for sums among the parts of a stage
    double handing = 0.0;  ///< for handing states on
    double bubble = 0.0;   ///< share of all processes' time in which stages have nothing to do
    bool fastest = false;  ///< of all divisions among as many processes, the one whose step is predicted the shortest
    std::optional<double> measuredMs = std::nullopt;  ///< median
    double low = 0.0;      ///< 95 % interval of that
    double high = 0.0;
    std::optional<double> moving = std::nullopt;   ///< measured: shares of rank 0's time of exchanging values …
    std::optional<double> waiting = std::nullopt;  ///< … and of waiting for others to exchange them
    int processes() const { return tp * pp * replicas; }
};
struct ScalingAlone {
    std::string step;
    std::int64_t rows = 0;  ///< tokens fed
    double ms = 0.0;        ///< median of one process
    double low = 0.0;
    double high = 0.0;
};
struct Scaling {
    std::string modelName;
    std::string recipeSummary;
    std::string targetText;
    ScalingLink link;
    bool linkMeasured = false;
    std::string notMeasured;  ///< why nothing was measured, in English; empty: it was
    bool disturbed = false;
    std::vector<ScalingAlone> alone;
    /// Of each step: what was measured, then of 2, 4, 8 … processes the fastest division, and all as tensor parallel parts, as
    /// stages, as replicas, where the model can be divided so; none twice.
    std::vector<ScalingPoint> points;
};
Json toJson(const Scaling& scaling);
Result<Scaling> scalingFromJson(const Json& json);

}  // namespace pareto::jobs
