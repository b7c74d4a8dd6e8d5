// Every kernel table of this processor against the reference, on odd sizes and unaligned rows.
// Tolerances are those stated beside the kernels.
#include <cstdlib>
#include <tuple>

#include "tests/engine/kernels/kernel_test_support.h"

using namespace pareto::kernels;
using namespace pareto::kernels::test;

class TestKernels : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tablesOfThisProcessor();
    void forcedTable();
    void packingKeepsEveryCode();
    void packingKeepsEveryCode_data();
    void quantizeRows_data() { test::addTables(); }
    void quantizeRows();
    void fixedScales_data() { test::addTables(); }
    void fixedScales();
    void int8Gemm_data() { test::addTables(); }
    void int8Gemm();
    void signedCodesWithSums_data() { test::addTables(); }
    void signedCodesWithSums();
    void floatGemm_data() { test::addTables(); }
    void floatGemm();
    void rowsGemm_data() { test::addTables(); }
    void rowsGemm();
    void dequantizeRows_data() { test::addTables(); }
    void dequantizeRows();
    void norms_data() { test::addTables(); }
    void norms();
    void activations_data() { test::addTables(); }
    void activations();
    void rope_data() { test::addTables(); }
    void rope();
    void attention_data() { test::addTables(); }
    void attention();
    void attentionPairs_data() { addTablesWith(&KernelTable::attentionPairs); }
    void attentionPairs();
    void pairRows_data() { addTablesWith(&KernelTable::pairRows); }
    void pairRows();
    void transpose_data() { test::addTables(); }
    void transpose();
};

void TestKernels::tablesOfThisProcessor() {
    QVERIFY(!supportedTables().empty());
    QCOMPARE(std::string(supportedTables().back()->name), std::string("reference"));
    for (const auto* table : supportedTables()) {
        auto found = tableByName(table->name);
        QVERIFY(found.ok());
        QCOMPARE(found.value(), table);
    }
}

void TestKernels::forcedTable() {
    qputenv("PARETO_ISA", "reference");
    auto forced = chooseTable();
    QVERIFY(forced.ok());
    QCOMPARE(std::string(forced.value()->name), std::string("reference"));
    qputenv("PARETO_ISA", "avx1024");
    auto unknown = chooseTable();
    QVERIFY(!unknown.ok());
    QCOMPARE(unknown.error().code, pareto::ErrorCode::UsageUnknown);
    QVERIFY(pareto::errorMessage(unknown.error()).find("reference") != std::string::npos);
    QVERIFY(pareto::errorMessage(unknown.error()).find("avx1024") != std::string::npos);
    qunsetenv("PARETO_ISA");
    auto best = chooseTable();
    QVERIFY(best.ok());
    QCOMPARE(best.value(), supportedTables().front());
}

void TestKernels::packingKeepsEveryCode_data() {
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("cols");
    QTest::newRow("whole") << 32 << 64;
    QTest::newRow("short panel") << 37 << 12;
    QTest::newRow("odd columns") << 19 << 13;
    QTest::newRow("one row") << 1 << 3;
}

void TestKernels::packingKeepsEveryCode() {
    QFETCH(int, rows);
    QFETCH(int, cols);
    Numbers numbers(1);
    std::vector<std::int8_t> codes(static_cast<std::size_t>(rows * cols));
    for (auto& code : codes) {
        code = static_cast<std::int8_t>(numbers.integer(-128, 127));
    }
    std::vector<std::int8_t> packed(codes.size());
    packCodes(codes.data(), rows, cols, packed.data());
    PackedInt8 weight;
    weight.codes = packed.data();
    weight.rows = rows;
    weight.cols = cols;
    std::vector<std::int8_t> row(static_cast<std::size_t>(cols));
    for (int r = 0; r < rows; ++r) {
        unpackRow(weight, r, row.data());
        QVERIFY(std::equal(row.begin(), row.end(), codes.begin() + r * cols));
    }
}

void TestKernels::quantizeRows() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(2);
    for (const std::int64_t k : {1, 3, 8, 15, 16, 17, 64, 100, 384, 577}) {
        for (const std::int64_t group : {std::int64_t{0}, std::int64_t{4}, std::int64_t{32}, std::int64_t{50}}) {
            const std::int64_t m = 5;
            auto x = numbers.floats(m * (k + 3) + 1);
            for (std::int64_t i = 0; i < k; ++i) {
                x[static_cast<std::size_t>(1 + (k + 3) + i)] = 0.0F;  // row 1: nothing but zeros
            }
            QuantizeRows work;
            work.x = x.data() + 1;
            work.k = k;
            work.ldx = k + 3;
            work.groupSize = group == 0 ? k : group;
            work.groups = (k + work.groupSize - 1) / work.groupSize;
            work.ldc = (k + 63) / 64 * 64;
            std::vector<std::uint8_t> codes[2];
            std::vector<float> scales[2];
            for (int i = 0; i < 2; ++i) {
                codes[i].assign(static_cast<std::size_t>(m * work.ldc), 77);
                scales[i].assign(static_cast<std::size_t>(m * work.groups), kGuard);
                work.codes = codes[i].data();
                work.scales = scales[i].data();
                (i == 0 ? reference() : *table).quantizeRows(work, 0, m);
            }
            QCOMPARE(scales[0], scales[1]);
            QCOMPARE(codes[0], codes[1]);
            QCOMPARE(scales[1][static_cast<std::size_t>(work.groups)], 0.0F);
            QCOMPARE(int(codes[1][static_cast<std::size_t>(work.ldc)]), 128);
        }
    }
}

void TestKernels::fixedScales() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(12);
    const std::vector<std::pair<std::int64_t, bool>> cases{{1, false}, {15, false}, {16, true}, {33, false}, {33, true}, {130, true}};
    for (const auto& [k, byRow] : cases) {
        const std::int64_t m = 3;
        auto x = numbers.floats(m * k);
        x[0] = 1e9F;  // far beyond what the scale can say
        x[static_cast<std::size_t>(m * k - 1)] = -1e9F;
        QuantizeRows work;
        work.x = x.data();
        work.k = work.ldx = work.groupSize = k;
        work.ldc = (k + 63) / 64 * 64;
        const std::vector<float> given{0.02F, 0.0F, 0.5F};
        if (byRow) {
            work.rowScales = given.data();
        } else {
            work.fixedScale = 0.02F;
        }
        std::vector<std::uint8_t> codes(static_cast<std::size_t>(m * work.ldc), 77);
        std::vector<float> scales(static_cast<std::size_t>(m), kGuard);
        work.codes = codes.data();
        work.scales = scales.data();
        table->quantizeRows(work, 0, m);
        for (std::int64_t row = 0; row < m; ++row) {
            const float scale = byRow ? given[static_cast<std::size_t>(row)] : 0.02F;
            QCOMPARE(scales[static_cast<std::size_t>(row)], scale);
            for (std::int64_t c = 0; c < k; ++c) {
                const float code =
                    scale > 0.0F ? std::nearbyint(x[static_cast<std::size_t>(row * k + c)] * (1.0F / scale)) : 0.0F;
                QCOMPARE(int(codes[static_cast<std::size_t>(row * work.ldc + c)]),
                         int(std::clamp(code, -128.0F, 127.0F)) + 128);
            }
        }
        QCOMPARE(int(codes[0]), 255);
        QCOMPARE(int(codes[static_cast<std::size_t>((m - 1) * work.ldc + k - 1)]), 0);
    }
}

void TestKernels::int8Gemm() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(3);
    struct Case {
        std::int64_t n, k, group;
        bool perTensor;
        Act act;
    };
    const Case cases[] = {{1, 1, 0, false, Act::None},    {16, 4, 0, false, Act::None},
                          {48, 64, 0, false, Act::Gelu},  {47, 63, 0, false, Act::None},
                          {113, 130, 0, true, Act::Relu}, {96, 128, 32, false, Act::None},
                          {35, 100, 32, false, Act::Tanh}, {50, 41, 8, false, Act::None},
                          {33, 50, 10, false, Act::Silu}, {384, 384, 0, false, Act::GeluTanh}};
    for (const auto& c : cases) {
        for (const std::int64_t m : {1, 2, 3, 4, 5, 7, 8, 13, 16, 31, 64}) {
            PackedInt8 w;
            w.rows = c.n;
            w.cols = c.k;
            w.groupSize = c.group == 0 ? c.k : c.group;
            w.groups = (c.k + w.groupSize - 1) / w.groupSize;
            w.perTensor = c.perTensor;
            std::vector<std::int8_t> codes(static_cast<std::size_t>(c.n * c.k));
            for (auto& code : codes) {
                code = static_cast<std::int8_t>(numbers.integer(-128, 127));
            }
            std::vector<std::int32_t> sums(static_cast<std::size_t>(c.n * w.groups));
            for (std::int64_t i = 0; i < c.n * c.k; ++i) {
                sums[static_cast<std::size_t>(i / c.k * w.groups + i % c.k / w.groupSize)] +=
                    codes[static_cast<std::size_t>(i)];
            }
            std::vector<std::int8_t> packed(codes.size());
            std::vector<std::int32_t> packedSums(sums.size());
            packCodes(codes.data(), c.n, c.k, packed.data());
            packSums(sums.data(), c.n, w.groups, packedSums.data());
            std::vector<float> scales = numbers.floats(c.n);
            for (auto& s : scales) {
                s = 1e-4F + 1e-4F * std::fabs(s);
            }
            w.codes = packed.data();
            w.codeSums = packedSums.data();
            w.scales = scales.data();

            Int8Gemm work;
            work.weight = w;
            work.m = m;
            work.ldc = (c.k + 63) / 64 * 64;
            std::vector<std::uint8_t> inputs(static_cast<std::size_t>(m * work.ldc));
            for (auto& code : inputs) {
                code = static_cast<std::uint8_t>(numbers.integer(0, 255));
            }
            auto inputScales = numbers.floats(m * w.groups);
            for (auto& s : inputScales) {
                s = 0.01F * std::fabs(s);
            }
            const auto bias = numbers.floats(c.n);
            work.codes = inputs.data();
            work.scales = inputScales.data();
            work.bias = (m & 1) != 0 ? bias.data() : nullptr;
            work.act = c.act;
            work.ldo = c.n + 1;
            std::vector<float> out[2];
            for (int i = 0; i < 2; ++i) {
                out[i].assign(static_cast<std::size_t>(m * work.ldo), kGuard);
                work.out = out[i].data();
                const auto& with = i == 0 ? reference() : *table;
                const std::int64_t panels = panelCount(c.n);
                with.int8Gemm(work, 0, panels / 2);
                with.int8Gemm(work, panels / 2, panels);
            }
            QVERIFY(worst(out[0], out[1]) <= 4e-6 * std::max(1.0, largest(out[0]) > 1e4 ? 100.0 : largest(out[0])));
        }
    }
}

void TestKernels::signedCodesWithSums() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(21);
    for (const std::int64_t k : {8, 40, 64, 100, 577}) {
        for (const bool oneScale : {false, true}) {
            const std::int64_t m = 3;
            const auto x = numbers.floats(m * k);
            QuantizeRows work;
            work.x = x.data();
            work.k = work.ldx = k;
            work.groupSize = 32;
            work.groups = (k + 31) / 32;
            work.ldc = (k + 63) / 64 * 64;
            work.oneScale = oneScale;
            std::vector<std::uint8_t> codes(static_cast<std::size_t>(m * work.ldc), 77);
            std::vector<float> scales(static_cast<std::size_t>(m * work.groups), kGuard);
            std::vector<std::int32_t> sums(scales.size(), 77);
            work.codes = codes.data();
            work.scales = scales.data();
            work.sums = sums.data();
            work.sumFactor = -8;
            work.m = m;
            table->quantizeRows(work, 0, m);
            for (std::int64_t row = 0; row < m; ++row) {
                for (std::int64_t g = 0; g < work.groups; ++g) {
                    const std::int64_t from = oneScale ? 0 : g * 32;
                    const std::int64_t to = oneScale ? k : std::min(k, from + 32);
                    float amax = 0.0F;
                    for (std::int64_t c = from; c < to; ++c) {
                        amax = std::max(amax, std::fabs(x[static_cast<std::size_t>(row * k + c)]));
                    }
                    const auto at = static_cast<std::size_t>(g * m + row);
                    QCOMPARE(scales[at], amax / 127.5F);
                    int sum = 0;
                    for (std::int64_t c = g * 32; c < std::min(k, (g + 1) * 32); ++c) {
                        const auto code = static_cast<std::int8_t>(codes[static_cast<std::size_t>(row * work.ldc + c)]);
                        QVERIFY(std::fabs(static_cast<float>(code) * scales[at] - x[static_cast<std::size_t>(row * k + c)]) <=
                                0.5001F * scales[at]);
                        sum += code;
                    }
                    QCOMPARE(sums[at], -8 * sum);
                }
                for (std::int64_t c = k; c < work.ldc; ++c) {
                    QCOMPARE(int(codes[static_cast<std::size_t>(row * work.ldc + c)]), 0);
                }
            }
        }
    }
}

/// Panels in ranges that begin anywhere, a short last one, columns around the blocks they are read in, inputs around tiles and
/// chunks; what lies beside the outputs stays.
void TestKernels::floatGemm() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(14);
    for (const std::int64_t k : {1, 7, 64, 65, 192, 200, 576}) {
        for (const std::int64_t n : {5, 16, 77, 128}) {
            const auto values = numbers.floats(n * k);
            std::vector<float> packed(values.size());
            for (std::int64_t panel = 0; panel < panelCount(n); ++panel) {
                const std::int64_t first = panel * kPanelRows;
                const std::int64_t height = panelRows(n, panel);
                for (std::int64_t i = 0; i < height * k; ++i) {
                    packed[static_cast<std::size_t>(first * k + i % k * height + i / k)] = values[static_cast<std::size_t>(first * k + i)];
                }
            }
            FloatGemm work;
            work.weight = {packed.data(), n, k};
            std::vector<float> row(static_cast<std::size_t>(k));
            for (std::int64_t r = 0; r < n; ++r) {
                unpackRow(work.weight, r, row.data());
                QVERIFY(std::equal(row.begin(), row.end(), values.begin() + r * k));
            }
            for (const std::int64_t m : {1, 2, 3, 5, 6, 8, 9, 15, 31, 64, 128, 131}) {
                work.m = m;
                work.ldx = k + 1;
                work.ldo = n + 2;
                const auto x = numbers.floats(m * work.ldx + 1);
                const auto bias = numbers.floats(n);
                work.x = x.data() + 1;
                work.bias = (m & 2) != 0 ? bias.data() : nullptr;
                work.act = m == 6 || m == 31 ? Act::Gelu : Act::None;
                work.firstRow = n > kPanelRows ? kPanelRows : 0;
                std::vector<float> out[2];
                for (int i = 0; i < 2; ++i) {
                    out[i].assign(static_cast<std::size_t>(m * work.ldo), kGuard);
                    work.out = out[i].data();
                    const auto& with = i == 0 ? reference() : *table;
                    const std::int64_t first = work.firstRow / kPanelRows;
                    const std::int64_t middle = std::max(first, panelCount(n) - 2);
                    with.floatGemm(work, first, middle);
                    with.floatGemm(work, middle, panelCount(n));
                    const auto before = out[i];
                    with.floatGemm(work, panelCount(n), panelCount(n));
                    QCOMPARE(out[i], before);
                }
                const double bound = 2e-6 * static_cast<double>(k + 1) * 4;  // of numbers up to 2
                QVERIFY2(worst(out[0], out[1]) <= bound,
                         qPrintable(QStringLiteral("k %1 n %2 m %3: %4").arg(k).arg(n).arg(m).arg(worst(out[0], out[1]))));
            }
        }
    }
}

void TestKernels::rowsGemm() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(4);
    for (const auto kind : kKinds) {
        const bool integer = isCoded(kind);
        for (const std::int64_t k : {1, 7, 16, 33, 64, 131, 576}) {
            for (const std::int64_t group : {std::int64_t{0}, std::int64_t{5}, std::int64_t{32}, std::int64_t{64}}) {
                if (!integer && group != 0) {
                    continue;
                }
                for (const std::int64_t m : {1, 2, 3, 4, 6, 9, 39, 64}) {
                    const std::int64_t n = m > 32 ? 77 : 11;
                    const Weights weights(numbers, kind, n, k, group, (m & 1) != 0, m == 4 && group == 0);
                    RowsGemm work;
                    work.weight = weights.rows;
                    work.m = m;
                    work.ldx = k + 1;
                    work.ldo = n + 2;
                    const auto x = numbers.floats(m * work.ldx + 1);
                    const auto bias = numbers.floats(n);
                    work.x = x.data() + 1;
                    work.bias = (m & 2) != 0 ? bias.data() : nullptr;
                    work.act = m == 6 || m == 39 ? Act::Gelu : Act::None;
                    std::vector<float> out[2];
                    std::vector<float> wide(static_cast<std::size_t>(n * k));
                    reference().dequantizeRows(work.weight, 0, n, wide.data(), k);
                    for (int i = 0; i < 2; ++i) {
                        out[i].assign(static_cast<std::size_t>(m * work.ldo), kGuard);
                        work.out = out[i].data();
                        const auto& with = i == 0 ? reference() : *table;
                        with.rowsGemm(work, 0, 3);
                        with.rowsGemm(work, 3, n);
                    }
                    // Codes and zero points are summed before the scale: their size bounds the error.
                    double magnitude = 1.0;
                    for (std::int64_t c = 0; c < k; ++c) {
                        const double codes = kind == WeightKind::F8 ? 448.0 : std::ldexp(1.0, bitsOf(kind));
                        magnitude += integer ? codes * 0.05 : 1.0;
                    }
                    QVERIFY2(worst(out[0], out[1]) <= 2e-6 * magnitude * 4,
                             qPrintable(QStringLiteral("kind %1 k %2 group %3 m %4: %5")
                                            .arg(int(kind)).arg(k).arg(group).arg(m).arg(worst(out[0], out[1]))));
                }
            }
        }
    }
}

void TestKernels::dequantizeRows() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(5);
    for (const auto kind : kKinds) {
        for (const std::int64_t k : {1, 2, 15, 31, 32, 33, 100, 257}) {
            for (const std::int64_t group : {std::int64_t{0}, std::int64_t{3}, std::int64_t{32}}) {
                const std::int64_t n = 6;
                const Weights weights(numbers, kind, n, k, group, (k & 1) != 0, false);
                std::vector<float> out[2];
                for (int i = 0; i < 2; ++i) {
                    out[i].assign(static_cast<std::size_t>(n * (k + 1)), kGuard);
                    (i == 0 ? reference() : *table).dequantizeRows(weights.rows, 1, n, out[i].data(), k + 1);
                }
                QCOMPARE(out[1], out[0]);
            }
        }
    }
}

void TestKernels::norms() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(6);
    for (const std::int64_t width : {1, 5, 16, 31, 384, 577}) {
        for (const bool withResidual : {false, true}) {
            const std::int64_t rows = 4;
            auto x = numbers.floats(rows * width);
            for (auto& value : x) {
                value = value * 3.0F + 10.0F;
            }
            const auto residual = numbers.floats(rows * width);
            const auto weight = numbers.floats(width);
            const auto bias = numbers.floats(width);
            for (const bool centred : {true, false}) {
                std::vector<float> out[2];
                std::vector<float> sum[2];
                for (int i = 0; i < 2; ++i) {
                    out[i].assign(x.size() + 1, kGuard);
                    sum[i].assign(x.size() + 1, kGuard);
                    Norm work;
                    work.x = x.data();
                    work.residual = withResidual ? residual.data() : nullptr;
                    work.weight = weight.data();
                    work.bias = bias.data();
                    work.out = out[i].data();
                    work.sum = withResidual ? sum[i].data() : nullptr;
                    work.width = width;
                    work.epsilon = 1e-6F;
                    const auto& with = i == 0 ? reference() : *table;
                    (centred ? with.layerNorm : with.rmsNorm)(work, 0, 1);
                    (centred ? with.layerNorm : with.rmsNorm)(work, 1, rows);
                }
                // A row of one value has no spread: epsilon alone decides, and errors grow by 1000.
                const double tolerance = width == 1 ? 5e-3 : 4e-6 * std::max(4.0, largest(weight) * 4.0);
                out[0].pop_back();
                QCOMPARE(out[1].back(), kGuard);
                out[1].pop_back();
                QVERIFY(worst(out[0], out[1]) <= tolerance);
                QVERIFY(worst(sum[0], sum[1]) <= 1e-6 * 20.0);
            }
        }
    }
}

void TestKernels::activations() {
    QFETCH(const KernelTable*, table);
    std::vector<float> values;
    for (float x = -30.0F; x <= 30.0F; x += 0.013F) {
        values.push_back(x);
    }
    values.insert(values.end(), {0.0F, -0.0F, 1e-8F, -1e-8F, 88.0F, -88.0F, 1e4F, -1e4F});
    for (const auto act : {Act::None, Act::Gelu, Act::GeluTanh, Act::Relu, Act::Silu, Act::Tanh}) {
        auto expected = values;
        auto found = values;
        reference().activate(expected.data(), static_cast<std::int64_t>(values.size()), act);
        table->activate(found.data(), static_cast<std::int64_t>(values.size()), act);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double off = std::fabs(static_cast<double>(expected[i]) - static_cast<double>(found[i]));
            QVERIFY2(off <= 1e-6 + 1e-6 * std::fabs(static_cast<double>(values[i])),
                     qPrintable(QStringLiteral("act %1 of %2: %3").arg(int(act)).arg(values[i]).arg(off)));
        }
    }
    const std::vector<float> up(values.rbegin(), values.rend());
    for (const Act act : {Act::None, Act::Gelu, Act::GeluTanh, Act::Relu, Act::Silu, Act::Tanh}) {
        auto gate = values;
        auto expected = values;
        table->activateMultiply(gate.data(), up.data(), static_cast<std::int64_t>(values.size()), act);
        reference().activateMultiply(expected.data(), up.data(), static_cast<std::int64_t>(values.size()), act);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double off = std::fabs(static_cast<double>(gate[i]) - static_cast<double>(expected[i]));
            QVERIFY(off <= (1e-6 + 1e-6 * std::fabs(static_cast<double>(values[i]))) *
                                   std::max(1.0, std::fabs(static_cast<double>(up[i]))));
        }
    }
    float notANumber = NAN;
    table->activate(&notANumber, 1, Act::Gelu);
    QVERIFY(std::isnan(notANumber));
}

void TestKernels::rope() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(8);
    for (const std::int64_t dim : {2, 6, 32, 64, 70}) {
        const std::int64_t rows = 3;
        const std::int64_t heads = 2;
        const std::int64_t ldx = heads * dim + 3;
        const auto x = numbers.floats(rows * ldx);
        const auto angles = numbers.floats(rows * dim / 2);
        std::vector<float> cosines;
        std::vector<float> sines;
        for (const float angle : angles) {
            cosines.push_back(std::cos(angle));
            sines.push_back(std::sin(angle));
        }
        std::vector<float> out[2] = {x, x};
        for (int i = 0; i < 2; ++i) {
            Rope work;
            work.x = out[i].data();
            work.ldx = ldx;
            work.heads = heads;
            work.headDim = dim;
            work.cosines = cosines.data();
            work.sines = sines.data();
            (i == 0 ? reference() : *table).rope(work, 0, rows);
        }
        QVERIFY(worst(out[0], out[1]) <= 4e-6);
        QVERIFY(out[1] != x);
    }
}

void TestKernels::attention() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(9);
    for (const std::int64_t dim : {4, 24, 32, 64, 80}) {
        for (const std::int64_t length : {1, 7, 16, 33, 129}) {
            for (const std::int64_t rows : {1, 3, 4, 5, 8}) {
                for (const auto& [causal, window, softcap] :
                     {std::tuple{false, 0, 0.0F}, std::tuple{true, 0, 0.0F}, std::tuple{true, 5, 0.0F},
                      std::tuple{true, 40, 3.0F}, std::tuple{false, 0, 3.0F}}) {
                    if (window > 0 && rows > length) {
                        continue;  // a row without a key of its own
                    }
                    const std::int64_t ldk = length + 2;
                    const std::int64_t ld = dim + 5;
                    const auto q = numbers.floats(rows * ld);
                    const auto keys = numbers.floats(dim * ldk);
                    const auto v = numbers.floats(length * ld);
                    // A bias a distance: each row begins one value before the last one's.
                    const auto bias = numbers.floats(length + rows);
                    std::vector<float> scores(static_cast<std::size_t>(rows * attentionScratchColumns(length)));
                    // The same keys in pages, with garbage behind the last.
                    const std::int64_t pages = (length + kKeyPage - 1) / kKeyPage;
                    std::vector<float> paged(static_cast<std::size_t>(pages * dim * kKeyPage), std::nanf(""));
                    for (std::int64_t j = 0; j < length; ++j) {
                        for (std::int64_t d = 0; d < dim; ++d) {
                            paged[static_cast<std::size_t>((j / kKeyPage * dim + d) * kKeyPage + j % kKeyPage)] =
                                keys[static_cast<std::size_t>(d * ldk + j)];
                        }
                    }
                    std::vector<float> out[3];
                    std::vector<float> logSums[3];
                    for (int i = 0; i < 3; ++i) {
                        out[i].assign(static_cast<std::size_t>(rows * ld), kGuard);
                        logSums[i].assign(static_cast<std::size_t>(rows), kGuard);
                        AttentionTile work;
                        work.q = q.data();
                        work.keys = i == 2 ? paged.data() : keys.data();
                        work.hidden = !causal && length > 16 ? 5 : 0;
                        work.logSums = logSums[i].data();
                        work.v = v.data();
                        work.out = out[i].data();
                        work.ldq = work.ldv = work.ldo = ld;
                        work.ldk = i == 2 ? kKeyPage : ldk;
                        work.pageStride = i == 2 ? dim * kKeyPage : kKeyPage;
                        work.rows = rows;
                        work.length = length;
                        work.headDim = dim;
                        work.scale = 0.7F;
                        work.causal = causal;
                        work.window = window;
                        work.softcap = softcap;
                        work.bias = dim % 3 == 0 ? nullptr : bias.data() + rows;
                        work.ldb = -1;
                        work.firstPosition = std::max<std::int64_t>(0, length - rows);
                        work.scores = scores.data();
                        (i == 0 ? reference() : *table).attention(work);
                    }
                    const double tolerance = (softcap > 0.0F ? 2e-5 : 1e-5) * 4.0;
                    QVERIFY(worst(out[0], out[1]) <= tolerance);
                    QVERIFY(worst(logSums[0], logSums[1]) <= tolerance);
                    QCOMPARE(out[2], out[1]);
                    QCOMPARE(logSums[2], logSums[1]);
                }
            }
        }
    }
}

void TestKernels::attentionPairs() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(11);
    for (const std::int64_t dim : {4, 24, 32, 64, 80}) {
        for (const std::int64_t length : {1, 7, 16, 33, 129}) {
            for (const std::int64_t rows : {1, 3, 4, 5, 8}) {
                for (const bool causal : {false, true}) {
                    const std::int64_t ld = dim + 5;
                    const std::int64_t pages = (length + kKeyPage - 1) / kKeyPage;
                    const auto q = numbers.floats(rows * ld);
                    const auto v = numbers.floats(length * ld);
                    const auto bias = numbers.floats(length + rows);
                    const auto keys = numbers.floats(pages * dim * kKeyPage);
                    // Pairs with garbage behind what belongs to them.
                    std::vector<float> keyPairs(static_cast<std::size_t>(pages * dim / 2 * kKeyPage), std::nanf(""));
                    std::vector<float> valuePairs(static_cast<std::size_t>((length + 1) / 2 * ld), std::nanf(""));
                    for (std::int64_t i = 0; i < pages * dim / 2; ++i) {
                        const float* even = keys.data() + 2 * i * kKeyPage;
                        const std::int64_t count = std::min(kKeyPage, length - i / (dim / 2) * kKeyPage);
                        table->pairRows(even, even + kKeyPage, count, keyPairs.data() + i * kKeyPage);
                    }
                    for (std::int64_t j = 0; j < length; j += 2) {
                        const float* even = v.data() + j * ld;
                        table->pairRows(even, j + 1 < length ? even + ld : nullptr, dim, valuePairs.data() + j / 2 * ld);
                    }
                    std::vector<float> scores(static_cast<std::size_t>(rows * attentionScratchColumns(length)));
                    std::vector<float> queryPairs(static_cast<std::size_t>(rows * dim / 2));
                    // By the reference in fp32, by its pairs, by the table's.
                    std::vector<float> out[3];
                    for (int i = 0; i < 3; ++i) {
                        out[i].assign(static_cast<std::size_t>(rows * ld), kGuard);
                        AttentionTile work;
                        work.q = q.data();
                        work.keys = i == 0 ? keys.data() : keyPairs.data();
                        work.v = i == 0 ? v.data() : valuePairs.data();
                        work.out = out[i].data();
                        work.ldq = work.ldv = work.ldo = ld;
                        work.ldk = kKeyPage;
                        work.pageStride = (i == 0 ? dim : dim / 2) * kKeyPage;
                        work.rows = rows;
                        work.length = length;
                        work.headDim = dim;
                        work.scale = 0.3F;
                        work.causal = causal;
                        work.bias = dim % 3 == 0 ? nullptr : bias.data() + rows;
                        work.ldb = -1;
                        work.firstPosition = std::max<std::int64_t>(0, length - rows);
                        work.scores = scores.data();
                        work.queryPairs = queryPairs.data();
                        i == 0 ? reference().attention(work) : (i == 1 ? reference() : *table).attentionPairs(work);
                    }
                    const double most = largest(v);
                    QVERIFY(worst(out[1], out[2]) <= most / 256.0);
                    // Scores of up to √dim · 0.3 · |q| · |k| are 2^-8 of themselves off.
                    QVERIFY(worst(out[0], out[1]) <= 0.04 * most);
                }
            }
        }
    }
}

void TestKernels::pairRows() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(12);
    for (const std::int64_t count : {1, 15, 16, 17, 64}) {
        const auto even = numbers.floats(count);
        const auto odd = numbers.floats(count);
        for (const float* second : {odd.data(), static_cast<const float*>(nullptr)}) {
            std::vector<float> out[2];
            for (int i = 0; i < 2; ++i) {
                out[i].assign(static_cast<std::size_t>(count + 1), kGuard);
                (i == 0 ? reference() : *table).pairRows(even.data(), second, count, out[i].data());
                std::uint16_t pair[2];
                std::memcpy(pair, out[i].data() + count - 1, sizeof pair);
                QCOMPARE(pair[0], pareto::floatToBfloat(even.back()));
                QCOMPARE(pair[1], second == nullptr ? std::uint16_t{0} : pareto::floatToBfloat(odd.back()));
            }
            QCOMPARE(std::memcmp(out[0].data(), out[1].data(), out[0].size() * sizeof(float)), 0);
        }
    }
}

void TestKernels::transpose() {
    QFETCH(const KernelTable*, table);
    Numbers numbers(10);
    for (const std::int64_t rows : {1, 7, 8, 9, 33}) {
        for (const std::int64_t cols : {1, 5, 8, 32, 35}) {
            const auto in = numbers.floats(rows * (cols + 1));
            std::vector<float> out[2];
            for (int i = 0; i < 2; ++i) {
                out[i].assign(static_cast<std::size_t>(cols * (rows + 2)), kGuard);
                (i == 0 ? reference() : *table).transpose(in.data(), cols + 1, rows, cols, out[i].data(), rows + 2);
            }
            QCOMPARE(out[1], out[0]);
        }
    }
}

QTEST_GUILESS_MAIN(TestKernels)
#include "tst_kernels.moc"
