#include "engine/models/sequence_cache.h"

#include <algorithm>

namespace pareto::models {
namespace {

Error refused(const std::string& reason) {
    return makeError(ErrorCode::EngineFailure, {{"where", "the model's input"}, {"reason", reason}});
}

}  // namespace

std::int64_t SequenceCache::length() const {
    return lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
}

void SequenceCache::truncate(std::int64_t sequence, std::int64_t length) {
    auto& held = lengths[static_cast<std::size_t>(sequence)];
    held = std::min(held, length);
}

void SequenceCache::reorder(std::span<const std::int64_t> parents) {
    for (auto& block : blocks) {
        block.reorder(parents, length());
    }
    std::vector<std::int64_t> now;
    for (const auto parent : parents) {
        now.push_back(length(parent));
    }
    lengths = std::move(now);
}

std::uint64_t SequenceCache::bytes() const {
    std::uint64_t out = 0;
    for (const auto& block : blocks) {
        out += block.bytes();
    }
    return out;
}

Status SequenceCache::check(const std::vector<std::vector<std::int32_t>>& ids) const {
    if (static_cast<std::int64_t>(ids.size()) != batch()) {
        return refused(std::to_string(ids.size()) + " sequences, the cache was made for " +
                       std::to_string(batch()));
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (lengths[i] + static_cast<std::int64_t>(ids[i].size()) > capacity) {
            return refused("the key/value cache holds " + std::to_string(capacity) +
                           " tokens a sequence");
        }
    }
    return Done{};
}

runtime::StepRows SequenceCache::rowsOf(const std::vector<std::vector<std::int32_t>>& ids) const {
    runtime::StepRows step;
    step.past = lengths;
    step.starts.reserve(ids.size() + 1);
    for (const auto& sequence : ids) {
        step.starts.push_back(step.starts.back() + static_cast<std::int64_t>(sequence.size()));
    }
    return step;
}

void SequenceCache::advance(const runtime::StepRows& step) {
    for (std::size_t s = 0; s < step.sequences(); ++s) {
        lengths[s] += step.tokens(s);
    }
}

std::vector<std::int32_t> lastRows(const runtime::StepRows& step) {
    std::vector<std::int32_t> rows;
    for (std::size_t s = 0; s < step.sequences(); ++s) {
        rows.push_back(static_cast<std::int32_t>(step.starts[s + 1] - 1));
    }
    return rows;
}

std::vector<std::int32_t> keepBeginning(KvCache& cache, std::vector<std::int32_t>& held,
                                        const std::vector<std::int32_t>& ids) {
    const auto most = std::min({held.size(), ids.size() - 1, static_cast<std::size_t>(cache.length(0))});
    const auto end = std::mismatch(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(most), held.begin()).first;
    cache.truncate(0, end - ids.begin());
    held.resize(static_cast<std::size_t>(end - ids.begin()));
    return {end, ids.end()};
}

}  // namespace pareto::models
