// Which of libtorch's operations multiplies a weight on a CUDA device: a function of format, shape, zeros and
// capability.
#include <QtTest>

#include "engine/runtime/device_choice.h"
#include "engine/weights/quantize.h"

using namespace pareto;
using runtime::DeviceKernel;
using runtime::DeviceQuestion;

namespace {

struct Case {
    const char* name;
    NumberFormat format;
    Granularity granularity;
    std::int64_t group;
    Activations activations;
    std::int64_t activationGroup;
    std::int64_t rows;
    std::int64_t cols;
    int capability;
    DeviceKernel kernel;
};

constexpr auto kChannel = Granularity::Channel;
constexpr auto kGroup = Granularity::Group;
constexpr auto kNone = Activations::None;
constexpr auto kInt8 = Activations::Int8Dynamic;

constexpr Case kCases[] = {
    {"fp32 never leaves fp32", NumberFormat::F32, kChannel, 0, kNone, 0, 64, 64, 120,
     DeviceKernel::Floats},
    {"fp16 with tensor cores", NumberFormat::F16, kChannel, 0, kNone, 0, 64, 64, 70,
     DeviceKernel::Halves},
    {"fp16 before them", NumberFormat::F16, kChannel, 0, kNone, 0, 64, 64, 61,
     DeviceKernel::Floats},
    {"bf16 from Ampere on", NumberFormat::BF16, kChannel, 0, kNone, 0, 64, 64, 80,
     DeviceKernel::Halves},
    {"bf16 on Turing", NumberFormat::BF16, kChannel, 0, kNone, 0, 64, 64, 75, DeviceKernel::Floats},
    {"unknown capability", NumberFormat::F16, kChannel, 0, kNone, 0, 64, 64, 0,
     DeviceKernel::Floats},
    {"int8 with int8 inputs", NumberFormat::Int8, kChannel, 0, kInt8, 0, 33, 45, 75,
     DeviceKernel::IntMm},
    {"int8 static", NumberFormat::Int8, Granularity::Tensor, 0, Activations::Int8Static, 0, 64, 64,
     80, DeviceKernel::IntMm},
    {"int8, sums that could overflow", NumberFormat::Int8, kChannel, 0, kInt8, 0, 64, 65552, 80,
     DeviceKernel::Floats},
    {"int8 in groups of 128", NumberFormat::Int8, kGroup, 128, kInt8, 128, 64, 512, 80,
     DeviceKernel::IntMm},
    {"int8 in groups of 128, a scale a token", NumberFormat::Int8, kGroup, 128, kInt8, 0, 64, 512,
     80, DeviceKernel::IntMm},
    {"int8 in groups of 32", NumberFormat::Int8, kGroup, 32, kInt8, 32, 64, 512, 80,
     DeviceKernel::Floats},
    {"int8 in groups of 72", NumberFormat::Int8, kGroup, 72, kInt8, 72, 64, 576, 80,
     DeviceKernel::Floats},
    {"int8 channel, inputs in groups", NumberFormat::Int8, kChannel, 0, kInt8, 64, 64, 512, 80,
     DeviceKernel::IntMm},
    {"int4 with int8 inputs", NumberFormat::Int4, kGroup, 64, kInt8, 64, 64, 512, 80,
     DeviceKernel::IntMm},
    {"fp8 with int8 inputs", NumberFormat::F8, kChannel, 0, kInt8, 0, 64, 64, 90,
     DeviceKernel::Floats},
    {"int16 inputs", NumberFormat::Int8, kChannel, 0, Activations::Int16Dynamic, 0, 64, 64, 90,
     DeviceKernel::Floats},
    {"int8 weight-only", NumberFormat::Int8, kChannel, 0, kNone, 0, 33, 45, 70,
     DeviceKernel::HalfCodes},
    {"int8 weight-only in groups", NumberFormat::Int8, kGroup, 64, kNone, 0, 64, 512, 90,
     DeviceKernel::Floats},
    {"int16 weight-only", NumberFormat::Int16, kChannel, 0, kNone, 0, 64, 512, 90,
     DeviceKernel::Floats},
    {"int3 weight-only", NumberFormat::Int3, kChannel, 0, kNone, 0, 64, 512, 90,
     DeviceKernel::HalfCodes},
    {"int4 in groups of 64", NumberFormat::Int4, kGroup, 64, kNone, 0, 64, 512, 80,
     DeviceKernel::Int4Pack},
    {"int4 in groups of 512", NumberFormat::Int4, kGroup, 512, kNone, 0, 64, 1024, 80,
     DeviceKernel::Int4Pack},
    {"int4 in groups of 48", NumberFormat::Int4, kGroup, 48, kNone, 0, 64, 480, 80,
     DeviceKernel::Floats},
    {"int4 on Turing", NumberFormat::Int4, kGroup, 64, kNone, 0, 64, 512, 75, DeviceKernel::Floats},
    {"int4, rows that do not fit", NumberFormat::Int4, kGroup, 64, kNone, 0, 60, 512, 80,
     DeviceKernel::Floats},
    {"int4, a shorter last group", NumberFormat::Int4, kGroup, 64, kNone, 0, 64, 544, 80,
     DeviceKernel::Floats},
    {"int4 channel", NumberFormat::Int4, kChannel, 0, kNone, 0, 64, 96, 80, DeviceKernel::Int4Pack},
    {"int4 channel, columns that do not fit", NumberFormat::Int4, kChannel, 0, kNone, 0, 64, 80, 80,
     DeviceKernel::HalfCodes},
    {"fp8 on Ada", NumberFormat::F8, kChannel, 0, kNone, 0, 64, 64, 89, DeviceKernel::ScaledMm},
    {"fp8 before it", NumberFormat::F8, kChannel, 0, kNone, 0, 64, 64, 86, DeviceKernel::HalfCodes},
    {"fp8, columns that do not fit", NumberFormat::F8, kChannel, 0, kNone, 0, 64, 72, 90,
     DeviceKernel::HalfCodes},
    {"fp8 in groups", NumberFormat::F8, kGroup, 64, kNone, 0, 64, 512, 90, DeviceKernel::Floats},
    {"no columns", NumberFormat::F16, kChannel, 0, kNone, 0, 64, 0, 90, DeviceKernel::Floats},
};

DeviceQuestion questionOf(const Case& c) {
    DeviceQuestion out;
    out.format.format = c.format;
    out.format.granularity = c.granularity;
    out.format.groupSize = c.group;
    out.format.activations = c.activations;
    out.format.activationGroup = c.activationGroup;
    out.rows = c.rows;
    out.cols = c.cols;
    out.capability = c.capability;
    return out;
}

}  // namespace

class TestDeviceChoice : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void kernels_data();
    void kernels();
    void sparse_data();
    void sparse();
    void fallbacksEnd();
    void twoOfFour();
    void groups();
};

void TestDeviceChoice::kernels_data() {
    QTest::addColumn<int>("at");
    for (int i = 0; i < static_cast<int>(std::size(kCases)); ++i) {
        QTest::newRow(kCases[i].name) << i;
    }
}

void TestDeviceChoice::kernels() {
    QFETCH(int, at);
    const Case& c = kCases[at];
    QCOMPARE(static_cast<int>(runtime::chooseDeviceKernel(questionOf(c))),
             static_cast<int>(c.kernel));
}

void TestDeviceChoice::sparse_data() {
    QTest::addColumn<int>("format");
    QTest::addColumn<int>("activations");
    QTest::addColumn<bool>("symmetric");
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("capability");
    QTest::addColumn<bool>("lookedUp");
    QTest::addColumn<int>("kernel");
    const auto row = [](const char* name, NumberFormat format, Activations activations,
                        bool symmetric, int rows, int capability, bool lookedUp,
                        DeviceKernel kernel) {
        QTest::newRow(name) << static_cast<int>(format) << static_cast<int>(activations)
                            << symmetric << rows << capability << lookedUp
                            << static_cast<int>(kernel);
    };
    row("fp16", NumberFormat::F16, kNone, true, 64, 80, false, DeviceKernel::SparseHalves);
    row("bf16 on Hopper", NumberFormat::BF16, kNone, true, 64, 90, false,
        DeviceKernel::SparseHalves);
    row("fp16 on Turing", NumberFormat::F16, kNone, true, 64, 75, false, DeviceKernel::Halves);
    row("rows that do not fit", NumberFormat::F16, kNone, true, 72, 80, false,
        DeviceKernel::Halves);
    row("looked up", NumberFormat::F16, kNone, true, 64, 80, true, DeviceKernel::Halves);
    row("int8", NumberFormat::Int8, kInt8, true, 72, 80, false, DeviceKernel::SparseIntMm);
    row("int8 asymmetric", NumberFormat::Int8, kInt8, false, 64, 80, false, DeviceKernel::IntMm);
    row("int8 weight-only", NumberFormat::Int8, kNone, true, 64, 80, false,
        DeviceKernel::HalfCodes);
    row("fp32", NumberFormat::F32, kNone, true, 64, 80, false, DeviceKernel::Floats);
}

void TestDeviceChoice::sparse() {
    QFETCH(int, format);
    QFETCH(int, activations);
    QFETCH(bool, symmetric);
    QFETCH(int, rows);
    QFETCH(int, capability);
    QFETCH(bool, lookedUp);
    QFETCH(int, kernel);
    DeviceQuestion question;
    question.format.format = static_cast<NumberFormat>(format);
    question.format.activations = static_cast<Activations>(activations);
    question.format.symmetric = symmetric;
    question.rows = rows;
    question.cols = 64;
    question.capability = capability;
    question.twoOfFour = true;
    question.lookedUp = lookedUp;
    QCOMPARE(static_cast<int>(runtime::chooseDeviceKernel(question)), kernel);
    question.twoOfFour = false;
    const auto dense = runtime::chooseDeviceKernel(question);
    QVERIFY(dense != DeviceKernel::SparseHalves && dense != DeviceKernel::SparseIntMm);
}

void TestDeviceChoice::fallbacksEnd() {
    for (int kind = 0; kind <= static_cast<int>(DeviceKernel::SparseIntMm); ++kind) {
        for (const auto granularity : {Granularity::Channel, Granularity::Group}) {
            WeightFormat format;
            format.format = NumberFormat::Int4;
            format.granularity = granularity;
            format.groupSize = 64;
            auto kernel = static_cast<DeviceKernel>(kind);
            QVERIFY(!runtime::opOf(kernel).empty());
            for (int step = 0; kernel != DeviceKernel::Floats; ++step) {
                QVERIFY(step < 3);
                kernel = runtime::fallbackOf(kernel, format);
                // fp16 alone cannot say what groups scale.
                QVERIFY(kernel != DeviceKernel::HalfCodes || granularity == Granularity::Channel);
            }
        }
    }
}

void TestDeviceChoice::twoOfFour() {
    std::vector<float> values;
    for (int i = 0; i < 16; ++i) {
        values.push_back(i % 4 < 2 ? 0.0F : static_cast<float>(i));
    }
    WeightFormat format;
    for (const auto number : {NumberFormat::F16, NumberFormat::BF16, NumberFormat::Int8}) {
        format.format = number;
        QVERIFY(runtime::holdsTwoOfFour(quantizeTensor(values, 2, 8, format)));
        auto changed = values;
        changed[0] = -0.0F;
        QVERIFY(runtime::holdsTwoOfFour(quantizeTensor(changed, 2, 8, format)));
        changed[0] = 14.0F;
        QVERIFY(!runtime::holdsTwoOfFour(quantizeTensor(changed, 2, 8, format)));
        // Rows of 2 columns: four neighbours would reach into the next row.
        QVERIFY(!runtime::holdsTwoOfFour(quantizeTensor(values, 8, 2, format)));
    }
    format.format = NumberFormat::Int4;
    QVERIFY(!runtime::holdsTwoOfFour(quantizeTensor(values, 2, 8, format)));
}

void TestDeviceChoice::groups() {
    WeightFormat format;
    format.format = NumberFormat::Int4;
    format.granularity = Granularity::Group;
    format.groupSize = 512;
    QCOMPARE(runtime::int4PackGroup(format, 1024), std::int64_t{256});
    format.groupSize = 96;
    QCOMPARE(runtime::int4PackGroup(format, 192), std::int64_t{32});
    QCOMPARE(runtime::int4PackGroup(format, 200), std::int64_t{0});
    QCOMPARE(runtime::intMmGroup(format, 192), std::int64_t{96});
    format.granularity = Granularity::Channel;
    QCOMPARE(runtime::intMmGroup(format, 192), std::int64_t{192});
    format.activationGroup = 64;
    QCOMPARE(runtime::intMmGroup(format, 192), std::int64_t{64});
}

QTEST_GUILESS_MAIN(TestDeviceChoice)
#include "tst_device_choice.moc"
