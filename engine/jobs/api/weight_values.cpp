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
    return forEachDense(*tensor, visit, progress, stop);
}

Status WeightValues::forEachDense(const io::TensorInfo& tensor, const Visit& visit,
                                  Progress& progress, const std::stop_token& stop) const {
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
    const std::int64_t step = rowsPerPiece(rowValues);
    for (std::int64_t row = 0; row < rows; row += step) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        const auto count = std::min(step, rows - row);
        PARETO_TRY(const Buffer piece, m_files->floatRows(tensor, row, count));
        visit(piece.as<float>());
        progress.advance(count * rowValues);
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
