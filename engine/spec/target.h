#pragma once

#include "engine/core/json.h"

namespace pareto {

/// Where and how a model runs. Number formats belong to the recipe alone.
struct Target {
    std::string machine = "local";   ///< "local" or an ssh host
    std::string device = "cpu";      ///< "cpu", "cuda:0"
    int threads = 0;                 ///< of each process; 0: all cores it may use
    std::int64_t batch = 1;
    std::int64_t sequence = 128;     ///< encoder: tokens per item; ignored for text generation
    std::int64_t prompt = 64;        ///< decoder: tokens of the prompt
    std::int64_t generate = 32;      ///< decoder: tokens generated
    int tensorParallel = 1;          ///< processes that share each block's heads and neurons
    int pipelineParallel = 1;        ///< stages of blocks, each with so many processes
    int replicas = 1;                ///< data parallel: so many whole models, each with a batch of its own, at the same time
    /// That one model lies on.
    int processes() const { return tensorParallel * pipelineParallel; }
    bool operator==(const Target&) const = default;
};

Result<Target> targetFromJson(const Json& json);   ///< TargetInvalid
/// The most that each of them may be.
inline constexpr int kMostParallel = 64;
/// JSON text, or "cpu,threads=2,batch=1,seq=128,tp=2,pp=1" in any order.
Result<Target> parseTarget(const std::string& text);
Json targetToJson(const Target& target);
/// "CPU · 2 threads · 1×128", "CPU · 1 thread · tp 2 · pp 2 · 1×128"
std::string targetSummary(const Target& target, bool decoder);
/// Settings that must agree for two runs to be comparable.
std::string targetKey(const Target& target, bool decoder);

}  // namespace pareto
