// Products with packed weights that leave something out or have scales in groups, in every kernel table of this
// processor, against sums written out over the logical values.
#include <bit>
#include <numeric>

#include "tests/engine/kernels/kernel_test_support.h"

using namespace pareto::kernels;
using namespace pareto::kernels::test;

class TestPackedKernels : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void groupGemm_data() { test::addTablesWith(&KernelTable::groupGemm); }
    void groupGemm();
    void sparseGemm_data() { test::addTablesWith(&KernelTable::sparseGemm); }
    void sparseGemm();
    void sparseBlocks_data() { test::addTablesWith(&KernelTable::sparseGemm); }
    void sparseBlocks();
    void sparsePanels_data() { test::addTablesWith(&KernelTable::sparsePanelGemm); }
    void sparsePanels();
    void sparseSteps_data() { test::addTablesWith(&KernelTable::sparseStepGemm); }
    void sparseSteps();
};

/// Against the sums written out over the logical codes.
void TestPackedKernels::groupGemm() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(22);
    struct Case {
        WeightKind kind;
        std::int64_t n, k, group;
        bool asymmetric;
        Act act;
    };
    const Case cases[] = {{WeightKind::Int4, 1, 8, 8, false, Act::None},
                          {WeightKind::Int4, 16, 64, 64, true, Act::None},
                          {WeightKind::Int4, 47, 96, 32, true, Act::Silu},
                          {WeightKind::Int4, 130, 72, 32, false, Act::Gelu},
                          {WeightKind::Int4, 64, 576, 64, true, Act::None},
                          {WeightKind::Int3, 1, 32, 32, false, Act::None},
                          {WeightKind::Int3, 47, 96, 32, true, Act::Silu},
                          {WeightKind::Int3, 64, 576, 64, true, Act::None},
                          {WeightKind::Int3, 130, 160, 64, false, Act::Gelu},
                          {WeightKind::Int2, 3, 16, 16, true, Act::None},
                          {WeightKind::Int2, 47, 112, 32, true, Act::Silu},
                          {WeightKind::Int2, 96, 576, 64, false, Act::None},
                          {WeightKind::Int8, 5, 40, 16, true, Act::None},
                          {WeightKind::Int8, 96, 576, 64, false, Act::Relu},
                          {WeightKind::Int8, 33, 128, 128, true, Act::None}};
    for (const auto& c : cases) {
        const Weights logical(numbers, c.kind, c.n, c.k, c.group, c.asymmetric, false);
        const auto groups = logical.rows.groups;
        std::vector<std::uint8_t> packed(static_cast<std::size_t>(c.n * c.k * bitsOf(c.kind) / 8));
        std::vector<float> scales(logical.scales.size());
        std::vector<std::int8_t> zeros(logical.zeros.size());
        packGroupCodes(c.kind, static_cast<const std::uint8_t*>(logical.rows.values), c.n, c.k, packed.data());
        packGroupValues(logical.scales.data(), c.n, groups, scales.data());
        packGroupValues(logical.zeros.data(), c.n, groups, zeros.data());
        std::vector<float> dense(static_cast<std::size_t>(c.n * c.k));
        reference().dequantizeRows(logical.rows, 0, c.n, dense.data(), c.k);
        for (const std::int64_t m : {1, 2, 3, 4, 5, 8, 11, 13, 16, 33, 64}) {
            GroupGemm work;
            work.weight = {c.kind, packed.data(), scales.data(), c.asymmetric ? zeros.data() : nullptr,
                           c.n,    c.k,           groups,        c.group};
            work.m = m;
            work.ldc = (c.k + 63) / 64 * 64;
            const auto x = numbers.floats(m * c.k);
            std::vector<std::uint8_t> codes(static_cast<std::size_t>(m * work.ldc));
            std::vector<float> inputScales(static_cast<std::size_t>(m * groups));
            std::vector<std::int32_t> sums(inputScales.size());
            QuantizeRows rounding;
            rounding.x = x.data();
            rounding.k = rounding.ldx = c.k;
            rounding.groups = groups;
            rounding.groupSize = c.group;
            rounding.codes = codes.data();
            rounding.ldc = work.ldc;
            rounding.scales = inputScales.data();
            rounding.m = m;
            rounding.sums = sums.data();
            rounding.sumFactor = -(1 << (bitsOf(c.kind) - 1));
            reference().quantizeRows(rounding, 0, m);
            work.codes = reinterpret_cast<const std::int8_t*>(codes.data());
            work.scales = inputScales.data();
            work.sums = sums.data();
            const auto bias = numbers.floats(c.n);
            work.bias = m % 2 != 0 ? bias.data() : nullptr;
            work.act = c.act;
            work.ldo = c.n + 1;
            std::vector<float> out(static_cast<std::size_t>(m * work.ldo), kGuard);
            work.out = out.data();
            const std::int64_t panels = panelCount(c.n);
            table->groupGemm(work, 0, panels / 2);
            table->groupGemm(work, panels / 2, panels);
            for (std::int64_t i = 0; i < m; ++i) {
                for (std::int64_t r = 0; r < c.n; ++r) {
                    double sum = work.bias != nullptr ? static_cast<double>(bias[static_cast<std::size_t>(r)]) : 0.0;
                    double reach = 1.0;
                    for (std::int64_t col = 0; col < c.k; ++col) {
                        const auto scale = static_cast<double>(inputScales[static_cast<std::size_t>(col / c.group * m + i)]);
                        const double in = scale * work.codes[i * work.ldc + col];
                        sum += in * static_cast<double>(dense[static_cast<std::size_t>(r * c.k + col)]);
                        reach += std::fabs(in) * (1 << bitsOf(c.kind)) *
                                 static_cast<double>(logical.scales[static_cast<std::size_t>(r * groups + col / c.group)]);
                    }
                    auto expected = static_cast<float>(sum);
                    reference().activate(&expected, 1, c.act);
                    QVERIFY(std::fabs(static_cast<double>(out[static_cast<std::size_t>(i * work.ldo + r)] - expected)) <= 2e-6 * reach);
                }
                QCOMPARE(out[static_cast<std::size_t>(i * work.ldo + c.n)], kGuard);
            }
        }
    }
}

namespace {

/// A weight with zeros, by share of what is not zero; the last kinds keep 1×4 blocks and two of four.
template <typename T>
std::vector<T> withZeros(Numbers& numbers, std::int64_t n, std::int64_t k, int pattern) {
    std::vector<T> out(static_cast<std::size_t>(n * k));
    for (std::int64_t r = 0; r < n; ++r) {
        bool keepsBlock = false;
        for (std::int64_t c = 0; c < k; ++c) {
            if (pattern == 103 && r % 4 != 0) {  // tiles of four rows
                out[static_cast<std::size_t>(r * k + c)] = out[static_cast<std::size_t>((r - 1) * k + c)];
                continue;
            }
            keepsBlock = c % 4 == 0 ? numbers.integer(0, 99) < 20 : keepsBlock;
            const bool keeps = pattern <= 100 ? numbers.integer(0, 99) < pattern
                               : pattern != 102 ? keepsBlock
                                                : c % 4 == r % 4 || c % 4 == (r + 1 + c / 4 % 3) % 4;
            const int code = numbers.integer(1, 127) * (numbers.integer(0, 1) == 0 ? -1 : 1);
            out[static_cast<std::size_t>(r * k + c)] = keeps ? static_cast<T>(code) : T{};
        }
    }
    return out;
}

SparseRows sparseRows(WeightKind kind, const SparsePack& pack, std::int64_t n, std::int64_t k, std::int64_t maskRows) {
    SparseRows out;
    out.maskRows = maskRows;
    out.kind = kind;
    out.masks = pack.masks.data();
    out.values = pack.values.data();
    out.starts = pack.starts.data();
    out.rows = n;
    out.cols = k;
    const std::int64_t entries = kind == WeightKind::F32 ? k : (k + 3) / 4;
    out.words = (entries + 63) / 64;
    return out;
}

/// [m][ld] of 4-byte entries to SparseGemm's panels.
std::vector<float> tokenPanels(const float* x, std::int64_t m, std::int64_t ld) {
    std::vector<float> out;
    for (std::int64_t first = 0; first < m; first += kTileTokens) {
        const std::int64_t width = std::min(kTileTokens, (m - first + kTokenLanes - 1) / kTokenLanes * kTokenLanes);
        for (std::int64_t c = 0; c < (ld + 1) / 2 * 2; ++c) {
            for (std::int64_t i = first; i < first + width; ++i) {
                out.push_back(0.0F);
                if (i < m && c < ld) {
                    std::memcpy(&out.back(), x + i * ld + c, sizeof(float));
                }
            }
        }
    }
    // Nothing behind the last tile is looked at: 0 · NaN would show.
    out.insert(out.end(), 4 * kTileTokens, std::nanf(""));
    return out;
}

/// Both ways of a product, in two pieces, against the sums of part(i, r, c).
template <typename Part>
void compareSparse(const KernelTable& table, SparseGemm work, const std::vector<float>& panels, const Part& part) {
    const std::int64_t n = work.weight.rows;
    work.ldo = n + 1;
    for (const bool many : {false, true}) {
        work.panels = many ? panels.data() : nullptr;
        std::vector<float> out(static_cast<std::size_t>(work.m * work.ldo), kGuard);
        work.out = out.data();
        table.sparseGemm(work, 0, n / 2);
        table.sparseGemm(work, n / 2, n);
        for (std::int64_t i = 0; i < work.m; ++i) {
            for (std::int64_t r = 0; r < n; ++r) {
                double sum = work.bias != nullptr ? static_cast<double>(work.bias[r]) : 0.0;
                double reach = 1.0;
                for (std::int64_t c = 0; c < work.weight.cols; ++c) {
                    const double value = part(i, r, c);
                    sum += value;
                    reach += std::fabs(value);
                }
                auto expected = static_cast<float>(sum);
                reference().activate(&expected, 1, work.act);
                const float got = out[static_cast<std::size_t>(i * work.ldo + r)];
                QVERIFY(std::fabs(static_cast<double>(got - expected)) <= 2e-6 * reach);
            }
            QCOMPARE(out[static_cast<std::size_t>(i * work.ldo + n)], kGuard);
        }
    }
}

const std::int64_t kSparseShapes[][2] = {{1, 1}, {3, 63}, {16, 64}, {35, 130}, {52, 576}, {33, 1000}};
constexpr int kSparsePatterns[] = {0, 3, 50, 100, 101, 102, 103};

}  // namespace

void TestPackedKernels::sparseGemm() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(23);
    for (const auto& [n, k] : kSparseShapes) {
        for (const int pattern : kSparsePatterns) {
            const auto w = withZeros<float>(numbers, n, k, pattern);
            const std::int64_t maskRows = n % kMaskRows == 0 && pattern != 3 ? kMaskRows : 1;
            const SparsePack pack = packSparseRows(w.data(), n, k, maskRows);
            const auto nonzero = std::count_if(w.begin(), w.end(), [](float x) { return x != 0.0F; });
            const auto fixed = static_cast<std::uint64_t>(n / maskRows * ((k + 63) / 64) * 8 + (n + 1) * 4);
            QVERIFY(pack.bytes() >= fixed + static_cast<std::uint64_t>(4 * nonzero));
            QCOMPARE(pack.bytes(), fixed + static_cast<std::uint64_t>(4 * sparseEntries(w.data(), n, k, maskRows)));
            QVERIFY(maskRows > 1 ||
                    pack.bytes() <= fixed + static_cast<std::uint64_t>(4 * (nonzero + n * ((k + 63) / 64))));
            QVERIFY(std::all_of(pack.masks.begin(), pack.masks.end(), [](std::uint64_t mask) { return std::popcount(mask) % 2 == 0; }));
            for (const std::int64_t m : {1, 2, 3, 7, 16, 17, 130}) {
                const auto x = numbers.floats(m * k);
                const auto bias = numbers.floats(n);
                SparseGemm work;
                work.weight = sparseRows(WeightKind::F32, pack, n, k, maskRows);
                work.x = x.data();
                work.ldx = k;
                work.m = m;
                const auto panels = tokenPanels(x.data(), m, k);
                work.bias = m % 2 != 0 ? bias.data() : nullptr;
                work.act = m % 3 == 0 ? Act::Gelu : Act::None;
                compareSparse(*table, work, panels, [&](std::int64_t i, std::int64_t r, std::int64_t c) {
                    return static_cast<double>(x[static_cast<std::size_t>(i * k + c)]) *
                           static_cast<double>(w[static_cast<std::size_t>(r * k + c)]);
                });
                if (QTest::currentTestFailed()) {
                    return;
                }
            }
        }
    }
}

void TestPackedKernels::sparseBlocks() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(24);
    for (const auto& [n, k] : kSparseShapes) {
        for (const int pattern : kSparsePatterns) {
            const auto w = withZeros<std::int8_t>(numbers, n, k, pattern);
            const std::int64_t maskRows = n % kMaskRows == 0 && pattern != 3 ? kMaskRows : 1;
            const SparsePack pack = packSparseRows(w.data(), n, k, maskRows);
            std::vector<float> scales;
            std::vector<std::int32_t> sums;
            for (std::int64_t r = 0; r < n; ++r) {
                scales.push_back(1e-3F * std::fabs(numbers.normal()));
                sums.push_back(std::accumulate(w.begin() + r * k, w.begin() + (r + 1) * k, 0));
            }
            for (const std::int64_t m : {1, 2, 3, 7, 16, 17, 130}) {
                const auto bias = numbers.floats(n);
                SparseGemm work;
                work.weight = sparseRows(WeightKind::Int8, pack, n, k, maskRows);
                work.weight.scales = scales.data();
                work.weight.codeSums = sums.data();
                work.weight.perTensor = m == 3;
                work.ldx = (k + 63) / 64 * 64;
                work.m = m;
                std::vector<std::uint8_t> codes(static_cast<std::size_t>(m * work.ldx), 128);
                std::vector<float> inputScales;
                for (std::int64_t i = 0; i < m; ++i) {
                    inputScales.push_back(0.01F * std::fabs(numbers.normal()));
                    for (std::int64_t c = 0; c < k; ++c) {
                        codes[static_cast<std::size_t>(i * work.ldx + c)] = static_cast<std::uint8_t>(numbers.integer(0, 255));
                    }
                }
                const auto panels = tokenPanels(reinterpret_cast<const float*>(codes.data()), m, work.ldx / 4);
                work.x = codes.data();
                work.inputScales = inputScales.data();
                work.bias = m % 2 != 0 ? bias.data() : nullptr;
                work.act = m % 3 == 0 ? Act::Tanh : Act::None;
                compareSparse(*table, work, panels, [&](std::int64_t i, std::int64_t r, std::int64_t c) {
                    const double scale =
                        static_cast<double>(scales[static_cast<std::size_t>(work.weight.perTensor ? 0 : r)]) *
                        static_cast<double>(inputScales[static_cast<std::size_t>(i)]);
                    return scale * (codes[static_cast<std::size_t>(i * work.ldx + c)] - 128) *
                           w[static_cast<std::size_t>(r * k + c)];
                });
                if (QTest::currentTestFailed()) {
                    return;
                }
            }
        }
    }
}

/// The same as the dense product of the same panels.
void TestPackedKernels::sparsePanels() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(25);
    for (const auto& [n, k4] : kSparseShapes) {
        const std::int64_t k = (k4 + 3) / 4 * 4;
        for (const int pattern : kSparsePatterns) {
            for (const std::int64_t group : {std::int64_t{0}, std::int64_t{32}}) {
                const auto w = withZeros<std::int8_t>(numbers, n, k, pattern);
                std::vector<std::int8_t> packed(w.size());
                packCodes(w.data(), n, k, packed.data());
                const SparsePack pack = packSparsePanels(packed.data(), n, k);
                SparsePanelGemm work;
                auto& dense = work.weight.dense;
                dense.rows = n;
                dense.cols = k;
                dense.groupSize = group == 0 ? k : group;
                dense.groups = (k + dense.groupSize - 1) / dense.groupSize;
                std::vector<std::int32_t> sums(static_cast<std::size_t>(n * dense.groups));
                for (std::int64_t i = 0; i < n * k; ++i) {
                    sums[static_cast<std::size_t>(i / k * dense.groups + i % k / dense.groupSize)] +=
                        w[static_cast<std::size_t>(i)];
                }
                std::vector<std::int32_t> packedSums(sums.size());
                packSums(sums.data(), n, dense.groups, packedSums.data());
                std::vector<float> scales;
                for (std::int64_t r = 0; r < n; ++r) {
                    scales.push_back(1e-3F * std::fabs(numbers.normal()));
                }
                dense.scales = scales.data();
                dense.codeSums = packedSums.data();
                work.weight.masks = pack.masks.data();
                work.weight.codes = reinterpret_cast<const std::int8_t*>(pack.values.data());
                work.weight.starts = pack.starts.data();
                std::vector<std::int8_t> back(packed.size() + 1, 99);
                table->expandPanels(work.weight, 0, panelCount(n), back.data());
                QVERIFY(std::equal(packed.begin(), packed.end(), back.begin()));
                QCOMPARE(int(back.back()), 99);
                for (const std::int64_t m : {1, 2, 3, 4, 7, 9}) {
                    work.work.m = m;
                    work.work.ldc = (k + 63) / 64 * 64;
                    std::vector<std::uint8_t> inputs(static_cast<std::size_t>(m * work.work.ldc));
                    for (auto& code : inputs) {
                        code = static_cast<std::uint8_t>(numbers.integer(0, 255));
                    }
                    auto inputScales = numbers.floats(m * dense.groups);
                    for (auto& s : inputScales) {
                        s = 0.01F * std::fabs(s);
                    }
                    const auto bias = numbers.floats(n);
                    work.work.codes = inputs.data();
                    work.work.scales = inputScales.data();
                    work.work.bias = m % 2 != 0 ? bias.data() : nullptr;
                    work.work.act = m % 3 == 0 ? Act::Gelu : Act::None;
                    work.work.ldo = n + 1;
                    std::vector<float> out[2];
                    for (int how = 0; how < 2; ++how) {
                        out[how].assign(static_cast<std::size_t>(m * work.work.ldo), kGuard);
                        work.work.out = out[how].data();
                        const std::int64_t panels = panelCount(n);
                        if (how == 1) {
                            table->sparsePanelGemm(work, 0, panels / 2);
                            table->sparsePanelGemm(work, panels / 2, panels);
                        } else {
                            Int8Gemm plain = work.work;
                            plain.weight = dense;
                            plain.weight.codes = packed.data();
                            reference().int8Gemm(plain, 0, panels);
                        }
                    }
                    QVERIFY(worst(out[0], out[1]) <= 4e-6 * std::max(1.0, largest(out[0])));
                }
            }
        }
    }
}

namespace {

/// [n][k] of which 16 rows keep `keep` % of their stretches of `width` columns; −1: the last column alone.
template <typename T>
std::vector<T> withColumns(Numbers& numbers, std::int64_t n, std::int64_t k, int keep, int width) {
    std::vector<T> out(static_cast<std::size_t>(n * k));
    std::vector<bool> kept;
    for (std::int64_t r = 0; r < n; ++r) {
        for (std::int64_t c = 0; c < k; ++c) {
            if (r % kPanelRows == 0) {
                kept.resize(static_cast<std::size_t>(k));
                kept[static_cast<std::size_t>(c)] = keep < 0         ? c == k - 1
                                                    : c % width == 0 ? numbers.integer(0, 99) < keep
                                                                     : kept[static_cast<std::size_t>(c - 1)];
            }
            const int code = numbers.integer(-128, 127);
            out[static_cast<std::size_t>(r * k + c)] = kept[static_cast<std::size_t>(c)] ? static_cast<T>(code) : T{};
        }
    }
    return out;
}

/// A weight of `kind` packed for sparseStepGemm, what it points to, and its inputs for a number of tokens.
template <typename T>
struct StepCase {
    std::int64_t n, k, group;
    std::vector<T> values;
    StepsPack pack;
    std::vector<float> scales, inputScales, floats, bias;
    std::vector<std::int32_t> sums, packedSums;
    std::vector<std::uint8_t> codes;
    SparseStepGemm work;

    StepCase(Numbers& numbers, std::int64_t rows, std::int64_t cols, int keep, std::int64_t groupSize)
        : n(rows), k(cols), group(groupSize == 0 ? cols : groupSize),
          values(withColumns<T>(numbers, rows, cols, keep, 4)), pack(packSparseSteps(values.data(), rows, cols, groupSize)) {
        auto& dense = work.weight.dense;
        dense.rows = n;
        dense.cols = k;
        dense.groupSize = group;
        dense.groups = (k + group - 1) / group;
        sums.resize(static_cast<std::size_t>(n * dense.groups));
        for (std::int64_t i = 0; i < n * k; ++i) {
            sums[static_cast<std::size_t>(i / k * dense.groups + i % k / group)] +=
                static_cast<std::int32_t>(values[static_cast<std::size_t>(i)]);
        }
        packedSums.resize(sums.size());
        packSums(sums.data(), n, dense.groups, packedSums.data());
        for (std::int64_t r = 0; r < n; ++r) {
            scales.push_back(1e-3F * (1.0F + std::fabs(numbers.normal())));
        }
        bias = numbers.floats(n);
        work.weight.entries = pack.entries.data();
        work.weight.places = pack.places.data();
        work.weight.starts = pack.starts.data();
        if constexpr (sizeof(T) == 1) {
            work.weight.kind = WeightKind::Int8;
            dense.scales = scales.data();
            dense.codeSums = packedSums.data();
        }
    }

    /// Inputs end with the last row, so that a sanitizer sees what reads on.
    void setInputs(Numbers& numbers, std::int64_t m) {
        work.m = m;
        work.bias = m % 2 != 0 ? bias.data() : nullptr;
        work.act = m % 3 == 0 ? Act::Gelu : Act::None;
        work.weight.dense.perTensor = m == 3;
        if constexpr (sizeof(T) == 1) {
            work.ldx = (k + 63) / 64 * 64;
            codes.resize(static_cast<std::size_t>(m * work.ldx));
            for (auto& code : codes) {
                code = static_cast<std::uint8_t>(numbers.integer(0, 255));
            }
            inputScales = numbers.floats(m * work.weight.dense.groups);
            for (auto& s : inputScales) {
                s = 0.01F * std::fabs(s);
            }
            work.inputScales = inputScales.data();
            work.x = codes.data();
        } else {
            work.ldx = k + 3;
            floats = numbers.floats((m - 1) * work.ldx + k);
            work.x = floats.data();
        }
    }

    double part(std::int64_t i, std::int64_t r, std::int64_t c) const {
        const auto value = static_cast<double>(values[static_cast<std::size_t>(r * k + c)]);
        if constexpr (sizeof(T) == 1) {
            const auto& dense = work.weight.dense;
            return value * static_cast<double>(scales[static_cast<std::size_t>(dense.perTensor ? 0 : r)]) *
                   static_cast<double>(inputScales[static_cast<std::size_t>(i * dense.groups + c / group)]) *
                   (codes[static_cast<std::size_t>(i * work.ldx + c)] - 128);
        } else {
            return value * static_cast<double>(floats[static_cast<std::size_t>(i * work.ldx + c)]);
        }
    }

    /// In two pieces, against the sums of part(i, r, c).
    void compare(const KernelTable& table) {
        work.ldo = n + 1;
        std::vector<float> out(static_cast<std::size_t>(work.m * work.ldo), kGuard);
        work.out = out.data();
        const std::int64_t panels = panelCount(n);
        table.sparseStepGemm(work, 0, panels / 2);
        table.sparseStepGemm(work, panels / 2, panels);
        for (std::int64_t i = 0; i < work.m; ++i) {
            for (std::int64_t r = 0; r < n; ++r) {
                double sum = work.bias != nullptr ? static_cast<double>(work.bias[r]) : 0.0;
                double reach = 1.0;
                for (std::int64_t c = 0; c < k; ++c) {
                    sum += part(i, r, c);
                    reach += std::fabs(part(i, r, c));
                }
                auto expected = static_cast<float>(sum);
                reference().activate(&expected, 1, work.act);
                const auto got = static_cast<double>(out[static_cast<std::size_t>(i * work.ldo + r)]);
                QVERIFY(std::fabs(got - static_cast<double>(expected)) <= 2e-6 * reach);
            }
            QCOMPARE(out[static_cast<std::size_t>(i * work.ldo + n)], kGuard);
        }
    }
};

template <typename T>
void compareSteps(const KernelTable& table, std::int64_t groupSize) {
    Numbers numbers(26);
    for (const auto& [n, k] : kSparseShapes) {
        for (const int keep : {-1, 0, 20, 100}) {
            StepCase<T> one(numbers, n, k, keep, groupSize);
            QVERIFY(keep != 0 || one.pack.entries.empty());
            QVERIFY(keep != -1 || one.pack.entries.size() <= static_cast<std::size_t>(panelCount(n)));
            const auto all = static_cast<double>(panelCount(n) * ((k * static_cast<std::int64_t>(sizeof(T)) + 3) / 4));
            QCOMPARE(sparseStepShare(one.values.data(), n, k) * all, static_cast<double>(one.pack.entries.size()));
            for (const std::int64_t m : {1, 3, 4, 7, 16, 33, 64}) {
                one.setInputs(numbers, m);
                one.compare(table);
                if (QTest::currentTestFailed()) {
                    return;
                }
            }
        }
    }
}

}  // namespace

void TestPackedKernels::sparseSteps() {
    QFETCH(const KernelTable*, table);
    compareSteps<float>(*table, 0);
    for (const std::int64_t group : {0, 32}) {
        compareSteps<std::int8_t>(*table, group);
    }
}

QTEST_GUILESS_MAIN(TestPackedKernels)
#include "tst_packed_kernels.moc"
