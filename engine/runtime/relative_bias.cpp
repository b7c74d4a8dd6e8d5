#include "engine/runtime/relative_bias.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {

RelativeBias::RelativeBias(const at::Tensor& table, std::vector<int> heads, std::int64_t maxDistance,
                           bool bothSides)
    : m_source(std::make_shared<const at::Tensor>(table)),
      m_columns(std::move(heads)),
      m_buckets(table.size(0)),
      m_heads(m_columns.empty() ? table.size(1) : static_cast<std::int64_t>(m_columns.size())),
      m_maxDistance(maxDistance),
      m_bothSides(bothSides) {
    const at::Tensor host = table.to(at::kCPU).contiguous();
    const float* values = host.const_data_ptr<float>();
    for (std::int64_t bucket = 0; bucket < m_buckets; ++bucket) {
        for (std::int64_t head = 0; head < m_heads; ++head) {
            const std::int64_t column =
                m_columns.empty() ? head : m_columns[static_cast<std::size_t>(head)];
            m_table.push_back(values[bucket * table.size(1) + column]);
        }
    }
}

/// As T5Attention._relative_position_bucket of transformers rounds: half of the buckets are exact, the
/// others grow with the logarithm, which is taken in fp32.
std::int64_t RelativeBias::bucket(std::int64_t distance) const {
    std::int64_t count = m_buckets;
    std::int64_t first = 0;
    if (m_bothSides) {
        count /= 2;
        first = distance > 0 ? count : 0;
        distance = std::abs(distance);
    } else {
        distance = std::max<std::int64_t>(0, -distance);
    }
    const std::int64_t exact = count / 2;
    if (distance < exact) {
        return first + distance;
    }
    const float share = std::log(static_cast<float>(distance) / static_cast<float>(exact)) /
                        static_cast<float>(std::log(static_cast<double>(m_maxDistance) /
                                                    static_cast<double>(exact)));
    const auto grown = exact + static_cast<std::int64_t>(share * static_cast<float>(count - exact));
    return first + std::min(grown, count - 1);
}

void RelativeBias::reach(std::int64_t tokens) {
    if (tokens <= m_reach) {
        return;
    }
    m_reach = std::max(tokens, 2 * m_reach);
    const std::int64_t width = 2 * m_reach - 1;
    m_lines.resize(static_cast<std::size_t>(m_heads * width));
    for (std::int64_t at = 0; at < width; ++at) {
        const std::int64_t row = bucket(at - (m_reach - 1));
        for (std::int64_t head = 0; head < m_heads; ++head) {
            m_lines[static_cast<std::size_t>(head * width + at)] =
                m_table[static_cast<std::size_t>(row * m_heads + head)];
        }
    }
}

const float* RelativeBias::row(std::int64_t head, std::int64_t position) const {
    return m_lines.data() + head * (2 * m_reach - 1) + (m_reach - 1 - position);
}

at::Tensor RelativeBias::matrix(std::int64_t first, std::int64_t queries, std::int64_t keys) const {
    const at::TensorOptions options = at::TensorOptions().dtype(at::kFloat);
    at::Tensor out = at::empty({m_heads, queries, keys}, options);
    float* to = out.mutable_data_ptr<float>();
    for (std::int64_t head = 0; head < m_heads; ++head) {
        for (std::int64_t query = first; query < first + queries; ++query) {
            to = std::copy_n(row(head, query), keys, to);
        }
    }
    return out;
}

at::Tensor RelativeBias::line(std::int64_t length) const {
    std::vector<std::int64_t> buckets;
    for (std::int64_t distance = 1 - length; distance < length; ++distance) {
        buckets.push_back(bucket(distance));
    }
    const auto onDevice = [&](const auto& numbers) {
        return at::tensor(numbers, at::TensorOptions().dtype(at::kLong)).to(m_source->device());
    };
    const at::Tensor rows = m_source->index_select(0, onDevice(buckets));
    return (m_columns.empty() ? rows : rows.index_select(1, onDevice(m_columns))).transpose(0, 1);
}

}  // namespace pareto::runtime
