#include "engine/io/derived.h"

#include <algorithm>
#include <utility>

#include "engine/io/checked.h"
#include "engine/io/convert.h"

namespace pareto::io {
namespace {

std::int64_t rowCount(const Shape& shape) { return shape.rank() == 0 ? 1 : shape[0]; }

std::int64_t rowElements(const Shape& shape) {
    const auto rows = rowCount(shape);
    return rows == 0 ? 0 : shape.elements() / rows;
}

Error shapeError(const std::string& file, const TensorInfo& tensor, std::string expected) {
    return makeError(ErrorCode::TensorShape, {{"file", file},
                                              {"tensor", tensor.name},
                                              {"found", tensor.shape.text()},
                                              {"expected", std::move(expected)}});
}

const std::string& pathOf(const std::vector<WeightFile>& files, const TensorInfo& tensor) {
    return files[static_cast<std::size_t>(tensor.file)].path;
}

TensorInfo derivedTensor(const TensorInfo& from, Shape shape, RowSource source) {
    TensorInfo out = from;
    out.encoding = Encoding{};
    out.offset = 0;
    out.bytes = static_cast<std::uint64_t>(shape.elements()) * sizeof(float);
    out.shape = std::move(shape);
    out.derived = std::make_shared<const RowSource>(std::move(source));
    return out;
}

Buffer floatBuffer(std::int64_t elements, const auto& fill) {
    return Buffer::create(static_cast<std::size_t>(elements) * sizeof(float), [&](std::span<std::byte> out) {
        fill(std::span(reinterpret_cast<float*>(out.data()), static_cast<std::size_t>(elements)));
    });
}

}  // namespace

Result<TensorInfo> storedTensor(const std::vector<WeightFile>& files, int file, std::string name,
                                Shape shape, DType type, std::uint64_t offset, std::uint64_t end) {
    std::uint64_t bytes = dtypeBytes(type);
    bool fits = true;
    for (const auto size : shape.sizes()) {
        fits = fits && size >= 0 && checkedMultiply(bytes, static_cast<std::uint64_t>(size), bytes);
    }
    const auto& path = files[static_cast<std::size_t>(file)].path;
    // Four bytes an element are needed when the values become floats.
    if (!fits || bytes > (UINT64_MAX >> 4) || offset > end || bytes > end - offset) {
        return makeError(ErrorCode::FileCorrupt,
                         {{"file", path},
                          {"offset", std::to_string(offset)},
                          {"reason", "the tensor " + name + " of shape " + shape.text() + " has only " +
                                         std::to_string(offset > end ? 0 : end - offset) + " bytes"}});
    }
    TensorInfo out;
    out.name = std::move(name);
    out.shape = std::move(shape);
    out.encoding.dtype = type;
    out.typeName = dtypeName(type);
    out.file = file;
    out.offset = offset;
    out.bytes = bytes;
    return out;
}

TensorInfo constantTensor(int file, std::string name, Shape shape, DType type, std::vector<float> values) {
    TensorInfo out;
    out.name = std::move(name);
    out.file = file;
    const auto width = rowElements(shape);
    out = derivedTensor(out, std::move(shape),
                        [values = std::move(values), width](std::int64_t begin, std::int64_t count) -> Result<Buffer> {
                            return Buffer::copyOf(std::span(values).subspan(
                                static_cast<std::size_t>(begin * width), static_cast<std::size_t>(count * width)));
                        });
    out.typeName = dtypeName(type);
    return out;
}

RowSource rowsOf(const std::vector<WeightFile>& files, const TensorInfo& tensor) {
    if (tensor.derived != nullptr) {
        return *tensor.derived;
    }
    return [file = files[static_cast<std::size_t>(tensor.file)].file, type = tensor.encoding.dtype,
            offset = tensor.offset,
            width = rowElements(tensor.shape)](std::int64_t begin, std::int64_t count) -> Result<Buffer> {
        const auto rowBytes = static_cast<std::uint64_t>(width) * dtypeBytes(type);
        PARETO_TRY(Buffer bytes, file->read(offset + rowBytes * static_cast<std::uint64_t>(begin),
                                            rowBytes * static_cast<std::uint64_t>(count)));
        if (type == DType::F32) {
            return bytes;
        }
        return floatBuffer(count * width, [&](std::span<float> out) {
            convertToFloat(type, bytes.bytes(), out.data());
        });
    };
}

TensorInfo renamed(TensorInfo tensor, std::string name) {
    tensor.name = std::move(name);
    return tensor;
}

Result<TensorInfo> reshaped(TensorInfo tensor, Shape shape, const std::string& file) {
    if (shape.elements() != tensor.shape.elements()) {
        return shapeError(file, tensor, shape.text());
    }
    if (tensor.derived != nullptr && rowCount(shape) != rowCount(tensor.shape)) {
        const auto width = rowElements(shape);
        return derivedTensor(tensor, std::move(shape),
                             [all = tensor.derived, rows = rowCount(tensor.shape),
                              width](std::int64_t begin, std::int64_t count) -> Result<Buffer> {
                                 PARETO_TRY(const Buffer values, (*all)(0, rows));
                                 return Buffer::copyOf(values.as<float>().subspan(
                                     static_cast<std::size_t>(begin * width),
                                     static_cast<std::size_t>(count * width)));
                             });
    }
    tensor.shape = std::move(shape);
    return tensor;
}

Result<TensorInfo> rowPart(const TensorInfo& tensor, std::int64_t first, std::int64_t count,
                           const std::string& file) {
    if (tensor.shape.rank() == 0 || first < 0 || count < 0 || first > tensor.shape[0] ||
        count > tensor.shape[0] - first) {
        return shapeError(file, tensor, "at least " + std::to_string(first + count) + " rows");
    }
    auto sizes = tensor.shape.sizes();
    sizes[0] = count;
    Shape shape(std::move(sizes));
    if (tensor.derived != nullptr) {
        return derivedTensor(tensor, std::move(shape),
                             [all = tensor.derived, first](std::int64_t begin, std::int64_t rows) {
                                 return (*all)(first + begin, rows);
                             });
    }
    TensorInfo out = tensor;
    const auto rowBytes =
        static_cast<std::uint64_t>(rowElements(tensor.shape)) * dtypeBytes(tensor.encoding.dtype);
    out.shape = std::move(shape);
    out.offset += rowBytes * static_cast<std::uint64_t>(first);
    out.bytes = rowBytes * static_cast<std::uint64_t>(count);
    return out;
}

Result<TensorInfo> transposed(const std::vector<WeightFile>& files, const TensorInfo& tensor) {
    if (tensor.shape.rank() != 2) {
        return shapeError(pathOf(files, tensor), tensor, "a matrix");
    }
    const auto rows = tensor.shape[0];
    const auto cols = tensor.shape[1];
    return derivedTensor(
        tensor, Shape{cols, rows},
        [all = rowsOf(files, tensor), rows, cols](std::int64_t begin, std::int64_t count) -> Result<Buffer> {
            PARETO_TRY(const Buffer buffer, all(0, rows));
            const auto from = buffer.as<float>();
            return floatBuffer(count * rows, [&](std::span<float> out) {
                std::size_t at = 0;
                for (auto col = begin; col < begin + count; ++col) {
                    for (std::int64_t row = 0; row < rows; ++row) {
                        out[at++] = from[static_cast<std::size_t>(row * cols + col)];
                    }
                }
            });
        });
}

Result<TensorInfo> padded(const std::vector<WeightFile>& files, const TensorInfo& tensor,
                          std::int64_t before, std::int64_t after) {
    if (tensor.shape.rank() == 0) {
        return shapeError(pathOf(files, tensor), tensor, "rows");
    }
    auto sizes = tensor.shape.sizes();
    const auto rows = sizes[0];
    sizes[0] += before + after;
    return derivedTensor(
        tensor, Shape(std::move(sizes)),
        [all = rowsOf(files, tensor), width = rowElements(tensor.shape), rows,
         before](std::int64_t begin, std::int64_t count) -> Result<Buffer> {
            const auto first = std::clamp<std::int64_t>(begin - before, 0, rows);
            const auto last = std::clamp<std::int64_t>(begin + count - before, 0, rows);
            PARETO_TRY(const Buffer buffer, all(first, last - first));
            return floatBuffer(count * width, [&](std::span<float> out) {
                std::fill(out.begin(), out.end(), 0.0F);
                const auto from = buffer.as<float>();
                if (!from.empty()) {
                    std::copy(from.begin(), from.end(), out.begin() + (first + before - begin) * width);
                }
            });
        });
}

Result<TensorInfo> dequantized(const std::vector<WeightFile>& files, const TensorInfo& codes,
                               const Scaling& scaling) {
    const auto rows = rowCount(codes.shape);
    const auto cols = rowElements(codes.shape);
    const auto scales = scaling.scale.shape.elements();
    const bool byRow = scales == rows && (scaling.axis == 0 || scales != cols);
    if (scales != 1 && !byRow && scales != cols) {
        return shapeError(pathOf(files, scaling.scale), scaling.scale,
                          "one value, " + std::to_string(rows) + " or " + std::to_string(cols));
    }
    if (scaling.zero != nullptr && scaling.zero->shape.elements() != scales) {
        return shapeError(pathOf(files, *scaling.zero), *scaling.zero, std::to_string(scales) + " values");
    }
    const auto values = [&](const TensorInfo& tensor) {
        auto source = rowsOf(files, tensor);
        return [source, count = rowCount(tensor.shape)] { return source(0, count); };
    };
    using Values = std::function<Result<Buffer>()>;
    const Values scale = values(scaling.scale);
    const Values zero = scaling.zero == nullptr ? Values() : Values(values(*scaling.zero));
    TensorInfo out = derivedTensor(
        codes, codes.shape,
        [all = rowsOf(files, codes), scale, zero, cols, byRow, one = scales == 1,
         divide = scaling.divide](std::int64_t begin, std::int64_t count) -> Result<Buffer> {
            PARETO_TRY(const Buffer codeValues, all(begin, count));
            PARETO_TRY(const Buffer scaleValues, scale());
            Buffer zeroValues;
            if (zero) {
                PARETO_TRY(zeroValues, zero());
            }
            const auto from = codeValues.as<float>();
            const auto factors = scaleValues.as<float>();
            const auto zeros = zeroValues.as<float>();
            return floatBuffer(count * cols, [&](std::span<float> made) {
                for (std::size_t i = 0; i < made.size(); ++i) {
                    const auto row = static_cast<std::int64_t>(i) / cols + begin;
                    const auto col = static_cast<std::int64_t>(i) % cols;
                    const auto at = static_cast<std::size_t>(one ? 0 : byRow ? row : col);
                    const float code = from[i] - (zeros.empty() ? 0.0F : zeros[at]);
                    made[i] = divide ? code / factors[at] : code * factors[at];
                }
            });
        });
    out.typeName = codes.typeName;
    return out;
}

}  // namespace pareto::io
