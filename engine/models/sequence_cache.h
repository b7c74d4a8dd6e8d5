#pragma once

#include <vector>

#include "engine/models/model.h"
#include "engine/runtime/block_cache.h"

namespace pareto::models {

/// Keys and values of every block of a decoder for sequences of their own lengths.
class SequenceCache : public KvCache {
public:
    SequenceCache(std::int64_t sequences, std::int64_t room)
        : lengths(static_cast<std::size_t>(sequences), 0), capacity(room) {}

    std::int64_t batch() const override { return static_cast<std::int64_t>(lengths.size()); }
    std::int64_t length(std::int64_t sequence) const override {
        return lengths[static_cast<std::size_t>(sequence)];
    }
    std::int64_t length() const override;
    void truncate(std::int64_t sequence, std::int64_t length) override;
    void reorder(std::span<const std::int64_t> parents) override;
    std::uint64_t bytes() const override;

    /// EngineFailure unless ids can be fed: a sequence for each that is held, with room behind it.
    Status check(const std::vector<std::vector<std::int32_t>>& ids) const;
    /// Where the rows of a step belong; sequences lie one behind the other, without padding.
    runtime::StepRows rowsOf(const std::vector<std::vector<std::int32_t>>& ids) const;
    /// The step was seen by every block.
    void advance(const runtime::StepRows& step);

    std::vector<runtime::BlockCache> blocks;
    std::vector<std::int64_t> lengths;
    std::int64_t capacity = 0;
};

/// The row of each sequence's last token.
std::vector<std::int32_t> lastRows(const runtime::StepRows& step);

/// Of a cache of one sequence that holds `held`, only the beginning that it shares with `ids` is kept, and
/// never all of `ids`: the logits of the last one are wanted. Answers what is left to feed.
std::vector<std::int32_t> keepBeginning(KvCache& cache, std::vector<std::int32_t>& held,
                                        const std::vector<std::int32_t>& ids);

}  // namespace pareto::models
