// Scales and clips of AWQ and SmoothQuant, against tests/golden/compress/scales.json and by property.
#include <QtTest>

#include <cmath>

#include "engine/compress/quantize/awq.h"
#include "engine/compress/quantize/smooth.h"
#include "engine/weights/quantize.h"
#include "engine/weights/select.h"
#include "tests/engine/compress/method_layers.h"

using namespace pareto;
using compress::LayerContext;
using test::MethodLayer;

namespace {

/// The two linears of make_methods.py's halves().
std::vector<Tensor> halvesOf(const MethodLayer& layer) {
    std::vector<std::int64_t> upper;
    std::vector<std::int64_t> lower;
    for (std::int64_t row = 0; row < layer.rows; ++row) {
        (row < layer.rows / 2 ? upper : lower).push_back(row);
    }
    return {selectRows(layer.weight(), upper), selectRows(layer.weight(), lower)};
}

bool near(double found, double expected, double tolerance = 1e-4) {
    return std::fabs(found - expected) <= tolerance * std::fabs(expected);
}

bool allNear(std::span<const float> found, const Json& expected) {
    bool same = found.size() == expected.size();
    for (std::size_t at = 0; same && at < found.size(); ++at) {
        same = near(found[at], expected[at].get<double>(), 1e-5);
    }
    return same;
}

std::string headOf(Json item) {
    item.erase("values");
    item.erase("scales");
    return item.dump();
}

}  // namespace

class TestMethodsScales : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void golden();
    void scalingHelpsLoudInputs();
    void clippingHelps();
    void smoothingHelpsLoudInputs();
    void deadInputsStayFinite();
    void sameForAnyThreads();
    void failures();
};

void TestMethodsScales::golden() {
    const Json file = readJsonFile(PARETO_SOURCE_DIR "/tests/golden/compress/scales.json").value();
    std::map<std::string, int> cases;
    for (const auto& item : file["cases"]) {
        const MethodLayer layer = test::layerOf(file["layers"][item["layer"].get<std::string>()]);
        const std::string method = item["method"];
        const std::string head = headOf(item);
        WeightFormat format = test::formatOf(item["form"]);
        ++cases[method];
        if (method == "awqClip") {
            const auto found =
                compress::searchClip(layer.weight(), format, layer.statistics, {}).value();
            QVERIFY2(allNear(found.dense().values.as<float>(), item["values"]), head.c_str());
            continue;
        }
        const auto linears = halvesOf(layer);
        if (method == "awqScales") {
            const auto found =
                compress::searchScales(linears, format, layer.statistics, {}).value();
            QVERIFY2(near(found.error, item["error"]), head.c_str());
            QVERIFY2(near(found.plainError, item["plainError"]), head.c_str());
            QVERIFY2(found.ratio == item["ratio"].get<double>(), head.c_str());
            QVERIFY2(allNear(found.scales, item["scales"]), head.c_str());
            continue;
        }
        format.activations = item["static"].get<bool>() ? Activations::Int8Static : Activations::Int8Dynamic;
        format.activationGroup = item["activationGroup"];
        const auto found = compress::searchSmoothing(linears, format, layer.statistics, {}).value();
        QVERIFY2(near(found.error, item["error"]), head.c_str());
        QVERIFY2(near(found.plainError, item["plainError"]), head.c_str());
        QVERIFY2(found.alpha.has_value() == !item["alpha"].is_null(), head.c_str());
        QVERIFY2(!found.alpha || *found.alpha == item["alpha"].get<double>(), head.c_str());
        QVERIFY2(allNear(found.scales, item["scales"]), head.c_str());
    }
    QCOMPARE(cases["awqScales"], 15);
    QCOMPARE(cases["awqClip"], 12);
    QCOMPARE(cases["smooth"], 18);
}

void TestMethodsScales::scalingHelpsLoudInputs() {
    const auto layer = test::correlatedLayer(24, 96, 31);
    const auto format = test::integers(NumberFormat::Int4, Granularity::Channel);
    const auto linears = halvesOf(layer);
    const auto found = compress::searchScales(linears, format, layer.statistics, {}).value();
    QVERIFY(found.ratio > 0.0);
    QVERIFY(found.error < 0.8 * found.plainError);
    // The error it names is the one that comes out.
    double error = 0.0;
    for (const Tensor& weight : linears) {
        auto values = dequantize(weight);
        for (std::size_t at = 0; at < values.size(); ++at) {
            values[at] *= found.scales[at % 96];
        }
        auto back = dequantize(quantizeTensor(values, weight.shape[0], 96, format));
        for (std::size_t at = 0; at < back.size(); ++at) {
            back[at] /= found.scales[at % 96];
        }
        error += compress::outputError(dequantize(weight), back, layer.statistics, {});
    }
    QVERIFY(near(error, found.error));
}

void TestMethodsScales::clippingHelps() {
    auto layer = test::correlatedLayer(16, 96, 32);
    for (std::size_t row = 0; row < 16; ++row) {
        layer.values[row * 96 + row] *= 4.0F;
    }
    for (const auto granularity : {Granularity::Channel, Granularity::Group}) {
        const auto format = test::integers(NumberFormat::Int4, granularity, 96);
        const Tensor clipped =
            compress::searchClip(layer.weight(), format, layer.statistics, {}).value();
        const double before = test::errorOf(layer, quantizeTensor(layer.values, 16, 96, format));
        const double after =
            test::errorOf(layer, quantizeTensor(dequantize(clipped), 16, 96, format));
        QVERIFY(after < before);
    }
    const auto whole = test::integers(NumberFormat::Int4, Granularity::Tensor);
    QVERIFY(test::sameBytes(
        compress::searchClip(layer.weight(), whole, layer.statistics, {}).value(), layer.weight()));
}

void TestMethodsScales::smoothingHelpsLoudInputs() {
    const auto layer = test::correlatedLayer(24, 96, 33);
    auto format = test::integers(NumberFormat::Int8, Granularity::Channel);
    format.activations = Activations::Int8Dynamic;
    const auto linears = halvesOf(layer);
    const auto found = compress::searchSmoothing(linears, format, layer.statistics, {}).value();
    QVERIFY(found.alpha.has_value());
    QVERIFY(found.error < 0.9 * found.plainError);
    QCOMPARE(compress::smoothScales(linears, layer.statistics, *found.alpha), found.scales);
}

void TestMethodsScales::deadInputsStayFinite() {
    auto layer = test::correlatedLayer(6, 16, 34);
    for (std::size_t at = 0; at < 16; ++at) {
        layer.statistics.hessian[5 * 16 + at] = layer.statistics.hessian[at * 16 + 5] = 0.0F;
    }
    layer.statistics.largest[5] = layer.statistics.meanMagnitudes[5] = 0.0F;
    const auto linears = halvesOf(layer);
    const auto format = test::integers(NumberFormat::Int8, Granularity::Channel);
    for (const auto& scales :
         {compress::searchScales(linears, format, layer.statistics, {}).value().scales,
          compress::smoothScales(linears, layer.statistics, 0.5)}) {
        const auto [least, most] = std::minmax_element(scales.begin(), scales.end());
        QVERIFY(*least > 0.0F && std::isfinite(*most));
        QVERIFY(scales[5] <= *most && scales[5] >= *least);
    }
    std::fill(layer.statistics.largest.begin(), layer.statistics.largest.end(), 0.0F);
    QCOMPARE(compress::smoothScales(linears, layer.statistics, 0.5), std::vector<float>(16, 1.0F));
}

void TestMethodsScales::sameForAnyThreads() {
    const auto layer = test::correlatedLayer(23, 50, 35);
    const auto linears = halvesOf(layer);
    LayerContext pieces;
    pieces.parallel = test::inPieces;
    const auto format = test::integers(NumberFormat::Int4, Granularity::Group, 16);
    QVERIFY(test::sameBytes(
        compress::searchClip(layer.weight(), format, layer.statistics, {}).value(),
        compress::searchClip(layer.weight(), format, layer.statistics, pieces).value()));
    QCOMPARE(compress::searchScales(linears, format, layer.statistics, {}).value().error,
             compress::searchScales(linears, format, layer.statistics, pieces).value().error);
}

void TestMethodsScales::failures() {
    auto layer = test::correlatedLayer(6, 16, 36);
    const auto linears = halvesOf(layer);
    const auto format = test::integers(NumberFormat::Int4, Granularity::Channel);
    std::stop_source source;
    source.request_stop();
    LayerContext stopped;
    stopped.stop = source.get_token();
    QVERIFY(compress::searchScales(linears, format, layer.statistics, stopped).cancelled());
    QVERIFY(compress::searchSmoothing(linears, format, layer.statistics, stopped).cancelled());
    QVERIFY(compress::searchClip(layer.weight(), format, layer.statistics, stopped).cancelled());
    layer.statistics.largest[3] = std::nanf("");
    QVERIFY(test::failureOf(compress::searchSmoothing(linears, format, layer.statistics, {}))
                .starts_with("TensorValues"));
    layer.statistics.meanMagnitudes.clear();
    QVERIFY(test::failureOf(compress::searchScales(linears, format, layer.statistics, {}))
                .find("mean magnitudes of inputs were not gathered") != std::string::npos);
}

QTEST_GUILESS_MAIN(TestMethodsScales)
#include "tst_methods_scales.moc"
