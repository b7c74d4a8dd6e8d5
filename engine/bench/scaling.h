#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/records/profile.h"
#include "engine/spec/layers.h"
#include "engine/spec/target.h"

namespace pareto::bench {

/// What is between processes that hold parts of a model, in the terms of Hockney (1994): moving n bytes takes
/// latency + n / bandwidth.
struct Link {
    double latency = 0.0;    ///< seconds
    double bandwidth = 0.0;  ///< bytes a second
};

/// What tensor parallelism divides a piece of work by.
enum class Divided : std::uint8_t { Nothing, Heads, Neurons, Vocabulary };

/// One step of a model as one process alone was measured to do it.
struct StepCost {
    struct Phase {
        double seconds = 0.0;
        int block = -1;  ///< −1: before the first; as many as there are blocks: behind the last
        Divided divided = Divided::Nothing;
    };
    std::string name;        ///< "pass", "prefill", "decode"
    double seconds = 0.0;    ///< of the whole step, with nobody watching
    std::int64_t rows = 0;   ///< tokens fed
    std::int64_t pieces = 1; ///< that stages can work on one behind the other
    bool roundsRows = false; ///< inputs are rounded to integers with a scale a row, whose largest value is of all parts
    std::vector<Phase> phases;  ///< their seconds add up to the step's
};

/// From what watching the layers of that step found; what they leave of the step's `seconds` is spread over them.
StepCost stepCost(const ModelLayout& layout, const Target& target, const ProfiledStep& watched, double seconds);

/// What each block takes of a run of the target (an encoder's pass; a generator's prompt and its further tokens), in seconds:
/// what weights/shard.h divides blocks to stages by. What is before the first block and behind the last counts with these.
std::vector<double> blockSeconds(const ModelLayout& layout, const Target& target, const std::vector<ProfiledStep>& steps);

struct Prediction {
    int tp = 1;
    int pp = 1;
    int replicas = 1;       ///< that do steps of their own at the same time
    double seconds = 0.0;   ///< of the step
    double sums = 0.0;      ///< of that, in sums among the parts of a stage, on the way of the slowest piece
    double handing = 0.0;   ///< in handing states from stage to stage
    double bubble = 0.0;    ///< share of all processes' time in which stages have nothing to do
    int processes() const { return tp * pp * replicas; }
};

/// Whether a model can be divided so.
bool canDivide(const ModelLayout& layout, int tp, int pp);
/// The slowest part of each stage computes its share of each phase; sums among p parts take ⌈log₂ p⌉ latencies and
/// 2 (p − 1) / p of their bytes (Thakur, Rabenseifner, Gropp 2005: reduce-scatter and all-gather); pieces pass through the
/// stages one behind the other (Huang et al. 2019), as long as the slowest stage lets them. Stages are divided by `blocks`, the
/// seconds of each; empty: by parameters.
Prediction predict(const ModelLayout& layout, const StepCost& cost, const Link& link, int tp, int pp,
                   const std::vector<double>& blocks = {});
/// The division among `processes` whose step is the shortest; of equal ones (to 1 %) that of the fewest, with most replicas.
Prediction fastest(const ModelLayout& layout, const StepCost& cost, const Link& link, int processes,
                   const std::vector<double>& blocks = {});

}  // namespace pareto::bench
