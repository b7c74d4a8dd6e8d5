#include <QtTest>

#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>

#include "engine/core/float8.h"
#include "engine/core/json.h"
#include "engine/weights/quantize.h"
#include "tests/engine/weights/tiny_models.h"

using namespace pareto;

namespace {

WeightFormat formatOf(const Json& item) {
    WeightFormat format;
    const std::map<int, NumberFormat> byBits{{16, NumberFormat::Int16}, {8, NumberFormat::Int8},
                                             {4, NumberFormat::Int4},   {3, NumberFormat::Int3},
                                             {2, NumberFormat::Int2},   {-8, NumberFormat::F8}};
    format.format = byBits.at(item["bits"]);
    const std::string granularity = item["granularity"];
    format.granularity = granularity == "tensor"    ? Granularity::Tensor
                         : granularity == "channel" ? Granularity::Channel
                                                    : Granularity::Group;
    format.groupSize = item["group"];
    format.symmetric = item["symmetric"];
    const std::string range = item["range"];
    format.range = range == "mse"          ? RangeMethod::Mse
                   : range == "percentile" ? RangeMethod::Percentile
                                           : RangeMethod::MinMax;
    return format;
}

std::vector<int> codesOf(const Tensor& tensor) {
    const auto& values = tensor.quantized();
    const auto rows = tensor.shape[0];
    const auto cols = tensor.shape[1];
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.codes.data());
    std::vector<int> codes;
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t col = 0; col < cols; ++col) {
            const int width = bitsOf(values.format.format);
            const std::int64_t first = row * ((cols * width + 7) / 8) * 8 + col * width;
            int code = 0;
            for (int bit = 0; bit < width; ++bit) {
                code |= (bytes[(first + bit) / 8] >> ((first + bit) % 8) & 1) << bit;
            }
            if (width < 8) {
                code -= 1 << (width - 1);
            } else if (values.format.isInteger() && code >= 1 << (width - 1)) {
                code -= 1 << width;
            }
            codes.push_back(code);
        }
    }
    return codes;
}

WeightFormat integers(NumberFormat format, Granularity granularity, std::int64_t group = 0) {
    WeightFormat out;
    out.format = format;
    out.granularity = granularity;
    out.groupSize = group;
    return out;
}

bool sameBytes(const Buffer& a, const Buffer& b) {
    return std::ranges::equal(a.bytes(), b.bytes());
}

}  // namespace

class TestQuantize : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void goldenValues_data();
    void goldenValues();
    void float8GoesThereAndBack();
    void errorStaysWithinHalfAStep();
    void leastSquaresIsNoWorseThanMinMax();
    void zerosStayZeroAndRangesMayVanish();
    void hugeValuesDoNotOverflow();
    void sixteenBitsRoundToEven();
    void codeSumsAddUp();
    void sameBytesForAnyThreads();
    void stops();
};

void TestQuantize::goldenValues_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<int>("count");
    QTest::newRow("int8, int4") << QStringLiteral("quantize.json") << 144;
    QTest::newRow("int3, int2, int16, fp8") << QStringLiteral("packed.json") << 216;
}

void TestQuantize::goldenValues() {
    QFETCH(QString, file);
    QFETCH(int, count);
    const auto golden = readJsonFile(PARETO_SOURCE_DIR "/tests/golden/weights/" + file.toStdString());
    QVERIFY(golden.ok());
    int cases = 0;
    for (const auto& item : golden.value()["cases"]) {
        const Json& matrix = golden.value()["matrices"][item["matrix"].get<std::string>()];
        const auto values = matrix["values"].get<std::vector<float>>();
        const Tensor tensor =
            quantizeTensor(values, matrix["rows"], matrix["cols"], formatOf(item));
        Json head = item;
        head.erase("codes");
        const std::string what = head.dump();
        QVERIFY2(codesOf(tensor) == item["codes"].get<std::vector<int>>(), what.c_str());
        const auto scales = tensor.quantized().scales.as<float>();
        const auto expected = item["scales"].get<std::vector<float>>();
        QCOMPARE(scales.size(), expected.size());
        for (std::size_t at = 0; at < expected.size(); ++at) {
            QVERIFY2(scales[at] == expected[at], what.c_str());
        }
        const auto zeros = tensor.quantized().zeroPoints.as<std::int8_t>();
        const auto expectedZeros = item["zeros"].get<std::vector<int>>();
        QVERIFY2(std::ranges::equal(zeros, expectedZeros), what.c_str());
        ++cases;
    }
    QCOMPARE(cases, count);
}

void TestQuantize::float8GoesThereAndBack() {
    for (int bits = 0; bits < 256; ++bits) {
        const float value = float8ToFloat(static_cast<std::uint8_t>(bits));
        QCOMPARE(std::isnan(value), (bits & 0x7F) == 0x7F);
        QCOMPARE(int(floatToFloat8(value)), bits);
    }
    QCOMPARE(float8ToFloat(0x7E), 448.0F);
    QCOMPARE(float8ToFloat(0x81), -0x1p-9F);
    QCOMPARE(int(floatToFloat8(1e9F)), 0x7E);
    QCOMPARE(int(floatToFloat8(-464.0F)), 0xFE);
    QCOMPARE(int(floatToFloat8(1.0625F)), int(floatToFloat8(1.0F)));   // a tie goes to the even one
    QCOMPARE(int(floatToFloat8(1.1875F)), int(floatToFloat8(1.25F)));
    QCOMPARE(int(floatToFloat8(0x1p-10F)), 0);
    QCOMPARE(int(floatToFloat8(0x3p-10F)), 2);
}

void TestQuantize::errorStaysWithinHalfAStep() {
    const auto values = test::randomValues(7 * 33, 5);
    for (const auto number : {NumberFormat::Int8, NumberFormat::Int4}) {
        auto format = integers(number, Granularity::Group, 8);
        format.symmetric = false;
        const Tensor tensor = quantizeTensor(values, 7, 33, format);
        const auto back = dequantize(tensor);
        const auto scales = tensor.quantized().scales.as<float>();
        for (std::size_t at = 0; at < values.size(); ++at) {
            const float scale = scales[at / 33 * 5 + at % 33 / 8];
            // Half a step of rounding, and up to half a step that rounding the zero point moved the
            // ends of the range by.
            QVERIFY(std::fabs(values[at] - back[at]) <= scale * 1.001F);
        }
    }
}

void TestQuantize::leastSquaresIsNoWorseThanMinMax() {
    const auto values = test::randomValues(16 * 64, 6);
    const auto error = [&](RangeMethod range) {
        auto format = integers(NumberFormat::Int4, Granularity::Channel);
        format.range = range;
        const auto back = dequantize(quantizeTensor(values, 16, 64, format));
        double sum = 0;
        for (std::size_t at = 0; at < values.size(); ++at) {
            sum += std::pow(static_cast<double>(values[at]) - back[at], 2);
        }
        return sum;
    };
    QVERIFY(error(RangeMethod::Mse) < 0.9 * error(RangeMethod::MinMax));
}

void TestQuantize::zerosStayZeroAndRangesMayVanish() {
    std::vector<float> values(3 * 8, 0.0F);
    values[9] = 3.0F;
    values[10] = 1e-40F;
    values[16] = 1e-45F;  // the smallest denormal: its scale underflows
    for (const bool symmetric : {true, false}) {
        auto format = integers(NumberFormat::Int8, Granularity::Channel);
        format.symmetric = symmetric;
        const Tensor tensor = quantizeTensor(values, 3, 8, format);
        const auto back = dequantize(tensor);
        for (std::size_t at = 0; at < values.size(); ++at) {
            if (at != 9) {
                QCOMPARE(back[at], 0.0F);
            }
        }
        QCOMPARE(countZeros(tensor), std::int64_t{23});
    }
}

void TestQuantize::hugeValuesDoNotOverflow() {
    const float big = std::numeric_limits<float>::max() / 1.01F;
    const std::vector<float> values{big, -big, big / 2, 0.0F};
    for (const bool symmetric : {true, false}) {
        auto format = integers(NumberFormat::Int8, Granularity::Tensor);
        format.symmetric = symmetric;
        const auto back = dequantize(quantizeTensor(values, 1, 4, format));
        QVERIFY(std::isfinite(back[0]) && std::isfinite(back[1]));
        QVERIFY(std::fabs(back[0] / big - 1.0F) < 0.01F);
    }
}

void TestQuantize::sixteenBitsRoundToEven() {
    // 1 + 2^-11 lies half-way between two binary16 values; 1 + 2^-8 between two bfloat16 values.
    const std::vector<float> values{1.0F + 0x1p-11F, 1.0F + 3 * 0x1p-11F, 1.0F + 0x1p-8F, -0.1F};
    WeightFormat format;
    format.format = NumberFormat::F16;
    const Tensor half = quantizeTensor(values, 2, 2, format);
    QCOMPARE(half.bytes(), std::uint64_t{8});
    QCOMPARE(dequantize(half)[0], 1.0F);
    QCOMPARE(dequantize(half)[1], 1.0F + 4 * 0x1p-11F);
    format.format = NumberFormat::BF16;
    QCOMPARE(dequantize(quantizeTensor(values, 2, 2, format))[2], 1.0F);
}

void TestQuantize::codeSumsAddUp() {
    const auto values = test::randomValues(5 * 21, 8);
    for (const std::int64_t group : {0, 8, 21}) {
        auto format = integers(NumberFormat::Int8, Granularity::Channel);
        format.activations = Activations::Int8Dynamic;
        format.activationGroup = group;
        const Tensor tensor = quantizeTensor(values, 5, 21, format);
        const auto codes = codesOf(tensor);
        const auto sums = tensor.quantized().codeSums.as<std::int32_t>();
        const std::size_t length = group == 0 ? 21 : static_cast<std::size_t>(group);
        const std::size_t stretches = (21 + length - 1) / length;
        QCOMPARE(sums.size(), 5 * stretches);
        std::vector<int> expected(sums.size());
        for (std::size_t at = 0; at < codes.size(); ++at) {
            expected[at / 21 * stretches + at % 21 / length] += codes[at];
        }
        QVERIFY(std::ranges::equal(sums, expected));
    }
}

void TestQuantize::sameBytesForAnyThreads() {
    const auto values = test::randomValues(40 * 70, 9);
    for (const auto granularity : {Granularity::Tensor, Granularity::Channel, Granularity::Group}) {
        for (const auto range : {RangeMethod::MinMax, RangeMethod::Percentile, RangeMethod::Mse}) {
            auto format = integers(NumberFormat::Int4, granularity, 32);
            format.symmetric = false;
            format.range = range;
            const Tensor one = quantizeTensor(values, 40, 70, format);
            const Tensor many = quantizeTensor(values, 40, 70, format, test::scatteredFor());
            QVERIFY(sameBytes(one.quantized().codes, many.quantized().codes));
            QVERIFY(sameBytes(one.quantized().scales, many.quantized().scales));
            QVERIFY(sameBytes(one.quantized().zeroPoints, many.quantized().zeroPoints));
        }
    }
}

void TestQuantize::stops() {
    std::stop_source stop;
    stop.request_stop();
    const std::vector<float> values(16, 1.0F);
    const auto result = quantizeMatrix(
        {values, 4, 4}, integers(NumberFormat::Int8, Granularity::Channel), stop.get_token());
    QVERIFY(result.cancelled());
}

QTEST_GUILESS_MAIN(TestQuantize)
#include "tst_quantize.moc"
