// Weights in the forms that fast products read, against the same weights in their logical form: fp32 in panels, grouped codes,
// and weights without their zeros.
#include <QtTest>

#include <cmath>
#include <random>

#include <ATen/core/Tensor.h>
#include <ATen/ops/add.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/relu.h>

#include "engine/kernels/choose.h"
#include "engine/runtime/sparse_choice.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"
#include "engine/weights/quantize.h"

using namespace pareto;

Q_DECLARE_METATYPE(pareto::WeightFormat)
Q_DECLARE_METATYPE(const pareto::kernels::KernelTable*)

namespace {

runtime::Device deviceWith(const kernels::KernelTable& table) {
    runtime::Device device;
    device.table = &table;
    device.threads = 2;
    return device;
}

class Numbers {
public:
    explicit Numbers(unsigned seed) : m_engine(seed) {}
    std::vector<float> normal(std::int64_t count) {
        std::vector<float> out(static_cast<std::size_t>(count));
        for (auto& value : out) {
            value = m_normal(m_engine);
        }
        return out;
    }
    /// Blocks of `block` neighbours, `keep` % of which are not zero.
    std::vector<float> sparse(std::int64_t count, int keep, std::int64_t block) {
        auto out = normal(count);
        for (std::int64_t at = 0; at < count; at += block) {
            if (std::uniform_int_distribution<int>(0, 99)(m_engine) >= keep) {
                std::fill(out.begin() + at, out.begin() + std::min(count, at + block), 0.0F);
            }
        }
        return out;
    }

private:
    std::mt19937 m_engine;
    std::normal_distribution<float> m_normal;
};

at::Tensor tensorOf(const std::vector<float>& values, std::int64_t rows, std::int64_t cols,
                    const runtime::Device& device) {
    at::Tensor out = runtime::emptyFloats(device, {rows, cols});
    std::copy(values.begin(), values.end(), out.mutable_data_ptr<float>());
    return out;
}

std::vector<float> valuesOf(const at::Tensor& tensor) {
    const auto* from = tensor.const_data_ptr<float>();
    return {from, from + tensor.numel()};
}

std::vector<float> product(const runtime::Weight& weight, const at::Tensor& x, const runtime::Device& device,
                           const runtime::Epilogue& epilogue = {}) {
    runtime::LinearInput input(device, x);
    return valuesOf(weight.multiply(input, epilogue));
}

double worst(const std::vector<float>& a, const std::vector<float>& b) {
    double out = a.size() == b.size() ? 0.0 : INFINITY;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        out = std::max(out, std::fabs(static_cast<double>(a[i] - b[i])));
    }
    return out;
}

WeightFormat codes(NumberFormat format, std::int64_t group, bool symmetric, std::int64_t activationGroup,
                   Activations activations = Activations::Int8Dynamic) {
    WeightFormat out;
    out.format = format;
    out.granularity = group == 0 ? Granularity::Channel : Granularity::Group;
    out.groupSize = group;
    out.symmetric = symmetric;
    out.activations = activations;
    out.activationGroup = activationGroup;
    return out;
}

/// Sets a variable of the environment for as long as it lives.
class Setting {
public:
    explicit Setting(const char* value) { qputenv("PARETO_SPARSE", value); }
    ~Setting() { qunsetenv("PARETO_SPARSE"); }
};

}  // namespace

class TestPackedWeights : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void floats_data();
    void floats();
    void lookedUpWhereItLies();
    void groups_data();
    void groups();
    void withoutZeros_data();
    void withoutZeros();
    void choice();
    void fewZerosAndFleetingWeightsStay();
};

void TestPackedWeights::floats_data() {
    QTest::addColumn<const kernels::KernelTable*>("table");
    for (const auto* table : kernels::supportedTables()) {
        QTest::newRow(table->name) << table;
    }
}

/// fp32 and what is multiplied as fp32, few inputs and many, against libtorch's product in fp64.
void TestPackedWeights::floats() {
    QFETCH(const kernels::KernelTable*, table);
    const c10::InferenceMode inference(true);
    const auto device = deviceWith(*table);
    Numbers numbers(5);
    const std::int64_t rows = 83;
    for (const std::int64_t cols : {130, 2816}) {  // all panels at a time, and two
        const auto values = numbers.normal(rows * cols);
        for (const bool coded : {false, true}) {
            const Tensor tensor = coded ? quantizeTensor(values, rows, cols, codes(NumberFormat::Int8, 0, true, 0, Activations::None))
                                        : denseTensor(Shape{rows, cols}, std::span<const float>(values));
            const auto weight = runtime::makeWeight(tensor, device);
            const auto wide = tensorOf(dequantize(tensor), rows, cols, device);
            const std::vector<std::int32_t> ids{82, 0, 17};
            const auto rowsOf = weight->lookup(ids);
            for (std::size_t i = 0; i < ids.size(); ++i) {
                QVERIFY(at::equal(rowsOf[static_cast<std::int64_t>(i)], wide[ids[i]]));
            }
            const auto bias = tensorOf(numbers.normal(rows), 1, rows, device).reshape({rows});
            for (const std::int64_t m : {1, 12, 13, 130}) {
                const auto x = tensorOf(numbers.normal(m * cols), m, cols, device);
                runtime::Epilogue epilogue;
                epilogue.bias = m % 2 != 0 ? &bias : nullptr;
                epilogue.act = m == 12 ? kernels::Act::Relu : kernels::Act::None;
                epilogue.rowBegin = m == 13 ? 16 : 0;
                epilogue.rowEnd = m == 13 ? 80 : -1;
                runtime::LinearInput input(device, x);
                const auto found = weight->multiply(input, epilogue);
                auto expected = at::matmul(x.to(at::kDouble), wide.to(at::kDouble).t());
                expected = epilogue.bias != nullptr ? at::add(expected, bias) : expected;
                expected = m == 12 ? at::relu(expected) : expected;
                expected = m == 13 ? expected.slice(1, 16, 80) : expected;
                QVERIFY2(at::allclose(found.to(at::kDouble), expected, 1e-4, 1e-4 * std::sqrt(static_cast<double>(cols))),
                         qPrintable(QStringLiteral("%1 columns, %2 inputs").arg(cols).arg(m)));
            }
        }
    }
}

/// A table of fp32 that nothing multiplies is read where it lies, and copied where that is off its boundary.
void TestPackedWeights::lookedUpWhereItLies() {
    const c10::InferenceMode inference(true);
    const auto device = deviceWith(*kernels::supportedTables().front());
    Numbers numbers(6);
    const auto values = numbers.normal(40 * 24 + 1);
    const Buffer all = Buffer::copyOf(std::as_bytes(std::span(values)));
    for (const std::size_t offset : {std::size_t{0}, std::size_t{3}}) {
        const Buffer part = all.part(offset, 40 * 24 * sizeof(float));
        const auto weight = runtime::makeWeight(denseTensor(Shape{40, 24}, part), device, runtime::Batching::Many, runtime::Uses::Lookups);
        QCOMPARE(weight->bytes(), std::uint64_t{40 * 24 * sizeof(float)});
        QCOMPARE(weight->kernelName(), std::string("fp32 (") + device.table->name + ")");
        const std::vector<std::int32_t> ids{39, 0};
        const auto found = valuesOf(weight->lookup(ids));
        QCOMPARE(std::memcmp(found.data(), part.data() + 39 * 24 * sizeof(float), 24 * sizeof(float)), 0);
        QCOMPARE(std::memcmp(found.data() + 24, part.data(), 24 * sizeof(float)), 0);
        // Only what is read where it lies sees that its first value is another one now.
        auto* first = const_cast<std::byte*>(part.data());
        const std::byte old = *first;
        *first = ~old;
        QCOMPARE(std::memcmp(valuesOf(weight->lookup(ids)).data() + 24, part.data(), 24 * sizeof(float)) == 0, offset == 0);
        *first = old;
    }
}

void TestPackedWeights::groups_data() {
    QTest::addColumn<WeightFormat>("format");
    QTest::newRow("int4, groups of 64 both") << codes(NumberFormat::Int4, 64, true, 64);
    QTest::newRow("int4, asymmetric") << codes(NumberFormat::Int4, 64, false, 64);
    QTest::newRow("int4, one scale a token") << codes(NumberFormat::Int4, 32, false, 0);
    QTest::newRow("int4, a channel") << codes(NumberFormat::Int4, 0, false, 0);
    QTest::newRow("int4, static") << codes(NumberFormat::Int4, 64, false, 0, Activations::Int8Static);
    QTest::newRow("int3, groups of 64 both") << codes(NumberFormat::Int3, 64, true, 64);
    QTest::newRow("int3, asymmetric, one scale a token") << codes(NumberFormat::Int3, 32, false, 0);
    QTest::newRow("int2, groups of 32 both") << codes(NumberFormat::Int2, 32, false, 32);
    QTest::newRow("int2, static") << codes(NumberFormat::Int2, 16, true, 0, Activations::Int8Static);
    QTest::newRow("int8, groups of 32 both") << codes(NumberFormat::Int8, 32, true, 32);
    QTest::newRow("int8, asymmetric channel") << codes(NumberFormat::Int8, 0, false, 0);
}

/// The logical form multiplies inputs that are rounded and brought back to fp32.
void TestPackedWeights::groups() {
    QFETCH(WeightFormat, format);
    const c10::InferenceMode inference(true);
    Numbers numbers(1);
    const std::int64_t rows = 83;
    const std::int64_t cols = 192;
    Tensor tensor = quantizeTensor(numbers.normal(rows * cols), rows, cols, format);
    if (format.activations == Activations::Int8Static) {
        std::get<QuantizedValues>(tensor.storage).inputScale = 0.02F;
    }
    for (const auto* table : kernels::supportedTables()) {
        const auto device = deviceWith(*table);
        QCOMPARE(runtime::hasGroupKernel(tensor, device), table->groupGemm != nullptr);
        if (table->groupGemm == nullptr) {
            continue;
        }
        const auto weight = runtime::makeWeight(tensor, device);
        QVERIFY(QString::fromStdString(weight->kernelName()).contains(QStringLiteral("groups")));
        QCOMPARE(weight->bytes(), weightBytes(format, rows, cols));
        const auto logical = runtime::makeRowsWeight(tensor, device);
        QCOMPARE(valuesOf(weight->lookup(std::vector<std::int32_t>{82, 0, 17})),
                 valuesOf(logical->lookup(std::vector<std::int32_t>{82, 0, 17})));
        const auto bias = tensorOf(numbers.normal(rows), 1, rows, device).reshape({rows});
        for (const std::int64_t m : {1, 2, 5, 19, 130}) {
            const auto x = tensorOf(numbers.normal(m * cols), m, cols, device);
            runtime::Epilogue epilogue;
            epilogue.bias = m % 2 != 0 ? &bias : nullptr;
            epilogue.act = m == 5 ? kernels::Act::Silu : kernels::Act::None;
            epilogue.rowBegin = m == 19 ? 16 : 0;
            epilogue.rowEnd = m == 19 ? 64 : -1;
            QVERIFY(worst(product(*weight, x, device, epilogue), product(*logical, x, device, epilogue)) < 2e-4);
        }
    }
}

void TestPackedWeights::withoutZeros_data() {
    QTest::addColumn<WeightFormat>("format");
    QTest::addColumn<int>("keep");
    QTest::addColumn<int>("block");
    for (const int keep : {0, 10, 50}) {
        for (const int block : {1, 4}) {
            const auto row = [&](const char* what, const WeightFormat& format) {
                QTest::addRow("%s, %d %% in blocks of %d", what, keep, block) << format << keep << block;
            };
            row("fp32", {});
            row("int8", codes(NumberFormat::Int8, 0, true, 0));
            row("int8, input groups", codes(NumberFormat::Int8, 0, true, 64));
        }
    }
}

void TestPackedWeights::withoutZeros() {
    QFETCH(WeightFormat, format);
    QFETCH(int, keep);
    QFETCH(int, block);
    const c10::InferenceMode inference(true);
    Numbers numbers(2);
    for (const auto& [rows, cols] : {std::pair<std::int64_t, std::int64_t>{83, 192}, {16, 60}, {40, 1030}}) {
        const auto values = numbers.sparse(rows * cols, keep, block);
        const Tensor tensor = format.isCoded() ? quantizeTensor(values, rows, cols, format)
                                               : denseTensor(Shape{rows, cols}, values);
        for (const auto* table : kernels::supportedTables()) {
            const auto device = deviceWith(*table);
            const auto dense = runtime::makeWeight(tensor, device);
            const auto steps = runtime::makeSparseSteps(tensor, device);
            for (const auto& weight : {runtime::makeSparseRows(tensor, device), runtime::makeSparsePanels(tensor, device),
                                       steps}) {
                if (weight == nullptr) {
                    continue;
                }
                QVERIFY(keep == 50 || weight == steps || weight->bytes() < dense->bytes());
                const std::vector<std::int32_t> ids{static_cast<std::int32_t>(rows) - 1, 0, 7};
                QCOMPARE(valuesOf(weight->lookup(ids)), valuesOf(dense->lookup(ids)));
                const auto bias = tensorOf(numbers.normal(rows), 1, rows, device).reshape({rows});
                for (const std::int64_t m : {1, 2, 8, 9, 64, 150}) {
                    const auto x = tensorOf(numbers.normal(m * cols), m, cols, device);
                    runtime::Epilogue epilogue;
                    epilogue.bias = m % 2 != 0 ? &bias : nullptr;
                    epilogue.act = m == 64 ? kernels::Act::Gelu : kernels::Act::None;
                    epilogue.rowBegin = m == 9 && rows > 40 ? 16 : 0;
                    epilogue.rowEnd = m == 9 && rows > 40 ? 64 : -1;
                    QVERIFY(worst(product(*weight, x, device, epilogue), product(*dense, x, device, epilogue)) < 2e-4);
                }
            }
        }
    }
}

/// The choice is between forms of the same values, and says what it saw.
void TestPackedWeights::choice() {
    const c10::InferenceMode inference(true);
    const auto& tables = kernels::supportedTables();
    const auto device = deviceWith(**std::find_if(tables.begin(), tables.end(), [](const kernels::KernelTable* table) {
        return table->sparseGemm != nullptr;  // the reference at last
    }));
    Numbers numbers(3);
    const std::int64_t rows = 256;
    const std::int64_t cols = 256;
    const Tensor tensor = denseTensor(Shape{rows, cols}, numbers.sparse(rows * cols, 5, 1));
    const auto x = tensorOf(numbers.normal(3 * cols), 3, cols, device);
    const auto expected = product(*runtime::makeDenseWeight(tensor, device), x, device);
    for (const auto batching : {runtime::Batching::Many, runtime::Batching::Both}) {
        const auto chosen = runtime::makeWeight(tensor, device, batching);
        const auto name = QString::fromStdString(chosen->kernelName());
        QVERIFY2(name.contains(QStringLiteral("; 95 % zeros: ")), qPrintable(name));
        const bool sparse = name.contains(QStringLiteral("zeros left out"));
        QCOMPARE(sparse, !name.contains(QStringLiteral("kept dense")));
        QCOMPARE(name.contains(QStringLiteral("with 1 token")), batching == runtime::Batching::Both);
        QVERIFY(worst(product(*chosen, x, device), expected) < 1e-4);
        QCOMPARE(chosen->bytes() < static_cast<std::uint64_t>(4 * rows * cols), sparse);
    }
    {
        const Setting never("never");
        QCOMPARE(runtime::makeWeight(tensor, device, runtime::Batching::Both)->kernelName(),
                 runtime::makeDenseWeight(tensor, device)->kernelName());
    }
    const Setting always("always");
    const auto forced = runtime::makeWeight(tensor, device, runtime::Batching::Both);
    QVERIFY(forced->bytes() < static_cast<std::uint64_t>(rows * cols));
    QVERIFY(worst(product(*forced, x, device), expected) < 1e-4);
}

void TestPackedWeights::fewZerosAndFleetingWeightsStay() {
    const auto device = deviceWith(*kernels::supportedTables().front());
    Numbers numbers(4);
    // Large enough to be looked at.
    const Tensor full = denseTensor(Shape{256, 256}, numbers.sparse(256 * 256, 90, 1));
    const Tensor empty = denseTensor(Shape{256, 256}, numbers.sparse(256 * 256, 5, 1));
    const Setting always("always");
    const auto dense = runtime::makeDenseWeight(full, device)->kernelName();
    QCOMPARE(runtime::makeWeight(full, device, runtime::Batching::Both)->kernelName(), dense);
    QCOMPARE(runtime::makeWeight(empty, device)->kernelName(), dense);
}

QTEST_GUILESS_MAIN(TestPackedWeights)
#include "tst_packed_weights.moc"
