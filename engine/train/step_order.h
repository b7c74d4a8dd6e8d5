#pragma once

#include <cstdint>
#include <vector>

namespace pareto::train {

/// Which examples each pass over a batch sees. Every epoch sees each example once, shuffled anew by seed and epoch;
/// among stretches of 50 batches examples are sorted by length, so that a batch holds texts of about one length, and
/// then the batches are shuffled again (transformers' group_by_length). A pure function of its arguments: pass 1000 can
/// be asked for first.
class StepOrder {
public:
    StepOrder(std::vector<std::int64_t> lengths, std::int64_t batch, std::uint64_t seed);
    std::int64_t batchesPerEpoch() const;
    /// Indices of the examples of pass `number`, from 0. The last batch of an epoch may be smaller.
    std::vector<std::size_t> batch(std::int64_t number);

private:
    void order(std::int64_t epoch);

    std::vector<std::int64_t> m_lengths;
    std::int64_t m_batch;
    std::uint64_t m_seed;
    std::int64_t m_epoch = -1;
    std::vector<std::vector<std::size_t>> m_batches;
};

}  // namespace pareto::train
