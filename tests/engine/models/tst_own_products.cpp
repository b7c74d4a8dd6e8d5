// Coded weights through our CUDA kernels, of which the bodies run on the CPU here, against the CPU's own kernels.
#include <QtTest>

#include <cmath>
#include <random>

#include <ATen/core/Tensor.h>

#include "engine/kernels/choose.h"
#include "engine/runtime/own_products.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"
#include "engine/weights/quantize.h"
#include "tests/support/cuda_host/host_table.h"

using namespace pareto;

Q_DECLARE_METATYPE(pareto::WeightFormat)

namespace {

constexpr std::int64_t kRows = 37;
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

at::Tensor tensorOf(const std::vector<float>& values, std::int64_t rows) {
    at::Tensor out = at::empty({rows, static_cast<std::int64_t>(values.size()) / rows},
                               at::TensorOptions().dtype(at::kFloat));
    std::copy(values.begin(), values.end(), out.mutable_data_ptr<float>());
    return out;
}

std::vector<float> valuesOf(const at::Tensor& tensor) {
    const auto* from = tensor.const_data_ptr<float>();
    return {from, from + tensor.numel()};
}

/// A weight's tensors, as whoever holds it on a device has them.
struct Coded {
    at::Tensor codes, scales, zeros;
    WeightFormat format;
    float inputScale = 0.0F;

    explicit Coded(const Tensor& tensor) : format(tensor.format()) {
        const auto& q = tensor.quantized();
        inputScale = q.inputScale;
        const bool perTensor = format.granularity == Granularity::Tensor;
        const std::int64_t groups = perTensor ? 1 : groupsPerRow(format, kCols);
        codes = runtime::viewBuffer(q.codes, {kRows, codeBytes(format.format, kCols)}, at::kByte);
        scales = runtime::viewBuffer(q.scales, {perTensor ? 1 : kRows, groups}, at::kFloat);
        if (!q.zeroPoints.empty()) {
            zeros = runtime::viewBuffer(q.zeroPoints, {perTensor ? 1 : kRows, groups}, at::kChar);
        }
    }
    runtime::CodedRows rows() const {
        return {format, kRows, kCols, codes, scales, zeros, inputScale};
    }
};

}  // namespace

class TestOwnProducts : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void products_data();
    void products();
    void whereTheyDoNotApply();
    void aFaultOfOursLeavesLibtorch_data();
    void aFaultOfOursLeavesLibtorch();
};

void TestOwnProducts::products_data() {
    QTest::addColumn<WeightFormat>("format");
    QTest::addColumn<float>("inputScale");
    using N = NumberFormat;
    for (const auto number : {N::F8, N::Int16, N::Int8, N::Int4, N::Int3, N::Int2}) {
        for (const auto granularity :
             {Granularity::Tensor, Granularity::Channel, Granularity::Group}) {
            for (const int activations : {0, 1, 2, 3}) {
                WeightFormat format;
                format.format = number;
                format.granularity = granularity;
                format.groupSize = granularity == Granularity::Group ? 16 : 0;
                format.symmetric = activations % 2 == 0 || number == N::F8 || number == N::Int16;
                const bool codes = number != N::F8 && number != N::Int16;
                if (activations != 0 && !codes) {
                    continue;
                }
                format.activations = activations == 0   ? Activations::None
                                     : activations == 1 ? Activations::Int8Dynamic
                                     : activations == 2 ? Activations::Int8Static
                                                        : Activations::Int8Dynamic;
                format.activationGroup = activations == 3 ? format.groupSize : 0;
                QTest::addRow("%d %d %d", static_cast<int>(number), static_cast<int>(granularity),
                              activations)
                    << format << (activations == 2 ? 0.02F : 0.0F);
            }
        }
    }
}

void TestOwnProducts::products() {
    QFETCH(WeightFormat, format);
    QFETCH(float, inputScale);
    const c10::InferenceMode inference(true);
    runtime::Device own;
    own.table = kernels::supportedTables().front();
    own.cudaTable = &test::hostCudaTable();
    runtime::Device plain;
    plain.table = own.table;
    Tensor tensor = quantizeTensor(numbers(kRows * kCols, 1), kRows, kCols, format);
    std::get<QuantizedValues>(tensor.storage).inputScale = inputScale;
    const Coded coded(tensor);
    const at::Tensor bias = tensorOf(numbers(kRows, 3), 1).view({kRows});
    const auto expectedWeight = runtime::makeWeight(tensor, plain);
    for (const std::int64_t tokens : {1, 5}) {
        for (const bool part : {false, true}) {
            const at::Tensor x = tensorOf(numbers(tokens * kCols, 2), tokens);
            runtime::Epilogue epilogue;
            epilogue.bias = &bias;
            epilogue.act = kernels::Act::Silu;
            epilogue.rowBegin = part ? 16 : 0;
            epilogue.rowEnd = part ? 32 : -1;
            runtime::LinearInput ownInput(own, x);
            const at::Tensor found = runtime::ownProduct(own, coded.rows(), ownInput, epilogue);
            QVERIFY(found.defined());
            runtime::LinearInput input(plain, x);
            const auto expected = valuesOf(expectedWeight->multiply(input, epilogue));
            const auto values = valuesOf(found);
            QCOMPARE(values.size(), expected.size());
            for (std::size_t i = 0; i < expected.size(); ++i) {
                QVERIFY2(std::fabs(values[i] - expected[i]) <
                             2e-4F * std::max(1.0F, std::fabs(expected[i])),
                         qPrintable(QStringLiteral("%1 instead of %2, token %3 of %4, row %5")
                                        .arg(values[i])
                                        .arg(expected[i])
                                        .arg(static_cast<std::int64_t>(i) / found.size(1))
                                        .arg(tokens)
                                        .arg(static_cast<std::int64_t>(i) % found.size(1))));
            }
        }
    }
    const std::vector<std::int32_t> ids{36, 0, 5, 5};
    const at::Tensor rows = runtime::ownLookup(own, coded.rows(), ids);
    QVERIFY(rows.defined());
    QCOMPARE(valuesOf(rows), valuesOf(expectedWeight->lookup(ids)));
}

void TestOwnProducts::whereTheyDoNotApply() {
    const c10::InferenceMode inference(true);
    runtime::Device own;
    own.table = kernels::supportedTables().front();
    own.cudaTable = &test::hostCudaTable();
    WeightFormat format;
    format.format = NumberFormat::Int8;
    const Coded coded(quantizeTensor(numbers(kRows * kCols, 1), kRows, kCols, format));
    const at::Tensor few = tensorOf(numbers(8 * kCols, 2), 8);
    const at::Tensor many = tensorOf(numbers(9 * kCols, 2), 9);
    const auto applies = [&](const runtime::Device& device, const at::Tensor& x,
                             const runtime::CodedRows& weight) {
        runtime::LinearInput input(device, x);
        return runtime::ownProduct(device, weight, input, {}).defined();
    };
    QVERIFY(applies(own, few, coded.rows()));
    QVERIFY(!applies(own, many, coded.rows()));
    auto wide = coded.rows();
    wide.format.activations = Activations::Int16Dynamic;
    QVERIFY(!applies(own, few, wide));
    // Rows that were filled up.
    const at::Tensor filled = at::empty({kRows, kCols + 3}, at::TensorOptions().dtype(at::kByte));
    QVERIFY(!applies(own, few, {format, kRows, kCols, filled, coded.scales, coded.zeros, 0.0F}));
    QVERIFY(!runtime::ownLookup(own,
                                {format, kRows, kCols, filled, coded.scales, coded.zeros, 0.0F},
                                std::vector<std::int32_t>{1})
                 .defined());
    runtime::Device gradients = own;
    gradients.gradients = true;
    QVERIFY(!applies(gradients, few, coded.rows()));
}

void TestOwnProducts::aFaultOfOursLeavesLibtorch_data() {
    QTest::addColumn<int>("kernel");
    QTest::addColumn<QString>("operation");
    QTest::newRow("fp32") << static_cast<int>(runtime::DeviceKernel::Floats) << "(linear)";
    QTest::newRow("int8") << static_cast<int>(runtime::DeviceKernel::IntMm) << "(_int_mm)";
}

/// The product with few tokens that is asked for first writes zeros here.
void TestOwnProducts::aFaultOfOursLeavesLibtorch() {
    QFETCH(int, kernel);
    QFETCH(QString, operation);
    const c10::InferenceMode inference(true);
    auto broken = test::hostCudaTable();
    broken.integerProduct = [](const kernels::cuda::IntegerProduct& work, void*) {
        std::fill_n(work.out, work.m * work.ldo, 0.0F);
        return 0;
    };
    runtime::Device device;
    device.table = kernels::supportedTables().front();
    device.cudaTable = &test::hostCudaTable();
    WeightFormat format;
    format.format = NumberFormat::Int8;
    format.activations = Activations::Int8Dynamic;
    const Tensor tensor = quantizeTensor(numbers(48 * 64, 1), 48, 64, format);
    const auto nameOn = [&](const runtime::Device& where) {
        const auto weight =
            runtime::makeCheckedWeight(tensor, where, static_cast<runtime::DeviceKernel>(kernel), true);
        return QString::fromStdString(weight->kernelName());
    };
    const QString table = QString::fromLatin1(broken.name);
    const QString fine = nameOn(device);
    QVERIFY2(fine.contains(QStringLiteral("tokens ") + table) && !fine.contains(QStringLiteral("not ")), qPrintable(fine));
    device.cudaTable = &broken;
    const QString name = nameOn(device);
    QVERIFY2(name.contains(operation) &&
                 name.endsWith(QStringLiteral(", not ") + table +
                               QStringLiteral(": its product is wrong on this device")),
             qPrintable(name));
}

QTEST_GUILESS_MAIN(TestOwnProducts)
#include "tst_own_products.moc"
