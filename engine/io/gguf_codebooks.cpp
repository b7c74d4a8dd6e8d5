#include <array>
#include <bit>
#include <cmath>

#include "engine/io/gguf_blocks.h"
#include "engine/io/gguf_grids.h"

// Layouts of ggml-common.h, operations in the order of gguf-py's quants.py; see gguf_dequant.cpp.

namespace pareto::io::gguf {
namespace {

template <std::size_t Length, std::size_t Rows, std::size_t Values>
constexpr auto expand(const PackedGrid<Rows, Values>& grid) {
    constexpr unsigned kBits = 16 / Length;
    std::array<std::array<std::int8_t, Length>, Rows> out{};
    for (std::size_t row = 0; row < Rows; ++row) {
        for (std::size_t i = 0; i < Length; ++i) {
            const unsigned code = (grid.rows[row] >> (i * kBits)) & ((1U << kBits) - 1U);
            out[row][i] = grid.values[code];
        }
    }
    return out;
}
constexpr auto kIq1S = expand<8>(kGridIQ1S);
constexpr auto kIq2XXS = expand<8>(kGridIQ2XXS);
constexpr auto kIq2XS = expand<8>(kGridIQ2XS);
constexpr auto kIq2S = expand<8>(kGridIQ2S);
constexpr auto kIq3XXS = expand<4>(kGridIQ3XXS);
constexpr auto kIq3S = expand<4>(kGridIQ3S);

constexpr std::array<std::int8_t, 16> kNonLinear{-127, -104, -83, -65, -49, -35, -22, -10,
                                                 1,    13,   25,  38,  53,  69,  89,  113};
/// Twice the values of E2M1.
constexpr std::array<std::int8_t, 16> kE2M1{0, 1,  2,  3,  4,  6,  8,  12,
                                            0, -1, -2, -3, -4, -6, -8, -12};

/// Bit j of `signs` turns value j around.
template <std::size_t Length>
void signedRow(float scale, const std::array<std::int8_t, Length>& row, unsigned signs,
               float* out) {
    for (std::size_t i = 0; i < Length; ++i) {
        const float value = scale * asFloat(row[i]);
        out[i] = value * (((signs >> i) & 1U) != 0 ? -1.0F : 1.0F);
    }
}

void blockIQ2XXS(Bytes in, float* out) {
    const float d = halfAt(in);
    for (int part = 0; part < 8; ++part, in += 8, out += 32) {
        const std::uint32_t packed = wordAt(in + 6);  // four times 7 bits of signs, 4 bits of scale
        const float scale = d * (0.5F + asFloat(static_cast<int>(packed >> 28))) * 0.25F;
        for (int i = 0; i < 4; ++i) {
            signedRow(scale, kIq2XXS[in[2 + i]], kGridSigns[(packed >> (7 * i)) & 0x7FU],
                      out + 8 * i);
        }
    }
}

void blockIQ2XS(Bytes in, float* out) {
    const float d = halfAt(in);
    Bytes scales = in + 66;
    for (int i = 0; i < 32; ++i) {
        const unsigned code = halfWordAt(in + 2 + 2 * i);
        const int nibble = (scales[i / 4] >> (i / 2 % 2 * 4)) & 0x0F;
        const float scale = d * (0.5F + asFloat(nibble)) * 0.25F;
        signedRow(scale, kIq2XS[code & 511U], kGridSigns[code >> 9], out + 8 * i);
    }
}

void blockIQ2S(Bytes in, float* out) {
    const float d = halfAt(in);
    Bytes codes = in + 2;
    Bytes signs = in + 34;
    Bytes high = in + 66;
    Bytes scales = in + 74;
    for (int i = 0; i < 32; ++i) {
        const unsigned code = codes[i] | (((high[i / 4] >> (i % 4 * 2)) & 3U) << 8);
        const int nibble = (scales[i / 4] >> (i / 2 % 2 * 4)) & 0x0F;
        const float scale = d * (0.5F + asFloat(nibble)) * 0.25F;
        signedRow(scale, kIq2S[code], signs[i], out + 8 * i);
    }
}

void blockIQ3XXS(Bytes in, float* out) {
    const float d = halfAt(in);
    Bytes codes = in + 2;
    for (int part = 0; part < 8; ++part, out += 32) {
        const std::uint32_t packed = wordAt(in + 66 + 4 * part);
        const float scale = d * (0.5F + asFloat(static_cast<int>(packed >> 28))) * 0.5F;
        for (int i = 0; i < 8; ++i) {
            const unsigned signs = kGridSigns[(packed >> (i / 2 * 7)) & 0x7FU] >> (i % 2 * 4);
            signedRow(scale, kIq3XXS[codes[8 * part + i]], signs, out + 4 * i);
        }
    }
}

void blockIQ3S(Bytes in, float* out) {
    const float d = halfAt(in);
    Bytes codes = in + 2;
    Bytes high = in + 66;
    Bytes signs = in + 74;
    Bytes scales = in + 106;
    for (int i = 0; i < 64; ++i) {
        const unsigned code = codes[i] | (((high[i / 8] >> (i % 8)) & 1U) << 8);
        const int nibble = (scales[i / 16] >> (i / 8 % 2 * 4)) & 0x0F;
        const float scale = d * asFloat(1 + 2 * nibble);
        signedRow(scale, kIq3S[code], static_cast<unsigned>(signs[i / 2] >> (i % 2 * 4)),
                  out + 4 * i);
    }
}

constexpr float kIq1Delta = 0.125F;

void shiftedRow(float scale, unsigned code, bool negative, float* out) {
    const float delta = negative ? -kIq1Delta : kIq1Delta;
    for (std::size_t i = 0; i < 8; ++i) {
        out[i] = scale * (asFloat(kIq1S[code][i]) + delta);
    }
}

void blockIQ1S(Bytes in, float* out) {
    const float d = halfAt(in);
    Bytes codes = in + 2;
    for (int part = 0; part < 8; ++part) {
        const unsigned high = halfWordAt(in + 34 + 2 * part);
        const float scale = d * asFloat(static_cast<int>(2 * ((high >> 12) & 7U) + 1));
        for (int i = 0; i < 4; ++i) {
            const unsigned code = codes[4 * part + i] | (((high >> (3 * i)) & 7U) << 8);
            shiftedRow(scale, code, (high & 0x8000U) != 0, out + 32 * part + 8 * i);
        }
    }
}

void blockIQ1M(Bytes in, float* out) {
    Bytes high = in + 32;
    Bytes scales = in + 48;
    // The block's scale lies in the upper four bits of four words.
    unsigned bits = 0;
    for (int i = 0; i < 4; ++i) {
        bits |= static_cast<unsigned>(halfWordAt(scales + 2 * i) >> 12) << (4 * i);
    }
    const float d = halfToFloat(static_cast<std::uint16_t>(bits));
    for (int i = 0; i < 32; ++i) {
        const unsigned part = (halfWordAt(scales + i / 8 * 2) >> (i / 2 % 4 * 3)) & 7U;
        const unsigned nibble = (high[i / 2] >> (i % 2 * 4)) & 0x0FU;
        shiftedRow(d * asFloat(static_cast<int>(2 * part + 1)), in[i] | ((nibble & 7U) << 8),
                   (nibble & 8U) != 0, out + 8 * i);
    }
}

/// `half` bytes: their low nibbles are the first elements, their high ones the second.
void nibbleTable(float scale, const std::array<std::int8_t, 16>& table, Bytes in, int half,
                 float* out) {
    for (int i = 0; i < half; ++i) {
        out[i] = scale * asFloat(table[in[i] & 0x0FU]);
        out[i + half] = scale * asFloat(table[in[i] >> 4]);
    }
}

void blockIQ4NL(Bytes in, float* out) { nibbleTable(halfAt(in), kNonLinear, in + 2, 16, out); }

void blockIQ4XS(Bytes in, float* out) {
    const float d = halfAt(in);
    const unsigned high = halfWordAt(in + 2);
    Bytes low = in + 4;
    for (int part = 0; part < 8; ++part) {
        const unsigned code =
            ((low[part / 2] >> (part % 2 * 4)) & 0x0FU) | (((high >> (2 * part)) & 3U) << 4);
        nibbleTable(d * asFloat(static_cast<int>(code) - 32), kNonLinear, in + 8 + 16 * part, 16,
                    out + 32 * part);
    }
}

/// Half of 2^(e − 127), the last two as denormals (ggml_e8m0_to_fp32_half).
float halfOfE8M0(std::uint32_t e) {
    return std::bit_cast<float>(e < 2 ? 0x00200000U << e : (e - 1U) << 23);
}

void blockMXFP4(Bytes in, float* out) { nibbleTable(halfOfE8M0(in[0]), kE2M1, in + 1, 16, out); }

/// Half of an E4M3 without sign; 0x7F, its NaN, counts as zero.
float halfOfE4M3(std::uint8_t bits) {
    if (bits == 0 || bits == 0x7F) {
        return 0;
    }
    const int exponent = (bits >> 3) & 0x0F;
    const int mantissa = bits & 7;
    return exponent == 0 ? std::ldexp(asFloat(mantissa), -10)
                         : std::ldexp(asFloat(8 + mantissa), exponent - 11);
}

void blockNVFP4(Bytes in, float* out) {
    for (int part = 0; part < 4; ++part) {
        nibbleTable(halfOfE4M3(in[part]), kE2M1, in + 4 + 8 * part, 8, out + 16 * part);
    }
}

}  // namespace

BlockFunction codebookFunction(int ggmlType) {
    switch (ggmlType) {
    case 16:
        return blockIQ2XXS;
    case 17:
        return blockIQ2XS;
    case 18:
        return blockIQ3XXS;
    case 19:
        return blockIQ1S;
    case 20:
        return blockIQ4NL;
    case 21:
        return blockIQ3S;
    case 22:
        return blockIQ2S;
    case 23:
        return blockIQ4XS;
    case 29:
        return blockIQ1M;
    case 39:
        return blockMXFP4;
    case 40:
        return blockNVFP4;
    default:
        return nullptr;
    }
}

}  // namespace pareto::io::gguf
