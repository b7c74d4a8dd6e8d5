// Choice of heads and neurons, and what kept inputs do about removed ones.
#include <QtTest>

#include <cmath>

#include "engine/compress/prune/compensation.h"
#include "engine/compress/prune/unit_selection.h"
#include "engine/core/random.h"
#include "engine/weights/select.h"
#include "tests/engine/compress/method_layers.h"

using namespace pareto;
using compress::InputStatistics;
using compress::LayerContext;
using compress::SecondOrderUnits;
using test::MethodLayer;

namespace {

bool near(double found, double expected, double tolerance) {
    return std::fabs(found - expected) <= tolerance * (1.0 + std::fabs(expected));
}

bool areNear(const std::vector<float>& found, const Json& expected, double tolerance) {
    if (found.size() != expected.size()) {
        return false;
    }
    for (std::size_t at = 0; at < found.size(); ++at) {
        if (!near(found[at], expected[at].get<double>(), tolerance)) {
            return false;
        }
    }
    return true;
}

compress::UnitSelection second(const MethodLayer& layer, const SecondOrderUnits& options,
                               const LayerContext& context = {}) {
    return compress::selectBySecondOrder(layer.weight(), options, layer.statistics, context)
        .value();
}

Tensor leastSquares(const MethodLayer& layer, const std::vector<std::int64_t>& kept,
                    double damping = 0.01) {
    return compress::compensateByLeastSquares(layer.weight(), kept, layer.statistics, damping, {})
        .value();
}

/// tr(E·H·Eᵀ) of a layer of which only some columns are left.
double errorOfCut(const MethodLayer& layer, const std::vector<std::int64_t>& kept,
                  const Tensor& weight) {
    std::vector<float> whole(layer.values.size());
    const auto some = dequantize(weight);
    for (std::int64_t row = 0; row < layer.rows; ++row) {
        for (std::size_t at = 0; at < kept.size(); ++at) {
            whole[static_cast<std::size_t>(row * layer.cols + kept[at])] =
                some[static_cast<std::size_t>(row) * kept.size() + at];
        }
    }
    return compress::outputError(layer.values, whole, layer.statistics, {});
}

std::vector<std::int64_t> strongest(const std::vector<double>& importance, std::size_t remove) {
    std::vector<std::int64_t> order(importance.size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::ranges::stable_sort(order, {}, [&](std::int64_t unit) { return importance[unit]; });
    order.erase(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(remove));
    std::ranges::sort(order);
    return order;
}

}  // namespace

class TestUnits : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void golden();
    void betterOnesErrLess_data();
    void betterOnesErrLess();
    void redundantInputsCostNothing();
    void severalUpdatesAgreeWithOneSolution();
    void restrictedStatistics();
    void sameForAnyThreads();
    void cancelsAndNamesErrors();
    void realSizes();
};

void TestUnits::golden() {
    const Json file = readJsonFile(PARETO_SOURCE_DIR "/tests/golden/compress/units.json").value();
    std::map<std::string, MethodLayer> layers;
    for (const auto& [name, description] : file["layers"].items()) {
        layers.emplace(name, test::layerOf(description));
    }
    std::map<std::string, int> cases;
    for (const auto& item : file["cases"]) {
        const std::string method = item["method"];
        ++cases[method];
        if (method == "owl" || method == "global" || method == "outliers") {
            continue;  // tst_allocation
        }
        const MethodLayer& layer = layers.at(item["layer"]);
        const std::string head = method + " " + item["layer"].get<std::string>() + " " +
                                 std::to_string(item.value("width", 0)) + " " +
                                 std::to_string(item.value("remove", 0));
        if (method == "fluctuation") {
            const auto found =
                compress::unitFluctuation(layer.weight(), item["width"], layer.statistics, {});
            const std::vector<float> values(found.value().begin(), found.value().end());
            QVERIFY2(areNear(values, item["importance"], 1e-5), head.c_str());
        } else if (method == "second") {
            const auto found = second(layer, {.width = item["width"], .remove = item["remove"]});
            QVERIFY2(found.removed == item["removed"].get<std::vector<std::int64_t>>(),
                     head.c_str());
            QVERIFY2(found.kept == item["kept"].get<std::vector<std::int64_t>>(), head.c_str());
            QVERIFY2(areNear({found.losses.begin(), found.losses.end()}, item["losses"], 1e-4),
                     head.c_str());
            QVERIFY2(areNear(dequantize(found.weight), item["values"], 1e-4), head.c_str());
        } else {
            const auto kept = item["kept"].get<std::vector<std::int64_t>>();
            QVERIFY2(areNear(dequantize(leastSquares(layer, kept)), item["values"], 1e-4),
                     head.c_str());
            const auto bias =
                compress::compensateByBias(layer.weight(), nullptr, kept, layer.statistics, {});
            QVERIFY2(areNear(dequantize(bias.value()), item["bias"], 1e-5), head.c_str());
            const Tensor one = denseTensor(Shape{layer.rows}, std::vector<float>(layer.rows, 1.0F));
            const auto more =
                compress::compensateByBias(layer.weight(), &one, kept, layer.statistics, {});
            QVERIFY(near(dequantize(more.value())[0], dequantize(bias.value())[0] + 1.0, 1e-6));
        }
    }
    QCOMPARE(cases["fluctuation"], 13);
    QCOMPARE(cases["second"], 36);
    QCOMPARE(cases["compensation"], 12);
}

void TestUnits::betterOnesErrLess_data() {
    QTest::addColumn<int>("width");
    for (const int width : {1, 8, 32}) {
        QTest::addRow("%d", width) << width;
    }
}

void TestUnits::betterOnesErrLess() {
    QFETCH(int, width);
    const auto layer = test::correlatedLayer(24, 192, 31);
    const auto units = static_cast<std::size_t>(192 / width);
    for (const std::size_t remove : {units / 4, units / 2, units - 2}) {
        const auto importance =
            compress::unitFluctuation(layer.weight(), width, layer.statistics, {}).value();
        const auto strong = strongest(importance, remove);
        const auto kept = compress::columnsOfUnits(strong, width);
        const double plain = errorOfCut(layer, kept, selectCols(layer.weight(), kept));
        const double fitted = errorOfCut(layer, kept, leastSquares(layer, kept));
        const auto chosen =
            second(layer, {.width = width, .remove = static_cast<std::int64_t>(remove)});
        QCOMPARE(chosen.kept.size(), strong.size());
        const double best =
            errorOfCut(layer, compress::columnsOfUnits(chosen.kept, width), chosen.weight);
        QVERIFY(fitted < plain);
        QVERIFY(best <= fitted);
    }
}

void TestUnits::redundantInputsCostNothing() {
    // Inputs 16 … 23 are sums and differences of the first 16.
    RandomStream random(32, "redundant inputs");
    constexpr std::int64_t cols = 24;
    MethodLayer layer{8, cols, {}, {}};
    std::vector<float> inputs;
    for (int token = 0; token < 200; ++token) {
        std::vector<float> x;
        for (int col = 0; col < 16; ++col) {
            x.push_back(static_cast<float>(random.normal()));
        }
        for (std::size_t col = 16; col < cols; ++col) {
            x.push_back(x[col - 16] - 0.5F * x[(col * 7) % 16]);
        }
        inputs.insert(inputs.end(), x.begin(), x.end());
    }
    layer.statistics = test::statisticsOf(inputs, cols);
    for (std::int64_t at = 0; at < 8 * cols; ++at) {
        layer.values.push_back(static_cast<float>(random.normal()));
    }
    const double whole = compress::outputError(std::vector<float>(layer.values.size()),
                                               layer.values, layer.statistics, {});
    std::vector<std::int64_t> kept(16);
    std::iota(kept.begin(), kept.end(), std::int64_t{0});
    QVERIFY(errorOfCut(layer, kept, leastSquares(layer, kept, 1e-5)) < 1e-7 * whole);
    const auto chosen = second(layer, {.width = 1, .remove = 8, .damping = 1e-5});
    QVERIFY(errorOfCut(layer, chosen.kept, chosen.weight) < 1e-6 * whole);
    // One more costs something.
    const auto further = second(layer, {.width = 1, .remove = 9, .damping = 1e-5});
    QVERIFY(errorOfCut(layer, further.kept, further.weight) > 1e-3 * whole);
}

void TestUnits::severalUpdatesAgreeWithOneSolution() {
    // Enough removals for the matrices to be brought up to date several times: the losses that were summed
    // on the way are the error of the whole.
    const auto layer = test::correlatedLayer(20, 400, 33);
    for (const std::int64_t width : {1, 5, 80}) {
        const auto chosen = second(layer, {.width = width, .remove = 400 / width * 9 / 10});
        const auto columns = compress::columnsOfUnits(chosen.kept, width);
        MethodLayer damped = layer;
        const double mean = compress::meanLiveSquare(layer.statistics);
        for (std::size_t col = 0; col < 400; ++col) {
            damped.statistics.hessian[col * 401] += static_cast<float>(0.01 * mean);
        }
        const double whole = errorOfCut(damped, columns, chosen.weight);
        QVERIFY(near(std::accumulate(chosen.losses.begin(), chosen.losses.end(), 0.0) / whole, 1.0,
                     1e-4));
    }
}

void TestUnits::restrictedStatistics() {
    const auto layer = test::correlatedLayer(2, 12, 34);
    const std::vector<std::int64_t> kept{1, 4, 11};
    const InputStatistics some = compress::restrictTo(layer.statistics, kept);
    QCOMPARE(some.cols, 3);
    QCOMPARE(some.tokens, layer.statistics.tokens);
    for (std::size_t i = 0; i < 3; ++i) {
        const auto from = static_cast<std::size_t>(kept[i]);
        QCOMPARE(some.means[i], layer.statistics.means[from]);
        QCOMPARE(some.meanSquares[i], layer.statistics.meanSquares[from]);
        QCOMPARE(some.meanMagnitudes[i], layer.statistics.meanMagnitudes[from]);
        QCOMPARE(some.largest[i], layer.statistics.largest[from]);
        for (std::size_t j = 0; j < 3; ++j) {
            QCOMPARE(some.hessian[i * 3 + j],
                     layer.statistics.hessian[from * 12 + static_cast<std::size_t>(kept[j])]);
        }
    }
    InputStatistics without = layer.statistics;
    without.hessian.clear();
    QVERIFY(compress::restrictTo(without, kept).hessian.empty());
}

void TestUnits::sameForAnyThreads() {
    const auto layer = test::correlatedLayer(13, 192, 35);
    LayerContext pieces;
    pieces.parallel = test::inPieces;
    for (const std::int64_t width : {1, 16}) {
        const SecondOrderUnits options{.width = width, .remove = 128 / width};
        const auto one = second(layer, options);
        const auto other = second(layer, options, pieces);
        QCOMPARE(one.removed, other.removed);
        QCOMPARE(one.losses, other.losses);
        QVERIFY(test::sameBytes(one.weight, other.weight));
    }
}

void TestUnits::cancelsAndNamesErrors() {
    auto layer = test::correlatedLayer(4, 12, 36);
    std::stop_source source;
    LayerContext context;
    context.stop = source.get_token();
    const SecondOrderUnits options{.width = 2, .remove = 3};
    source.request_stop();
    QVERIFY(compress::selectBySecondOrder(layer.weight(), options, layer.statistics, context)
                .cancelled());
    const std::vector<std::int64_t> kept{0, 1};
    QVERIFY(
        compress::compensateByLeastSquares(layer.weight(), kept, layer.statistics, 0.01, context)
            .cancelled());
    auto bad = layer;
    bad.statistics.means.clear();
    QVERIFY(test::failureOf(compress::unitFluctuation(bad.weight(), 2, bad.statistics, {}))
                .find("the means of inputs were not gathered") != std::string::npos);
    bad.statistics.hessian[1] = bad.statistics.hessian[12] = 1e6F;
    QVERIFY(
        test::failureOf(compress::selectBySecondOrder(bad.weight(), options, bad.statistics, {}))
            .find("not positive definite") != std::string::npos);
    bad.statistics.cols = 11;
    QVERIFY(
        test::failureOf(compress::selectBySecondOrder(bad.weight(), options, bad.statistics, {}))
            .starts_with("TensorShape"));
    layer.values[5] = INFINITY;
    QVERIFY(test::failureOf(
                compress::selectBySecondOrder(layer.weight(), options, layer.statistics, {}))
                .starts_with("TensorValues"));
}

void TestUnits::realSizes() {
    // The neurons of a small encoder; without libtorch, on one core.
    const bool soak = qEnvironmentVariableIsSet("PARETO_SOAK");
    const std::int64_t rows = soak ? 576 : 96;
    const std::int64_t cols = soak ? 1536 : 384;
    RandomStream random(37, "real sizes");
    MethodLayer layer{rows, cols, {}, {}};
    layer.values.resize(static_cast<std::size_t>(rows * cols));
    std::ranges::generate(layer.values, [&] { return static_cast<float>(random.normal()); });
    layer.statistics.cols = cols;
    layer.statistics.tokens = 1;
    layer.statistics.hessian.assign(static_cast<std::size_t>(cols * cols), 0.5F);
    for (std::int64_t col = 0; col < cols; ++col) {
        const double loudness = random.normal();
        layer.statistics.hessian[static_cast<std::size_t>(col * cols + col)] =
            0.6F + static_cast<float>(loudness * loudness);
    }
    for (const std::int64_t width : {1, 64}) {
        QElapsedTimer timer;
        timer.start();
        const auto chosen = second(layer, {.width = width, .remove = cols / width / 2});
        const double seconds = static_cast<double>(timer.elapsed()) / 1000.0;
        qInfo("half of %d inputs, units of %d: %.2f s", static_cast<int>(cols),
              static_cast<int>(width), seconds);
        QCOMPARE(chosen.weight.shape[1], cols / 2);
        QVERIFY(seconds < 60.0);
    }
}

QTEST_GUILESS_MAIN(TestUnits)
#include "tst_units.moc"
