#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/runtime/ops.h"

namespace pareto::runtime {

/// Rows [queryBegin, queryEnd) of the queries attend to all rows [keyBegin, keyEnd) of keys and values. Neither is
/// empty.
struct Stretch {
    std::int64_t queryBegin = 0;
    std::int64_t queryEnd = 0;
    std::int64_t keyBegin = 0;
    std::int64_t keyEnd = 0;

    std::int64_t queries() const { return queryEnd - queryBegin; }
    std::int64_t keys() const { return keyEnd - keyBegin; }
};

/// Indices of stretches with as many queries and as many keys as one another, which one batched call can take; in
/// the order in which their sizes first come.
std::vector<std::vector<std::size_t>> equalStretches(std::span<const Stretch> stretches);

/// Sequences that attend to themselves: sequence i has the rows starts[i] … starts[i + 1] − 1.
std::vector<Stretch> stretchesOf(std::span<const std::int64_t> starts);

struct AttentionWork {
    HeadShape shape;
    const RelativeBias* bias = nullptr;  ///< for sequences whose queries are their keys
    bool causal = false;  ///< a query sees the keys up to its own place; on devices with gradients only
    /// Queries come in tiles where scores, or a bias for them, have to be in memory, so that a call has no more.
    std::int64_t mostScores = std::int64_t{1} << 26;
};

/// Attention on libtorch's operations, without padding: q is [queries][heads · dim], k and v [keys][heads · dim], as
/// is the result. The stretches' queries cover q, one behind the other. On CUDA without bias all of them are one call
/// of libtorch's memory-efficient attention with lengths of their own (fp32, no scores in memory), where that works;
/// else one call for each size. Where gradients are wanted stretches of several sizes are padded to one call.
at::Tensor attendStretches(const Device& device, const at::Tensor& q, const at::Tensor& k,
                           const at::Tensor& v, std::span<const Stretch> stretches,
                           const AttentionWork& work);

}  // namespace pareto::runtime
