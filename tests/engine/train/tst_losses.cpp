// Terms of losses and fake quantization: their values are those of the formulas (torch's own functions, see
// tests/golden/train/make_training.py), their gradients those of finite differences.
#include <QtTest>

#include <cmath>
#include <functional>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/arange.h>

#include "engine/core/json.h"
#include "engine/train/fake_quantize.h"
#include "engine/train/losses.h"
#include "engine/weights/tensor.h"

using namespace pareto;

namespace {

Json golden() {
    auto json = readJsonFile(PARETO_SOURCE_DIR "/tests/golden/train/training.json");
    return json.ok() ? json.value()["distillation"] : Json();
}

at::Tensor tensorOf(const Json& values, std::int64_t cols) {
    auto numbers = values.get<std::vector<float>>();
    const auto rows = static_cast<std::int64_t>(numbers.size()) / cols;
    return at::from_blob(numbers.data(), {rows, cols}, at::TensorOptions().dtype(at::kFloat)).clone();
}

/// Some numbers in about −1 … 1.
at::Tensor some(std::int64_t rows, std::int64_t cols, double from) {
    return at::sin(at::arange(rows * cols, at::TensorOptions().dtype(at::kFloat)) * 1.7 + from).reshape({rows, cols});
}

using Function = std::function<at::Tensor(const at::Tensor&)>;

/// The largest difference between a gradient and central differences, against the largest of them.
double gradientError(const Function& function, const at::Tensor& at, const at::Tensor& gradient, double step) {
    const at::NoGradGuard noGradients;
    double worst = 0.0;
    double largest = 1e-6;
    at::Tensor x = at.detach().to(at::kDouble);
    const at::Tensor found = gradient.to(at::kDouble).contiguous();
    for (std::int64_t i = 0; i < x.numel(); ++i) {
        double* value = x.mutable_data_ptr<double>() + i;
        const double before = *value;
        *value = before + step;
        const double above = function(x).item<double>();
        *value = before - step;
        const double below = function(x).item<double>();
        *value = before;
        const double expected = (above - below) / (2.0 * step);
        largest = std::max(largest, std::fabs(expected));
        worst = std::max(worst, std::fabs(expected - found.const_data_ptr<double>()[i]));
    }
    return worst / largest;
}

double gradientError(const Function& function, const at::Tensor& at) {
    at::Tensor leaf = at.clone().to(at::kDouble).requires_grad_(true);
    function(leaf).backward();
    return gradientError(function, leaf, leaf.grad(), 1e-5);
}

const std::vector<std::int64_t> kStarts{0, 2, 5};
constexpr double kScale = 0.57735026919;

}  // namespace

class TestLosses : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void valuesAreThoseOfTheFormulas();
    void gradients_data();
    void gradients();
    void headsThatAreLeftAreCompared();
    void learnedScales_data();
    void learnedScales();
    void learnedInputScale();
    void finishedWeightIsWhatTrainingSaw_data();
    void finishedWeightIsWhatTrainingSaw();
};

void TestLosses::valuesAreThoseOfTheFormulas() {
    const Json json = golden();
    QVERIFY(json.is_object());
    const auto near = [](const at::Tensor& found, const Json& expected) {
        return std::fabs(found.item<double>() - expected.get<double>()) < 1e-5 * std::max(1.0, expected.get<double>());
    };
    const at::Tensor student = tensorOf(json["student"], 4);
    const at::Tensor teacher = tensorOf(json["teacher"], 4);
    const std::vector<std::int32_t> labels{0, 3, -1, 1, 2, -1};
    QVERIFY(near(train::classLoss(student, labels), json["class"]));
    QVERIFY(near(train::logitsLoss(student, teacher, json["temperature"].get<double>()), json["logits"]));
    const auto rows = [&](const char* name) { return tensorOf(json["rows"][name], 6); };
    const auto attention = [&](bool causal) {
        const train::HeadsOf shape{2, 2, kScale, causal};
        return train::attentionLoss(rows("sq"), rows("sk"), shape, rows("tq"), rows("tk"), shape, {}, kStarts);
    };
    QVERIFY(near(attention(false), json["attention"]));
    QVERIFY(near(attention(true), json["attention_causal"]));
    QVERIFY(near(train::relationLoss(rows("sq"), rows("tq"), 2, false, kStarts), json["relations"]));
    const auto cosines = json["cosines"].get<std::vector<float>>();
    QVERIFY(near(train::similarityLoss(student, cosines), json["similarity"]));
    const std::vector<std::pair<std::int32_t, std::int32_t>> answers{{1, 1}, {0, 3}};
    QVERIFY(near(train::answerLoss(student, {0, 2, 6}, answers), json["answer"]));
    const std::vector<std::int32_t> none{-1, -1, -1, -1, -1, -1};
    QCOMPARE(train::classLoss(student, none).item<double>(), 0.0);
}

void TestLosses::gradients_data() {
    QTest::addColumn<int>("which");
    const char* names[] = {"class", "score", "logits", "distance", "hidden", "attention", "attention, causal",
                           "attention, grouped keys", "relations", "relations, causal", "similarity", "answers"};
    for (int i = 0; i < 12; ++i) {
        QTest::newRow(names[i]) << i;
    }
}

void TestLosses::gradients() {
    QFETCH(int, which);
    const at::Tensor x = some(5, 6, 0.3);
    const at::Tensor y = some(5, 6, 1.1).to(at::kDouble);
    const at::Tensor keys = some(5, 6, 2.2).to(at::kDouble);
    const std::vector<std::int32_t> labels{0, 5, -1, 3, 2};
    const std::vector<float> scores{0.1F, 0.4F, -0.3F, 0.9F, 0.0F};
    const std::vector<std::pair<std::int32_t, std::int32_t>> answers{{1, 1}, {0, 2}};
    const train::HeadsOf shape{2, 2, kScale, which == 6};
    const train::HeadsOf grouped{2, 1, kScale, true};
    const Function functions[] = {
        [&](const at::Tensor& v) { return train::classLoss(v, labels); },
        [&](const at::Tensor& v) { return train::scoreLoss(v.slice(1, 0, 1), scores); },
        [&](const at::Tensor& v) { return train::logitsLoss(v, y, 3.0); },
        [&](const at::Tensor& v) { return train::distanceLoss(v, y); },
        [&](const at::Tensor& v) { return train::hiddenLoss(v, y); },
        [&](const at::Tensor& v) { return train::attentionLoss(v, keys, shape, y, keys, shape, {}, kStarts); },
        [&](const at::Tensor& v) { return train::attentionLoss(keys, v, shape, y, keys, shape, {}, kStarts); },
        [&](const at::Tensor& v) {
            const at::Tensor half = v.slice(1, 0, 3).contiguous();
            return train::attentionLoss(keys, half, grouped, y, keys, {2, 2, kScale, true}, {}, kStarts);
        },
        [&](const at::Tensor& v) { return train::relationLoss(v, y, 3, false, kStarts); },
        [&](const at::Tensor& v) { return train::relationLoss(v, y, 2, true, kStarts); },
        [&](const at::Tensor& v) { return train::similarityLoss(v.slice(0, 0, 4), std::span(scores).first(2)); },
        [&](const at::Tensor& v) { return train::answerLoss(v, {0, 2, 5}, answers); }};
    const double error = gradientError(functions[which], x);
    QVERIFY2(error < 1e-5, QByteArray::number(error).constData());
}

void TestLosses::headsThatAreLeftAreCompared() {
    const at::Tensor q = some(5, 6, 0.3);
    const at::Tensor k = some(5, 6, 0.9);
    const at::Tensor lastQ = q.slice(1, 3, 6).contiguous();
    const at::Tensor lastK = k.slice(1, 3, 6).contiguous();
    const train::HeadsOf one{1, 1, kScale, false};
    const train::HeadsOf both{2, 2, kScale, false};
    const std::vector<int> second{1};
    const std::vector<int> first{0};
    QVERIFY(train::attentionLoss(lastQ, lastK, one, q, k, both, second, kStarts).item<double>() < 1e-7);
    QVERIFY(train::attentionLoss(lastQ, lastK, one, q, k, both, first, kStarts).item<double>() > 1e-3);
}

void TestLosses::learnedScales_data() {
    QTest::addColumn<int>("group");
    QTest::addColumn<bool>("symmetric");
    QTest::newRow("a scale a row") << 0 << true;
    QTest::newRow("groups") << 8 << true;
    QTest::newRow("zero points") << 8 << false;
}

/// LSQ's gradient is that of the function whose rounding errors stay what they are: a finite difference of it.
void TestLosses::learnedScales() {
    QFETCH(int, group);
    QFETCH(bool, symmetric);
    WeightFormat format;
    format.format = NumberFormat::Int4;
    format.granularity = group > 0 ? Granularity::Group : Granularity::Channel;
    format.groupSize = group;
    format.symmetric = symmetric;
    const at::Tensor values = some(3, 16, 0.4);
    const at::Tensor by = some(3, 16, 2.0);
    train::FakeWeight fake(format, values);
    // Values 1.3 times what the scales were found for: some are clipped.
    at::Tensor w = (values * 1.3).requires_grad_(true);
    at::Tensor ratios = fake.ratios();
    ratios.requires_grad_(true);
    (fake.act(w, nullptr) * by).sum().backward();
    const std::int64_t groups = ratios.size(1);
    const Tensor held = fake.finished(w, 0.0F);
    const auto scales = held.quantized().scales.as<float>();
    const auto zeros = held.quantized().zeroPoints;
    double expectedSum = 0.0;
    for (std::int64_t row = 0; row < 3; ++row) {
        std::vector<double> expected(static_cast<std::size_t>(groups), 0.0);
        for (std::int64_t col = 0; col < 16; ++col) {
            const auto g = static_cast<std::size_t>(group > 0 ? col / group : 0);
            const auto at = static_cast<std::size_t>(row * groups) + g;
            const double scale = scales[at];
            const double zero = zeros.size() > 0 ? zeros.as<std::int8_t>()[at] : 0.0;
            const double value = w[row][col].item<double>();
            const double steps = value / scale + zero;
            const double inside = std::clamp(steps, -8.0, 7.0);
            const bool clipped = inside != steps;
            const double code = std::nearbyint(inside) - zero;
            // d(scale · (round(w / scale + z) − z)) / d scale, scale = first · ratio with ratio 1
            expected[g] += by[row][col].item<double>() * (clipped ? code : code - value / scale) * scale;
            const double weightGradient = w.grad()[row][col].item<double>();
            QVERIFY(std::fabs(weightGradient - (clipped ? 0.0 : by[row][col].item<double>())) < 1e-5);
        }
        for (std::int64_t g = 0; g < groups; ++g) {
            const double found = ratios.grad()[row][g].item<double>();
            QVERIFY2(std::fabs(found - expected[static_cast<std::size_t>(g)]) < 1e-4,
                     qPrintable(QStringLiteral("%1 instead of %2").arg(found).arg(expected[static_cast<std::size_t>(g)])));
            expectedSum += std::fabs(found);
        }
    }
    QVERIFY(expectedSum > 0.0);
}

void TestLosses::learnedInputScale() {
    WeightFormat format;
    format.format = NumberFormat::Int8;
    format.activations = Activations::Int8Static;
    train::FakeInput fake(format);
    const at::Tensor first = some(4, 8, 0.1);
    fake.act(first);
    const double scale = first.abs().max().item<double>() / 127.5;
    QVERIFY(std::fabs(fake.scale().item<double>() - scale) < 1e-7);
    at::Tensor x = (first * 1.5).requires_grad_(true);
    const at::Tensor by = some(4, 8, 3.0);
    (fake.act(x) * by).sum().backward();
    double expected = 0.0;
    for (std::int64_t i = 0; i < 32; ++i) {
        const double value = x.flatten()[i].item<double>();
        const double inside = std::clamp(value / scale, -128.0, 127.0);
        const bool clipped = inside != value / scale;
        const double gradient = by.flatten()[i].item<double>();
        expected += gradient * (std::nearbyint(inside) - (clipped ? 0.0 : value / scale));
        QVERIFY(std::fabs(x.grad().flatten()[i].item<double>() - (clipped ? 0.0 : gradient)) < 1e-5);
    }
    expected /= std::sqrt(32.0 * 127.0);  // LSQ's share
    QVERIFY(std::fabs(fake.scale().grad().item<double>() - expected) < 1e-3 * std::max(1.0, std::fabs(expected)));
}

void TestLosses::finishedWeightIsWhatTrainingSaw_data() {
    QTest::addColumn<int>("format");
    QTest::addColumn<int>("granularity");
    QTest::addColumn<bool>("symmetric");
    for (const auto format : {NumberFormat::Int8, NumberFormat::Int4, NumberFormat::Int3, NumberFormat::Int2}) {
        for (const auto granularity : {Granularity::Tensor, Granularity::Channel, Granularity::Group}) {
            for (const bool symmetric : {true, false}) {
                QTest::addRow("%d bits, %d, %d", bitsOf(format), static_cast<int>(granularity), symmetric ? 1 : 0)
                    << static_cast<int>(format) << static_cast<int>(granularity) << symmetric;
            }
        }
    }
}

void TestLosses::finishedWeightIsWhatTrainingSaw() {
    QFETCH(int, format);
    QFETCH(int, granularity);
    QFETCH(bool, symmetric);
    WeightFormat held;
    held.format = static_cast<NumberFormat>(format);
    held.granularity = static_cast<Granularity>(granularity);
    held.groupSize = held.granularity == Granularity::Group ? 8 : 0;
    held.symmetric = symmetric;
    at::Tensor values = some(5, 24, 0.7);
    train::FakeWeight fake(held, values);
    {
        const at::NoGradGuard noGradients;
        at::Tensor ratios = fake.ratios();
        ratios.mul_(0.83);  // as if learned
        values.mul_(1.1);
        values[2][3] = 0.0;
    }
    const at::Tensor seen = fake.act(values, nullptr);
    const Tensor finished = fake.finished(values, 0.0F);
    QVERIFY(finished.format() == held);
    const auto kept = dequantize(finished);
    for (std::int64_t i = 0; i < seen.numel(); ++i) {
        QCOMPARE(kept[static_cast<std::size_t>(i)], seen.flatten()[i].item<float>());
    }
    QCOMPARE(kept[2 * 24 + 3], 0.0F);
    const at::Tensor rows = at::arange(1, 3, at::TensorOptions().dtype(at::kLong));
    const at::Tensor some = fake.act(values.slice(0, 1, 3), &rows);
    QVERIFY((some - seen.slice(0, 1, 3)).abs().max().item<float>() == 0.0F);
}

QTEST_GUILESS_MAIN(TestLosses)
#include "tst_losses.moc"
