#pragma once

#include <vector>

#include "engine/io/hf_folder.h"

namespace pareto::io {

/// Tensors made out of others. What can stay a view of the file stays one; everything else is read and
/// computed when its values are asked for.

/// A tensor that lies at `offset` of the files' `file`-th as it is. FileTruncated or FileCorrupt when it
/// reaches beyond `end` or its size does not fit 64 bits.
Result<TensorInfo> storedTensor(const std::vector<WeightFile>& files, int file, std::string name,
                                Shape shape, DType type, std::uint64_t offset, std::uint64_t end);

/// A few whole numbers that are kept otherwise than as they are. `type`: of the file.
TensorInfo constantTensor(int file, std::string name, Shape shape, DType type, std::vector<float> values);

/// The tensor's values as a source of rows, whether stored or derived. A scalar is one row.
RowSource rowsOf(const std::vector<WeightFile>& files, const TensorInfo& tensor);

/// The same tensor under another name.
TensorInfo renamed(TensorInfo tensor, std::string name);
/// The same values in another shape with as many elements.
Result<TensorInfo> reshaped(TensorInfo tensor, Shape shape, const std::string& file);
/// Rows [first, first + count). TensorShape when there are not as many.
Result<TensorInfo> rowPart(const TensorInfo& tensor, std::int64_t first, std::int64_t count,
                           const std::string& file);
/// Rows become columns. TensorShape for what is no matrix.
Result<TensorInfo> transposed(const std::vector<WeightFile>& files, const TensorInfo& tensor);
/// `before` rows of zeros, the tensor, `after` rows of zeros.
Result<TensorInfo> padded(const std::vector<WeightFile>& files, const TensorInfo& tensor,
                          std::int64_t before, std::int64_t after);

/// What integers stand for: (code - zero) · scale, or with `divide` code / scale.
struct Scaling {
    TensorInfo scale;            ///< one value, one a row, or one a column
    const TensorInfo* zero = nullptr;  ///< as many as scales; null: 0
    bool divide = false;
    int axis = 0;  ///< 0: one a row, 1: one a column, where both would fit
};
Result<TensorInfo> dequantized(const std::vector<WeightFile>& files, const TensorInfo& codes,
                               const Scaling& scaling);

}  // namespace pareto::io
