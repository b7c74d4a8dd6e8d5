#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/runtime/device.h"

namespace at {
class Tensor;
}

namespace pareto::runtime {

/// Relative position bias (Raffel et al. 2020, section 2.1): what is added to the score of a query and
/// a key depends on the distance of the two alone. Kept as one line of biases a head over all
/// distances, which an attention tile reads as rows that begin one value earlier each.
class RelativeBias {
public:
    /// `table`: [buckets][heads of the source] on the device; `heads`: which of its columns are used,
    /// empty: all. One-sided (decoders): keys behind the query share the bucket of distance 0.
    RelativeBias(const at::Tensor& table, std::vector<int> heads, std::int64_t maxDistance,
                 bool bothSides);
    /// Makes room for sequences of that many tokens.
    void reach(std::int64_t tokens);
    /// Element j: the bias of key j for the query at `position`; both below what reach() was told.
    const float* row(std::int64_t head, std::int64_t position) const;
    /// The same as [heads][queries][keys] for the queries first … first + queries − 1, on the CPU.
    at::Tensor matrix(std::int64_t first, std::int64_t queries, std::int64_t keys) const;
    /// As [heads][2 · length − 1] on the table's device: the bias of a key that lies j − (length − 1) behind the query.
    /// Read from the table as it is now, and differentiable by it.
    at::Tensor line(std::int64_t length) const;

private:
    std::int64_t bucket(std::int64_t distance) const;
    std::shared_ptr<const at::Tensor> m_source;
    std::vector<int> m_columns;    ///< of the table that are used; empty: all
    std::vector<float> m_table;    ///< [buckets][heads]
    std::int64_t m_buckets;
    std::int64_t m_heads;
    std::int64_t m_maxDistance;
    bool m_bothSides;
    std::int64_t m_reach = 0;
    std::vector<float> m_lines;    ///< [heads][2 · reach − 1], from key far before to far behind
};

}  // namespace pareto::runtime
