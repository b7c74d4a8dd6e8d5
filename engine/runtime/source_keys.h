#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/runtime/ops.h"

namespace at {
class Tensor;
}

namespace pareto::runtime {

/// Keys and values of sources that a decoder attends to (cross-attention), of any lengths. They are
/// computed once; sequences that share a source (beams) share them.
class SourceKeys {
public:
    /// k and v: [tokens of all sources][heads · dim]; source i has the rows starts[i] … starts[i + 1] − 1.
    SourceKeys(const Device& device, const at::Tensor& k, const at::Tensor& v,
               std::vector<std::int64_t> starts, const HeadShape& shape);
    ~SourceKeys();
    SourceKeys(SourceKeys&&) noexcept;
    SourceKeys& operator=(SourceKeys&&) = delete;

    /// Sequence i has the rows rows[i] … rows[i + 1] − 1 of q and attends to all of source sources[i].
    at::Tensor attend(const Device& device, const at::Tensor& q,
                      std::span<const std::int64_t> sources,
                      std::span<const std::int64_t> rows) const;
    std::uint64_t bytes() const;

private:
    at::Tensor attendOnDevice(const Device& device, const at::Tensor& q, std::span<const std::int64_t> sources,
                              std::span<const std::int64_t> rows) const;
    HeadShape m_shape;
    std::vector<std::int64_t> m_starts;
    std::unique_ptr<at::Tensor> m_keys;    ///< on the CPU [source][head][dim][tokens], else as m_values
    std::unique_ptr<at::Tensor> m_values;  ///< [tokens of all sources][heads · dim]
};

}  // namespace pareto::runtime
