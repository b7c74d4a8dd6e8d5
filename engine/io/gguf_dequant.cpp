#include "engine/io/gguf_dequant.h"

#include <array>

#include "engine/io/gguf_blocks.h"

// The layouts are those of ggml-common.h; the order of operations is gguf-py's quants.py, so that
// results are the same bits. The file is compiled without contraction to fused multiply-add.

namespace pareto::io {
namespace {

using gguf::asFloat;
using gguf::BlockFunction;
using gguf::Bytes;
using gguf::halfAt;
using gguf::wordAt;

constexpr std::array<GgmlType, 31> kTypes{{
    {0, "F32", 1, 4, false, DType::F32},
    {1, "F16", 1, 2, false, DType::F16},
    {2, "Q4_0", 32, 18, true, DType::F32},
    {3, "Q4_1", 32, 20, true, DType::F32},
    {6, "Q5_0", 32, 22, true, DType::F32},
    {7, "Q5_1", 32, 24, true, DType::F32},
    {8, "Q8_0", 32, 34, true, DType::F32},
    {10, "Q2_K", 256, 84, true, DType::F32},
    {11, "Q3_K", 256, 110, true, DType::F32},
    {12, "Q4_K", 256, 144, true, DType::F32},
    {13, "Q5_K", 256, 176, true, DType::F32},
    {14, "Q6_K", 256, 210, true, DType::F32},
    {16, "IQ2_XXS", 256, 66, true, DType::F32},
    {17, "IQ2_XS", 256, 74, true, DType::F32},
    {18, "IQ3_XXS", 256, 98, true, DType::F32},
    {19, "IQ1_S", 256, 50, true, DType::F32},
    {20, "IQ4_NL", 32, 18, true, DType::F32},
    {21, "IQ3_S", 256, 110, true, DType::F32},
    {22, "IQ2_S", 256, 82, true, DType::F32},
    {23, "IQ4_XS", 256, 136, true, DType::F32},
    {24, "I8", 1, 1, false, DType::I8},
    {25, "I16", 1, 2, false, DType::I16},
    {26, "I32", 1, 4, false, DType::I32},
    {27, "I64", 1, 8, false, DType::I64},
    {28, "F64", 1, 8, false, DType::F64},
    {29, "IQ1_M", 256, 56, true, DType::F32},
    {30, "BF16", 1, 2, false, DType::BF16},
    {34, "TQ1_0", 256, 54, true, DType::F32},
    {35, "TQ2_0", 256, 66, true, DType::F32},
    {39, "MXFP4", 32, 17, true, DType::F32},
    {40, "NVFP4", 64, 36, true, DType::F32},
}};

struct OtherName {
    std::uint32_t id;
    std::string_view name;
};
/// Only ever intermediate results, or without a dequantization in gguf-py.
constexpr std::array<OtherName, 4> kOtherNames{{{9, "Q8_1"}, {15, "Q8_K"}, {41, "Q1_0"}, {42, "Q2_0"}}};

void blockQ4_0(Bytes in, float* out) {
    const float d = halfAt(in);
    for (int i = 0; i < 16; ++i) {
        const int packed = in[2 + i];
        out[i] = d * asFloat((packed & 0x0F) - 8);
        out[i + 16] = d * asFloat((packed >> 4) - 8);
    }
}

void blockQ4_1(Bytes in, float* out) {
    const float d = halfAt(in);
    const float m = halfAt(in + 2);
    for (int i = 0; i < 16; ++i) {
        const int packed = in[4 + i];
        out[i] = d * asFloat(packed & 0x0F) + m;
        out[i + 16] = d * asFloat(packed >> 4) + m;
    }
}

void blockQ5_0(Bytes in, float* out) {
    const float d = halfAt(in);
    const std::uint32_t high = wordAt(in + 2);
    for (int i = 0; i < 16; ++i) {
        const int packed = in[6 + i];
        const int low0 = (packed & 0x0F) | static_cast<int>(((high >> i) & 1U) << 4);
        const int low1 = (packed >> 4) | static_cast<int>(((high >> (i + 16)) & 1U) << 4);
        out[i] = d * asFloat(low0 - 16);
        out[i + 16] = d * asFloat(low1 - 16);
    }
}

void blockQ5_1(Bytes in, float* out) {
    const float d = halfAt(in);
    const float m = halfAt(in + 2);
    const std::uint32_t high = wordAt(in + 4);
    for (int i = 0; i < 16; ++i) {
        const int packed = in[8 + i];
        const int low0 = (packed & 0x0F) | static_cast<int>(((high >> i) & 1U) << 4);
        const int low1 = (packed >> 4) | static_cast<int>(((high >> (i + 16)) & 1U) << 4);
        out[i] = d * asFloat(low0) + m;
        out[i + 16] = d * asFloat(low1) + m;
    }
}

void blockQ8_0(Bytes in, float* out) {
    const float d = halfAt(in);
    for (int i = 0; i < 32; ++i) {
        out[i] = asFloat(static_cast<std::int8_t>(in[2 + i])) * d;
    }
}

void blockQ2K(Bytes in, float* out) {
    Bytes scales = in;
    Bytes codes = in + 16;
    const float d = halfAt(in + 80);
    const float dmin = halfAt(in + 82);
    // Two runs of 32 bytes, each read four times at 2-bit shifts; a scale a run of 16 elements.
    for (int e = 0; e < 256; ++e) {
        const int sub = e / 16;
        const float dl = d * asFloat(scales[sub] & 0x0F);
        const float ml = dmin * asFloat(scales[sub] >> 4);
        const int shift = (e / 32) % 4 * 2;
        out[e] = dl * asFloat((codes[e / 128 * 32 + e % 32] >> shift) & 3) - ml;
    }
}

void blockQ3K(Bytes in, float* out) {
    Bytes mask = in;
    Bytes codes = in + 32;
    Bytes packed = in + 96;
    const float d = halfAt(in + 108);
    std::array<float, 16> dl{};
    for (int sub = 0; sub < 16; ++sub) {
        const int low = (packed[sub % 8] >> (sub / 8 * 4)) & 0x0F;
        const int high = (packed[8 + sub % 4] >> (sub / 4 * 2)) & 0x03;
        dl[static_cast<std::size_t>(sub)] = d * asFloat((low | (high << 4)) - 32);
    }
    for (int e = 0; e < 256; ++e) {
        const int low = (codes[e / 128 * 32 + e % 32] >> ((e / 32) % 4 * 2)) & 3;
        const int high = ((mask[e % 32] >> (e / 32)) & 1) ^ 1;
        out[e] = dl[static_cast<std::size_t>(e / 16)] * asFloat(low - (high << 2));
    }
}

/// The eight 6-bit scales and minimums of Q4_K and Q5_K.
void scalesAndMins(Bytes in, std::array<int, 8>& scales, std::array<int, 8>& mins) {
    for (std::size_t i = 0; i < 4; ++i) {
        scales[i] = in[i] & 0x3F;
        mins[i] = in[4 + i] & 0x3F;
        scales[4 + i] = (in[8 + i] & 0x0F) | ((in[i] >> 2) & 0x30);
        mins[4 + i] = (in[8 + i] >> 4) | ((in[4 + i] >> 2) & 0x30);
    }
}

void blockQ45K(Bytes in, bool fiveBits, float* out) {
    const float d = halfAt(in);
    const float dmin = halfAt(in + 2);
    std::array<int, 8> scales{};
    std::array<int, 8> mins{};
    scalesAndMins(in + 4, scales, mins);
    Bytes high = in + 16;
    Bytes codes = fiveBits ? in + 48 : in + 16;
    for (std::size_t sub = 0; sub < 8; ++sub) {
        const float dl = d * asFloat(scales[sub]);
        const float ml = dmin * asFloat(mins[sub]);
        for (std::size_t i = 0; i < 32; ++i) {
            int code = (codes[sub / 2 * 32 + i] >> (sub % 2 * 4)) & 0x0F;
            if (fiveBits) {
                code |= ((high[i] >> sub) & 1) << 4;
            }
            out[sub * 32 + i] = dl * asFloat(code) - ml;
        }
    }
}
void blockQ4K(Bytes in, float* out) { blockQ45K(in, false, out); }
void blockQ5K(Bytes in, float* out) { blockQ45K(in, true, out); }

void blockQ6K(Bytes in, float* out) {
    Bytes low = in;
    Bytes high = in + 128;
    Bytes scales = in + 192;
    const float d = halfAt(in + 208);
    for (int e = 0; e < 256; ++e) {
        const int row = e / 32;  // of 8 rows: low nibbles of 64 bytes, then their high nibbles
        const int code = ((low[row / 4 * 64 + row % 2 * 32 + e % 32] >> (row / 2 % 2 * 4)) & 0x0F) |
                         (((high[row / 4 * 32 + e % 32] >> (row % 4 * 2)) & 3) << 4);
        const float dl = d * asFloat(static_cast<std::int8_t>(scales[e / 16]));
        out[e] = dl * asFloat(code - 32);
    }
}

/// Five (or four) codes of three values a byte: the byte is their base-3 fraction of 256, a multiplication
/// by a power of three brings one to the top. `bytes` bytes hold bytes × `powers` elements.
void ternaryBytes(float d, Bytes in, int bytes, int powers, float* out) {
    unsigned factor = 1;
    for (int power = 0; power < powers; ++power, factor *= 3) {
        for (int i = 0; i < bytes; ++i) {
            const unsigned code = ((in[i] * factor & 0xFFU) * 3) >> 8;
            out[power * bytes + i] = d * asFloat(static_cast<int>(code) - 1);
        }
    }
}

void blockTQ1_0(Bytes in, float* out) {
    const float d = halfAt(in + 52);
    ternaryBytes(d, in, 32, 5, out);
    ternaryBytes(d, in + 32, 16, 5, out + 160);
    ternaryBytes(d, in + 48, 4, 4, out + 240);
}

void blockTQ2_0(Bytes in, float* out) {
    const float d = halfAt(in + 64);
    for (int e = 0; e < 256; ++e) {
        out[e] = d * asFloat(((in[e / 128 * 32 + e % 32] >> (e / 32 % 4 * 2)) & 3) - 1);
    }
}

BlockFunction functionOf(int id) {
    switch (id) {
        case 2: return blockQ4_0;
        case 3: return blockQ4_1;
        case 6: return blockQ5_0;
        case 7: return blockQ5_1;
        case 8: return blockQ8_0;
        case 10: return blockQ2K;
        case 11: return blockQ3K;
        case 12: return blockQ4K;
        case 13: return blockQ5K;
        case 14: return blockQ6K;
        case 34: return blockTQ1_0;
        case 35: return blockTQ2_0;
        default: return gguf::codebookFunction(id);
    }
}

}  // namespace

const GgmlType* ggmlType(std::uint32_t id) {
    for (const auto& type : kTypes) {
        if (static_cast<std::uint32_t>(type.id) == id) {
            return &type;
        }
    }
    return nullptr;
}

std::string ggmlTypeName(std::uint32_t id) {
    if (const auto* type = ggmlType(id)) {
        return std::string(type->name);
    }
    for (const auto& other : kOtherNames) {
        if (other.id == id) {
            return std::string(other.name);
        }
    }
    return "type " + std::to_string(id);
}

std::string readableGgmlTypes() {
    std::string list;
    for (const auto& type : kTypes) {
        list += (list.empty() ? "" : ", ") + std::string(type.name);
    }
    return list;
}

void dequantizeBlocks(const GgmlType& type, std::span<const std::byte> bytes, float* out) {
    const auto function = functionOf(type.id);
    const auto* in = reinterpret_cast<Bytes>(bytes.data());
    const std::size_t blocks = bytes.size() / type.blockBytes;
    for (std::size_t i = 0; i < blocks; ++i) {
        function(in + i * type.blockBytes, out + i * type.blockElements);
    }
}

}  // namespace pareto::io
