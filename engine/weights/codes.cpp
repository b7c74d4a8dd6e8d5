#include "engine/weights/codes.h"

#include <algorithm>
#include <cstring>

#include "engine/core/float8.h"

namespace pareto::codes {

namespace {

template <int kBits>
int packedAt(const std::uint8_t* row, std::int64_t col) {
    constexpr int kHalf = 1 << (kBits - 1);
    const std::int64_t bit = col * kBits;
    const std::uint8_t* from = row + bit / 8;
    const int shift = static_cast<int>(bit % 8);
    int stored = from[0] >> shift;
    if (shift + kBits > 8) {
        stored |= from[1] << (8 - shift);
    }
    return (stored & (2 * kHalf - 1)) - kHalf;
}

template <int kBits>
void putPacked(std::uint8_t* row, std::int64_t col, int code) {
    constexpr unsigned kMask = (1U << kBits) - 1U;
    const std::int64_t bit = col * kBits;
    std::uint8_t* to = row + bit / 8;
    const int shift = static_cast<int>(bit % 8);
    const unsigned stored = (static_cast<unsigned>(code + (1 << (kBits - 1))) & kMask) << shift;
    to[0] = static_cast<std::uint8_t>((to[0] & ~(kMask << shift)) | stored);
    if (shift + kBits > 8) {
        to[1] = static_cast<std::uint8_t>((to[1] & ~(kMask << shift >> 8)) | stored >> 8);
    }
}

int int16At(const std::uint8_t* row, std::int64_t col) {
    std::int16_t code = 0;
    std::memcpy(&code, row + 2 * col, sizeof(code));
    return code;
}

/// visit(codeAt) with the function that reads a format's codes.
template <typename Visit>
void withReader(NumberFormat format, Visit&& visit) {
    using Row = const std::uint8_t*;
    switch (format) {
        case NumberFormat::F8: visit([](Row row, std::int64_t col) { return int{row[col]}; }); break;
        case NumberFormat::Int16: visit(int16At); break;
        case NumberFormat::Int8:
            visit([](Row row, std::int64_t col) { return int{static_cast<std::int8_t>(row[col])}; });
            break;
        case NumberFormat::Int4: visit(packedAt<4>); break;
        case NumberFormat::Int3: visit(packedAt<3>); break;
        case NumberFormat::Int2: visit(packedAt<2>); break;
        case NumberFormat::F32:
        case NumberFormat::F16:
        case NumberFormat::BF16: break;  // not held as codes
    }
}

}  // namespace

int at(NumberFormat format, const std::uint8_t* row, std::int64_t col) {
    int code = 0;
    withReader(format, [&](const auto& codeAt) { code = codeAt(row, col); });
    return code;
}

void put(NumberFormat format, std::uint8_t* row, std::int64_t col, int code) {
    switch (format) {
        case NumberFormat::F8:
        case NumberFormat::Int8: row[col] = static_cast<std::uint8_t>(code); break;
        case NumberFormat::Int16: {
            const auto wide = static_cast<std::int16_t>(code);
            std::memcpy(row + 2 * col, &wide, sizeof(wide));
            break;
        }
        case NumberFormat::Int4: putPacked<4>(row, col, code); break;
        case NumberFormat::Int3: putPacked<3>(row, col, code); break;
        case NumberFormat::Int2: putPacked<2>(row, col, code); break;
        case NumberFormat::F32:
        case NumberFormat::F16:
        case NumberFormat::BF16: break;
    }
}

void read(NumberFormat format, const std::uint8_t* row, std::int64_t begin, std::int64_t end,
          std::int16_t* out) {
    withReader(format, [&](const auto& codeAt) {
        for (std::int64_t col = begin; col < end; ++col) {
            out[col - begin] = static_cast<std::int16_t>(codeAt(row, col));
        }
    });
}

void readNumbers(NumberFormat format, const std::uint8_t* row, std::int64_t begin, std::int64_t end,
                 float* out) {
    if (format == NumberFormat::F8) {
        std::transform(row + begin, row + end, out, float8ToFloat);
        return;
    }
    withReader(format, [&](const auto& codeAt) {
        for (std::int64_t col = begin; col < end; ++col) {
            out[col - begin] = static_cast<float>(codeAt(row, col));
        }
    });
}

void write(NumberFormat format, const std::int16_t* codes, std::int64_t cols, std::uint8_t* row) {
    if (format == NumberFormat::Int8 || format == NumberFormat::F8) {
        std::transform(codes, codes + cols, row,
                       [](std::int16_t code) { return static_cast<std::uint8_t>(code); });
        return;
    }
    std::memset(row, 0, static_cast<std::size_t>(codeBytes(format, cols)));
    for (std::int64_t col = 0; col < cols; ++col) {
        put(format, row, col, codes[col]);
    }
}

}  // namespace pareto::codes
