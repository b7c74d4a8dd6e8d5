#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/train/example.h"

namespace at {
class Tensor;
}

namespace pareto::train {

struct Checkpoint;

/// Processes that train one model together, all with the same data, options and seed. Each sees its share of every batch;
/// all make the same calls in the same order. `jobs/run` puts engine/dist behind it.
class Ranks {
public:
    virtual ~Ranks() = default;
    virtual int rank() const = 0;
    virtual int size() const = 0;
    virtual std::string hostOf(int rank) const = 0;
    /// How many of them share this machine's memory.
    virtual int here() const = 0;
    /// The same bits on every rank.
    virtual Status allReduceSum(std::span<float> values, std::stop_token stop) = 0;
    /// Rank 0's bytes.
    virtual Status broadcast(std::span<std::byte> bytes, std::stop_token stop) = 0;
};

/// What the means of a batch's losses are over.
struct Counts {
    std::int64_t texts = 0;
    std::int64_t tokens = 0;
    std::int64_t labels = 0;   ///< texts or tokens that have one, as the objective counts them
    std::int64_t answers = 0;  ///< tokens that a model which generates predicts
};
Counts countsOf(const TrainingData& data, const std::vector<std::size_t>& examples);

/// A rank's part of a batch. Means over the part times these shares add up over the ranks to means over the batch.
struct BatchShare {
    std::vector<std::size_t> examples;  ///< never empty: a rank without any gets the first, with shares of 0
    double ranks = 1.0;                 ///< of what every rank computes alike
    double texts = 1.0;
    double tokens = 1.0;
    double labels = 1.0;
    double answers = 1.0;
};
/// Every size-th example from the rank's own place on: a batch is sorted by length.
BatchShare shareOf(const TrainingData& data, const std::vector<std::size_t>& batch, int rank, int size);

/// `values` and gradients are replaced by their sums. A gradient that one rank has and
/// another has not counts as 0 there.
Status sumOver(Ranks& ranks, std::span<float> values, const std::vector<at::Tensor>& parameters, std::stop_token stop);

/// The largest of all ranks' values.
Result<double> highestOf(Ranks& ranks, double own, std::stop_token stop);

/// RankUnfit that names the first rank whose text is not rank 0's: "Rank 1 on host <what>".
Status checkSame(Ranks& ranks, const std::string& text, const std::string& what, std::stop_token stop);

/// Rank 0's text, of at most `most` bytes.
Result<std::string> textOfFirst(Ranks& ranks, const std::string& own, std::size_t most, std::stop_token stop);

/// Rank 0's checkpoint, where it has one; what is read is bounded by `mostValues` values.
Result<std::optional<Checkpoint>> checkpointOfFirst(Ranks& ranks, std::optional<Checkpoint> own, std::int64_t mostValues,
                                                    std::stop_token stop);

}  // namespace pareto::train
