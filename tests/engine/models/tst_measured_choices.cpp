// What was measured of kernels is kept for the machine, and only there; a choice changes what computes, not what is computed.
#include <QtTest>

#include <ATen/ops/allclose.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>

#include "engine/core/json.h"
#include "engine/runtime/measured_choices.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"

using namespace pareto;
using runtime::MeasuredChoices;

namespace {

std::string keyOf(const runtime::Device& device, std::int64_t rows, std::int64_t cols) {
    return std::string("many fp32 inputs: ") + device.table->name + ", " + std::to_string(rows) + " × " + std::to_string(cols) + ", " +
           std::to_string(device.threads) + " threads";
}

}  // namespace

class TestMeasuredChoices : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { qputenv("PARETO_KERNEL_CHOICES", m_folder.filePath(QStringLiteral("shared.json")).toUtf8()); }
    void keptForLaterStarts();
    void besideOthers();
    void unusableFiles_data();
    void unusableFiles();
    void leastOfTurns();
    void denseByChoice_data();
    void denseByChoice();
    void measuredOnce();

private:
    std::string path(const char* name) const { return m_folder.filePath(QString::fromLatin1(name)).toStdString(); }
    QTemporaryDir m_folder;
};

void TestMeasuredChoices::keptForLaterStarts() {
    const auto file = path("deep/kept.json");
    {
        MeasuredChoices first(file, "one");
        QVERIFY(!first.find("a"));
        first.put("a", {1.5, 2.0}, true);
        first.put("b", {0.7}, false);
        QVERIFY(first.find("b") == std::vector<double>{0.7});
    }
    MeasuredChoices later(file, "one");
    QVERIFY((later.find("a") == std::vector<double>{1.5, 2.0}));
    QVERIFY(!later.find("b"));  // not steady: measured again
    MeasuredChoices other(file, "another machine");
    QVERIFY(!other.find("a"));
    other.put("c", {3.0}, true);
    QVERIFY(!MeasuredChoices(file, "one").find("a"));
    MeasuredChoices none("", "one");
    none.put("a", {1.0}, true);
    QVERIFY(none.find("a"));
}

/// Two processes that measure at the same time: both stay.
void TestMeasuredChoices::besideOthers() {
    const auto file = path("beside.json");
    MeasuredChoices one(file, "m");
    MeasuredChoices two(file, "m");
    QVERIFY(!one.find("x") && !two.find("x"));
    one.put("x", {1.0}, true);
    two.put("y", {2.0}, true);
    one.put("z", {3.0}, true);
    MeasuredChoices later(file, "m");
    for (const char* key : {"x", "y", "z"}) {
        QVERIFY2(later.find(key), key);
    }
}

void TestMeasuredChoices::unusableFiles_data() {
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("no JSON") << QByteArray("{\"machine\": \"m\", \"choi");
    QTest::newRow("a list") << QByteArray("[1, 2]");
    QTest::newRow("other figures") << QByteArray(R"({"machine":"m","choices":{"a":"fast","b":[1,"x"],"c":null}})");
    QTest::newRow("no choices") << QByteArray(R"({"machine":"m","choices":7})");
    QTest::newRow("machine is a number") << QByteArray(R"({"machine":4,"choices":{"a":[1]}})");
}

void TestMeasuredChoices::unusableFiles() {
    QFETCH(QByteArray, content);
    QFile file(m_folder.filePath(QStringLiteral("bad.json")));
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write(content) == content.size());
    file.close();
    MeasuredChoices choices(path("bad.json"), "m");
    for (const char* key : {"a", "b", "c"}) {
        QVERIFY2(!choices.find(key), key);
    }
    choices.put("a", {1.25}, true);
    QVERIFY(MeasuredChoices(path("bad.json"), "m").find("a") == std::vector<double>{1.25});
}

void TestMeasuredChoices::leastOfTurns() {
    // Looks of a round to warm up and two that count.
    const auto looked = [](std::vector<double> a, std::vector<double> b, int most) {
        std::size_t at = 0;
        std::size_t before = 0;
        const auto found = runtime::leastSeconds(
            {2, 0.0, most, 60.0}, [&] { return a.at(at); }, [&] { return b.at(at++); }, [&] { ++before; });
        return std::pair(found, before);
    };
    const auto [found, before] = looked({0.1, 4.0, 2.0, 0.1, 6.0, 2.1, 99.0}, {0.1, 2.0, 1.0, 0.1, 1.05, 8.0, 99.0}, 9);
    QCOMPARE(before, std::size_t{6});  // the second look says what the first did
    QVERIFY(found.steady);
    QCOMPARE(found.first, 2.0);
    QCOMPARE(found.second, 1.0);
    QCOMPARE(found.gain, 2.0);
    // A look in which one of them was held up does not count once two others agree, whatever it said.
    const auto disturbed = looked({0.1, 9.0, 9.0, 0.1, 2.0, 2.0, 0.1, 2.02, 3.0}, {0.1, 5.0, 4.0, 0.1, 2.0, 3.0, 0.1, 2.0, 2.0}, 9).first;
    QVERIFY(disturbed.steady);
    QCOMPARE(disturbed.gain, 1.0);
    // Without two that agree the least of all of them is believed, and it is not kept for later.
    const auto unsteady = looked({0.1, 2.0, 2.0, 0.1, 3.0, 3.0, 0.1, 2.4, 2.4}, {0.1, 1.0, 1.0, 0.1, 2.0, 2.0, 0.1, 1.0, 1.0}, 3).first;
    QVERIFY(!unsteady.steady);
    QCOMPARE(unsteady.gain, 1.5);
}

void TestMeasuredChoices::denseByChoice_data() {
    QTest::addColumn<double>("gain");
    QTest::addColumn<std::int64_t>("tokens");
    for (const std::int64_t tokens : {1, 63, 64, 65, 128, 300}) {
        QTest::addRow("our own, %d tokens", static_cast<int>(tokens)) << 1.5 << tokens;
        QTest::addRow("libtorch's, %d tokens", static_cast<int>(tokens)) << 0.9 << tokens;
    }
}

void TestMeasuredChoices::denseByChoice() {
    QFETCH(double, gain);
    QFETCH(std::int64_t, tokens);
    const c10::InferenceMode guard;
    auto opened = runtime::openDevice("cpu", 2);
    QVERIFY(opened.ok());
    const auto& device = opened.value();
    // A height of its own for each choice: what was measured of a shape stays for the process.
    const std::int64_t rows = gain > 1.0 ? 400 : 416;
    const std::int64_t cols = 333;
    MeasuredChoices::ofMachine().put(keyOf(device, rows, cols), {gain}, false);
    const at::Tensor values = at::randn({rows, cols});
    const at::Tensor bias = at::randn({rows});
    const at::Tensor x = at::randn({tokens, cols});
    const auto weight = runtime::makeDenseWeight(
        denseTensor({rows, cols}, std::span(values.const_data_ptr<float>(), static_cast<std::size_t>(rows * cols))), device);
    const auto name = weight->kernelName();
    QVERIFY2((name.find(", libtorch)") == std::string::npos) == (gain > 1.0), name.c_str());
    runtime::LinearInput input(device, x);
    runtime::Epilogue epilogue;
    epilogue.bias = &bias;
    const auto found = weight->multiply(input, epilogue);
    const auto expected = at::linear(x.to(at::kDouble), values.to(at::kDouble), bias.to(at::kDouble));
    QVERIFY(at::allclose(found.to(at::kDouble), expected, 1e-4, 1e-4));
}

/// Makes a weight of a shape that nobody measured: afterwards its ratio is known, and the name says what came of it.
void TestMeasuredChoices::measuredOnce() {
    const c10::InferenceMode guard;
    auto opened = runtime::openDevice("cpu", 2);
    QVERIFY(opened.ok());
    const auto& device = opened.value();
    const std::int64_t rows = 320;
    const std::int64_t cols = 256;
    const std::vector<float> values(static_cast<std::size_t>(rows * cols), 0.5F);
    const auto tensor = denseTensor({rows, cols}, std::span<const float>(values));
    const auto key = keyOf(device, rows, cols);
    QVERIFY(!MeasuredChoices::ofMachine().find(key));
    const auto name = runtime::makeDenseWeight(tensor, device)->kernelName();
    const auto known = MeasuredChoices::ofMachine().find(key);
    QVERIFY(known && known->size() == 1 && known->front() > 0.0);
    QCOMPARE(name.find("of libtorch") != std::string::npos, known->front() >= 1.03);
    QCOMPARE(runtime::makeDenseWeight(tensor, device)->kernelName(), name);
}

QTEST_GUILESS_MAIN(TestMeasuredChoices)
#include "tst_measured_choices.moc"
