#include "engine/weights/select.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "engine/weights/codes.h"
#include "engine/weights/quantize.h"

namespace pareto {

namespace {

/// Lines of `lineBytes` each, the chosen ones copied.
Buffer selectLines(const Buffer& from, std::size_t lineBytes, std::span<const std::int64_t> lines) {
    return Buffer::createLasting(lineBytes * lines.size(), [&](std::span<std::byte> out) {
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
    return Buffer::createLasting(
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

Buffer selectCodes(const QuantizedValues& from, std::int64_t rows, std::int64_t cols,
                   std::span<const std::int64_t> chosen) {
    const NumberFormat format = from.format.format;
    const std::int64_t stride = codeBytes(format, cols);
    const std::int64_t newStride = codeBytes(format, static_cast<std::int64_t>(chosen.size()));
    return Buffer::createLasting(static_cast<std::size_t>(rows * newStride), [&](std::span<std::byte> bytes) {
        const auto* codes = reinterpret_cast<const std::uint8_t*>(from.codes.data());
        auto* out = reinterpret_cast<std::uint8_t*>(bytes.data());
        std::fill(bytes.begin(), bytes.end(), std::byte{0});
        for (std::int64_t row = 0; row < rows; ++row) {
            for (std::size_t at = 0; at < chosen.size(); ++at) {
                codes::put(format, out + row * newStride, static_cast<std::int64_t>(at),
                           codes::at(format, codes + row * stride, chosen[at]));
            }
        }
    });
}

Tensor selectQuantizedCols(const Tensor& tensor, std::span<const std::int64_t> cols) {
    const QuantizedValues& from = tensor.quantized();
    const std::int64_t rows = tensor.shape[0];
    const auto count = static_cast<std::int64_t>(cols.size());
    QuantizedValues out = from;
    out.codes = selectCodes(from, rows, tensor.shape[1], cols);
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

Tensor sliceRows(const Tensor& tensor, std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(end - begin));
    std::iota(rows.begin(), rows.end(), begin);
    return selectRows(tensor, rows);
}

Tensor sliceCols(const Tensor& tensor, std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> cols(static_cast<std::size_t>(end - begin));
    std::iota(cols.begin(), cols.end(), begin);
    if (tensor.isDense() || tensor.quantized().format.granularity != Granularity::Group) {
        return selectCols(tensor, cols);
    }
    const std::int64_t size = tensor.quantized().format.groupSize;
    std::vector<std::int64_t> groups(static_cast<std::size_t>((end - begin + size - 1) / size));
    std::iota(groups.begin(), groups.end(), begin / size);
    Tensor out = selectQuantizedCols(tensor, cols);
    auto& values = std::get<QuantizedValues>(out.storage);
    const auto ofGroups = [&](const Buffer& from, std::size_t bytes) {
        return from.empty() ? Buffer() : selectColumns(from, tensor.shape[0], bytes, groups);
    };
    values.scales = ofGroups(values.scales, sizeof(float));
    values.zeroPoints = ofGroups(values.zeroPoints, sizeof(std::int8_t));
    return out;
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
    const std::int64_t stride = codeBytes(out.format.format, cols);
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
            codes::put(out.format.format, reinterpret_cast<std::uint8_t*>(bytes.data()) + row * stride, col,
                       zero);
        }
    });
    if (!out.codeSums.empty()) {
        out.codeSums = sumCodes(out, tensor.shape[0], cols);
    }
    return {tensor.shape, std::move(out)};
}

}  // namespace pareto
