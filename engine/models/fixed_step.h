#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/models/sequence_cache.h"

namespace pareto::runtime {
struct DeviceRows;
}

namespace pareto::models {

/// Steps of one token a sequence on a device with our CUDA kernels. What they read lies in memory that stays where it
/// is, so the first one is launched by itself (libraries make what they need), the second one recorded as a graph, and
/// all later ones are replays. What cannot be recorded is launched every time, with the same result.
class FixedStep {
public:
    /// For a cache of `batch` sequences with room for `reach` tokens each.
    FixedStep(const runtime::Device& device, std::int64_t batch, std::int64_t reach);
    ~FixedStep();

    /// What the next run() reads: the tokens embedded, [batch][hidden], and how many tokens each sequence holds.
    void fill(const at::Tensor& embedded, const std::vector<std::int64_t>& past);
    const at::Tensor& embedded() const;
    std::shared_ptr<const runtime::DeviceRows> rows() const;
    /// `what` lives as long as what was recorded.
    void keep(std::shared_ptr<const void> what) { m_kept.push_back(std::move(what)); }

    /// What `work` answers for what was filled in. It reads nothing else that changes, and may be run twice. The result
    /// is good until the next run.
    at::Tensor run(const std::function<at::Tensor()>& work, bool mayRecord);
    bool recorded() const;
    /// Why the step could not be recorded; empty: it was, or was not tried.
    const std::string& problem() const { return m_problem; }

private:
    struct Memory;
    std::unique_ptr<Memory> m_memory;
    std::vector<std::shared_ptr<const void>> m_kept;
    std::string m_problem;
    bool m_warm = false;
};

/// A decoder's cache with the steps that were recorded on it.
class DecoderCache final : public SequenceCache {
public:
    using SequenceCache::SequenceCache;
    void reorder(std::span<const std::int64_t> parents) override;

    std::unique_ptr<FixedStep> fixed;
};

}  // namespace pareto::models
