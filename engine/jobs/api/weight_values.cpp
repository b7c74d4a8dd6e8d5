#include "engine/jobs/api/weight_values.h"

#include <algorithm>
#include <vector>

namespace pareto::jobs {
namespace {

constexpr std::int64_t kPieceValues = 1 << 20;

std::int64_t rowsPerPiece(std::int64_t rowValues) {
    return std::max<std::int64_t>(1, kPieceValues / std::max<std::int64_t>(1, rowValues));
}

}  // namespace

Result<WeightValues> WeightValues::open(std::shared_ptr<const io::ModelFiles> files,
                                        const ModelLayout& layout) {
    WeightValues values;
    PARETO_TRY(values.m_quantized, QuantizedSource::open(*files));
    values.m_files = std::move(files);
    for (const auto& binding : layout.bindings) {
        values.m_bindings.emplace(binding.name, binding);
    }
    return values;
}

Status WeightValues::forEach(const std::string& name, const Visit& visit, Progress& progress,
                             const std::stop_token& stop) const {
    const auto binding = m_bindings.find(name);
    if (binding == m_bindings.end()) {
        return makeError(ErrorCode::TensorMissing, {{"file", m_files->path()}, {"tensor", name}});
    }
    if (m_quantized.holds(*m_files, binding->second.source)) {
        return forEachQuantized(binding->second, visit, progress, stop);
    }
    const auto* tensor = m_files->find(binding->second.source);
    if (tensor == nullptr) {
        return makeError(ErrorCode::TensorMissing,
                         {{"file", m_files->path()}, {"tensor", binding->second.source}});
    }
    if (binding->second.transform != Transform::AddOne) {
        return forEachDense(*tensor, binding->second, visit, progress, stop);
    }
    std::vector<float> shifted;
    const auto addOne = [&](std::span<const float> piece) {
        shifted.assign(piece.begin(), piece.end());
        for (float& value : shifted) {
            value += 1.0F;
        }
        visit(shifted);
    };
    return forEachDense(*tensor, binding->second, addOne, progress, stop);
}

Status WeightValues::forEachDense(const io::TensorInfo& tensor, const TensorBinding& binding,
                                  const Visit& visit, Progress& progress,
                                  const std::stop_token& stop) const {
    if (tensor.shape.rank() == 0) {
        PARETO_TRY(const Buffer value, m_files->floats(tensor));
        visit(value.as<float>());
        return Done{};
    }
    const std::int64_t rows = tensor.shape[0];
    if (rows == 0) {
        return Done{};
    }
    const std::int64_t rowValues = tensor.shape.elements() / rows;
    // Parts of a fused tensor lie side by side in every row when it is transposed, else one behind the
    // other.
    const bool columns = binding.transform == Transform::Transpose && tensor.shape.rank() == 2;
    const std::int64_t own = columns ? rowValues / binding.parts : rowValues;
    const std::int64_t first = columns ? 0 : rows / binding.parts * binding.part;
    const std::int64_t last = columns ? rows : first + rows / binding.parts;
    const std::int64_t step = rowsPerPiece(rowValues);
    for (std::int64_t row = first; row < last; row += step) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        const auto count = std::min(step, last - row);
        PARETO_TRY(const Buffer piece, m_files->floatRows(tensor, row, count));
        const auto values = piece.as<float>();
        if (own == rowValues) {
            visit(values);
        }
        for (std::int64_t i = 0; own != rowValues && i < count; ++i) {
            visit(values.subspan(static_cast<std::size_t>(i * rowValues + own * binding.part),
                                 static_cast<std::size_t>(own)));
        }
        progress.advance(count * own);
    }
    return Done{};
}

Status WeightValues::forEachQuantized(const TensorBinding& binding, const Visit& visit,
                                       Progress& progress, const std::stop_token& stop) const {
    PARETO_TRY(const Tensor tensor,
               m_quantized.read(*m_files, binding.source, binding.shape));
    const std::int64_t rows = binding.shape[0];
    const std::int64_t rowValues = binding.shape[1];
    const std::int64_t step = rowsPerPiece(rowValues);
    std::vector<float> piece;
    for (std::int64_t row = 0; row < rows; row += step) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        const auto count = std::min(step, rows - row);
        piece.resize(static_cast<std::size_t>(count * rowValues));
        for (std::int64_t i = 0; i < count; ++i) {
            dequantizeRow(tensor, row + i, piece.data() + i * rowValues);
        }
        visit(piece);
        progress.advance(count * rowValues);
    }
    return Done{};
}

}  // namespace pareto::jobs
