#include "engine/weights/select.h"

#include <algorithm>
#include <cstring>

#include "engine/weights/quantize.h"

namespace pareto {

namespace {

/// Lines of `lineBytes` each, the chosen ones copied.
Buffer selectLines(const Buffer& from, std::size_t lineBytes, std::span<const std::int64_t> lines) {
    return Buffer::create(lineBytes * lines.size(), [&](std::span<std::byte> out) {
        for (std::size_t at = 0; at < lines.size(); ++at) {
            std::memcpy(out.data() + at * lineBytes,
                        from.data() + static_cast<std::size_t>(lines[at]) * lineBytes, lineBytes);
        }
    });
}

/// A buffer of `rows` equal lines, the chosen ones copied; an empty one stays empty.
Buffer selectRowsOf(const Buffer& from, std::int64_t rows, std::span<const std::int64_t> chosen) {
    if (from.empty() || rows == 0) {
        return {};
    }
    return selectLines(from, from.size() / static_cast<std::size_t>(rows), chosen);
}

Buffer selectColumns(const Buffer& from, std::int64_t rows, std::size_t valueBytes,
                     std::span<const std::int64_t> chosen) {
    const std::size_t lineBytes = rows == 0 ? 0 : from.size() / static_cast<std::size_t>(rows);
    return Buffer::create(
        static_cast<std::size_t>(rows) * chosen.size() * valueBytes, [&](std::span<std::byte> out) {
            std::byte* to = out.data();
            for (std::int64_t row = 0; row < rows; ++row) {
                const std::byte* line = from.data() + static_cast<std::size_t>(row) * lineBytes;
                for (const std::int64_t col : chosen) {
                    std::memcpy(to, line + static_cast<std::size_t>(col) * valueBytes, valueBytes);
                    to += valueBytes;
                }
            }
        });
}

Buffer selectNibbleColumns(const Buffer& from, std::int64_t rows, std::int64_t cols,
                           std::span<const std::int64_t> chosen) {
    const auto stride = static_cast<std::size_t>((cols + 1) / 2);
    const std::size_t newStride = (chosen.size() + 1) / 2;
    return Buffer::create(
        static_cast<std::size_t>(rows) * newStride, [&](std::span<std::byte> out) {
            std::fill(out.begin(), out.end(), std::byte{0});
            for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
                for (std::size_t at = 0; at < chosen.size(); ++at) {
                    const auto col = static_cast<std::size_t>(chosen[at]);
                    const auto pair =
                        std::to_integer<unsigned>(from.data()[row * stride + col / 2]);
                    const unsigned code = (pair >> ((col & 1) * 4)) & 15U;
                    out[row * newStride + at / 2] |= static_cast<std::byte>(code << ((at & 1) * 4));
                }
            }
        });
}

Tensor selectQuantizedCols(const Tensor& tensor, std::span<const std::int64_t> cols) {
    const QuantizedValues& from = tensor.quantized();
    const std::int64_t rows = tensor.shape[0];
    const auto count = static_cast<std::int64_t>(cols.size());
    QuantizedValues out;
    out.format = from.format;
    out.scales = from.scales;
    out.zeroPoints = from.zeroPoints;
    out.codes = from.format.format == NumberFormat::Int4
                    ? selectNibbleColumns(from.codes, rows, tensor.shape[1], cols)
                    : selectColumns(from.codes, rows, 1, cols);
    if (!from.codeSums.empty()) {
        out.codeSums = sumCodes(out, rows, count);
    }
    return {Shape{rows, count}, std::move(out)};
}

}  // namespace

Tensor selectRows(const Tensor& tensor, std::span<const std::int64_t> rows) {
    std::vector<std::int64_t> sizes = tensor.shape.sizes();
    const std::int64_t before = sizes[0];
    sizes[0] = static_cast<std::int64_t>(rows.size());
    if (tensor.isDense()) {
        const DenseValues& dense = tensor.dense();
        return {Shape(std::move(sizes)),
                DenseValues{dense.dtype, selectRowsOf(dense.values, before, rows)}};
    }
    QuantizedValues out = tensor.quantized();
    const bool perTensor = out.format.granularity == Granularity::Tensor;
    out.codes = selectRowsOf(out.codes, before, rows);
    out.codeSums = selectRowsOf(out.codeSums, before, rows);
    if (!perTensor) {
        out.scales = selectRowsOf(out.scales, before, rows);
        out.zeroPoints = selectRowsOf(out.zeroPoints, before, rows);
    }
    return {Shape(std::move(sizes)), std::move(out)};
}

Tensor selectCols(const Tensor& tensor, std::span<const std::int64_t> cols) {
    const std::int64_t rows = tensor.shape[0];
    const auto count = static_cast<std::int64_t>(cols.size());
    if (tensor.isDense()) {
        const DenseValues& dense = tensor.dense();
        return {Shape{rows, count},
                DenseValues{dense.dtype,
                            selectColumns(dense.values, rows, dtypeBytes(dense.dtype), cols)}};
    }
    if (tensor.quantized().format.granularity != Granularity::Group) {
        return selectQuantizedCols(tensor, cols);
    }
    const std::vector<float> values = dequantize(tensor);
    const Tensor whole = denseTensor(tensor.shape, values);
    const Tensor cut = selectCols(whole, cols);
    return quantizeTensor(cut.dense().values.as<float>(), rows, count, tensor.quantized().format);
}

Tensor zeroValues(const Tensor& tensor, std::span<const std::int64_t> places) {
    if (tensor.isDense()) {
        const DenseValues& dense = tensor.dense();
        const std::size_t valueBytes = dtypeBytes(dense.dtype);
        Buffer values = Buffer::create(dense.values.size(), [&](std::span<std::byte> out) {
            std::memcpy(out.data(), dense.values.data(), out.size());
            for (const std::int64_t place : places) {
                std::memset(out.data() + static_cast<std::size_t>(place) * valueBytes, 0,
                            valueBytes);
            }
        });
        return {tensor.shape, DenseValues{dense.dtype, std::move(values)}};
    }
    QuantizedValues out = tensor.quantized();
    const std::int64_t cols = tensor.shape[1];
    const bool perTensor = out.format.granularity == Granularity::Tensor;
    const bool nibbles = out.format.format == NumberFormat::Int4;
    const std::int64_t groups = groupsPerRow(out.format, cols);
    const std::int64_t length =
        out.format.granularity == Granularity::Group ? out.format.groupSize : cols;
    const auto zeros = out.zeroPoints.as<std::int8_t>();
    const Buffer& from = tensor.quantized().codes;
    out.codes = Buffer::create(from.size(), [&](std::span<std::byte> bytes) {
        std::memcpy(bytes.data(), from.data(), bytes.size());
        for (const std::int64_t place : places) {
            const std::int64_t row = place / cols;
            const std::int64_t col = place % cols;
            const std::int64_t at = perTensor ? 0 : row * groups + col / length;
            const int zero = zeros.empty() ? 0 : zeros[static_cast<std::size_t>(at)];
            if (!nibbles) {
                bytes[static_cast<std::size_t>(place)] = static_cast<std::byte>(zero);
                continue;
            }
            std::byte& pair = bytes[static_cast<std::size_t>(row * ((cols + 1) / 2) + col / 2)];
            const int shift = static_cast<int>(col & 1) * 4;
            pair = (pair & static_cast<std::byte>(0xF0 >> shift)) |
                   static_cast<std::byte>((zero + 8) << shift);
        }
    });
    if (!out.codeSums.empty()) {
        out.codeSums = sumCodes(out, tensor.shape[0], cols);
    }
    return {tensor.shape, std::move(out)};
}

}  // namespace pareto
