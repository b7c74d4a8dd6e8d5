#pragma once

#include <map>
#include <memory>
#include <variant>
#include <vector>

#include "engine/core/buffer.h"
#include "engine/core/dtype.h"
#include "engine/core/parallel.h"
#include "engine/core/shape.h"
#include "engine/spec/resolve.h"

namespace pareto {

/// Row-major values in F32, F16 or BF16.
struct DenseValues {
    DType dtype = DType::F32;
    Buffer values;
};

/// Codes with scales: value = scale · (code − zeroPoint), zeroPoint 0 when symmetric. Each row's codes take
/// codeBytes() bytes, laid out as engine/weights/codes.h says. F8: value = scale · the E4M3 number.
struct QuantizedValues {
    WeightFormat format;
    Buffer codes;
    Buffer scales;      ///< fp32[rows][groups]; fp32[1] per tensor
    Buffer zeroPoints;  ///< int8[rows][groups] (int8[1] per tensor), empty when symmetric
    Buffer codeSums;    ///< int32[rows][activation groups]: Σ codes; where WeightFormat::hasCodeSums()
    /// Int8Static: one step of the input's codes (the largest |x| of calibration / 127.5); 0: not known yet,
    /// and each token is given its own.
    float inputScale = 0.0F;
};

/// A tensor's logical form: what compression produces, export writes, training dequantizes. Immutable,
/// shared. Rank 2 weights and rank 1 biases and norms alike; only rank 2 may be quantized.
struct Tensor {
    Shape shape;
    std::variant<DenseValues, QuantizedValues> storage;

    bool isDense() const { return storage.index() == 0; }
    const DenseValues& dense() const { return std::get<0>(storage); }
    const QuantizedValues& quantized() const { return std::get<1>(storage); }
    std::uint64_t bytes() const;
    WeightFormat format() const;
};

Tensor denseTensor(Shape shape, Buffer fp32);
Tensor denseTensor(Shape shape, std::span<const float> values);

/// All values as fp32, row-major.
std::vector<float> dequantize(const Tensor& tensor, const ParallelFor& parallel = serialFor);
/// Gives back the pages of a mapped file that hold a dense tensor's values; see Buffer::releasePages.
void releasePages(const Tensor& tensor);
/// Row `row` as fp32 into `out` (cols values).
void dequantizeRow(const Tensor& tensor, std::int64_t row, float* out);

/// Row `row` of integer codes as n = code − zeroPoint and the scale of each: value = scale · n (cols of
/// both).
void splitRow(const Tensor& tensor, std::int64_t row, std::int16_t* integers, float* scales);

/// Values that are exactly zero once dequantized.
std::int64_t countZeros(const Tensor& tensor, const ParallelFor& parallel = serialFor);

/// A model in memory: structure and every canonical tensor by name. Copying shares the tensors.
/// A tied layer has no tensor of its own.
struct LoadedModel {
    ModelLayout layout;
    std::map<std::string, Tensor> tensors;

    const Tensor& weight(const LayerInfo& layer) const;  ///< follows tiedTo
    const Tensor* bias(const LayerInfo& layer) const;
    std::uint64_t bytes() const;
    std::uint64_t layerBytes(const LayerInfo& layer) const;  ///< weight and bias, 0 when tied
};

}  // namespace pareto
