// The bodies of the CUDA kernels, run lane by lane on the CPU, against the plain kernels. What a device adds (the
// launches, shuffles and its memory) is not seen here.
#include "engine/kernels/cuda/cuda_table.h"
#include "tests/engine/kernels/kernel_test_support.h"
#include "tests/support/cuda_host/host_table.h"
#include "tests/support/cuda_host/lanes.h"

using namespace pareto::kernels;
using namespace pareto::kernels::test;

namespace {

constexpr Act kActs[] = {Act::None, Act::Gelu, Act::GeluTanh, Act::Relu, Act::Silu, Act::Tanh};

const cuda::Table& host() { return pareto::test::hostCudaTable(); }

QString kindName(WeightKind kind) { return QStringLiteral("kind %1").arg(static_cast<int>(kind)); }

bool near(const std::vector<float>& found, const std::vector<float>& expected, double allowed) {
    return worst(found, expected) <= allowed * std::max(1.0, largest(expected));
}

}  // namespace

class TestCudaBodies : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void norms();
    void gates();
    void rotations();
    void rotationsByPosition();
    void lookups();
    void roundedRows();
    void productsOfCodes();
    void halfInputs();
    void integerProducts();
    void finishedProducts();
    void cachesAndAttention_data();
    void cachesAndAttention();
    void tokensBeyondTheRoom();
    void missingLaneIsNoticed();
    void cleanup() { QCOMPARE(pareto::test::Lanes::missed(), m_missed); }

private:
    std::int64_t m_missed = 0;
};

void TestCudaBodies::norms() {
    Numbers numbers(1);
    for (const std::int64_t width : {1, 31, 64, 257, 513, 1000}) {
        for (const bool add : {false, true}) {
            constexpr std::int64_t kRows = 3;
            const auto x = numbers.floats(kRows * width);
            const auto residual = numbers.floats(kRows * width);
            const auto weight = numbers.floats(width);
            const auto bias = numbers.floats(width);
            for (const bool centred : {false, true}) {
                std::vector<float> stream[2] = {x, x};
                std::vector<float> out[2];
                for (int i = 0; i < 2; ++i) {
                    out[i].assign(x.size() + 1, kGuard);
                    cuda::NormRows work;
                    work.x = stream[i].data();
                    work.residual = add ? residual.data() : nullptr;
                    work.sum = add ? stream[i].data() : nullptr;
                    work.weight = weight.data();
                    work.bias = bias.data();
                    work.out = out[i].data();
                    work.width = width;
                    work.epsilon = 1e-5F;
                    work.rows = kRows;
                    if (i == 0) {
                        (centred ? reference().layerNorm : reference().rmsNorm)(work, 0, kRows);
                    } else {
                        QCOMPARE((centred ? host().layerNorm : host().rmsNorm)(work, nullptr), 0);
                    }
                }
                QVERIFY(near(out[1], out[0], 2e-6));
                QCOMPARE(stream[1], stream[0]);
                // In place: the result lies where the row was.
                cuda::NormRows work;
                std::vector<float> inPlace = x;
                work.x = work.out = inPlace.data();
                work.residual = add ? residual.data() : nullptr;
                work.weight = weight.data();
                work.bias = bias.data();
                work.width = width;
                work.epsilon = 1e-5F;
                work.rows = kRows;
                QCOMPARE((centred ? host().layerNorm : host().rmsNorm)(work, nullptr), 0);
                inPlace.push_back(kGuard);
                QCOMPARE(inPlace, out[1]);
            }
        }
    }
}

void TestCudaBodies::gates() {
    Numbers numbers(2);
    auto gate = numbers.floats(101);
    gate[7] = 0.0F;
    const auto up = numbers.floats(101);
    for (const Act act : kActs) {
        auto expected = gate;
        auto found = gate;
        reference().activateMultiply(expected.data(), up.data(), 100, act);
        QCOMPARE(host().gateProduct({found.data(), up.data(), 100, act}, nullptr), 0);
        QVERIFY(near(found, expected, 1e-6));
        expected = gate;
        found = gate;
        reference().activate(expected.data(), 100, act);
        QCOMPARE(host().gateProduct({found.data(), nullptr, 100, act}, nullptr), 0);
        QVERIFY(near(found, expected, 1e-6));
    }
}

/// Row by row from tables of the step.
void TestCudaBodies::rotations() {
    Numbers numbers(3);
    constexpr std::int64_t kRows = 5;
    constexpr std::int64_t kHeads = 3;
    constexpr std::int64_t kDim = 14;
    constexpr std::int64_t kLd = kHeads * kDim + 3;
    const auto x = numbers.floats(kRows * kLd);
    const auto cosines = numbers.floats(kRows * kDim / 2);
    const auto sines = numbers.floats(kRows * kDim / 2);
    auto expected = x;
    auto found = x;
    cuda::RopeRows work;
    work.x = expected.data();
    work.ldx = kLd;
    work.heads = kHeads;
    work.headDim = kDim;
    work.cosines = cosines.data();
    work.sines = sines.data();
    work.rows = kRows;
    reference().rope(work, 0, kRows);
    work.x = found.data();
    QCOMPARE(host().rope(work, nullptr), 0);
    QVERIFY(near(found, expected, 1e-6));
}

void TestCudaBodies::rotationsByPosition() {
    Numbers numbers(4);
    constexpr std::int64_t kHalf = 4;
    constexpr std::int64_t kPositions = 12;
    constexpr std::int64_t kLongFrom = 8;
    const auto table = numbers.floats(kPositions * kHalf);
    const auto longTable = numbers.floats(kPositions * kHalf);
    const std::vector<std::int32_t> positions{7, 0, 8, 11};
    const auto rows = static_cast<std::int64_t>(positions.size());
    for (const bool withLong : {false, true}) {
        const auto x = numbers.floats(rows * 2 * kHalf);
        auto expected = x;
        for (std::size_t r = 0; r < positions.size(); ++r) {
            const auto& from = withLong && positions[r] >= kLongFrom ? longTable : table;
            Rope one;
            one.x = expected.data() + static_cast<std::int64_t>(r) * 2 * kHalf;
            one.ldx = one.headDim = 2 * kHalf;
            one.heads = 1;
            one.cosines = from.data() + positions[r] * kHalf;
            one.sines = table.data() + positions[r] * kHalf;
            if (withLong && positions[r] >= kLongFrom) {
                one.sines = longTable.data() + positions[r] * kHalf;
            }
            reference().rope(one, 0, 1);
        }
        auto found = x;
        cuda::RopeRows work;
        work.x = found.data();
        work.ldx = work.headDim = 2 * kHalf;
        work.heads = 1;
        work.cosines = work.sines = table.data();
        work.longCosines = work.longSines = withLong ? longTable.data() : nullptr;
        work.longFrom = kLongFrom;
        work.positions = positions.data();
        work.rows = rows;
        QCOMPARE(host().rope(work, nullptr), 0);
        QVERIFY(near(found, expected, 1e-6));
    }
}

void TestCudaBodies::lookups() {
    Numbers numbers(5);
    const std::vector<std::int32_t> ids{4, 0, 6, 6};
    for (const WeightKind kind : kKinds) {
        for (const std::int64_t cols : {1, 13, 40}) {
            for (const std::int64_t group : {0, 5, 8}) {
                for (const bool perTensor : {false, true}) {
                    const Weights weight(numbers, kind, 7, cols, group, true,
                                         perTensor && group == 0);
                    std::vector<float> expected(ids.size() * static_cast<std::size_t>(cols));
                    for (std::size_t i = 0; i < ids.size(); ++i) {
                        reference().dequantizeRows(
                            weight.rows, ids[i], ids[i] + 1,
                            expected.data() + static_cast<std::int64_t>(i) * cols, cols);
                    }
                    std::vector<float> found(expected.size() + 1, kGuard);
                    QCOMPARE(host().lookup({weight.rows, ids.data(),
                                            static_cast<std::int64_t>(ids.size()), found.data()},
                                           nullptr),
                             0);
                    expected.push_back(kGuard);
                    QVERIFY2(found == expected, qPrintable(kindName(kind)));
                }
            }
        }
    }
}

/// The very codes of the plain kernel.
void TestCudaBodies::roundedRows() {
    Numbers numbers(6);
    constexpr std::int64_t kRows = 4;
    for (const std::int64_t cols : {1, 45, 64, 700}) {
        for (const std::int64_t group : {cols, std::int64_t{7}, std::int64_t{32}}) {
            for (const int how : {0, 1, 2, 3}) {
                auto x = numbers.floats(kRows * (cols + 2));
                std::fill_n(x.begin() + cols + 2, cols, 0.0F);  // a row of zeros
                const std::int64_t groups = (cols + group - 1) / group;
                const std::int64_t ldc = (cols + 7) / 8 * 8 + 8;
                cuda::RoundRows work;
                work.x = x.data();
                work.ldx = cols + 2;
                work.rows = kRows;
                work.cols = cols;
                work.groups = groups;
                work.groupSize = group;
                work.oneScale = how == 1;
                work.fixedScale = how == 2 ? 0.01F : 0.0F;
                // Rows that are longer than what is here.
                const std::vector<float> largest{3.5F, 2.0F, 7.25F, 4.0F};
                std::vector<float> rowScales;
                for (const float value : largest) {
                    rowScales.push_back(value / 127.5F);
                }
                work.largest = how == 3 ? largest.data() : nullptr;
                work.ldc = ldc;
                std::vector<std::int8_t> codes(static_cast<std::size_t>(kRows * ldc + 1), 99);
                std::vector<float> scales(static_cast<std::size_t>(kRows * groups));
                std::vector<std::int32_t> sums(scales.size());
                work.codes = codes.data();
                work.scales = scales.data();
                work.sums = sums.data();
                QCOMPARE(host().roundRows(work, nullptr), 0);
                QuantizeRows plain;
                plain.x = x.data();
                plain.k = cols;
                plain.ldx = cols + 2;
                plain.groups = groups;
                plain.groupSize = group;
                plain.oneScale = work.oneScale;
                plain.fixedScale = work.fixedScale;
                plain.rowScales = how == 3 ? rowScales.data() : nullptr;
                plain.ldc = ldc;
                plain.m = kRows;
                std::vector<std::uint8_t> plainCodes(static_cast<std::size_t>(kRows * ldc));
                std::vector<float> plainScales(scales.size());
                std::vector<std::int32_t> plainSums(scales.size());
                plain.codes = plainCodes.data();
                plain.scales = plainScales.data();
                plain.sums = plainSums.data();
                reference().quantizeRows(plain, 0, kRows);
                for (std::size_t i = 0; i < plainCodes.size(); ++i) {
                    QCOMPARE(codes[i], static_cast<std::int8_t>(plainCodes[i]));
                }
                QCOMPARE(codes.back(), std::int8_t{99});
                for (std::int64_t r = 0; r < kRows; ++r) {
                    for (std::int64_t g = 0; g < groups; ++g) {
                        const auto at = static_cast<std::size_t>(r * groups + g);
                        const auto plainAt = static_cast<std::size_t>(g * kRows + r);
                        QCOMPARE(scales[at], plainScales[plainAt]);
                        QCOMPARE(sums[at], plainSums[plainAt]);
                    }
                }
                work.sums = nullptr;
                auto again = codes;
                work.codes = again.data();
                QCOMPARE(host().roundRows(work, nullptr), 0);
                QCOMPARE(again, codes);
            }
        }
    }
}

void TestCudaBodies::productsOfCodes() {
    Numbers numbers(7);
    constexpr std::int64_t kRows = 9;
    for (const WeightKind kind : {WeightKind::F8, WeightKind::Int16, WeightKind::Int8,
                                  WeightKind::Int4, WeightKind::Int3, WeightKind::Int2}) {
        for (const std::int64_t cols : {5, 64, 333}) {
            for (const std::int64_t group : {0, 7, 32}) {
                for (const std::int64_t m : {1, 3, 11}) {
                    const bool perTensor = group == 0 && m == 3;
                    const Weights weight(numbers, kind, kRows, cols, group, m != 1, perTensor);
                    const auto x = numbers.floats(m * (cols + 1));
                    const auto bias = numbers.floats(kRows);
                    RowsGemm plain;
                    plain.weight = weight.rows;
                    plain.x = x.data();
                    plain.ldx = cols + 1;
                    plain.m = m;
                    plain.ldo = kRows;
                    plain.bias = m == 1 ? nullptr : bias.data();
                    plain.act = m == 3 ? Act::Silu : Act::None;
                    std::vector<float> expected(static_cast<std::size_t>(m * kRows), kGuard);
                    plain.out = expected.data();
                    plain.firstRow = 0;
                    reference().rowsGemm(plain, 2, kRows);
                    std::vector<float> found(expected.size(), kGuard);
                    cuda::RowsProduct work;
                    static_cast<ProductOutput&>(work) = plain;
                    work.weight = weight.rows;
                    work.rowBegin = 2;
                    work.rowEnd = kRows;
                    work.x = x.data();
                    work.ldx = cols + 1;
                    work.out = found.data();
                    QCOMPARE(host().rowsProduct(work, nullptr), 0);
                    const double scale = kind == WeightKind::Int16 ? 1e-5 : 1e-6;
                    QVERIFY2(near(found, expected, scale * static_cast<double>(cols)),
                             qPrintable(kindName(kind)));
                    QCOMPARE(found[0], kGuard);
                }
            }
        }
    }
    const Weights dense(numbers, WeightKind::F16, 2, 8, 0, false, false);
    cuda::RowsProduct work;
    work.weight = dense.rows;
    work.m = 1;
    QVERIFY(host().rowsProduct(work, nullptr) != 0);
}

void TestCudaBodies::halfInputs() {
    Numbers numbers(8);
    constexpr std::int64_t kCols = 77;
    const Weights weight(numbers, WeightKind::Int4, 4, kCols, 16, true, false);
    std::vector<std::uint16_t> half;
    std::vector<float> x;
    for (int i = 0; i < 2 * kCols; ++i) {
        half.push_back(pareto::floatToHalf(numbers.normal()));
        x.push_back(pareto::halfToFloat(half.back()));
    }
    cuda::RowsProduct work;
    work.weight = weight.rows;
    work.m = 2;
    work.rowEnd = work.ldo = 4;
    work.ldx = kCols;
    std::vector<float> expected(8);
    std::vector<float> found(8);
    work.x = x.data();
    work.out = expected.data();
    QCOMPARE(host().rowsProduct(work, nullptr), 0);
    work.x = nullptr;
    work.halfX = half.data();
    work.out = found.data();
    QCOMPARE(host().rowsProduct(work, nullptr), 0);
    QCOMPARE(found, expected);
}

void TestCudaBodies::integerProducts() {
    Numbers numbers(9);
    constexpr std::int64_t kRows = 6;
    for (const WeightKind kind :
         {WeightKind::Int8, WeightKind::Int4, WeightKind::Int3, WeightKind::Int2}) {
        for (const std::int64_t cols : {5, 64, 333}) {
            for (const std::int64_t group : {0, 7, 32}) {
                for (const std::int64_t m : {1, 3, 11}) {
                    const bool grouped = m != 3 && group != 0;
                    const Weights weight(numbers, kind, kRows, cols, group, m != 1,
                                         group == 0 && m == 11);
                    const std::int64_t inputGroups = grouped ? weight.rows.groups : 1;
                    const std::int64_t ldc = (cols + 7) / 8 * 8;
                    std::vector<std::int8_t> codes(static_cast<std::size_t>(m * ldc));
                    std::vector<float> scales(static_cast<std::size_t>(m * inputGroups));
                    const auto x = numbers.floats(m * cols);
                    cuda::RoundRows rounding;
                    rounding.x = x.data();
                    rounding.ldx = rounding.cols = cols;
                    rounding.rows = m;
                    rounding.groups = inputGroups;
                    rounding.groupSize = grouped ? weight.rows.groupSize : cols;
                    rounding.codes = codes.data();
                    rounding.ldc = ldc;
                    rounding.scales = scales.data();
                    QCOMPARE(host().roundRows(rounding, nullptr), 0);
                    // What the codes stand for, through the plain product.
                    std::vector<float> rounded(x.size());
                    for (std::int64_t i = 0; i < m * cols; ++i) {
                        const std::int64_t at =
                            i / cols * inputGroups + i % cols / rounding.groupSize;
                        rounded[static_cast<std::size_t>(i)] =
                            scales[static_cast<std::size_t>(at)] *
                            static_cast<float>(
                                codes[static_cast<std::size_t>(i / cols * ldc + i % cols)]);
                    }
                    const auto bias = numbers.floats(kRows);
                    RowsGemm plain;
                    plain.weight = weight.rows;
                    plain.x = rounded.data();
                    plain.ldx = cols;
                    plain.m = m;
                    plain.ldo = kRows;
                    plain.bias = bias.data();
                    plain.act = Act::Relu;
                    std::vector<float> expected(static_cast<std::size_t>(m * kRows));
                    plain.out = expected.data();
                    reference().rowsGemm(plain, 0, kRows);
                    std::vector<float> found(expected.size());
                    cuda::IntegerProduct work;
                    static_cast<ProductOutput&>(work) = plain;
                    work.weight = weight.rows;
                    work.rowEnd = kRows;
                    work.codes = codes.data();
                    work.ldc = ldc;
                    work.inputScales = scales.data();
                    work.inputGroups = inputGroups;
                    work.out = found.data();
                    QCOMPARE(host().integerProduct(work, nullptr), 0);
                    QVERIFY2(near(found, expected, 3e-6), qPrintable(kindName(kind)));
                }
            }
        }
    }
}

void TestCudaBodies::finishedProducts() {
    Numbers numbers(10);
    constexpr std::int64_t kTokens = 3;
    constexpr std::int64_t kRows = 5;
    constexpr std::int64_t kCols = 41;
    for (const bool perTensor : {false, true}) {
        for (const bool asymmetric : {false, true}) {
            const Weights weight(numbers, WeightKind::Int8, kRows, kCols, 0, asymmetric, perTensor);
            std::vector<std::int8_t> codes(kTokens * kCols);
            std::vector<std::int32_t> sums(kTokens, 0);
            std::vector<std::int32_t> products(kTokens * kRows, 0);
            std::vector<float> rounded;
            const std::vector<float> scales{0.5F, 0.01F, 2.0F};
            const auto* held = static_cast<const std::int8_t*>(weight.rows.values);
            for (std::size_t i = 0; i < codes.size(); ++i) {
                codes[i] = static_cast<std::int8_t>(numbers.integer(-128, 127));
                sums[i / kCols] += codes[i];
                rounded.push_back(scales[i / kCols] * static_cast<float>(codes[i]));
                for (std::size_t row = 0; row < kRows; ++row) {
                    products[i / kCols * kRows + row] += codes[i] * held[row * kCols + i % kCols];
                }
            }
            const auto bias = numbers.floats(kRows);
            RowsGemm plain;
            plain.weight = weight.rows;
            plain.x = rounded.data();
            plain.ldx = kCols;
            plain.m = kTokens;
            plain.ldo = kRows;
            plain.bias = bias.data();
            plain.act = Act::Tanh;
            std::vector<float> expected(kTokens * kRows);
            plain.out = expected.data();
            reference().rowsGemm(plain, 0, kRows);
            std::vector<float> found(expected.size());
            cuda::FinishProduct work;
            static_cast<ProductOutput&>(work) = plain;
            work.out = found.data();
            work.products = products.data();
            work.ldp = work.n = kRows;
            work.weightScales = weight.scales.data();
            work.perTensor = perTensor;
            work.zeroPoints = weight.rows.zeroPoints;
            work.inputScales = scales.data();
            work.inputSums = sums.data();
            QCOMPARE(host().finishProduct(work, nullptr), 0);
            QVERIFY(near(found, expected, 1e-5));
        }
    }
}

namespace {

struct HeldFormat {
    WeightKind kind;
    std::int64_t bytes;   ///< of a head and token
    std::int64_t scales;  ///< the same
};

HeldFormat heldFormat(WeightKind kind, std::int64_t dim) {
    switch (kind) {
    case WeightKind::F16:
        return {kind, 2 * dim, 0};
    case WeightKind::Int8:
        return {kind, dim, 1};
    case WeightKind::Int4:
        return {kind, (dim + 1) / 2, (dim + cuda::kHeldGroup - 1) / cuda::kHeldGroup};
    default:
        return {kind, 4 * dim, 0};
    }
}

/// Keys or values of a cache, filled through the kernel.
struct Held {
    std::vector<std::uint8_t> values;
    std::vector<float> scales;
    cuda::HeldRows rows;

    Held(WeightKind kind, std::int64_t sequences, std::int64_t heads, std::int64_t dim,
         std::int64_t capacity) {
        const HeldFormat format = heldFormat(kind, dim);
        values.resize(static_cast<std::size_t>(sequences * heads * capacity * format.bytes), 0xA5);
        scales.resize(static_cast<std::size_t>(sequences * heads * capacity * format.scales),
                      kGuard);
        rows = {kind, values.data(), scales.data(), heads, dim, capacity};
    }
    Held(const Held&) = delete;
};

/// What a row of a cache stands for, through the plain kernel.
std::vector<float> heldFloats(const Held& held, std::int64_t row) {
    const std::int64_t dim = held.rows.headDim;
    const HeldFormat format = heldFormat(held.rows.kind, dim);
    WeightRows w;
    w.kind = held.rows.kind;
    w.cols = w.groupSize = dim;
    w.rows = 1;
    if (w.kind == WeightKind::Int4) {
        w.groups = format.scales;
        w.groupSize = cuda::kHeldGroup;
    }
    w.values = held.values.data() + row * format.bytes;
    w.scales = held.scales.data() + row * format.scales;
    std::vector<float> out(static_cast<std::size_t>(dim));
    reference().dequantizeRows(w, 0, 1, out.data(), dim);
    return out;
}

/// One head as a cache of the CPU holds it: runtime::BlockCache's int8, and its int4.
void packedHead(WeightKind kind, const float* x, std::int64_t dim, std::vector<std::uint8_t>& codes,
                std::vector<float>& scales) {
    codes.assign(static_cast<std::size_t>(heldFormat(kind, dim).bytes), 0);
    scales.assign(static_cast<std::size_t>(heldFormat(kind, dim).scales), 0.0F);
    if (kind == WeightKind::Int8) {
        QuantizeRows work;
        work.x = x;
        work.k = work.ldx = work.ldc = work.groupSize = dim;
        work.codes = codes.data();
        work.scales = scales.data();
        reference().quantizeRows(work, 0, 1);
        for (auto& code : codes) {
            code ^= 128;  // codes + 128 as signed bytes
        }
        return;
    }
    for (std::int64_t begin = 0; begin < dim; begin += cuda::kHeldGroup) {
        const std::int64_t end = std::min(dim, begin + cuda::kHeldGroup);
        float most = 0.0F;
        for (std::int64_t i = begin; i < end; ++i) {
            most = std::max(most, std::fabs(x[i]));
        }
        const float scale = most / 7.5F;
        scales[static_cast<std::size_t>(begin / cuda::kHeldGroup)] = scale;
        for (std::int64_t i = begin; i < end; ++i) {
            const float code = std::clamp(
                std::nearbyint(x[i] * (scale > 0.0F ? 1.0F / scale : 0.0F)), -8.0F, 7.0F);
            codes[static_cast<std::size_t>(i / 2)] |=
                static_cast<std::uint8_t>(static_cast<int>(code + 8.0F) << (i % 2 * 4));
        }
    }
}

}  // namespace

void TestCudaBodies::cachesAndAttention_data() {
    QTest::addColumn<int>("kind");
    QTest::addColumn<int>("dim");
    QTest::addColumn<int>("sharing");
    QTest::addColumn<int>("window");
    QTest::addColumn<float>("softcap");
    QTest::addColumn<int>("splits");
    const auto row = [](const char* name, WeightKind kind, int dim, int sharing, int window,
                        float softcap, int splits) {
        QTest::newRow(name) << static_cast<int>(kind) << dim << sharing << window << softcap
                            << splits;
    };
    row("fp32", WeightKind::F32, 24, 1, 0, 0.0F, 1);
    row("fp32, shared keys, splits", WeightKind::F32, 33, 3, 0, 0.0F, 4);
    row("fp32, many heads", WeightKind::F32, 8, 11, 0, 0.0F, 2);
    row("fp32, window", WeightKind::F32, 16, 2, 70, 0.0F, 3);
    row("fp32, cap", WeightKind::F32, 16, 2, 0, 5.0F, 2);
    row("fp16", WeightKind::F16, 40, 2, 0, 0.0F, 1);
    row("int8", WeightKind::Int8, 45, 2, 90, 8.0F, 3);
    row("int4", WeightKind::Int4, 67, 2, 0, 0.0F, 2);
    row("int4, even", WeightKind::Int4, 64, 1, 0, 0.0F, 1);
}

/// Tokens of three sequences appended in mixed order, then one row of each, and a second one of the first.
void TestCudaBodies::cachesAndAttention() {
    QFETCH(int, kind);
    QFETCH(int, dim);
    QFETCH(int, sharing);
    QFETCH(int, window);
    QFETCH(float, softcap);
    QFETCH(int, splits);
    constexpr std::int64_t kKeyHeads = 2;
    constexpr std::int64_t kCapacity = 210;
    const std::vector<std::int64_t> lengths{200, 1, 65};
    const auto d = static_cast<std::int64_t>(dim);
    const auto format = static_cast<WeightKind>(kind);
    Numbers numbers(11);
    Held keys(format, 3, kKeyHeads, d, kCapacity);
    Held values(format, 3, kKeyHeads, d, kCapacity);
    std::vector<std::int32_t> positions;
    std::vector<std::int32_t> sequences;
    for (std::int64_t t = kCapacity - 1; t >= 0; --t) {
        for (std::int32_t s = 0; s < 3; ++s) {
            if (t < lengths[static_cast<std::size_t>(s)]) {
                positions.push_back(static_cast<std::int32_t>(t));
                sequences.push_back(s);
            }
        }
    }
    const auto rows = static_cast<std::int64_t>(positions.size());
    for (Held* held : {&keys, &values}) {
        const std::int64_t ldx = kKeyHeads * d + 1;
        const auto x = numbers.floats(rows * ldx);
        cuda::CacheAppend append{x.data(),        ldx, rows, held->rows, positions.data(),
                                 sequences.data()};
        QCOMPARE(host().cacheAppend(append, nullptr), 0);
        // Each head stands where it belongs, as exactly as the format can say it.
        for (std::int64_t r = 0; r < rows; ++r) {
            for (std::int64_t h = 0; h < kKeyHeads; ++h) {
                const auto at = static_cast<std::size_t>(r);
                const std::int64_t place =
                    (sequences[at] * kKeyHeads + h) * kCapacity + positions[at];
                const auto found = heldFloats(*held, place);
                if (format == WeightKind::Int8 || format == WeightKind::Int4) {
                    const HeldFormat sizes = heldFormat(format, d);
                    std::vector<std::uint8_t> codes;
                    std::vector<float> scales;
                    packedHead(format, x.data() + r * ldx + h * d, d, codes, scales);
                    QVERIFY(std::equal(codes.begin(), codes.end(),
                                       held->values.begin() + place * sizes.bytes));
                    QVERIFY(std::equal(scales.begin(), scales.end(),
                                       held->scales.begin() + place * sizes.scales));
                }
                for (std::int64_t i = 0; i < d; ++i) {
                    const float wanted = x[static_cast<std::size_t>(r * ldx + h * d + i)];
                    const float allowed = format == WeightKind::F32 ? 0.0F
                                          : format == WeightKind::F16
                                              ? 0.0005F * std::fabs(wanted) + 1e-7F
                                          : format == WeightKind::Int8 ? 4.5F / 255.0F
                                                                       : 4.5F / 15.0F;
                    QVERIFY(std::fabs(found[static_cast<std::size_t>(i)] - wanted) <= allowed);
                }
            }
        }
        // What no token stands in is as it was.
        const std::int64_t unused =
            ((2 * kKeyHeads + 1) * kCapacity + 65) * heldFormat(format, d).bytes;
        QCOMPARE(held->values[static_cast<std::size_t>(unused)], std::uint8_t{0xA5});
    }
    const std::int64_t heads = kKeyHeads * sharing;
    const std::vector<std::int32_t> askedPositions{199, 0, 64, 130};
    const std::vector<std::int32_t> askedSequences{0, 1, 2, 0};
    const auto asked = static_cast<std::int64_t>(askedPositions.size());
    const auto q = numbers.floats(asked * heads * d);
    std::vector<float> found(q.size() + 1, kGuard);
    std::vector<float> parts(q.size() * static_cast<std::size_t>(splits));
    std::vector<float> logSums(static_cast<std::size_t>(splits * asked * heads));
    cuda::TokenAttention work;
    work.q = q.data();
    work.rows = asked;
    work.heads = heads;
    work.keys = keys.rows;
    work.values = values.rows;
    work.positions = askedPositions.data();
    work.sequences = askedSequences.data();
    work.scale = 0.3F;
    work.softcap = softcap;
    work.window = window;
    work.splits = splits;
    work.parts = parts.data();
    work.logSums = logSums.data();
    work.out = found.data();
    QCOMPARE(host().tokenAttention(work, nullptr), 0);
    QCOMPARE(found.back(), kGuard);
    std::vector<float> expected(found.size(), kGuard);
    std::vector<float> scores(kAttentionRows * kCapacity);
    for (std::int64_t r = 0; r < asked; ++r) {
        const auto at = static_cast<std::size_t>(r);
        const std::int64_t length = askedPositions[at] + 1;
        for (std::int64_t h = 0; h < heads; ++h) {
            std::vector<float> k(static_cast<std::size_t>(length * d));
            std::vector<float> v(k.size());
            for (std::int64_t t = 0; t < length; ++t) {
                const std::int64_t row =
                    (askedSequences[at] * kKeyHeads + h / sharing) * kCapacity + t;
                const auto key = heldFloats(keys, row);
                const auto value = heldFloats(values, row);
                for (std::int64_t i = 0; i < d; ++i) {
                    k[static_cast<std::size_t>(i * length + t)] = key[static_cast<std::size_t>(i)];
                    v[static_cast<std::size_t>(t * d + i)] = value[static_cast<std::size_t>(i)];
                }
            }
            AttentionTile tile;
            tile.q = q.data() + (r * heads + h) * d;
            tile.keys = k.data();
            tile.ldk = length;
            tile.v = v.data();
            tile.ldv = d;
            tile.out = expected.data() + (r * heads + h) * d;
            tile.rows = 1;
            tile.length = length;
            tile.headDim = d;
            tile.scale = work.scale;
            tile.softcap = softcap;
            tile.hidden = window > 0 ? std::max<std::int64_t>(0, length - window) : 0;
            tile.scores = scores.data();
            reference().attention(tile);
        }
    }
    QVERIFY2(near(found, expected, 3e-6), qPrintable(QString::number(worst(found, expected))));
}

void TestCudaBodies::tokensBeyondTheRoom() {
    Held held(WeightKind::F32, 1, 1, 4, 2);
    const std::vector<float> x(8, 1.0F);
    const std::vector<std::int32_t> positions{2, -1};
    const std::vector<std::int32_t> sequences{0, 0};
    const auto before = held.values;
    QCOMPARE(host().cacheAppend({x.data(), 4, 2, held.rows, positions.data(), sequences.data()},
                                nullptr),
             0);
    QCOMPARE(held.values, before);
}

/// The tests above rest on it.
void TestCudaBodies::missingLaneIsNoticed() {
    pareto::test::Lanes lanes(8);
    lanes.run([&](int lane) {
        pareto::test::HostTeam team(lanes, lane);
        if (lane != 5) {
            team.sync();
        }
    });
    QVERIFY(pareto::test::Lanes::missed() > 0);
    m_missed = pareto::test::Lanes::missed();
}

QTEST_GUILESS_MAIN(TestCudaBodies)
#include "tst_cuda_bodies.moc"
