#include "engine/export/gguf_rows.h"

#include <algorithm>
#include <cstring>

#include "engine/export/gguf_quantize.h"

namespace pareto::exporting {

namespace {

constexpr std::size_t kBlock = 32;

/// Which canonical row lies at `row` of a file whose rotated pairs are neighbours (weights/load.cpp
/// undoes it).
std::int64_t pairedRow(std::int64_t row, std::int64_t headRows) {
    const std::int64_t inHead = row % headRows;
    return row - inHead + inHead % 2 * (headRows / 2) + inHead / 2;
}

}  // namespace

GgufRows::GgufRows(const LoadedModel& model, const GgufTensorPlan& plan) : m_plan(plan) {
    for (const auto& source : plan.tensor.sources) {
        m_parts.push_back(&model.tensors.at(source));
    }
    const Shape& shape = plan.tensor.shape;
    m_cols = shape[shape.rank() - 1];
    m_rows = shape.rank() == 1 ? 1 : shape.elements() / m_cols;
}

std::pair<const Tensor*, std::int64_t> GgufRows::locate(std::int64_t row) const {
    row += m_plan.tensor.skippedRows;
    for (const Tensor* part : m_parts) {
        if (row < part->shape[0]) {
            const std::int64_t heads = m_plan.tensor.pairedHeads;
            return {part, heads > 0 ? pairedRow(row, part->shape[0] / heads) : row};
        }
        row -= part->shape[0];
    }
    return {m_parts.front(), 0};  // not reached: the shape is the parts'
}

void GgufRows::vectorValues(float* out) const {
    std::vector<std::vector<float>> parts;
    for (const Tensor* part : m_parts) {
        parts.push_back(dequantize(*part));
    }
    for (std::int64_t at = 0; at < m_cols; ++at) {
        const auto [tensor, place] = locate(at);
        const auto part = std::find(m_parts.begin(), m_parts.end(), tensor) - m_parts.begin();
        out[at] = parts[static_cast<std::size_t>(part)][static_cast<std::size_t>(place)];
    }
}

void GgufRows::values(std::int64_t begin, std::int64_t count, float* out) const {
    if (m_plan.tensor.shape.rank() == 1) {
        vectorValues(out);
        return;
    }
    for (std::int64_t row = begin; row < begin + count; ++row) {
        const auto [tensor, place] = locate(row);
        dequantizeRow(*tensor, place, out + (row - begin) * m_cols);
    }
}

void GgufRows::encodeRow(std::int64_t row, std::span<std::byte> out) const {
    if (!m_plan.codes) {
        std::vector<float> floats(static_cast<std::size_t>(m_cols));
        values(row, 1, floats.data());
        encodeGguf(*m_plan.type, floats, out);
        return;
    }
    std::vector<std::int16_t> integers(static_cast<std::size_t>(m_cols));
    std::vector<float> scales(integers.size());
    const auto [tensor, place] = locate(row);
    splitRow(*tensor, place, integers.data(), scales.data());
    for (std::size_t block = 0; block < integers.size() / kBlock; ++block) {
        encodeGgufCodes(*m_plan.type, std::span(integers).subspan(block * kBlock).first<kBlock>(),
                        scales[block * kBlock],
                        out.subspan(block * m_plan.type->blockBytes, m_plan.type->blockBytes));
    }
}

Buffer GgufRows::encode(std::int64_t begin, std::int64_t count, const ParallelFor& parallel) const {
    const auto rowBytes = static_cast<std::size_t>(m_cols) / m_plan.type->blockElements *
                          m_plan.type->blockBytes;
    return Buffer::create(static_cast<std::size_t>(count) * rowBytes, [&](std::span<std::byte> out) {
        parallel(count, 1, [&](std::int64_t from, std::int64_t to) {
            for (std::int64_t row = from; row < to; ++row) {
                encodeRow(begin + row,
                          out.subspan(static_cast<std::size_t>(row) * rowBytes, rowBytes));
            }
        });
    });
}

}  // namespace pareto::exporting
