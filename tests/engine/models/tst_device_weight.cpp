// Weights as devices that libtorch drives hold them, computed on the CPU: CUDA differs only in where the
// tensors lie.
#include <QtTest>

#include <bit>
#include <cmath>
#include <random>

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>

#include "engine/kernels/choose.h"
#include "engine/runtime/torch_device_weight.h"
#include "engine/runtime/torch_ops.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"
#include "engine/weights/quantize.h"

using namespace pareto;
using runtime::DeviceKernel;

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
    for (const auto number :
         {NumberFormat::F16, NumberFormat::BF16, NumberFormat::F8, NumberFormat::Int16,
          NumberFormat::Int8, NumberFormat::Int4, NumberFormat::Int3, NumberFormat::Int2}) {
        for (const auto granularity :
             {Granularity::Tensor, Granularity::Channel, Granularity::Group}) {
            for (const bool symmetric : {true, false}) {
                WeightFormat format;
                format.format = number;
                if (format.isCoded()) {
                    format.granularity = granularity;
                    format.groupSize = granularity == Granularity::Group ? 7 : 0;
                    format.symmetric =
                        symmetric || number == NumberFormat::F8 || number == NumberFormat::Int16;
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
    void productsOfKernels_data();
    void productsOfKernels();
    void largeInputsOfHalves();
    void partsOfRows();
    void int4TilesAreTheKernels();
    void int4RowsAreTheCodes();
    void whatCannotRunFallsBack();
    void wrongProductsAreRefused();
    void stripsAreOneProduct();
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
            QVERIFY(std::equal(row.begin(), row.end(),
                               found.begin() + static_cast<std::ptrdiff_t>(i) * kCols));
        }
    }
}

void TestDeviceWeight::inputsAreRounded_data() {
    QTest::addColumn<int>("format");
    QTest::addColumn<int>("activations");
    QTest::addColumn<float>("scale");
    const auto row = [](const char* name, NumberFormat format, Activations activations,
                        float scale) {
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

namespace {

/// [rows][cols] of numbers, some of a row much larger than its others.
at::Tensor inputOf(std::int64_t rows, std::int64_t cols, unsigned seed) {
    auto values = numbers(rows * cols, seed);
    for (std::size_t i = 0; i < values.size(); i += 37) {
        values[i] *= 20.0F;
    }
    at::Tensor out = runtime::emptyFloats(cpu(), {rows, cols});
    std::copy(values.begin(), values.end(), out.mutable_data_ptr<float>());
    return out;
}

/// |found − expected| / |expected|, over all values.
double distance(const std::vector<float>& found, const std::vector<float>& expected) {
    double off = 0.0;
    double whole = 0.0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        off += std::pow(static_cast<double>(found[i]) - static_cast<double>(expected[i]), 2);
        whole += std::pow(static_cast<double>(expected[i]), 2);
    }
    return found.size() == expected.size() ? std::sqrt(off / whole) : 1e9;
}

/// x · wᵀ + bias in fp64, then relu; inputs as they are.
std::vector<float> reference(const at::Tensor& x, const Tensor& tensor,
                             const std::vector<float>& bias) {
    const auto input = valuesOf(x);
    const auto weight = dequantize(tensor);
    const std::int64_t rows = tensor.shape[0];
    const std::int64_t cols = tensor.shape[1];
    std::vector<float> out;
    for (std::int64_t i = 0; i < x.size(0); ++i) {
        for (std::int64_t row = 0; row < rows; ++row) {
            double sum = static_cast<double>(bias[static_cast<std::size_t>(row)]);
            for (std::int64_t c = 0; c < cols; ++c) {
                sum += static_cast<double>(input[static_cast<std::size_t>(i * cols + c)]) *
                       static_cast<double>(weight[static_cast<std::size_t>(row * cols + c)]);
            }
            out.push_back(static_cast<float>(std::max(sum, 0.0)));
        }
    }
    return out;
}

std::vector<float> product(const runtime::Weight& weight, const at::Tensor& x,
                           const at::Tensor& bias) {
    const auto device = cpu();
    runtime::LinearInput input(device, x);
    runtime::Epilogue epilogue;
    epilogue.bias = &bias;
    epilogue.act = kernels::Act::Relu;
    return valuesOf(weight.multiply(input, epilogue).contiguous());
}

}  // namespace

void TestDeviceWeight::productsOfKernels_data() {
    QTest::addColumn<WeightFormat>("format");
    QTest::addColumn<int>("kernel");
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("cols");
    QTest::addColumn<float>("scale");
    QTest::addColumn<double>("tolerance");
    const auto row = [](const std::string& name, const WeightFormat& format, DeviceKernel kernel,
                        int rows, int cols, double tolerance, float scale = 0.0F) {
        QTest::newRow(name.c_str())
            << format << static_cast<int>(kernel) << rows << cols << scale << tolerance;
    };
    // Of 16-bit inputs 11 or 8 bits stay, of two fp8 numbers 8: errors of up to 2^-12 and 2^-9, more of sums that
    // cancel.
    constexpr double kExact = 2e-6;
    constexpr double kHalf = 7e-4;
    constexpr double kBrain = 5e-3;
    const auto coded = [](NumberFormat number, Granularity granularity, bool symmetric,
                          Activations activations, std::int64_t group = 0,
                          std::int64_t activationGroup = 0) {
        WeightFormat out;
        out.format = number;
        out.granularity = granularity;
        out.groupSize = group;
        out.symmetric = symmetric;
        out.activations = activations;
        out.activationGroup = activationGroup;
        return out;
    };
    WeightFormat dense;
    row("fp32", dense, DeviceKernel::Floats, 9, 45, kExact);
    row("int8 in groups of 7, in fp32",
        coded(NumberFormat::Int8, Granularity::Group, false, Activations::Int8Dynamic, 7, 7),
        DeviceKernel::Floats, 9, 45, kExact);
    dense.format = NumberFormat::F16;
    row("fp16", dense, DeviceKernel::Halves, 9, 45, kHalf);
    dense.format = NumberFormat::BF16;
    row("bf16", dense, DeviceKernel::Halves, 9, 45, kBrain);
    for (const auto number :
         {NumberFormat::Int8, NumberFormat::Int4, NumberFormat::Int3, NumberFormat::Int2}) {
        for (const bool symmetric : {true, false}) {
            const std::string name = std::string(nameOf(number)) + (symmetric ? "" : " asymmetric");
            const auto channel = Granularity::Channel;
            row(name + " as fp16", coded(number, channel, symmetric, Activations::None),
                DeviceKernel::HalfCodes, 9, 45, kHalf);
            row(name + " integers", coded(number, channel, symmetric, Activations::Int8Dynamic),
                DeviceKernel::IntMm, 9, 45, kExact);
            row(name + " integers, a scale a tensor",
                coded(number, Granularity::Tensor, symmetric, Activations::Int8Dynamic),
                DeviceKernel::IntMm, 16, 32, kExact);
            row(name + " integers in groups",
                coded(number, Granularity::Group, symmetric, Activations::Int8Dynamic, 64, 64),
                DeviceKernel::IntMm, 9, 200, kExact);
            row(name + " integers in groups, a scale a token",
                coded(number, Granularity::Group, symmetric, Activations::Int8Dynamic, 64, 0),
                DeviceKernel::IntMm, 9, 192, kExact);
            row(name + " static", coded(number, channel, symmetric, Activations::Int8Static),
                DeviceKernel::IntMm, 9, 45, kExact, 0.025F);
        }
    }
    row("int8, inputs in groups",
        coded(NumberFormat::Int8, Granularity::Channel, true, Activations::Int8Dynamic, 0, 64),
        DeviceKernel::IntMm, 9, 200, kExact);
    row("fp8 as fp16", coded(NumberFormat::F8, Granularity::Channel, true, Activations::None),
        DeviceKernel::HalfCodes, 9, 45, kHalf);
    row("fp8", coded(NumberFormat::F8, Granularity::Channel, true, Activations::None),
        DeviceKernel::ScaledMm, 32, 48, kBrain);
    row("fp8, a scale a tensor",
        coded(NumberFormat::F8, Granularity::Tensor, true, Activations::None),
        DeviceKernel::ScaledMm, 16, 64, kBrain);
}

/// Each kernel that the CPU has too, against fp64 with the values of the weight and inputs rounded as the recipe
/// says.
void TestDeviceWeight::productsOfKernels() {
    QFETCH(WeightFormat, format);
    QFETCH(int, kernel);
    QFETCH(int, rows);
    QFETCH(int, cols);
    QFETCH(float, scale);
    QFETCH(double, tolerance);
    const c10::InferenceMode inference(true);
    const auto device = cpu();
    auto values = numbers(rows * cols, 11);
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] += static_cast<float>(i % 3);
    }
    Tensor tensor = quantizeTensor(values, rows, cols, format);
    if (!tensor.isDense()) {
        std::get<QuantizedValues>(tensor.storage).inputScale = scale;
    }
    const auto weight =
        runtime::makeDeviceWeight(tensor, device, static_cast<DeviceKernel>(kernel));
    const auto op =
        QString::fromStdString(std::string(runtime::opOf(static_cast<DeviceKernel>(kernel))));
    QVERIFY2(QString::fromStdString(weight->kernelName()).contains(op),
             weight->kernelName().c_str());
    const auto biasValues = numbers(rows, 12);
    at::Tensor bias = runtime::emptyFloats(device, {rows});
    std::copy(biasValues.begin(), biasValues.end(), bias.mutable_data_ptr<float>());
    for (const int tokens : {1, 17, 40}) {
        const at::Tensor x = inputOf(tokens, cols, 13);
        const at::Tensor rounded =
            format.isInt8Product() ? runtime::roundActivations(x, format.activationGroup, 8, scale)
                                   : x;
        const double off =
            distance(product(*weight, x, bias), reference(rounded, tensor, biasValues));
        QVERIFY2(off < tolerance, qPrintable(QString::number(off)));
    }
    const std::vector<std::int32_t> ids{rows - 1, 0, 5, 5};
    const auto found = valuesOf(weight->lookup(ids).contiguous());
    std::vector<float> row(static_cast<std::size_t>(cols));
    for (std::size_t i = 0; i < ids.size(); ++i) {
        dequantizeRow(tensor, ids[i], row.data());
        QVERIFY(std::equal(row.begin(), row.end(),
                           found.begin() + static_cast<std::ptrdiff_t>(i) * cols));
    }
}

/// fp16 has no numbers above 65504.
void TestDeviceWeight::largeInputsOfHalves() {
    const c10::InferenceMode inference(true);
    WeightFormat format;
    format.format = NumberFormat::F16;
    const Tensor tensor = quantizeTensor(numbers(kRows * kCols, 14), kRows, kCols, format);
    const auto weight = runtime::makeDeviceWeight(tensor, cpu(), DeviceKernel::Halves);
    const at::Tensor bias = runtime::emptyFloats(cpu(), {kRows}).zero_();
    const at::Tensor x = inputOf(4, kCols, 15);
    x.select(0, 1).mul_(1e6);
    x.select(0, 2).zero_();
    const auto expected = reference(x, tensor, std::vector<float>(kRows, 0.0F));
    QVERIFY(distance(product(*weight, x, bias), expected) < 7e-4);
}

/// A head multiplies some of its rows at a time.
void TestDeviceWeight::partsOfRows() {
    const c10::InferenceMode inference(true);
    const auto device = cpu();
    constexpr std::int64_t kTall = 80;
    constexpr std::int64_t kWide = 64;
    const at::Tensor x = inputOf(3, kWide, 16);
    const at::Tensor bias = inputOf(1, kTall, 17).reshape({kTall});
    const auto check = [&](NumberFormat number, Activations activations, DeviceKernel kernel) {
        WeightFormat format;
        format.format = number;
        format.activations = activations;
        format.symmetric = number == NumberFormat::F8;
        const Tensor tensor = quantizeTensor(numbers(kTall * kWide, 18), kTall, kWide, format);
        const auto weight = runtime::makeDeviceWeight(tensor, device, kernel);
        runtime::LinearInput input(device, x);
        runtime::Epilogue epilogue;
        epilogue.bias = &bias;
        const at::Tensor all = weight->multiply(input, epilogue);
        for (const auto& [begin, end] : {std::pair<int, int>{16, 59}, {64, 80}, {0, 48}}) {
            epilogue.rowBegin = begin;
            epilogue.rowEnd = end;
            const at::Tensor part = weight->multiply(input, epilogue);
            QVERIFY(distance(valuesOf(part.contiguous()),
                             valuesOf(all.slice(1, begin, end).contiguous())) < 1e-6);
        }
    };
    check(NumberFormat::F32, Activations::None, DeviceKernel::Floats);
    check(NumberFormat::F16, Activations::None, DeviceKernel::Halves);
    check(NumberFormat::Int8, Activations::None, DeviceKernel::HalfCodes);
    check(NumberFormat::Int8, Activations::Int8Dynamic, DeviceKernel::IntMm);
    check(NumberFormat::Int4, Activations::Int8Dynamic, DeviceKernel::IntMm);
    check(NumberFormat::F8, Activations::None, DeviceKernel::ScaledMm);
}

/// The places at which libtorch's CUDA kernel packs each weight, counted out lane by lane.
void TestDeviceWeight::int4TilesAreTheKernels() {
    const c10::InferenceMode inference(true);
    for (const int inner : {2, 4, 8}) {
        const std::int64_t cols = inner * 16 * 3;
        constexpr std::int64_t kTall = 24;
        at::Tensor nibbles = at::empty({kTall, cols}, at::TensorOptions().dtype(at::kByte));
        auto* to = nibbles.mutable_data_ptr<std::uint8_t>();
        std::mt19937 engine(19);
        std::generate_n(to, nibbles.numel(),
                        [&] { return static_cast<std::uint8_t>(engine() & 15U); });
        const at::Tensor tiles = runtime::int4Tiles(nibbles, inner).contiguous();
        QCOMPARE(tiles.sizes().vec(), (std::vector<std::int64_t>{kTall / 8, 3, 32, inner / 2}));
        const auto* packed = tiles.const_data_ptr<std::int32_t>();
        for (std::int64_t tile = 0; tile < kTall / 8; ++tile) {
            for (std::int64_t outer = 0; outer < 3; ++outer) {
                for (std::int64_t lane = 0; lane < 32; ++lane) {
                    for (std::int64_t pair = 0; pair < inner / 2; ++pair) {
                        const std::int64_t first = (outer * inner + 2 * pair) * 16 + lane % 4 * 2;
                        const std::int64_t places[] = {0, 8, 16, 24, 1, 9, 17, 25};
                        std::uint32_t expected = 0;
                        for (unsigned i = 0; i < 8; ++i) {
                            const std::int64_t at =
                                (tile * 8 + lane / 4) * cols + first + places[i];
                            expected |= static_cast<std::uint32_t>(to[at]) << (4 * i);
                        }
                        QCOMPARE(std::bit_cast<std::uint32_t>(*packed++), expected);
                    }
                }
            }
        }
    }
}

/// Rows of the packed form: the codes, with scales and products of scale and zero point in bf16.
void TestDeviceWeight::int4RowsAreTheCodes() {
    const c10::InferenceMode inference(true);
    struct Shape {
        Granularity granularity;
        std::int64_t group, cols;
        bool symmetric;
    };
    const auto brain = [](float value) {
        return static_cast<float>(static_cast<c10::BFloat16>(value));
    };
    for (const Shape& shape :
         {Shape{Granularity::Group, 32, 96, false}, Shape{Granularity::Group, 64, 128, true},
          Shape{Granularity::Group, 512, 1024, false}, Shape{Granularity::Channel, 0, 64, false},
          Shape{Granularity::Tensor, 0, 256, true}}) {
        WeightFormat format;
        format.format = NumberFormat::Int4;
        format.granularity = shape.granularity;
        format.groupSize = shape.group;
        format.symmetric = shape.symmetric;
        constexpr std::int64_t kTall = 16;
        auto values = numbers(kTall * shape.cols, 20);
        std::for_each(values.begin(), values.end(), [](float& value) { value += 0.5F; });
        const Tensor tensor = quantizeTensor(values, kTall, shape.cols, format);
        const auto weight = runtime::makeDeviceWeight(tensor, cpu(), DeviceKernel::Int4Pack);
        const std::vector<std::int32_t> ids{15, 0, 7, 8, 8};
        const auto found = valuesOf(weight->lookup(ids).contiguous());
        const auto& q = tensor.quantized();
        const std::int64_t groups =
            shape.granularity == Granularity::Tensor ? 0 : groupsPerRow(format, shape.cols);
        const std::int64_t length = shape.group == 0 ? shape.cols : shape.group;
        std::vector<std::int16_t> integers(static_cast<std::size_t>(shape.cols));
        std::vector<float> scales(integers.size());
        for (std::size_t i = 0; i < ids.size(); ++i) {
            splitRow(tensor, ids[i], integers.data(), scales.data());
            for (std::int64_t c = 0; c < shape.cols; ++c) {
                const auto at = static_cast<std::size_t>(c);
                const auto group =
                    static_cast<std::size_t>(ids[i] * groups + (groups == 0 ? 0 : c / length));
                const float zero = q.zeroPoints.empty()
                                       ? 0.0F
                                       : static_cast<float>(q.zeroPoints.as<std::int8_t>()[group]);
                const float code = static_cast<float>(integers[at]) + zero;
                QCOMPARE(found[i * integers.size() + at],
                         code * brain(scales[at]) + brain(-zero * scales[at]));
            }
        }
        // Codes, and two bf16 a group of 32 to 256.
        const std::int64_t packedGroups = shape.cols / runtime::int4PackGroup(format, shape.cols);
        QCOMPARE(weight->bytes(),
                 static_cast<std::uint64_t>(kTall * (shape.cols / 2 + 4 * packedGroups)));
    }
}

/// libtorch has these on CUDA alone: here they fail when they are tried, and the next kernel takes their place.
void TestDeviceWeight::whatCannotRunFallsBack() {
    const c10::InferenceMode inference(true);
    const auto device = cpu();
    const at::Tensor x = inputOf(3, 64, 21);
    const at::Tensor bias = runtime::emptyFloats(device, {16}).zero_();
    const auto check = [&](NumberFormat number, Activations activations, DeviceKernel kernel,
                           const char* instead) {
        WeightFormat format;
        format.format = number;
        format.activations = activations;
        const Tensor tensor = quantizeTensor(numbers(16 * 64, 22), 16, 64, format);
        const auto weight = runtime::makeCheckedWeight(tensor, device, kernel, false);
        const QString name = QString::fromStdString(weight->kernelName());
        QVERIFY2(name.contains(QLatin1String(instead)) &&
                     name.contains(QStringLiteral("not ") +
                                   QString::fromStdString(std::string(runtime::opOf(kernel)))),
                 qPrintable(name));
        const auto next =
            runtime::makeDeviceWeight(tensor, device, runtime::fallbackOf(kernel, format));
        QCOMPARE(product(*weight, x, bias), product(*next, x, bias));
    };
    check(NumberFormat::Int4, Activations::None, DeviceKernel::Int4Pack, "as fp16 (mm)");
    check(NumberFormat::F16, Activations::None, DeviceKernel::SparseHalves, "fp16 (mm)");
    check(NumberFormat::Int8, Activations::Int8Dynamic, DeviceKernel::SparseIntMm,
          "int8 dynamic (_int_mm)");
    // What runs is taken without a word: the check itself does not refuse it.
    WeightFormat format;
    format.format = NumberFormat::F8;
    const Tensor tensor = quantizeTensor(numbers(16 * 64, 23), 16, 64, format);
    const auto weight = runtime::makeCheckedWeight(tensor, device, DeviceKernel::ScaledMm, true);
    QCOMPARE(weight->kernelName(),
             std::string("fp8 weight-only, inputs as two fp8 (_scaled_mm) on cpu"));
}

/// A kernel that runs and answers something else: this one knows one scale a row, the weight has two.
void TestDeviceWeight::wrongProductsAreRefused() {
    const c10::InferenceMode inference(true);
    WeightFormat format;
    format.format = NumberFormat::Int8;
    format.granularity = Granularity::Group;
    format.groupSize = 32;
    auto values = numbers(16 * 64, 24);
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] *= i % 64 < 32 ? 1.0F : 3.0F;
    }
    const Tensor tensor = quantizeTensor(values, 16, 64, format);
    const auto weight = runtime::makeCheckedWeight(tensor, cpu(), DeviceKernel::HalfCodes, false);
    QCOMPARE(
        weight->kernelName(),
        std::string("int8 weight-only, products in fp32 (linear) on cpu, not mm: its product is "
                    "wrong on this device"));
}

/// Large weights are unpacked a strip at a time.
void TestDeviceWeight::stripsAreOneProduct() {
    const c10::InferenceMode inference(true);
    std::vector<std::pair<std::int64_t, std::int64_t>> asked;
    const at::Tensor out = runtime::inStrips(
        16, 16 + 300, std::int64_t{1} << 18, [&](std::int64_t begin, std::int64_t end) {
            asked.emplace_back(begin, end);
            return at::full({2, end - begin}, static_cast<double>(begin));
        });
    const std::vector<std::pair<std::int64_t, std::int64_t>> expected{
        {16, 144}, {144, 272}, {272, 316}};
    QCOMPARE(asked, expected);
    QCOMPARE(out.sizes().vec(), (std::vector<std::int64_t>{2, 300}));
    QCOMPARE(out.select(0, 1).select(0, 299).item<float>(), 272.0F);
}

QTEST_GUILESS_MAIN(TestDeviceWeight)
#include "tst_device_weight.moc"
