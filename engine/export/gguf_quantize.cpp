#include "engine/export/gguf_quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/export/gguf_quantize_k.h"

// The order of operations is ggml's, so that the bytes are the same. This file and gguf_quantize_k.cpp
// are compiled without contraction to fused multiply-add.

namespace pareto::exporting {

namespace {

constexpr std::size_t kBlock = 32;
constexpr std::size_t kHalf = kBlock / 2;

/// Type ids of the specification.
constexpr int kQ4_1 = 3;
constexpr int kQ5_0 = 6;
constexpr int kQ5_1 = 7;
constexpr int kQ8 = 8;

using Block = std::span<const float, kBlock>;

void putHalf(std::uint8_t* out, float value) {
    const std::uint16_t bits = floatToHalf(value);
    std::memcpy(out, &bits, sizeof bits);
}

/// 1 / d; 0 where d is 0 or so small that the quotient is no number: the block's scale is 0 then.
float inverse(float d) {
    const float out = d != 0.0F ? 1.0F / d : 0.0F;
    return std::isfinite(out) ? out : 0.0F;
}

/// The value furthest from zero, with its sign; the first of equals.
float extreme(Block values) {
    float amount = 0.0F;
    float out = 0.0F;
    for (const float value : values) {
        if (amount < std::fabs(value)) {
            amount = std::fabs(value);
            out = value;
        }
    }
    return out;
}

void encodeQ8(Block values, std::uint8_t* out) {
    const float d = std::fabs(extreme(values)) / 127.0F;
    const float factor = inverse(d);
    putHalf(out, d);
    for (std::size_t i = 0; i < kBlock; ++i) {
        out[2 + i] = static_cast<std::uint8_t>(
            static_cast<std::int8_t>(std::round(values[i] * factor)));
    }
}

/// Codes 0 … 2^bits − 1 into 16 bytes of low nibbles (element i and i + 16 share a byte), what is above
/// four bits into one word before them.
void packCodes(const std::uint8_t* codes, int bits, std::uint8_t* out) {
    if (bits == 5) {
        std::uint32_t high = 0;
        for (std::size_t i = 0; i < kBlock; ++i) {
            high |= static_cast<std::uint32_t>(codes[i] >> 4) << i;
        }
        std::memcpy(out, &high, sizeof high);
        out += sizeof high;
    }
    for (std::size_t i = 0; i < kHalf; ++i) {
        out[i] = static_cast<std::uint8_t>((codes[i] & 0x0F) | (codes[i + kHalf] & 0x0F) << 4);
    }
}

/// Q4_0, Q5_0: value = d · (code − 2^(bits − 1)); the extreme value gets the lowest code.
template <int kBits>
void encodeSymmetric(Block values, std::uint8_t* out) {
    constexpr int kOffset = 1 << (kBits - 1);
    const float d = extreme(values) / static_cast<float>(-kOffset);
    const float factor = inverse(d);
    std::uint8_t codes[kBlock];
    for (std::size_t i = 0; i < kBlock; ++i) {
        const auto code = static_cast<int>(values[i] * factor + (static_cast<float>(kOffset) + 0.5F));
        codes[i] = static_cast<std::uint8_t>(std::min(2 * kOffset - 1, code));
    }
    putHalf(out, d);
    packCodes(codes, kBits, out + 2);
}

/// Q4_1, Q5_1: value = d · code + m.
template <int kBits>
void encodeWithMinimum(Block values, std::uint8_t* out) {
    constexpr int kMost = (1 << kBits) - 1;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const float d = (*high - *low) / static_cast<float>(kMost);
    const float factor = inverse(d);
    std::uint8_t codes[kBlock];
    for (std::size_t i = 0; i < kBlock; ++i) {
        const auto code = static_cast<int>((values[i] - *low) * factor + 0.5F);
        codes[i] = static_cast<std::uint8_t>(std::min(kMost, code));
    }
    putHalf(out, d);
    putHalf(out + 2, *low);
    packCodes(codes, kBits, out + 4);
}

void encodeF16(const float* values, std::uint8_t* out) { putHalf(out, *values); }

void encodeBf16(const float* values, std::uint8_t* out) {
    const std::uint16_t bits = floatToBfloat(*values);
    std::memcpy(out, &bits, sizeof bits);
}

void encodeF32(const float* values, std::uint8_t* out) { std::memcpy(out, values, sizeof *values); }

template <void (*kEncode)(Block, std::uint8_t*)>
void encodeBlock(const float* values, std::uint8_t* out) {
    kEncode(Block(values, kBlock), out);
}

using BlockFunction = void (*)(const float*, std::uint8_t*);

BlockFunction functionOf(const io::GgmlType& type) {
    switch (type.id) {
    case 0:
        return encodeF32;
    case 1:
        return encodeF16;
    case 2:
        return encodeBlock<encodeSymmetric<4>>;
    case kQ4_1:
        return encodeBlock<encodeWithMinimum<4>>;
    case kQ5_0:
        return encodeBlock<encodeSymmetric<5>>;
    case kQ5_1:
        return encodeBlock<encodeWithMinimum<5>>;
    case kQ8:
        return encodeBlock<encodeQ8>;
    case 12:
        return encodeQ4K;
    case 13:
        return encodeQ5K;
    case 14:
        return encodeQ6K;
    case 30:
        return encodeBf16;
    default:
        return nullptr;
    }
}

/// Where codes of 0 … 2^bits − 1 begin. The middle of the range where all fit around it: then the
/// minimum is a power of two times the scale, and zeros stay zeros.
int firstCode(std::span<const std::int16_t, kBlock> integers, int bits) {
    const int half = 1 << (bits - 1);
    const auto [low, high] = std::minmax_element(integers.begin(), integers.end());
    return *low >= -half && *high < half ? -half : *low;
}

}  // namespace

void encodeGgufCodes(const io::GgmlType& type, std::span<const std::int16_t, kBlock> integers,
                     float scale, std::span<std::byte> out) {
    auto* to = reinterpret_cast<std::uint8_t*>(out.data());
    putHalf(to, scale);
    if (type.id == kQ8) {
        for (std::size_t i = 0; i < kBlock; ++i) {
            to[2 + i] = static_cast<std::uint8_t>(static_cast<std::int8_t>(integers[i]));
        }
        return;
    }
    const bool withMinimum = type.id == kQ4_1 || type.id == kQ5_1;
    const int bits = type.id == kQ5_0 || type.id == kQ5_1 ? 5 : 4;
    const int first = withMinimum ? firstCode(integers, bits) : -(1 << (bits - 1));
    std::uint8_t codes[kBlock];
    for (std::size_t i = 0; i < kBlock; ++i) {
        codes[i] = static_cast<std::uint8_t>(integers[i] - first);
    }
    if (withMinimum) {
        putHalf(to + 2, scale * static_cast<float>(first));
    }
    packCodes(codes, bits, to + (withMinimum ? 4 : 2));
}

bool encodesGguf(const io::GgmlType& type) { return functionOf(type) != nullptr; }

void encodeGguf(const io::GgmlType& type, std::span<const float> values, std::span<std::byte> out) {
    const auto function = functionOf(type);
    auto* to = reinterpret_cast<std::uint8_t*>(out.data());
    const std::size_t blocks = values.size() / type.blockElements;
    for (std::size_t i = 0; i < blocks; ++i) {
        function(values.data() + i * type.blockElements, to + i * type.blockBytes);
    }
}

}  // namespace pareto::exporting
