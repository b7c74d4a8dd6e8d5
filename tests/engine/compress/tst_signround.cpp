// SignRound against tests/golden/compress/signround.json and what must hold of it always.
#include <QtTest>

#include <cmath>

#include "engine/compress/prune/wanda.h"
#include "engine/compress/quantize/signround.h"
#include "engine/weights/quantize.h"
#include "tests/engine/compress/method_layers.h"

using namespace pareto;
using compress::LayerContext;
using compress::SignRoundOptions;
using test::MethodLayer;

namespace {

Tensor signRound(const MethodLayer& layer, const WeightFormat& format,
                 const SignRoundOptions& options = {}, const LayerContext& context = {}) {
    return compress::quantizeSignRound(layer.weight(), format, options, layer.statistics, context)
        .value();
}

Tensor nearest(const MethodLayer& layer, const WeightFormat& format) {
    return quantizeTensor(layer.values, layer.rows, layer.cols, format);
}

std::vector<WeightFormat> someFormats() {
    std::vector<WeightFormat> out;
    for (const auto number : {NumberFormat::Int8, NumberFormat::Int4}) {
        for (const auto granularity :
             {Granularity::Tensor, Granularity::Channel, Granularity::Group}) {
            for (const auto range :
                 {RangeMethod::MinMax, RangeMethod::Percentile, RangeMethod::Mse}) {
                for (const bool symmetric : {true, false}) {
                    WeightFormat format = test::integers(number, granularity, 32);
                    format.range = range;
                    format.symmetric = symmetric;
                    if (number == NumberFormat::Int8 && symmetric) {
                        format.activations = Activations::Int8Dynamic;
                    }
                    out.push_back(format);
                }
            }
        }
    }
    return out;
}

}  // namespace

class TestSignRound : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void golden();
    void withoutStepsIsRoundToNearest();
    void neverWorseThanRoundToNearest();
    void gainsALot();
    void zerosAndUnseenInputsStay();
    void sameForAnyThreads();
    void cancelsAndNamesErrors();
};

void TestSignRound::golden() {
    const Json file =
        readJsonFile(PARETO_SOURCE_DIR "/tests/golden/compress/signround.json").value();
    std::map<std::string, MethodLayer> layers;
    for (const auto& [name, description] : file["layers"].items()) {
        layers.emplace(name, test::layerOf(description));
    }
    int improved = 0;
    for (const auto& item : file["cases"]) {
        const MethodLayer& layer = layers.at(item["layer"]);
        const std::string head = item["layer"].get<std::string>() + " " + item["form"].dump() +
                                 " " + item["steps"].dump();
        const Tensor found =
            signRound(layer, test::formatOf(item["form"]), {.steps = item["steps"]});
        QVERIFY2(test::codesOf(found) == item["codes"].get<std::vector<int>>(), head.c_str());
        const auto scales = found.quantized().scales.as<float>();
        QCOMPARE(scales.size(), item["scales"].size());
        for (std::size_t at = 0; at < scales.size(); ++at) {
            const auto expected = item["scales"][at].get<float>();
            QVERIFY2(std::fabs(scales[at] - expected) <= 1e-6F * expected, head.c_str());
        }
        const auto zeros = found.quantized().zeroPoints.as<std::int8_t>();
        QVERIFY2(zeros.empty() || std::ranges::equal(zeros, item["zeros"].get<std::vector<int>>()),
                 head.c_str());
        QVERIFY(std::fabs(test::errorOf(layer, found) / item["loss"].get<double>() - 1.0) < 1e-3);
        improved += item["loss"] < item["nearest"] ? 1 : 0;
    }
    QVERIFY(file["cases"].size() > 100);
    QVERIFY(improved > 60);
}

void TestSignRound::withoutStepsIsRoundToNearest() {
    const auto layer = test::correlatedLayer(9, 45, 51);
    for (const WeightFormat& format : someFormats()) {
        QVERIFY(test::sameBytes(signRound(layer, format, {.steps = 0}), nearest(layer, format)));
    }
    const WeightFormat half = test::integers(NumberFormat::F16, Granularity::Channel);
    QVERIFY(test::sameBytes(signRound(layer, half), nearest(layer, half)));
}

void TestSignRound::neverWorseThanRoundToNearest() {
    for (const std::uint64_t seed : {52, 53}) {
        const auto layer = test::correlatedLayer(8, 96, seed);
        for (const WeightFormat& format : someFormats()) {
            for (const int steps : {1, 40}) {
                const double before = test::errorOf(layer, nearest(layer, format));
                const Tensor found = signRound(layer, format, {.steps = steps});
                QVERIFY(test::errorOf(layer, found) <= before * (1.0 + 1e-6));
                QCOMPARE(found.bytes(), nearest(layer, format).bytes());
            }
        }
    }
}

void TestSignRound::gainsALot() {
    const auto layer = test::correlatedLayer(24, 160, 54);
    for (const auto granularity : {Granularity::Channel, Granularity::Group}) {
        for (const bool symmetric : {true, false}) {
            WeightFormat format = test::integers(NumberFormat::Int4, granularity, 32);
            format.symmetric = symmetric;
            const double before = test::errorOf(layer, nearest(layer, format));
            const double after = test::errorOf(layer, signRound(layer, format));
            QVERIFY2(after < 0.6 * before, qPrintable(QString::number(after / before)));
        }
    }
}

void TestSignRound::zerosAndUnseenInputsStay() {
    auto layer = test::correlatedLayer(8, 64, 55);
    layer.values = dequantize(
        compress::pruneWanda(layer.weight(), {.keepOf = 2, .groupOf = 4}, layer.statistics, {})
            .value());
    for (std::size_t at = 0; at < 64; ++at) {
        layer.statistics.hessian[at * 64 + 5] = layer.statistics.hessian[5 * 64 + at] = 0.0F;
    }
    WeightFormat format = test::integers(NumberFormat::Int4, Granularity::Group, 16);
    for (const bool symmetric : {true, false}) {
        format.symmetric = symmetric;
        QVERIFY(!test::sameBytes(signRound(layer, format), nearest(layer, format)));
        const auto values = dequantize(signRound(layer, format));
        for (std::size_t at = 0; at < values.size(); ++at) {
            QVERIFY(layer.values[at] != 0.0F || values[at] == 0.0F);
        }
        const Tensor found = signRound(layer, format);
        const auto scales = found.quantized().scales.as<float>();
        for (std::size_t row = 0; row < 8; ++row) {
            const std::size_t at = row * 64 + 5;
            QVERIFY(std::fabs(values[at] - layer.values[at]) <= 0.501F * scales[row * 4] ||
                    std::fabs(values[at]) >= 6.0F * scales[row * 4]);
        }
    }
}

void TestSignRound::sameForAnyThreads() {
    const auto layer = test::correlatedLayer(41, 100, 56);
    LayerContext pieces;
    pieces.parallel = test::inPieces;
    for (const auto granularity : {Granularity::Tensor, Granularity::Channel, Granularity::Group}) {
        WeightFormat format = test::integers(NumberFormat::Int4, granularity, 48);
        format.symmetric = false;
        QVERIFY(test::sameBytes(signRound(layer, format, {.steps = 20}),
                                signRound(layer, format, {.steps = 20}, pieces)));
    }
}

void TestSignRound::cancelsAndNamesErrors() {
    auto layer = test::correlatedLayer(4, 12, 57);
    const WeightFormat format = test::integers(NumberFormat::Int4, Granularity::Channel);
    std::stop_source source;
    LayerContext context;
    context.stop = source.get_token();
    context.parallel = [&](std::int64_t count, std::int64_t grain, const auto& body) {
        source.request_stop();
        serialFor(count, grain, body);
    };
    QVERIFY(compress::quantizeSignRound(layer.weight(), format, {}, layer.statistics, context)
                .cancelled());
    const auto failure = [&] {
        return test::failureOf(
            compress::quantizeSignRound(layer.weight(), format, {}, layer.statistics, {}));
    };
    layer.statistics.hessian.clear();
    QVERIFY(failure().find("were not gathered") != std::string::npos);
    layer = test::correlatedLayer(4, 12, 57);
    layer.values[3] = std::nanf("");
    QVERIFY(failure().starts_with("TensorValues"));
}

QTEST_GUILESS_MAIN(TestSignRound)
#include "tst_signround.moc"
