#pragma once

#include <span>
#include <utility>

#include "engine/export/gguf_tensors.h"
#include "engine/io/gguf_dequant.h"
#include "engine/weights/tensor.h"

namespace pareto::exporting {

/// A tensor of a GGUF file that is to be written.
struct GgufTensorPlan {
    GgufTensor tensor;
    const io::GgmlType* type = nullptr;
    bool codes = false;  ///< the integer codes are kept as they are, see carriesCodes()
};

/// The rows of a file's tensor in the file's order, taken from the model's canonical tensors. A vector
/// is one row.
class GgufRows {
public:
    GgufRows(const LoadedModel& model, const GgufTensorPlan& plan);

    std::int64_t rows() const { return m_rows; }
    std::int64_t cols() const { return m_cols; }
    /// Values of rows [begin, begin + count) as the model holds them.
    void values(std::int64_t begin, std::int64_t count, float* out) const;
    /// The same rows as they are written. The bytes do not depend on how `parallel` cuts the work.
    Buffer encode(std::int64_t begin, std::int64_t count, const ParallelFor& parallel) const;

private:
    std::pair<const Tensor*, std::int64_t> locate(std::int64_t row) const;
    void vectorValues(float* out) const;
    void encodeRow(std::int64_t row, std::span<std::byte> out) const;

    const GgufTensorPlan& m_plan;
    std::vector<const Tensor*> m_parts;
    std::int64_t m_rows;
    std::int64_t m_cols;
};

}  // namespace pareto::exporting
