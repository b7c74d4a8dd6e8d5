#include "engine/weights/tensor.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "engine/weights/codes.h"
#include "engine/weights/count.h"

namespace pareto {

namespace {

/// Values one piece of parallel work handles: large enough to hide the cost of handing it out.
constexpr std::int64_t kGrainValues = 1 << 16;

std::int64_t rowCount(const Shape& shape) { return shape.rank() >= 2 ? shape[0] : 1; }

std::int64_t rowLength(const Shape& shape) {
    return shape.rank() >= 2 ? (shape[0] == 0 ? 0 : shape.elements() / shape[0]) : shape.elements();
}

std::int64_t grainRows(std::int64_t cols) {
    return std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, cols));
}

NumberFormat numberFormatOf(DType type) {
    switch (type) {
    case DType::F16:
        return NumberFormat::F16;
    case DType::BF16:
        return NumberFormat::BF16;
    default:
        return NumberFormat::F32;
    }
}

void denseRow(const DenseValues& dense, std::int64_t begin, std::int64_t count, float* out) {
    if (dense.dtype == DType::F32) {
        std::memcpy(out, dense.values.as<float>().data() + begin,
                    static_cast<std::size_t>(count) * sizeof(float));
        return;
    }
    const auto* bits = dense.values.as<std::uint16_t>().data() + begin;
    if (dense.dtype == DType::F16) {
        std::transform(bits, bits + count, out, halfToFloat);
    } else {
        std::transform(bits, bits + count, out, bfloatToFloat);
    }
}

/// Where the codes of a row begin.
const std::uint8_t* rowCodes(const QuantizedValues& values, std::int64_t row, std::int64_t cols) {
    return reinterpret_cast<const std::uint8_t*>(values.codes.data()) +
           row * codeBytes(values.format.format, cols);
}

/// Calls visit(begin, end, scale, zeroPoint) for each stretch of columns under one scale.
template <typename Visit>
void forEachScale(const QuantizedValues& values, std::int64_t row, std::int64_t cols,
                  Visit&& visit) {
    const bool perTensor = values.format.granularity == Granularity::Tensor;
    const std::int64_t groups = perTensor ? 1 : groupsPerRow(values.format, cols);
    const std::int64_t length =
        values.format.granularity == Granularity::Group ? values.format.groupSize : cols;
    const auto scales = values.scales.as<float>();
    const auto zeros = values.zeroPoints.as<std::int8_t>();
    for (std::int64_t group = 0; group < groups; ++group) {
        const auto at = static_cast<std::size_t>(perTensor ? 0 : row * groups + group);
        visit(group * length, std::min(cols, (group + 1) * length), scales[at],
              zeros.empty() ? 0 : static_cast<int>(zeros[at]));
    }
}

void quantizedRow(const QuantizedValues& values, std::int64_t row, std::int64_t cols, float* out) {
    codes::readNumbers(values.format.format, rowCodes(values, row, cols), 0, cols, out);
    forEachScale(values, row, cols,
                 [&](std::int64_t begin, std::int64_t end, float scale, int zero) {
                     for (std::int64_t col = begin; col < end; ++col) {
                         out[col] = scale * (out[col] - static_cast<float>(zero));
                     }
                 });
}

std::int64_t zerosOfRow(const Tensor& tensor, std::int64_t row, std::int64_t cols) {
    std::int64_t zeros = 0;
    if (!tensor.isDense()) {
        const auto& values = tensor.quantized();
        std::vector<float> numbers(static_cast<std::size_t>(cols));
        codes::readNumbers(values.format.format, rowCodes(values, row, cols), 0, cols, numbers.data());
        forEachScale(values, row, cols,
                     [&](std::int64_t begin, std::int64_t end, float scale, int zero) {
                         zeros += scale == 0.0F ? end - begin
                                                : std::count(numbers.begin() + begin, numbers.begin() + end,
                                                             static_cast<float>(zero));
                     });
        return zeros;
    }
    const auto& dense = tensor.dense();
    if (dense.dtype == DType::F32) {
        const auto* from = dense.values.as<float>().data() + row * cols;
        return countWhere(cols, [from](std::int64_t i) { return from[i] == 0.0F; });
    }
    const auto* bits = dense.values.as<std::uint16_t>().data() + row * cols;
    return countWhere(cols, [bits](std::int64_t i) { return (bits[i] & 0x7FFF) == 0; });
}

}  // namespace

std::uint64_t Tensor::bytes() const {
    if (isDense()) {
        return dense().values.size();
    }
    const auto& values = quantized();
    return values.codes.size() + values.scales.size() + values.zeroPoints.size() +
           values.codeSums.size() +
           (values.format.activations == Activations::Int8Static ? sizeof(values.inputScale) : 0);
}

WeightFormat Tensor::format() const {
    if (!isDense()) {
        return quantized().format;
    }
    WeightFormat format;
    format.format = numberFormatOf(dense().dtype);
    return format;
}

Tensor denseTensor(Shape shape, Buffer fp32) {
    return {std::move(shape), DenseValues{DType::F32, std::move(fp32)}};
}

Tensor denseTensor(Shape shape, std::span<const float> values) {
    return denseTensor(std::move(shape), Buffer::copyOf(values));
}

std::vector<float> dequantize(const Tensor& tensor, const ParallelFor& parallel) {
    std::vector<float> out(static_cast<std::size_t>(tensor.shape.elements()));
    const std::int64_t cols = rowLength(tensor.shape);
    parallel(rowCount(tensor.shape), grainRows(cols), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            dequantizeRow(tensor, row, out.data() + row * cols);
        }
    });
    return out;
}

void releasePages(const Tensor& tensor) {
    if (tensor.isDense()) {
        tensor.dense().values.releasePages();
    }
}

void dequantizeRow(const Tensor& tensor, std::int64_t row, float* out) {
    const std::int64_t cols = rowLength(tensor.shape);
    if (tensor.isDense()) {
        denseRow(tensor.dense(), row * cols, cols, out);
    } else {
        quantizedRow(tensor.quantized(), row, cols, out);
    }
}

void splitRow(const Tensor& tensor, std::int64_t row, std::int16_t* integers, float* scales) {
    const std::int64_t cols = rowLength(tensor.shape);
    const QuantizedValues& values = tensor.quantized();
    codes::read(values.format.format, rowCodes(values, row, cols), 0, cols, integers);
    forEachScale(values, row, cols,
                 [&](std::int64_t begin, std::int64_t end, float scale, int zero) {
                     for (std::int64_t col = begin; col < end; ++col) {
                         integers[col] = static_cast<std::int16_t>(integers[col] - zero);
                         scales[col] = scale;
                     }
                 });
}

std::int64_t countZeros(const Tensor& tensor, const ParallelFor& parallel) {
    const std::int64_t cols = rowLength(tensor.shape);
    std::atomic<std::int64_t> zeros{0};
    parallel(rowCount(tensor.shape), grainRows(cols), [&](std::int64_t begin, std::int64_t end) {
        std::int64_t part = 0;
        for (std::int64_t row = begin; row < end; ++row) {
            part += zerosOfRow(tensor, row, cols);
        }
        zeros.fetch_add(part, std::memory_order_relaxed);
    });
    return zeros.load();
}

const Tensor& LoadedModel::weight(const LayerInfo& layer) const {
    const LayerInfo* owner = &layer;
    while (!owner->tiedTo.empty()) {
        owner = layout.findLayer(owner->tiedTo);
    }
    return tensors.at(owner->name + ".weight");
}

const Tensor* LoadedModel::bias(const LayerInfo& layer) const {
    const auto found = tensors.find(layer.name + ".bias");
    return found == tensors.end() ? nullptr : &found->second;
}

std::uint64_t LoadedModel::bytes() const {
    std::uint64_t total = 0;
    for (const auto& [name, tensor] : tensors) {
        total += tensor.bytes();
    }
    return total;
}

std::uint64_t LoadedModel::layerBytes(const LayerInfo& layer) const {
    const std::uint64_t own = layer.tiedTo.empty() ? weight(layer).bytes() : 0;
    const Tensor* biasTensor = bias(layer);
    return own + (biasTensor != nullptr ? biasTensor->bytes() : 0);
}

}  // namespace pareto
