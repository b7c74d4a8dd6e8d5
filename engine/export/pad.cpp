#include "engine/export/pad.h"

#include <algorithm>
#include <cstring>

#include "engine/weights/codes.h"
#include "engine/weights/quantize.h"

namespace pareto::exporting {

namespace {

/// Lines of bytes, longer and more of them; what is new is `fill`.
Buffer padLines(const Buffer& from, std::int64_t lines, std::size_t lineBytes,
                std::int64_t newLines, std::size_t newLineBytes, std::byte fill) {
    return Buffer::create(static_cast<std::size_t>(newLines) * newLineBytes,
                          [&](std::span<std::byte> out) {
                              std::fill(out.begin(), out.end(), fill);
                              for (std::int64_t line = 0; line < lines; ++line) {
                                  const auto at = static_cast<std::size_t>(line);
                                  std::memcpy(out.data() + at * newLineBytes,
                                              from.data() + at * lineBytes, lineBytes);
                              }
                          });
}

template <typename T>
Buffer padMatrix(const Buffer& from, std::int64_t rows, std::int64_t cols, std::int64_t newRows,
                 std::int64_t newCols, T fill) {
    const auto values = from.as<T>();
    std::vector<T> out(static_cast<std::size_t>(newRows * newCols), fill);
    for (std::int64_t row = 0; row < rows; ++row) {
        std::copy_n(values.begin() + row * cols, cols, out.begin() + row * newCols);
    }
    return Buffer::copyOf(std::span<const T>(out));
}

/// The zero point at a place of the padded tensor.
class Zeros {
public:
    explicit Zeros(const QuantizedValues& values, std::int64_t cols)
        : m_zeros(values.zeroPoints.as<std::int8_t>()),
          m_perTensor(values.format.granularity == Granularity::Tensor),
          m_groups(groupsPerRow(values.format, cols)),
          m_length(values.format.granularity == Granularity::Group ? values.format.groupSize
                                                                   : cols) {}
    int at(std::int64_t row, std::int64_t col) const {
        if (m_zeros.empty()) {
            return 0;
        }
        return m_zeros[static_cast<std::size_t>(m_perTensor ? 0 : row * m_groups + col / m_length)];
    }

private:
    std::span<const std::int8_t> m_zeros;
    bool m_perTensor;
    std::int64_t m_groups;
    std::int64_t m_length;
};

Buffer padCodes(const QuantizedValues& from, const QuantizedValues& out, const Shape& before,
                const Shape& after) {
    const NumberFormat format = from.format.format;
    const auto stride = codeBytes(format, after[1]);
    const Buffer copied =
        padLines(from.codes, before[0], static_cast<std::size_t>(codeBytes(format, before[1])), after[0],
                 static_cast<std::size_t>(stride), std::byte{0});
    const Zeros zeros(out, after[1]);
    return Buffer::create(copied.size(), [&](std::span<std::byte> codes) {
        std::memcpy(codes.data(), copied.data(), codes.size());
        auto* rows = reinterpret_cast<std::uint8_t*>(codes.data());
        for (std::int64_t row = 0; row < after[0]; ++row) {
            for (std::int64_t col = row < before[0] ? before[1] : 0; col < after[1]; ++col) {
                codes::put(format, rows + row * stride, col, zeros.at(row, col));
            }
        }
    });
}

Tensor padQuantized(const Tensor& tensor, std::int64_t rows, std::int64_t cols) {
    const QuantizedValues& from = tensor.quantized();
    QuantizedValues out = from;
    const Shape after{rows, cols};
    if (from.format.granularity != Granularity::Tensor) {
        const std::int64_t groups = groupsPerRow(from.format, tensor.shape[1]);
        const std::int64_t newGroups = groupsPerRow(from.format, cols);
        out.scales = padMatrix<float>(from.scales, tensor.shape[0], groups, rows, newGroups, 1.0F);
        if (!from.zeroPoints.empty()) {
            out.zeroPoints = padMatrix<std::int8_t>(from.zeroPoints, tensor.shape[0], groups, rows,
                                                    newGroups, std::int8_t{0});
        }
    }
    out.codes = padCodes(from, out, tensor.shape, after);
    if (!from.codeSums.empty()) {
        out.codeSums = sumCodes(out, rows, cols);
    }
    return {after, std::move(out)};
}

}  // namespace

Tensor padTensor(const Tensor& tensor, std::int64_t rows, std::int64_t cols) {
    const bool vector = tensor.shape.rank() == 1;
    const std::int64_t beforeCols = vector ? 1 : tensor.shape[1];
    const std::int64_t afterCols = vector ? 1 : cols;
    if (tensor.shape[0] == rows && beforeCols == afterCols) {
        return tensor;
    }
    if (!tensor.isDense()) {
        return padQuantized(tensor, rows, cols);
    }
    const DenseValues& dense = tensor.dense();
    const std::size_t bytes = dtypeBytes(dense.dtype);
    return {vector ? Shape{rows} : Shape{rows, cols},
            DenseValues{dense.dtype,
                        padLines(dense.values, tensor.shape[0],
                                 static_cast<std::size_t>(beforeCols) * bytes, rows,
                                 static_cast<std::size_t>(afterCols) * bytes, std::byte{0})}};
}

Tensor scalePerRow(const Tensor& tensor) {
    QuantizedValues out = tensor.quantized();
    const auto rows = static_cast<std::size_t>(tensor.shape[0]);
    const bool oneGroup = out.format.granularity == Granularity::Group;
    out.format.granularity = Granularity::Channel;
    out.format.groupSize = 0;
    if (oneGroup) {
        return {tensor.shape, std::move(out)};
    }
    const std::vector<float> scales(rows, out.scales.as<float>()[0]);
    out.scales = Buffer::copyOf(std::span<const float>(scales));
    if (!out.zeroPoints.empty()) {
        const std::vector<std::int8_t> zeros(rows, out.zeroPoints.as<std::int8_t>()[0]);
        out.zeroPoints = Buffer::copyOf(std::span<const std::int8_t>(zeros));
    }
    return {tensor.shape, std::move(out)};
}

}  // namespace pareto::exporting
