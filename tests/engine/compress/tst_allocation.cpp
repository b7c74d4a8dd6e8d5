// How sparsity is divided among layers.
#include <QtTest>

#include <cmath>
#include <numeric>

#include "engine/compress/prune/allocation.h"
#include "engine/compress/prune/magnitude.h"
#include "engine/weights/quantize.h"
#include "tests/engine/compress/method_layers.h"

using namespace pareto;
using compress::LayerContext;
using compress::NamedWeight;
using test::MethodLayer;

namespace {

double meanOf(const std::vector<double>& ratios, const std::vector<std::int64_t>& sizes) {
    double sum = 0.0;
    for (std::size_t at = 0; at < sizes.size(); ++at) {
        sum += ratios[at] * static_cast<double>(sizes[at]);
    }
    return sum / static_cast<double>(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}));
}

}  // namespace

class TestAllocation : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void golden();
    void outlierWeighedRatiosKeepTheirPromises();
    void togetherIsPruningOneTensor();
    void ratioOfIsExact();
    void cancelsAndNamesErrors();
};

void TestAllocation::golden() {
    const Json file = readJsonFile(PARETO_SOURCE_DIR "/tests/golden/compress/units.json").value();
    std::map<std::string, Tensor> weights;
    std::map<std::string, MethodLayer> layers;
    for (const auto& [name, description] : file["layers"].items()) {
        layers.emplace(name, test::layerOf(description));
        weights.emplace(name, layers.at(name).weight());
    }
    std::map<std::string, int> cases;
    for (const auto& item : file["cases"]) {
        const std::string method = item["method"];
        ++cases[method];
        if (method == "owl") {
            const auto sizes = item["sizes"].get<std::vector<std::int64_t>>();
            const auto found = compress::outlierWeighedRatios(
                item["shares"].get<std::vector<double>>(), sizes, item["ratio"], item["reach"]);
            const auto expected = item["ratios"].get<std::vector<double>>();
            QCOMPARE(found.size(), expected.size());
            for (std::size_t at = 0; at < found.size(); ++at) {
                QVERIFY2(std::fabs(found[at] - expected[at]) < 1e-6, item.dump().c_str());
            }
        } else if (method == "outliers") {
            const MethodLayer& layer = layers.at(item["layer"]);
            LayerContext pieces;
            pieces.parallel = test::inPieces;
            for (const LayerContext& context : {LayerContext{}, pieces}) {
                const auto found = compress::outlierShare(layer.weight(), layer.statistics,
                                                          item["threshold"], context);
                QCOMPARE(found.value(), item["share"].get<double>());
            }
        } else if (method == "global") {
            std::vector<NamedWeight> parts;
            for (const auto& name : item["layers"]) {
                parts.push_back({name, &weights.at(name)});
            }
            QCOMPARE(compress::shareByMagnitude(parts, item["ratio"], {}).value(),
                     item["removed"].get<std::vector<std::int64_t>>());
        }
    }
    QCOMPARE(cases["owl"], 57);
    QCOMPARE(cases["outliers"], 12);
    QCOMPARE(cases["global"], 18);
}

void TestAllocation::outlierWeighedRatiosKeepTheirPromises() {
    const std::vector<double> shares{0.001, 0.08, 0.03, 0.02, 0.02};
    const std::vector<std::int64_t> sizes{10, 2000, 300, 40, 5};
    for (const double ratio : {0.0, 0.01, 0.3, 0.5, 0.7, 0.97, 0.989}) {
        const auto found = compress::outlierWeighedRatios(shares, sizes, ratio);
        QVERIFY(std::fabs(meanOf(found, sizes) - ratio) < 1e-12);
        QVERIFY(found[0] >= found[2] && found[2] >= found[1]);
        QCOMPARE(found[3], found[4]);
        for (const double one : found) {
            QVERIFY(one >= std::max(0.0, ratio - 0.08) && one <= std::min(0.99, ratio + 0.08));
        }
    }
    // Where nothing is held, as the authors' code has it: shares scaled to 0 … 2 · reach, less their mean.
    const std::vector<double> even{0.01, 0.02, 0.03, 0.04, 0.05};
    const auto found = compress::outlierWeighedRatios(even, std::vector<std::int64_t>(5, 7), 0.7);
    for (std::size_t at = 0; at < 5; ++at) {
        QVERIFY(std::fabs(found[at] - (0.7 + 0.08 - 0.04 * static_cast<double>(at))) < 1e-12);
    }
}

void TestAllocation::togetherIsPruningOneTensor() {
    // Many equal magnitudes: codes.
    const auto layer = test::correlatedLayer(30, 64, 41);
    const Tensor codes = quantizeTensor(layer.values, 30, 64,
                                        test::integers(NumberFormat::Int4, Granularity::Tensor));
    const auto values = dequantize(codes);
    std::vector<Tensor> parts;
    for (const auto& [begin, end] : {std::pair{0, 1}, {1, 12}, {12, 30}}) {
        parts.push_back(denseTensor(Shape{end - begin, 64},
                                    std::span(values).subspan(begin * 64, (end - begin) * 64)));
    }
    const std::vector<NamedWeight> named{{"a", &parts[0]}, {"b", &parts[1]}, {"c", &parts[2]}};
    LayerContext pieces;
    pieces.parallel = test::inPieces;
    for (const double ratio : {0.0, 0.001, 0.2, 0.5, 0.66, 0.999, 1.0}) {
        const auto whole =
            dequantize(compress::pruneMagnitude(denseTensor(Shape{30, 64}, values), ratio));
        const auto removed = compress::shareByMagnitude(named, ratio, {}).value();
        QCOMPARE(removed, compress::shareByMagnitude(named, ratio, pieces).value());
        QCOMPARE(removed[0] + removed[1] + removed[2], static_cast<std::int64_t>(ratio * 1920));
        std::vector<float> together;
        for (std::size_t at = 0; at < 3; ++at) {
            const auto one = dequantize(compress::pruneMagnitude(
                parts[at], compress::ratioOf(removed[at], parts[at].shape.elements())));
            together.insert(together.end(), one.begin(), one.end());
        }
        QCOMPARE(together, whole);
    }
}

void TestAllocation::ratioOfIsExact() {
    for (const std::int64_t count : {1, 7, 49, 1000, 12345677}) {
        for (std::int64_t removed = 0; removed <= count;
             removed += std::max<std::int64_t>(1, count / 997)) {
            const compress::SparsityPattern pattern{.ratio = compress::ratioOf(removed, count)};
            QCOMPARE(pattern.removedOf(count), removed);
        }
        QCOMPARE(
            compress::SparsityPattern{.ratio = compress::ratioOf(count, count)}.removedOf(count),
            count);
    }
}

void TestAllocation::cancelsAndNamesErrors() {
    auto layer = test::correlatedLayer(4, 12, 42);
    const Tensor good = layer.weight();
    layer.values[3] = std::nanf("");
    const Tensor bad = layer.weight();
    LayerContext context;
    context.label.model = "model";
    const std::vector<NamedWeight> both{{"good", &good}, {"bad", &bad}};
    QVERIFY(test::failureOf(compress::shareByMagnitude(both, 0.5, context))
                .starts_with("TensorValues model: the tensor bad has 1 values"));
    QVERIFY(test::failureOf(compress::outlierShare(bad, layer.statistics, 5.0, context))
                .starts_with("TensorValues"));
    std::stop_source source;
    source.request_stop();
    context.stop = source.get_token();
    QVERIFY(compress::shareByMagnitude(both, 0.5, context).cancelled());
}

QTEST_GUILESS_MAIN(TestAllocation)
#include "tst_allocation.moc"
