#include "engine/weights/quantized_parts.h"

#include <algorithm>
#include <cmath>

#include "engine/weights/codes.h"
#include "engine/weights/quantize.h"

namespace pareto {
namespace {

Buffer packed(const IntegerCodes& from, NumberFormat format) {
    const std::int64_t stride = codeBytes(format, from.cols);
    return Buffer::createLasting(static_cast<std::size_t>(from.rows * stride), [&](std::span<std::byte> out) {
        std::vector<std::int16_t> wide(static_cast<std::size_t>(from.cols));
        for (std::int64_t row = 0; row < from.rows; ++row) {
            const auto* codes = reinterpret_cast<const std::int8_t*>(from.codes.data()) + row * from.cols;
            std::copy(codes, codes + from.cols, wide.begin());
            codes::write(format, wide.data(), from.cols,
                         reinterpret_cast<std::uint8_t*>(out.data()) + row * stride);
        }
    });
}

std::vector<float> scatteredValues(const IntegerCodes& from, std::int64_t groups) {
    const auto codes = from.codes.as<std::int8_t>();
    const auto scales = from.scales.as<float>();
    const auto zeros = from.zeros.as<std::int8_t>();
    std::vector<float> values(codes.size());
    for (std::int64_t row = 0; row < from.rows; ++row) {
        for (std::int64_t col = 0; col < from.cols; ++col) {
            const auto at = static_cast<std::size_t>(row * from.cols + col);
            const auto group = static_cast<std::size_t>(
                row * groups + from.groupOf[static_cast<std::size_t>(col)]);
            const int zero = zeros.empty() ? 0 : zeros[group];
            values[at] = scales[group] * static_cast<float>(codes[at] - zero);
        }
    }
    return values;
}

}  // namespace

Error wrongShape(const io::ModelFiles& files, const io::TensorInfo& tensor, std::string expected) {
    return makeError(ErrorCode::TensorShape, {{"file", files.path()},
                                              {"tensor", tensor.name},
                                              {"found", tensor.shape.text()},
                                              {"expected", std::move(expected)}});
}

Error wrongType(const io::ModelFiles& files, const io::TensorInfo& tensor, std::string reason) {
    return makeError(ErrorCode::TensorType, {{"file", files.path()},
                                             {"tensor", tensor.name},
                                             {"found", tensor.typeName},
                                             {"reason", std::move(reason)}});
}

bool hasType(const io::TensorInfo& tensor, DType type) {
    return !tensor.encoding.block && tensor.encoding.dtype == type;
}

Result<const io::TensorInfo*> partNamed(const io::ModelFiles& files, const std::string& name) {
    const auto* tensor = files.find(name);
    if (tensor == nullptr) {
        return makeError(ErrorCode::TensorMissing, {{"file", files.path()}, {"tensor", name}});
    }
    return tensor;
}

Result<Buffer> readScales(const io::ModelFiles& files, const io::TensorInfo& tensor) {
    PARETO_TRY(Buffer scales, files.floats(tensor));
    const auto values = scales.as<float>();
    const auto bad = std::count_if(values.begin(), values.end(),
                                   [](float value) { return !std::isfinite(value); });
    if (bad != 0) {
        return makeError(ErrorCode::TensorValues, {{"file", files.path()},
                                                   {"tensor", tensor.name},
                                                   {"count", std::to_string(bad)},
                                                   {"reason", "scales must be finite"}});
    }
    return scales;
}

std::uint32_t packedElement(std::span<const std::uint32_t> words, std::int64_t index, int bits,
                            std::int64_t stride) {
    const std::int64_t first = index * bits;
    const int shift = static_cast<int>(first % 32);
    const auto at = static_cast<std::size_t>(first / 32 * stride);
    std::uint32_t value = words[at] >> shift;
    if (shift + bits > 32) {
        value |= words[at + static_cast<std::size_t>(stride)] << (32 - shift);
    }
    return value & ((1U << bits) - 1U);
}

Result<Tensor> heldTensor(const io::ModelFiles& files, const std::string& name, IntegerCodes from,
                          WeightFormat format) {
    const Shape shape{from.rows, from.cols};
    if (!from.groupOf.empty()) {
        const auto groups = static_cast<std::int64_t>(from.scales.size() / sizeof(float)) /
                            std::max<std::int64_t>(from.rows, 1);
        for (const auto group : from.groupOf) {
            if (group < 0 || group >= groups) {
                return makeError(ErrorCode::TensorType,
                                 {{"file", files.path()},
                                  {"tensor", name},
                                  {"found", "group " + std::to_string(group)},
                                  {"reason", "there are " + std::to_string(groups) + " groups"}});
            }
        }
        return denseTensor(shape, scatteredValues(from, groups));
    }
    QuantizedValues values;
    values.format = format;
    values.scales = std::move(from.scales);
    if (!format.symmetric) {
        values.zeroPoints = std::move(from.zeros);
    }
    values.codes = bitsOf(format.format) < 8 ? packed(from, format.format) : std::move(from.codes);
    if (format.hasCodeSums()) {
        values.codeSums = sumCodes(values, from.rows, from.cols);
    }
    return Tensor{shape, std::move(values)};
}

}  // namespace pareto
