// What must hold of the compression methods whatever the numbers are.
#include <QtTest>

#include <cmath>

#include "engine/compress/prune/l1_reconstruction.h"
#include "engine/compress/prune/magnitude.h"
#include "engine/compress/prune/sparsegpt.h"
#include "engine/compress/prune/wanda.h"
#include "engine/compress/quantize/gptq.h"
#include "engine/weights/quantize.h"
#include "tests/engine/compress/method_layers.h"

using namespace pareto;
using compress::GptqOptions;
using compress::LayerContext;
using compress::SparseGptOptions;
using compress::SparsityPattern;
using test::MethodLayer;

namespace {

const SparsityPattern kHalf{.ratio = 0.5};
const SparsityPattern kTwoOfFour{.keepOf = 2, .groupOf = 4};
const SparsityPattern kTiles{.ratio = 0.5, .tileRows = 2, .tileCols = 4};

Tensor gptq(const MethodLayer& layer, const WeightFormat& format, const GptqOptions& options = {},
            const LayerContext& context = {}) {
    return compress::quantizeGptq(layer.weight(), format, options, layer.statistics, context)
        .value();
}

Tensor sparse(const MethodLayer& layer, const SparsityPattern& pattern,
              std::optional<WeightFormat> codes = {}, const LayerContext& context = {}) {
    SparseGptOptions options;
    options.pattern = pattern;
    options.codes = codes;
    return compress::pruneSparseGpt(layer.weight(), options, layer.statistics, context).value();
}

Tensor wanda(const MethodLayer& layer, const SparsityPattern& pattern,
             const LayerContext& context = {}) {
    return compress::pruneWanda(layer.weight(), pattern, layer.statistics, context).value();
}

Tensor byL1(const MethodLayer& layer, const SparsityPattern& pattern,
            const LayerContext& context = {}) {
    compress::L1Options options;
    options.pattern = pattern;
    return compress::pruneL1(layer.weight(), options, layer.statistics, context).value().weight;
}

MethodLayer with(const MethodLayer& layer, const Tensor& weight) {
    MethodLayer out = layer;
    out.values = dequantize(weight);
    return out;
}

bool holds(const Tensor& tensor, const SparsityPattern& pattern) {
    const auto values = dequantize(tensor);
    const std::int64_t cols = tensor.shape[1];
    for (std::int64_t row = 0; row < tensor.shape[0]; ++row) {
        for (std::int64_t begin = 0; begin < cols; begin += pattern.groupOf) {
            const auto from = values.begin() + row * cols + begin;
            const auto length = std::min<std::int64_t>(pattern.groupOf, cols - begin);
            if (length - std::count(from, from + length, 0.0F) > pattern.keepOf) {
                return false;
            }
        }
    }
    return true;
}

/// How many tiles are zero as a whole; −1 where another value is zero too, unless `loose`.
std::int64_t fallenTiles(const Tensor& tensor, const TileGrid& grid, bool loose = false) {
    std::vector<std::int64_t> zeros(static_cast<std::size_t>(grid.count()));
    const auto values = dequantize(tensor);
    for (std::int64_t at = 0; at < static_cast<std::int64_t>(values.size()); ++at) {
        const std::int64_t tile =
            at / grid.cols / grid.tileRows * grid.across() + at % grid.cols / grid.tileCols;
        zeros[static_cast<std::size_t>(tile)] +=
            values[static_cast<std::size_t>(at)] == 0.0F ? 1 : 0;
    }
    std::int64_t fallen = 0;
    for (std::int64_t tile = 0; tile < grid.count(); ++tile) {
        const std::int64_t count = zeros[static_cast<std::size_t>(tile)];
        const bool whole = count == grid.rowsOf(tile) * grid.colsOf(tile);
        if (!whole && count != 0 && !loose) {
            return -1;
        }
        fallen += whole ? 1 : 0;
    }
    return fallen;
}

}  // namespace

class TestMethodsProperties : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void gptqWithoutCorrelationIsRoundToNearest();
    void gptqBeatsRoundToNearest();
    void gptqToAnyWidth();
    void gptqKeepsWhatWasPruned();
    void blockSizeIsOnlySpeed();
    void sparsityIsMet_data();
    void sparsityIsMet();
    void tilesFallWhole_data() { sparsityIsMet_data(); }
    void tilesFallWhole();
    void betterMethodsErrLess();
    void jointIsNoWorseThanOneAfterTheOther();
    void prunedTwiceIsPrunedOnce();
    void codesKeepTheirPlaceInWanda();
    void sameForAnyThreads();
    void cancels();
    void namedErrors();
};

void TestMethodsProperties::gptqWithoutCorrelationIsRoundToNearest() {
    auto layer = test::correlatedLayer(9, 45, 11);
    for (std::size_t i = 0; i < 45; ++i) {
        for (std::size_t j = 0; j < 45; ++j) {
            if (i != j) {
                layer.statistics.hessian[i * 45 + j] = 0.0F;
            }
        }
    }
    for (const auto number : {NumberFormat::Int16, NumberFormat::Int8, NumberFormat::Int4, NumberFormat::Int3,
                              NumberFormat::Int2}) {
        for (const auto granularity :
             {Granularity::Tensor, Granularity::Channel, Granularity::Group}) {
            for (const auto range :
                 {RangeMethod::MinMax, RangeMethod::Percentile, RangeMethod::Mse}) {
                WeightFormat format = test::integers(number, granularity, 8);
                format.range = range;
                format.symmetric = range != RangeMethod::MinMax || number == NumberFormat::Int16;
                if (number == NumberFormat::Int8 && format.symmetric) {
                    format.activations = Activations::Int8Dynamic;
                    format.activationGroup = 16;
                }
                const Tensor expected = quantizeTensor(layer.values, 9, 45, format);
                QVERIFY(test::sameBytes(gptq(layer, format), expected));
                QVERIFY(test::sameBytes(gptq(layer, format, {.actOrder = true}), expected));
            }
        }
    }
    for (const auto number : {NumberFormat::F16, NumberFormat::F8}) {
        const WeightFormat format = test::integers(number, Granularity::Channel);
        QVERIFY(test::sameBytes(gptq(layer, format), quantizeTensor(layer.values, 9, 45, format)));
    }
}

void TestMethodsProperties::gptqBeatsRoundToNearest() {
    const auto layer = test::correlatedLayer(24, 160, 12);
    for (const auto granularity : {Granularity::Channel, Granularity::Group}) {
        for (const bool symmetric : {true, false}) {
            WeightFormat format = test::integers(NumberFormat::Int4, granularity, 32);
            format.symmetric = symmetric;
            const double nearest =
                test::errorOf(layer, quantizeTensor(layer.values, 24, 160, format));
            const double plain = test::errorOf(layer, gptq(layer, format));
            const double ordered = test::errorOf(layer, gptq(layer, format, {.actOrder = true}));
            QVERIFY(plain < 0.7 * nearest);
            QVERIFY(ordered < plain);
            for (const int code : test::codesOf(gptq(layer, format))) {
                QVERIFY(code >= -8 && code <= 7);
            }
        }
    }
}

/// The fewer the bits, the more there is to make up for; every code lies within its bits.
void TestMethodsProperties::gptqToAnyWidth() {
    const auto layer = test::correlatedLayer(24, 160, 12);
    double last = 0.0;
    for (const auto number : {NumberFormat::Int16, NumberFormat::Int8, NumberFormat::Int4, NumberFormat::Int3,
                              NumberFormat::Int2}) {
        const WeightFormat format = test::integers(number, Granularity::Group, 32);
        const Tensor rounded = gptq(layer, format);
        const double error = test::errorOf(layer, rounded);
        QVERIFY(error > last);
        QVERIFY(error < test::errorOf(layer, quantizeTensor(layer.values, 24, 160, format)));
        last = error;
        const int half = 1 << (bitsOf(number) - 1);
        bool lowest = false;
        for (const int code : test::codesOf(rounded)) {
            QVERIFY(code >= -half && code < half);
            lowest = lowest || code < -half * 3 / 4;
        }
        QVERIFY(lowest);  // nothing was cut to fewer bits
    }
}

void TestMethodsProperties::gptqKeepsWhatWasPruned() {
    const auto layer = test::correlatedLayer(8, 64, 13);
    const auto pruned = with(layer, wanda(layer, kTwoOfFour));
    WeightFormat format = test::integers(NumberFormat::Int4, Granularity::Channel);
    for (const bool symmetric : {true, false}) {
        format.symmetric = symmetric;
        for (const bool ordered : {true, false}) {
            const Tensor kept = gptq(pruned, format, {.actOrder = ordered});
            QVERIFY(holds(kept, kTwoOfFour));
        }
        QVERIFY(!holds(gptq(pruned, format, {.keepZeros = false}), kTwoOfFour));
    }
}

void TestMethodsProperties::blockSizeIsOnlySpeed() {
    const auto layer = test::correlatedLayer(6, 200, 14);
    for (const std::int64_t group : {0, 32, 100, 150}) {
        const WeightFormat format = test::integers(
            NumberFormat::Int8, group == 0 ? Granularity::Channel : Granularity::Group, group);
        const double one = test::errorOf(layer, gptq(layer, format, {.blockSize = 1}));
        for (const std::int64_t block : {3, 64, 128, 1000}) {
            const double other = test::errorOf(layer, gptq(layer, format, {.blockSize = block}));
            QVERIFY(std::fabs(one - other) < 0.02 * one);
        }
    }
}

void TestMethodsProperties::sparsityIsMet_data() {
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("cols");
    QTest::newRow("square") << 64 << 64;
    QTest::newRow("odd") << 7 << 131;
    QTest::newRow("one row") << 1 << 300;
    QTest::newRow("narrow") << 33 << 3;
}

void TestMethodsProperties::sparsityIsMet() {
    QFETCH(int, rows);
    QFETCH(int, cols);
    const auto layer = test::correlatedLayer(rows, cols, 15);
    const std::int64_t count = std::int64_t{rows} * cols;
    for (const double ratio : {0.0, 0.1, 0.37, 0.5, 0.83, 1.0}) {
        const SparsityPattern pattern{.ratio = ratio};
        QCOMPARE(countZeros(wanda(layer, pattern)), rows * pattern.removedOf(cols));
        QCOMPARE(countZeros(sparse(layer, pattern)), pattern.removedOf(count));
        QCOMPARE(countZeros(byL1(layer, pattern)), pattern.removedOf(count));
        QCOMPARE(countZeros(compress::pruneMagnitude(layer.weight(), pattern)),
                 pattern.removedOf(count));
    }
    const SparsityPattern patterns[] = {{.keepOf = 2, .groupOf = 4},
                                        {.keepOf = 1, .groupOf = 4},
                                        {.keepOf = 4, .groupOf = 8},
                                        {.keepOf = 3, .groupOf = 5},
                                        {.keepOf = 100, .groupOf = 200}};
    for (const auto& pattern : patterns) {
        const WeightFormat format = test::integers(NumberFormat::Int4, Granularity::Group, 6);
        const std::int64_t zeros = rows * pattern.removedOfRow(cols);
        for (const Tensor& pruned :
             {compress::pruneMagnitude(layer.weight(), pattern), wanda(layer, pattern),
              sparse(layer, pattern), byL1(layer, pattern)}) {
            QVERIFY(holds(pruned, pattern));
            QCOMPARE(countZeros(pruned), zeros);
        }
        QVERIFY(holds(sparse(layer, pattern, format), pattern));
    }
}

void TestMethodsProperties::tilesFallWhole() {
    QFETCH(int, rows);
    QFETCH(int, cols);
    const auto layer = test::correlatedLayer(rows, cols, 25);
    const WeightFormat format = test::integers(NumberFormat::Int4, Granularity::Group, 6);
    for (const auto& [down, right] : {std::pair{1, 4}, {4, 1}, {1, 16}, {3, 5}, {64, 64}}) {
        for (const double ratio : {0.0, 0.37, 0.5, 1.0}) {
            const SparsityPattern pattern{.ratio = ratio, .tileRows = down, .tileCols = right};
            const TileGrid grid = pattern.tilesOf(rows, cols);
            const auto whole = static_cast<std::int64_t>(ratio * grid.count());
            const auto ofBands = grid.down() * static_cast<std::int64_t>(ratio * grid.across());
            QCOMPARE(fallenTiles(compress::pruneMagnitude(layer.weight(), pattern), grid), whole);
            QCOMPARE(fallenTiles(sparse(layer, pattern), grid), whole);
            QCOMPARE(fallenTiles(byL1(layer, pattern), grid), whole);
            QCOMPARE(fallenTiles(wanda(layer, pattern), grid), ofBands);
            QVERIFY(fallenTiles(sparse(layer, pattern, format), grid, true) >= whole);
            if (grid.isEven()) {
                QCOMPARE(countZeros(sparse(layer, pattern)), grid.valuesIn(whole));
            }
            QCOMPARE(grid.valuesIn(grid.count()), grid.rows * grid.cols);
        }
    }
}

void TestMethodsProperties::betterMethodsErrLess() {
    const auto layer = test::correlatedLayer(32, 160, 16);
    for (const auto& pattern : {kHalf, kTwoOfFour, kTiles}) {
        const double byMagnitude =
            test::errorOf(layer, compress::pruneMagnitude(layer.weight(), pattern));
        const double byWanda = test::errorOf(layer, wanda(layer, pattern));
        const double bySparseGpt = test::errorOf(layer, sparse(layer, pattern));
        QVERIFY(byWanda < byMagnitude);
        QVERIFY(bySparseGpt < 0.8 * byWanda);
        QVERIFY(test::errorOf(layer, byL1(layer, pattern)) < 0.8 * byWanda);
    }
}

void TestMethodsProperties::jointIsNoWorseThanOneAfterTheOther() {
    const WeightFormat format = test::integers(NumberFormat::Int4, Granularity::Channel);
    for (const std::uint64_t seed : {17, 18, 19}) {
        const auto layer = test::correlatedLayer(32, 160, seed);
        for (const auto& pattern : {kHalf, kTwoOfFour}) {
            const Tensor pruned = sparse(layer, pattern);
            const double nearest =
                test::errorOf(layer, quantizeTensor(dequantize(pruned), 32, 160, format));
            const double corrected = test::errorOf(layer, gptq(with(layer, pruned), format));
            const double joint = test::errorOf(layer, sparse(layer, pattern, format));
            QVERIFY(joint <= nearest);
            QVERIFY(joint <= corrected);
        }
    }
}

void TestMethodsProperties::prunedTwiceIsPrunedOnce() {
    const auto layer = test::correlatedLayer(16, 140, 20);
    for (const auto& pattern : {kHalf, kTwoOfFour}) {
        const Tensor once = sparse(layer, pattern);
        QVERIFY(test::sameBytes(sparse(with(layer, once), pattern), once));
        const Tensor byWanda = wanda(layer, pattern);
        QVERIFY(test::sameBytes(wanda(with(layer, byWanda), pattern), byWanda));
    }
}

void TestMethodsProperties::codesKeepTheirPlaceInWanda() {
    const auto layer = test::correlatedLayer(5, 33, 21);
    WeightFormat format = test::integers(NumberFormat::Int4, Granularity::Group, 8);
    format.symmetric = false;
    const Tensor codes = quantizeTensor(layer.values, 5, 33, format);
    const auto pruned = compress::pruneWanda(codes, kTwoOfFour, layer.statistics, {}).value();
    QVERIFY(holds(pruned, kTwoOfFour));
    const auto before = dequantize(codes);
    const auto after = dequantize(pruned);
    for (std::size_t at = 0; at < after.size(); ++at) {
        QVERIFY(after[at] == 0.0F || after[at] == before[at]);
    }
}

void TestMethodsProperties::sameForAnyThreads() {
    const auto layer = test::correlatedLayer(41, 150, 22);
    LayerContext pieces;
    pieces.parallel = test::inPieces;
    WeightFormat format = test::integers(NumberFormat::Int4, Granularity::Group, 48);
    format.range = RangeMethod::Mse;
    QVERIFY(test::sameBytes(gptq(layer, format), gptq(layer, format, {}, pieces)));
    for (const auto& pattern : {kHalf, kTwoOfFour, kTiles}) {
        QVERIFY(test::sameBytes(compress::pruneMagnitude(layer.weight(), pattern),
                                compress::pruneMagnitude(layer.weight(), pattern, test::inPieces)));
        QVERIFY(test::sameBytes(wanda(layer, pattern), wanda(layer, pattern, pieces)));
        QVERIFY(test::sameBytes(byL1(layer, pattern), byL1(layer, pattern, pieces)));
        QVERIFY(test::sameBytes(sparse(layer, pattern, format),
                                sparse(layer, pattern, format, pieces)));
    }
}

void TestMethodsProperties::cancels() {
    const auto layer = test::correlatedLayer(8, 140, 23);
    std::stop_source source;
    LayerContext context;
    context.stop = source.get_token();
    int calls = 0;
    context.parallel = [&](std::int64_t count, std::int64_t grain, const auto& body) {
        ++calls;
        source.request_stop();
        serialFor(count, grain, body);
    };
    const WeightFormat format = test::integers(NumberFormat::Int4, Granularity::Channel);
    QVERIFY(
        compress::quantizeGptq(layer.weight(), format, {}, layer.statistics, context).cancelled());
    QVERIFY(compress::pruneSparseGpt(layer.weight(), {}, layer.statistics, context).cancelled());
    QVERIFY(compress::pruneWanda(layer.weight(), kHalf, layer.statistics, context).cancelled());
    QVERIFY(compress::pruneWanda(layer.weight(), kTiles, layer.statistics, context).cancelled());
    QVERIFY(compress::pruneL1(layer.weight(), {}, layer.statistics, context).cancelled());
    QVERIFY(calls > 0);
}

void TestMethodsProperties::namedErrors() {
    const auto good = test::correlatedLayer(4, 12, 24);
    const WeightFormat format = test::integers(NumberFormat::Int4, Granularity::Channel);
    LayerContext context;
    context.label = {"model", "a.weight"};
    const auto failure = [&](const MethodLayer& layer) {
        return test::failureOf(
            compress::quantizeGptq(layer.weight(), format, {}, layer.statistics, context));
    };
    auto layer = good;
    layer.values[7] = std::nanf("");
    QVERIFY(failure(layer).starts_with("TensorValues model: the tensor a.weight has 1 values"));
    QVERIFY(test::failureOf(compress::pruneWanda(layer.weight(), kHalf, good.statistics, context))
                .starts_with("TensorValues"));
    QVERIFY(test::failureOf(compress::pruneL1(layer.weight(), {}, good.statistics, context))
                .starts_with("TensorValues"));
    layer = good;
    layer.statistics.hessian[5] = INFINITY;
    QVERIFY(failure(layer).starts_with("TensorValues"));
    layer = good;
    layer.statistics.tokens = 0;
    QVERIFY(failure(layer).find("no calibration token") != std::string::npos);
    layer = good;
    layer.statistics.hessian.clear();
    QVERIFY(failure(layer).find("were not gathered") != std::string::npos);
    layer = good;
    layer.statistics.hessian[1] = layer.statistics.hessian[12] = 1e6F;
    QVERIFY(failure(layer).find("not positive definite") != std::string::npos);
    layer = good;
    layer.statistics.cols = 13;
    QVERIFY(failure(layer).starts_with("TensorShape"));
    // Nothing but dead inputs is no error: nothing of the weight is left.
    layer = good;
    std::fill(layer.statistics.hessian.begin(), layer.statistics.hessian.end(), 0.0F);
    QCOMPARE(countZeros(gptq(layer, format)), 48);
}

QTEST_GUILESS_MAIN(TestMethodsProperties)
#include "tst_methods_properties.moc"
