// Attention on libtorch's operations, which devices with gradients take on the CPU, against the kernels', and these in bfloat16
// against those in fp32.
#include <QtTest>

#include <cmath>
#include <numeric>
#include <random>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros_like.h>

#include "engine/kernels/choose.h"
#include "engine/runtime/block_cache.h"
#include "engine/runtime/relative_bias.h"
#include "engine/runtime/source_keys.h"
#include "engine/runtime/torch_attention.h"
#include "engine/runtime/torch_tensor.h"

using namespace pareto;
using runtime::Stretch;

namespace {

const runtime::HeadShape kShape{3, 3, 8};
constexpr std::int64_t kWidth = 24;

runtime::Device device(bool torch) {
    runtime::Device out;
    out.table = kernels::supportedTables().front();
    out.gradients = torch;
    return out;
}

at::Tensor numbers(std::int64_t rows, std::int64_t cols, unsigned seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    at::Tensor out = runtime::emptyFloats(device(false), {rows, cols});
    float* to = out.mutable_data_ptr<float>();
    std::generate_n(to, out.numel(), [&] { return normal(engine); });
    return out;
}

double difference(const at::Tensor& a, const at::Tensor& b) {
    const at::Tensor x = a.contiguous();
    const at::Tensor y = b.contiguous();
    double out = x.numel() == y.numel() ? 0.0 : 1e9;
    for (std::int64_t i = 0; out < 1e9 && i < x.numel(); ++i) {
        out = std::max(out, std::fabs(static_cast<double>(x.const_data_ptr<float>()[i]) -
                                      static_cast<double>(y.const_data_ptr<float>()[i])));
    }
    return out;
}

std::vector<std::int64_t> startsOf(const std::vector<std::int64_t>& lengths) {
    std::vector<std::int64_t> out{0};
    for (const auto length : lengths) {
        out.push_back(out.back() + length);
    }
    return out;
}

}  // namespace

class TestTorchAttention : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void textsOfAllLengths_data();
    void textsOfAllLengths();
    void sources();
    void tilesOfQueries();
    void gradientsOfManyLengths();
    void equalSizesTogether();
    void textsInPairs();
    void cachesInPairs_data();
    void cachesInPairs();
};

void TestTorchAttention::textsOfAllLengths_data() {
    QTest::addColumn<std::vector<qint64>>("lengths");
    QTest::addColumn<bool>("biased");
    for (const bool biased : {false, true}) {
        const auto row = [biased](const char* name, const std::vector<qint64>& lengths) {
            QTest::newRow(qPrintable(QLatin1String(name) + QLatin1String(biased ? ", bias" : "")))
                << lengths << biased;
        };
        row("one", {7});
        row("equal", {5, 5, 5});
        row("mixed", {3, 9, 1, 9, 3, 70});
        row("an empty one", {4, 0, 4});
    }
}

void TestTorchAttention::textsOfAllLengths() {
    QFETCH(std::vector<qint64>, lengths);
    QFETCH(bool, biased);
    const c10::InferenceMode inference(true);
    const auto starts = startsOf({lengths.begin(), lengths.end()});
    const at::Tensor q = numbers(starts.back(), kWidth, 1);
    const at::Tensor k = numbers(starts.back(), kWidth, 2);
    const at::Tensor v = numbers(starts.back(), kWidth, 3);
    runtime::RelativeBias bias(numbers(32, kShape.heads, 4), {}, 128, true);
    bias.reach(80);
    const auto* added = biased ? &bias : nullptr;
    const auto expected = runtime::encoderAttention(device(false), q, k, v, starts, kShape, added);
    const auto found = runtime::encoderAttention(device(true), q, k, v, starts, kShape, added);
    QVERIFY2(difference(found, expected) < 1e-5,
             qPrintable(QString::number(difference(found, expected))));
}

/// Beams share a source, sequences come in any order of sources and with any number of rows.
void TestTorchAttention::sources() {
    const c10::InferenceMode inference(true);
    const auto starts = startsOf({4, 11, 4, 2});
    const at::Tensor k = numbers(starts.back(), kWidth, 5);
    const at::Tensor v = numbers(starts.back(), kWidth, 6);
    const std::vector<std::int64_t> sources{2, 2, 0, 1, 2, 3, 1};
    const auto rows = startsOf({1, 2, 3, 1, 2, 1, 1});
    const at::Tensor q = numbers(rows.back(), kWidth, 7);
    const auto attend = [&](const runtime::Device& on) {
        return runtime::SourceKeys(on, k, v, starts, kShape).attend(on, q, sources, rows);
    };
    const auto expected = attend(device(false));
    QVERIFY(difference(attend(device(true)), expected) < 1e-5);
}

/// Scores that would take too much memory come a few queries at a time.
void TestTorchAttention::tilesOfQueries() {
    const c10::InferenceMode inference(true);
    const std::vector<Stretch> texts{{0, 13, 0, 13}, {13, 26, 13, 26}, {26, 33, 26, 33}};
    runtime::RelativeBias bias(numbers(32, 4, 8), {}, 128, true);
    bias.reach(16);
    for (const std::int64_t dim : {6, 8}) {
        const at::Tensor q = numbers(33, 4 * dim, 9);
        const at::Tensor k = numbers(33, 4 * dim, 10);
        const at::Tensor v = numbers(33, 4 * dim, 11);
        for (const auto* added : {static_cast<const runtime::RelativeBias*>(nullptr),
                                  static_cast<const runtime::RelativeBias*>(&bias)}) {
            runtime::AttentionWork work{{4, 4, dim}, added};
            const auto whole = runtime::attendStretches(device(true), q, k, v, texts, work);
            for (const std::int64_t most : {1, 500}) {
                work.mostScores = most;
                const auto tiled = runtime::attendStretches(device(true), q, k, v, texts, work);
                QVERIFY(difference(tiled, whole) < 1e-5);
            }
        }
    }
}

/// Texts in a batch have the gradients of texts alone.
void TestTorchAttention::gradientsOfManyLengths() {
    const auto on = device(true);
    const auto starts = startsOf({3, 6, 3});
    const at::Tensor q = numbers(starts.back(), kWidth, 12).requires_grad_(true);
    const at::Tensor k = numbers(starts.back(), kWidth, 13);
    const at::Tensor v = numbers(starts.back(), kWidth, 14);
    const at::Tensor by = numbers(starts.back(), kWidth, 15);
    (runtime::encoderAttention(on, q, k, v, starts, kShape) * by).sum().backward();
    const at::Tensor together = q.grad().clone();
    q.mutable_grad().zero_();
    for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
        const auto part = [&](const at::Tensor& x) { return x.slice(0, starts[i], starts[i + 1]); };
        const std::vector<std::int64_t> alone{0, starts[i + 1] - starts[i]};
        (runtime::encoderAttention(on, part(q), part(k), part(v), alone, kShape) * part(by))
            .sum()
            .backward();
    }
    QVERIFY(difference(together, q.grad()) < 1e-5);
    QVERIFY(difference(together, at::zeros_like(together)) > 1e-3);
}

void TestTorchAttention::equalSizesTogether() {
    const std::vector<Stretch> stretches{
        {0, 2, 0, 5}, {2, 3, 5, 9}, {3, 5, 9, 14}, {5, 6, 0, 4}, {6, 8, 3, 7}};
    const auto groups = runtime::equalStretches(stretches);
    const std::vector<std::vector<std::size_t>> expected{{0, 2}, {1, 3}, {4}};
    QCOMPARE(groups, expected);
}

/// Texts of fewer than 16 tokens keep their bits whatever else is in the batch, longer ones are as near as bfloat16 is.
void TestTorchAttention::textsInPairs() {
    const auto on = device(false);
    runtime::HeadShape shape = kShape;
    shape.rounded = true;
    if (!runtime::attendsInPairs(on, shape, runtime::kPairTokens)) {
        QSKIP("this processor does not multiply bfloat16");
    }
    const c10::InferenceMode inference(true);
    runtime::RelativeBias bias(numbers(32, kShape.heads, 4), {}, 128, true);
    bias.reach(140);
    for (const std::int64_t length : {15, 16, 17, 70, 129}) {
        const auto starts = startsOf({3, length, 15});
        const at::Tensor q = numbers(starts.back(), kWidth, 20);
        const at::Tensor k = numbers(starts.back(), kWidth, 21);
        const at::Tensor v = numbers(starts.back(), kWidth, 22);
        const at::Tensor exact = runtime::encoderAttention(on, q, k, v, starts, kShape, &bias);
        const at::Tensor found = runtime::encoderAttention(on, q, k, v, starts, shape, &bias);
        for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
            const double away = difference(found.slice(0, starts[i], starts[i + 1]), exact.slice(0, starts[i], starts[i + 1]));
            const bool rounded = starts[i + 1] - starts[i] >= runtime::kPairTokens;
            QVERIFY2(rounded ? away > 0.0 && away < 0.05 : away == 0.0, qPrintable(QString::number(away)));
        }
    }
}

void TestTorchAttention::cachesInPairs_data() {
    QTest::addColumn<int>("held");
    QTest::addColumn<qint64>("window");
    QTest::newRow("fp32") << int(NumberFormat::F32) << qint64{0};
    QTest::newRow("fp32, a window") << int(NumberFormat::F32) << qint64{70};
    QTest::newRow("int8") << int(NumberFormat::Int8) << qint64{0};
    QTest::newRow("int8, a window") << int(NumberFormat::Int8) << qint64{70};
}

/// Heads that share keys, several threads' worth of tasks, steps behind one another: a token alone, and 3, stay in fp32.
void TestTorchAttention::cachesInPairs() {
    QFETCH(int, held);
    QFETCH(qint64, window);
    runtime::HeadShape shape{6, 2, 8};
    shape.rounded = true;
    for (const int threads : {1, 64}) {
        auto on = device(false);
        on.threads = threads;
        if (!runtime::attendsInPairs(on, shape, runtime::kPairTokens)) {
            QSKIP("this processor does not multiply bfloat16");
        }
        const c10::InferenceMode inference(true);
        runtime::BlockCache exact(on, 1, 400, {6, 2, 8}, static_cast<NumberFormat>(held));
        runtime::BlockCache rounded(on, 1, 400, shape, static_cast<NumberFormat>(held));
        runtime::CausalAttention how;
        how.scale = 0.35F;
        how.window = window;
        std::int64_t past = 0;
        for (const std::int64_t tokens : {40, 1, 130, 3, 65, 16}) {
            const auto seed = static_cast<unsigned>(30 + past);
            const at::Tensor q = numbers(tokens, 48, seed);
            const at::Tensor k = numbers(tokens, 16, seed + 1);
            const at::Tensor v = numbers(tokens, 16, seed + 2);
            const runtime::StepRows step{{0, tokens}, {past}, nullptr};
            const double away = difference(rounded.attend(on, q, k, v, step, how), exact.attend(on, q, k, v, step, how));
            QVERIFY2(tokens >= runtime::kPairTokens ? away > 0.0 && away < 0.05 : away == 0.0,
                     qPrintable(QString::number(away)));
            past += tokens;
        }
    }
}

QTEST_GUILESS_MAIN(TestTorchAttention)
#include "tst_torch_attention.moc"
