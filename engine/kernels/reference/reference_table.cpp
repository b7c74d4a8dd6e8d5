// Plain loops, one value after the other: what every other table is compared with, and what runs
// where no faster table does. Sums in double where that is cheap to say.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/core/dtype.h"
#include "engine/core/float8.h"
#include "engine/kernels/pack.h"
#include "engine/kernels/tables.h"

namespace pareto::kernels {
namespace {

float activated(float x, Act act) {
    switch (act) {
        case Act::None: return x;
        case Act::Gelu: return 0.5F * x * (1.0F + std::erf(x * 0.70710678118654752F));
        case Act::GeluTanh:
            return 0.5F * x *
                   (1.0F + std::tanh(0.79788456080286536F * (x + 0.044715F * x * x * x)));
        case Act::Relu: return x > 0.0F || std::isnan(x) ? x : 0.0F;
        case Act::Silu: return x / (1.0F + std::exp(-x));
        case Act::Tanh: return std::tanh(x);
    }
    return x;
}

float largestMagnitude(const float* x, std::int64_t count) {
    float out = 0.0F;
    for (std::int64_t i = 0; i < count; ++i) {
        out = std::max(out, std::fabs(x[i]));
    }
    return out;
}

void quantizeRows(const QuantizeRows& a, std::int64_t begin, std::int64_t end) {
    const bool isSigned = a.sums != nullptr;
    const int offset = isSigned ? 0 : 128;
    for (std::int64_t row = begin; row < end; ++row) {
        const float* x = a.x + row * a.ldx;
        std::uint8_t* out = a.codes + row * a.ldc;
        for (std::int64_t g = 0; g < a.groups; ++g) {
            const std::int64_t from = g * a.groupSize;
            const std::int64_t to = std::min(a.k, from + a.groupSize);
            const float amax = a.oneScale ? largestMagnitude(x, a.k) : largestMagnitude(x + from, to - from);
            const float given = a.rowScales != nullptr ? a.rowScales[row] : a.fixedScale;
            const float scale = a.rowScales != nullptr || given > 0.0F ? given : amax / 127.5F;
            const float inverse = scale > 0.0F ? 1.0F / scale : 0.0F;
            const std::int64_t at = isSigned ? g * a.m + row : row * a.groups + g;
            a.scales[at] = scale;
            int sum = 0;
            for (std::int64_t i = from; i < to; ++i) {
                const int code = static_cast<int>(std::clamp(std::nearbyint(x[i] * inverse), -128.0F, 127.0F));
                out[i] = static_cast<std::uint8_t>(code + offset);
                sum += code;
            }
            if (isSigned) {
                a.sums[at] = a.sumFactor * sum;
            }
        }
        std::memset(out + a.k, offset, static_cast<std::size_t>(a.ldc - a.k));
    }
}

void int8Gemm(const Int8Gemm& a, std::int64_t panelBegin, std::int64_t panelEnd) {
    const auto& w = a.weight;
    const std::int64_t last = std::min(w.rows, panelEnd * kPanelRows);
    for (std::int64_t row = panelBegin * kPanelRows; row < last; ++row) {
        const std::int64_t panel = row / kPanelRows;
        const std::int64_t height = panelRows(w.rows, panel);
        for (std::int64_t i = 0; i < a.m; ++i) {
            double total = 0.0;
            for (std::int64_t g = 0; g < w.groups; ++g) {
                const std::int64_t to = std::min(w.cols, (g + 1) * w.groupSize);
                std::int32_t sum = 0;
                for (std::int64_t c = g * w.groupSize; c < to; ++c) {
                    sum += static_cast<std::int32_t>(a.codes[i * a.ldc + c]) *
                           w.codes[packedOffset(w.rows, w.cols, row, c)];
                }
                sum -= 128 * w.codeSums[panel * kPanelRows * w.groups + g * height + row % kPanelRows];
                total += static_cast<double>(a.scales[i * w.groups + g]) * sum;
            }
            total *= static_cast<double>(w.scales[w.perTensor ? 0 : row]);
            total += a.bias != nullptr ? static_cast<double>(a.bias[row]) : 0.0;
            a.out[i * a.ldo + row - a.firstRow] = activated(static_cast<float>(total), a.act);
        }
    }
}

/// Bit by bit.
float packedCode(const WeightRows& w, std::int64_t row, std::int64_t col, int bits) {
    const auto* bytes = static_cast<const std::uint8_t*>(w.values) + row * ((w.cols * bits + 7) / 8);
    int stored = 0;
    for (int i = 0; i < bits; ++i) {
        const std::int64_t bit = col * bits + i;
        stored |= (bytes[bit / 8] >> (bit % 8) & 1) << i;
    }
    return static_cast<float>(stored - (1 << (bits - 1)));
}

float weightAt(const WeightRows& w, std::int64_t row, std::int64_t col) {
    const std::int64_t at = row * w.cols + col;
    float code = 0.0F;
    switch (w.kind) {
        case WeightKind::F32: return static_cast<const float*>(w.values)[at];
        case WeightKind::F16: return halfToFloat(static_cast<const std::uint16_t*>(w.values)[at]);
        case WeightKind::BF16: return bfloatToFloat(static_cast<const std::uint16_t*>(w.values)[at]);
        case WeightKind::F8: code = float8ToFloat(static_cast<const std::uint8_t*>(w.values)[at]); break;
        case WeightKind::Int16: {
            std::int16_t wide = 0;
            std::memcpy(&wide, static_cast<const std::uint8_t*>(w.values) + 2 * at, sizeof(wide));
            code = static_cast<float>(wide);
            break;
        }
        case WeightKind::Int8: code = static_cast<const std::int8_t*>(w.values)[at]; break;
        case WeightKind::Int4: code = packedCode(w, row, col, 4); break;
        case WeightKind::Int3: code = packedCode(w, row, col, 3); break;
        case WeightKind::Int2: code = packedCode(w, row, col, 2); break;
    }
    const std::int64_t scale = w.groups == 0 ? 0 : row * w.groups + col / w.groupSize;
    const int zero = w.zeroPoints != nullptr ? w.zeroPoints[scale] : 0;
    return w.scales[scale] * (code - static_cast<float>(zero));
}

void dequantizeRows(const WeightRows& w, std::int64_t begin, std::int64_t end, float* out,
                    std::int64_t ldo) {
    for (std::int64_t row = begin; row < end; ++row) {
        for (std::int64_t col = 0; col < w.cols; ++col) {
            out[(row - begin) * ldo + col] = weightAt(w, row, col);
        }
    }
}

void rowsGemm(const RowsGemm& a, std::int64_t rowBegin, std::int64_t rowEnd) {
    for (std::int64_t row = rowBegin; row < rowEnd; ++row) {
        for (std::int64_t i = 0; i < a.m; ++i) {
            double sum = a.bias != nullptr ? static_cast<double>(a.bias[row]) : 0.0;
            for (std::int64_t c = 0; c < a.weight.cols; ++c) {
                sum += static_cast<double>(a.x[i * a.ldx + c]) *
                       static_cast<double>(weightAt(a.weight, row, c));
            }
            a.out[i * a.ldo + row - a.firstRow] = activated(static_cast<float>(sum), a.act);
        }
    }
}

void floatGemm(const FloatGemm& a, std::int64_t panelBegin, std::int64_t panelEnd) {
    const auto& w = a.weight;
    for (std::int64_t row = panelBegin * kPanelRows; row < std::min(w.rows, panelEnd * kPanelRows); ++row) {
        const std::int64_t first = row / kPanelRows * kPanelRows;
        const std::int64_t height = std::min(kPanelRows, w.rows - first);
        for (std::int64_t i = 0; i < a.m; ++i) {
            double sum = a.bias != nullptr ? static_cast<double>(a.bias[row]) : 0.0;
            for (std::int64_t c = 0; c < w.cols; ++c) {
                sum += static_cast<double>(a.x[i * a.ldx + c]) *
                       static_cast<double>(w.values[first * w.cols + c * height + row - first]);
            }
            a.out[i * a.ldo + row - a.firstRow] = activated(static_cast<float>(sum), a.act);
        }
    }
}

template <bool kCentered>
void normalize(const Norm& a, std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t at = row * a.width;
        double mean = 0.0;
        double square = 0.0;
        const auto value = [&](std::int64_t i) {
            return a.residual != nullptr ? a.x[at + i] + a.residual[at + i] : a.x[at + i];
        };
        for (std::int64_t i = 0; i < a.width; ++i) {
            mean += static_cast<double>(value(i));
        }
        mean = kCentered ? mean / static_cast<double>(a.width) : 0.0;
        for (std::int64_t i = 0; i < a.width; ++i) {
            const double d = static_cast<double>(value(i)) - mean;
            square += d * d;
        }
        const double inverse = 1.0 / std::sqrt(square / static_cast<double>(a.width) +
                                               static_cast<double>(a.epsilon));
        for (std::int64_t i = 0; i < a.width; ++i) {
            const float x = value(i);
            if (a.sum != nullptr) {
                a.sum[at + i] = x;
            }
            const auto scaled = static_cast<float>((static_cast<double>(x) - mean) * inverse);
            a.out[at + i] = scaled * a.weight[i] + (kCentered ? a.bias[i] : 0.0F);
        }
    }
}

void activate(float* values, std::int64_t count, Act act) {
    for (std::int64_t i = 0; i < count; ++i) {
        values[i] = activated(values[i], act);
    }
}

void activateMultiply(float* gate, const float* up, std::int64_t count, Act act) {
    for (std::int64_t i = 0; i < count; ++i) {
        gate[i] = activated(gate[i], act) * up[i];
    }
}

void rope(const Rope& a, std::int64_t begin, std::int64_t end) {
    const std::int64_t half = a.headDim / 2;
    for (std::int64_t row = begin; row < end; ++row) {
        for (std::int64_t head = 0; head < a.heads; ++head) {
            float* x = a.x + row * a.ldx + head * a.headDim;
            for (std::int64_t i = 0; i < half; ++i) {
                const float c = a.cosines[row * half + i];
                const float s = a.sines[row * half + i];
                const float low = x[i];
                const float high = x[half + i];
                x[i] = low * c - high * s;
                x[half + i] = high * c + low * s;
            }
        }
    }
}

/// `query(r, d)`, `key(j, d)` and `value(j, d)` are what is multiplied, `weight(e)` what a key's exponential counts as.
template <typename Query, typename Key, typename Value, typename Weight>
void attend(const AttentionTile& a, const Query& query, const Key& key, const Value& value, const Weight& weight) {
    for (std::int64_t r = 0; r < a.rows; ++r) {
        const std::int64_t begin = attentionBegin(a, r);
        const std::int64_t end = attentionEnd(a, r);
        float largest = -INFINITY;
        for (std::int64_t j = begin; j < end; ++j) {
            double dot = 0.0;
            for (std::int64_t d = 0; d < a.headDim; ++d) {
                dot += static_cast<double>(query(r, d)) * static_cast<double>(key(j, d));
            }
            a.scores[j] = static_cast<float>(dot) * a.scale;
            if (a.bias != nullptr) {
                a.scores[j] += a.bias[r * a.ldb + j];
            }
            if (a.softcap > 0.0F) {
                a.scores[j] = a.softcap * std::tanh(a.scores[j] / a.softcap);
            }
            largest = std::max(largest, a.scores[j]);
        }
        double total = 0.0;
        for (std::int64_t j = begin; j < end; ++j) {
            a.scores[j] = std::exp(a.scores[j] - largest);
            total += static_cast<double>(a.scores[j]);
        }
        if (a.logSums != nullptr) {
            a.logSums[r] = largest + static_cast<float>(std::log(total));
        }
        for (std::int64_t d = 0; d < a.headDim; ++d) {
            double sum = 0.0;
            for (std::int64_t j = begin; j < end; ++j) {
                sum += static_cast<double>(weight(a.scores[j])) * static_cast<double>(value(j, d));
            }
            a.out[r * a.ldo + d] = static_cast<float>(sum / total);
        }
    }
}

void attention(const AttentionTile& a) {
    attend(
        a, [&](std::int64_t r, std::int64_t d) { return a.q[r * a.ldq + d]; },
        [&](std::int64_t j, std::int64_t d) { return a.keys[keyPlace(a, j) + d * a.ldk]; },
        [&](std::int64_t j, std::int64_t d) { return a.v[j * a.ldv + d]; }, [](float e) { return e; });
}

void pairRows(const float* even, const float* odd, std::int64_t count, float* out) {
    for (std::int64_t i = 0; i < count; ++i) {
        const std::uint16_t pair[2] = {floatToBfloat(even[i]), odd != nullptr ? floatToBfloat(odd[i]) : std::uint16_t{0}};
        std::memcpy(out + i, pair, sizeof pair);
    }
}

/// Number `i` of the pair.
float ofPair(const float* pair, std::int64_t i) {
    std::uint16_t bits[2];
    std::memcpy(bits, pair, sizeof bits);
    return bfloatToFloat(bits[i]);
}

void attentionPairs(const AttentionTile& a) {
    const auto rounded = [](float x) { return bfloatToFloat(floatToBfloat(x)); };
    attend(
        a, [&](std::int64_t r, std::int64_t d) { return rounded(a.q[r * a.ldq + d]); },
        [&](std::int64_t j, std::int64_t d) { return ofPair(a.keys + keyPlace(a, j) + d / 2 * a.ldk, d % 2); },
        [&](std::int64_t j, std::int64_t d) { return ofPair(a.v + j / 2 * a.ldv + d, j % 2); }, rounded);
}

void transpose(const float* in, std::int64_t ldi, std::int64_t rows, std::int64_t cols, float* out,
               std::int64_t ldo) {
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < cols; ++c) {
            out[c * ldo + r] = in[r * ldi + c];
        }
    }
}

void groupGemm(const GroupGemm& a, std::int64_t panelBegin, std::int64_t panelEnd) {
    const auto& w = a.weight;
    const std::int64_t last = std::min(w.rows, panelEnd * kPanelRows);
    for (std::int64_t row = panelBegin * kPanelRows; row < last; ++row) {
        const std::int64_t panel = row / kPanelRows;
        for (std::int64_t i = 0; i < a.m; ++i) {
            double total = a.bias != nullptr ? static_cast<double>(a.bias[row]) : 0.0;
            for (std::int64_t g = 0; g < w.groups; ++g) {
                const std::int64_t at =
                    panel * kPanelRows * w.groups + g * panelRows(w.rows, panel) + row % kPanelRows;
                const int zero = w.zeroPoints != nullptr ? w.zeroPoints[at] : 0;
                std::int64_t sum = 0;
                for (std::int64_t c = g * w.groupSize; c < std::min(w.cols, (g + 1) * w.groupSize); ++c) {
                    sum += (groupCode(w, row, c) - zero) * a.codes[i * a.ldc + c];
                }
                total += static_cast<double>(w.scales[at]) * static_cast<double>(a.scales[g * a.m + i]) *
                         static_cast<double>(sum);
            }
            a.out[i * a.ldo + row - a.firstRow] = activated(static_cast<float>(total), a.act);
        }
    }
}

/// Places 0 … count − 1 of a line's stored entries of type T; zeros where none is stored.
template <typename T>
std::vector<T> spread(const std::uint64_t* masks, const void* values, std::uint32_t start, std::int64_t count) {
    std::vector<T> out(static_cast<std::size_t>(count));
    const auto* value = static_cast<const unsigned char*>(values) + start * sizeof(T);
    for (std::int64_t i = 0; i < count; ++i) {
        if ((masks[i / 64] >> (i % 64) & 1) != 0) {
            std::memcpy(&out[static_cast<std::size_t>(i)], value, sizeof(T));
            value += sizeof(T);
        }
    }
    return out;
}

/// Number of the panels' entry that token i has for `column` of `columns`.
std::int64_t panelEntry(const SparseGemm& a, std::int64_t i, std::int64_t column, std::int64_t columns) {
    const std::int64_t first = i / kTileTokens * kTileTokens;
    const std::int64_t left = (a.m - first + kTokenLanes - 1) / kTokenLanes * kTokenLanes;
    return first * columns + column * std::min(kTileTokens, left) + i - first;
}

/// The input of token i and column c, from where the fast kernels take it.
float floatInput(const SparseGemm& a, std::int64_t i, std::int64_t c) {
    return a.panels != nullptr ? static_cast<const float*>(a.panels)[panelEntry(a, i, c, (a.weight.cols + 1) / 2 * 2)]
                               : static_cast<const float*>(a.x)[i * a.ldx + c];
}
int codeInput(const SparseGemm& a, std::int64_t i, std::int64_t c) {
    return (a.panels != nullptr
                ? static_cast<const std::uint8_t*>(a.panels)[panelEntry(a, i, c / 4, a.ldx / 4) * 4 + c % 4]
                : static_cast<const std::uint8_t*>(a.x)[i * a.ldx + c]) -
           128;
}

double sparseDot(const SparseGemm& a, std::int64_t row, std::int64_t i) {
    const auto& w = a.weight;
    const std::uint64_t* masks = w.masks + row / w.maskRows * w.words;
    double sum = 0.0;
    if (w.kind == WeightKind::F32) {
        const auto values = spread<float>(masks, w.values, w.starts[row], w.cols);
        for (std::int64_t c = 0; c < w.cols; ++c) {
            sum += static_cast<double>(values[static_cast<std::size_t>(c)]) * static_cast<double>(floatInput(a, i, c));
        }
        return sum;
    }
    struct Block {
        std::int8_t codes[4];
    };
    const auto blocks = spread<Block>(masks, w.values, w.starts[row], (w.cols + 3) / 4);
    for (std::int64_t c = 0; c < w.cols; ++c) {
        sum += blocks[static_cast<std::size_t>(c / 4)].codes[c % 4] * codeInput(a, i, c);
    }
    return sum * static_cast<double>(a.inputScales[i]) * static_cast<double>(w.scales[w.perTensor ? 0 : row]);
}

void sparseGemm(const SparseGemm& a, std::int64_t rowBegin, std::int64_t rowEnd) {
    for (std::int64_t row = rowBegin; row < rowEnd; ++row) {
        const double bias = a.bias != nullptr ? static_cast<double>(a.bias[row]) : 0.0;
        for (std::int64_t i = 0; i < a.m; ++i) {
            a.out[i * a.ldo + row - a.firstRow] = activated(static_cast<float>(sparseDot(a, row, i) + bias), a.act);
        }
    }
}

void expandPanels(const SparsePanels& w, std::int64_t begin, std::int64_t end, std::int8_t* out) {
    const std::int64_t steps = w.dense.cols / 4;
    for (std::int64_t panel = begin; panel < end; ++panel) {
        const std::int64_t height = panelRows(w.dense.rows, panel);
        const auto codes = spread<std::int8_t>(w.masks + panel * steps, w.codes, w.starts[panel], 64 * steps);
        for (std::int64_t step = 0; step < steps; ++step) {
            out = std::copy_n(codes.begin() + 64 * step, 4 * height, out);
        }
    }
}

void sparsePanelGemm(const SparsePanelGemm& a, std::int64_t panelBegin, std::int64_t panelEnd) {
    std::vector<std::int8_t> codes(static_cast<std::size_t>(a.weight.dense.rows * a.weight.dense.cols));
    const std::int64_t panels = panelCount(a.weight.dense.rows);
    expandPanels(a.weight, 0, panels, codes.data());
    Int8Gemm work = a.work;
    work.weight = a.weight.dense;
    work.weight.codes = codes.data();
    int8Gemm(work, panelBegin, panelEnd);
}

/// Σ over the entries of one group of a row, of values or of codes without what inputs carry too much.
double stepDot(const SparseStepGemm& a, std::int64_t row, std::int64_t group, std::int64_t i) {
    const auto& w = a.weight;
    const std::int64_t at = row / kPanelRows * w.dense.groups + group;
    double sum = 0.0;
    for (std::uint32_t e = w.starts[at]; e < w.starts[at + 1]; ++e) {
        const auto* entry = static_cast<const unsigned char*>(w.entries) + std::size_t{64} * e + 4 * (row % kPanelRows);
        if (w.kind == WeightKind::F32) {
            float value = 0.0F;
            std::memcpy(&value, entry, sizeof(value));
            sum += static_cast<double>(value) *
                   static_cast<double>(static_cast<const float*>(a.x)[i * a.ldx + w.places[e]]);
            continue;
        }
        for (std::int64_t c = 0; c < 4; ++c) {
            const int code = static_cast<const std::uint8_t*>(a.x)[i * a.ldx + 4 * w.places[e] + c];
            sum += (code - 128) * static_cast<std::int8_t>(entry[c]);
        }
    }
    return sum;
}

void sparseStepGemm(const SparseStepGemm& a, std::int64_t panelBegin, std::int64_t panelEnd) {
    const auto& w = a.weight;
    const std::int64_t last = std::min(w.dense.rows, panelEnd * kPanelRows);
    for (std::int64_t row = panelBegin * kPanelRows; row < last; ++row) {
        for (std::int64_t i = 0; i < a.m; ++i) {
            double sum = 0.0;
            for (std::int64_t g = 0; g < w.dense.groups; ++g) {
                const float scale = w.kind == WeightKind::F32 ? 1.0F : a.inputScales[i * w.dense.groups + g];
                sum += stepDot(a, row, g, i) * static_cast<double>(scale);
            }
            sum *= w.kind == WeightKind::F32 ? 1.0 : static_cast<double>(w.dense.scales[w.dense.perTensor ? 0 : row]);
            sum += a.bias != nullptr ? static_cast<double>(a.bias[row]) : 0.0;
            a.out[i * a.ldo + row - a.firstRow] = activated(static_cast<float>(sum), a.act);
        }
    }
}

}  // namespace

const KernelTable& referenceTable() {
    static const KernelTable table{"reference",      quantizeRows,       int8Gemm,
                                   rowsGemm,         floatGemm,          dequantizeRows,     normalize<true>,
                                   normalize<false>, activate,           activateMultiply,
                                   rope,             attention,          transpose,
                                   "plain",          groupGemm,          sparseGemm,
                                   sparsePanelGemm,  expandPanels,       sparseStepGemm,
                                   pairRows,         attentionPairs};
    return table;
}

}  // namespace pareto::kernels
