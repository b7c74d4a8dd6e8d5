// Weights as devices that libtorch drives hold them, computed on the CPU: CUDA differs only in where the
// tensors lie.
#include <QtTest>

#include <cmath>
#include <random>

#include <ATen/core/Tensor.h>

#include "engine/kernels/choose.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"
#include "engine/weights/quantize.h"

using namespace pareto;

namespace {

constexpr std::int64_t kRows = 9;
constexpr std::int64_t kCols = 45;

std::vector<float> numbers(std::int64_t count, unsigned seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    std::vector<float> out(static_cast<std::size_t>(count));
    for (auto& value : out) {
        value = normal(engine);
    }
    return out;
}

runtime::Device cpu() {
    runtime::Device device;
    device.table = kernels::supportedTables().front();
    return device;
}

std::vector<float> valuesOf(const at::Tensor& tensor) {
    const auto* from = tensor.const_data_ptr<float>();
    return {from, from + tensor.numel()};
}

std::vector<WeightFormat> formats() {
    std::vector<WeightFormat> out;
    for (const auto number : {NumberFormat::F16, NumberFormat::BF16, NumberFormat::F8, NumberFormat::Int16,
                              NumberFormat::Int8, NumberFormat::Int4, NumberFormat::Int3, NumberFormat::Int2}) {
        for (const auto granularity : {Granularity::Tensor, Granularity::Channel, Granularity::Group}) {
            for (const bool symmetric : {true, false}) {
                WeightFormat format;
                format.format = number;
                if (format.isCoded()) {
                    format.granularity = granularity;
                    format.groupSize = granularity == Granularity::Group ? 7 : 0;
                    format.symmetric = symmetric || number == NumberFormat::F8 || number == NumberFormat::Int16;
                }
                out.push_back(format);
            }
        }
    }
    return out;
}

}  // namespace

class TestDeviceWeight : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void rowsAreTheLogicalOnes();
    void inputsAreRounded_data();
    void inputsAreRounded();
};

void TestDeviceWeight::rowsAreTheLogicalOnes() {
    const c10::InferenceMode inference(true);
    const auto device = cpu();
    const auto values = numbers(kRows * kCols, 1);
    for (const auto& format : formats()) {
        const Tensor tensor = quantizeTensor(values, kRows, kCols, format);
        const auto weight = runtime::makeDeviceWeight(tensor, device);
        QCOMPARE(weight->bytes(), weightBytes(format, kRows, kCols));
        const std::vector<std::int32_t> ids{8, 0, 3, 3};
        const auto found = valuesOf(weight->lookup(ids));
        std::vector<float> row(kCols);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            dequantizeRow(tensor, ids[i], row.data());
            QVERIFY(std::equal(row.begin(), row.end(), found.begin() + static_cast<std::ptrdiff_t>(i) * kCols));
        }
    }
}

void TestDeviceWeight::inputsAreRounded_data() {
    QTest::addColumn<int>("format");
    QTest::addColumn<int>("activations");
    QTest::addColumn<float>("scale");
    const auto row = [](const char* name, NumberFormat format, Activations activations, float scale) {
        QTest::newRow(name) << static_cast<int>(format) << static_cast<int>(activations) << scale;
    };
    row("none", NumberFormat::Int3, Activations::None, 0.0F);
    row("int8 dynamic", NumberFormat::Int8, Activations::Int8Dynamic, 0.0F);
    row("int8 static", NumberFormat::Int8, Activations::Int8Static, 0.025F);
    row("int8 static, saturating", NumberFormat::Int8, Activations::Int8Static, 0.005F);
    row("int16 dynamic", NumberFormat::Int16, Activations::Int16Dynamic, 0.0F);
}

/// The same products as on the CPU, where the kernels round.
void TestDeviceWeight::inputsAreRounded() {
    QFETCH(int, format);
    QFETCH(int, activations);
    QFETCH(float, scale);
    const c10::InferenceMode inference(true);
    const auto device = cpu();
    WeightFormat held;
    held.format = static_cast<NumberFormat>(format);
    held.activations = static_cast<Activations>(activations);
    Tensor tensor = quantizeTensor(numbers(kRows * kCols, 2), kRows, kCols, held);
    std::get<QuantizedValues>(tensor.storage).inputScale = scale;
    auto input = numbers(3 * kCols, 3);
    at::Tensor x = runtime::emptyFloats(device, {3, kCols});
    std::copy(input.begin(), input.end(), x.mutable_data_ptr<float>());
    const auto product = [&](const runtime::Weight& weight) {
        runtime::LinearInput linear(device, x);
        return valuesOf(weight.multiply(linear, {}));
    };
    const auto found = product(*runtime::makeDeviceWeight(tensor, device));
    const auto expected = product(*runtime::makeWeight(tensor, device));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        QVERIFY2(std::fabs(found[i] - expected[i]) < 1e-4F,
                 qPrintable(QStringLiteral("%1 instead of %2").arg(found[i]).arg(expected[i])));
    }
}

QTEST_GUILESS_MAIN(TestDeviceWeight)
#include "tst_device_weight.moc"
