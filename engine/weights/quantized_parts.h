#pragma once

#include <string>
#include <vector>

#include "engine/io/model_files.h"
#include "engine/weights/tensor.h"

// What the readers of the quantized checkpoint formats share.

namespace pareto {

Error wrongShape(const io::ModelFiles& files, const io::TensorInfo& tensor, std::string expected);
Error wrongType(const io::ModelFiles& files, const io::TensorInfo& tensor, std::string reason);
bool hasType(const io::TensorInfo& tensor, DType type);
/// TensorMissing unless it is there.
Result<const io::TensorInfo*> partNamed(const io::ModelFiles& files, const std::string& name);
/// fp32; TensorValues unless all are finite.
Result<Buffer> readScales(const io::ModelFiles& files, const io::TensorInfo& tensor);

/// Element `index` of a run of 32-bit words that hold `bits` bits each, least significant first; words may
/// lie `stride` apart. An element may lie in two words.
std::uint32_t packedElement(std::span<const std::uint32_t> words, std::int64_t index, int bits,
                            std::int64_t stride = 1);

/// A linear's codes one a byte, row-major, with what turns them into values:
/// scales[row][g] · (code − zeros[row][g]), g the column's group.
struct IntegerCodes {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    Buffer codes;                       ///< int8[rows][cols]
    Buffer scales;                      ///< fp32[rows][groups]; fp32[1] per tensor
    Buffer zeros;                       ///< int8, as many; empty: none
    std::vector<std::int32_t> groupOf;  ///< of each column when groups are scattered; else empty
};

/// Held as `format` says (codes within its bits); fp32 values, each rounded once, when groups are
/// scattered: no format of ours has such groups.
Result<Tensor> heldTensor(const io::ModelFiles& files, const std::string& name, IntegerCodes codes,
                          WeightFormat format);

}  // namespace pareto
