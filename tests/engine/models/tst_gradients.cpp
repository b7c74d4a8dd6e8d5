// Models differentiated by their layers' weights: the loss is that of the kernels' outputs, gradients are those of
// finite differences.
#include <QtTest>

#include "engine/models/gradients.h"
#include "tests/engine/models/golden.h"

using namespace pareto;
using models::GradientModel;

namespace {

const std::vector<std::int32_t> kIds{3, 5, 8, 2, 9, 11, 4};
constexpr std::uint64_t kSeed = 7;

Result<std::unique_ptr<GradientModel>> gradientsOf(const LoadedModel& model) {
    Progress progress;
    models::DeviceOptions options;
    options.threads = 1;
    return models::prepareGradients(model, options, progress, {});
}

std::vector<std::string> layersOf(const ModelLayout& layout) {
    std::vector<std::string> out;
    for (const auto& layer : layout.layers) {
        if (layer.block >= 0 && layer.tiedTo.empty()) {
            out.push_back(layer.name);
        }
    }
    return out;
}

Result<double> lossOf(GradientModel& model) {
    RandomStream random(kSeed, "test");
    return model.differentiate(kIds, random, {}, {}, {});
}

/// What GradientModel says it draws, from outputs of the kernels.
double expectedLoss(const models::Matrix& outputs, Outputs kind) {
    RandomStream random(kSeed, "test");
    double loss = 0.0;
    for (std::int64_t row = 0; row < outputs.rows; ++row) {
        const auto values = outputs.row(row);
        if (kind == Outputs::Embedding) {
            for (const float value : values) {
                loss += value * static_cast<float>(random.normal());
            }
            continue;
        }
        double sum = 0.0;
        for (const float value : values) {
            sum += std::exp(static_cast<double>(value));
        }
        double left = random.uniform();
        for (const float value : values) {
            left -= std::exp(static_cast<double>(value)) / sum;
            if (left < 0.0) {
                loss += std::log(sum) - value;
                break;
            }
        }
    }
    return loss;
}

}  // namespace

class TestGradients : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void families_data();
    void families();
    void sameSeedSameGradients();
    void refusals();
};

void TestGradients::families_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"encoders/bert_bare", "encoders/mpnet_bare", "encoders/albert_bare", "encoders/roberta_bare",
                             "decoders/gpt2", "decoders/gemma2", "decoders/gemma3", "decoders/qwen3", "tiny_llama",
                             "tiny_bert"}) {
        QTest::newRow(name) << QString::fromLatin1(name);
    }
}

void TestGradients::families() {
    QFETCH(QString, name);
    const auto opened = test::openModel(test::kGolden + name.toStdString());
    CHECK_OK(opened);
    const LoadedModel& model = opened.value();
    const auto made = gradientsOf(model);
    CHECK_OK(made);
    GradientModel& graph = *made.value();

    const auto runnable = test::prepare(model, 1);
    CHECK_OK(runnable);
    const auto outputs = runnable.value().decoder ? runnable.value().decoder->logits(kIds, {})
                                                  : runnable.value().encoder->run({{kIds}, {}}, {});
    CHECK_OK(outputs);
    const auto loss = lossOf(graph);
    CHECK_OK(loss);
    const double expected = expectedLoss(outputs.value(), model.layout.outputs);
    QVERIFY2(std::fabs(loss.value() - expected) < 2e-4 * std::max(1.0, std::fabs(expected)),
             qPrintable(QStringLiteral("%1 instead of %2").arg(loss.value()).arg(expected)));

    const auto layers = layersOf(model.layout);
    std::map<std::string, std::vector<float>> gradients;
    RandomStream random(kSeed, "test");
    CHECK_OK(graph.differentiate(
        kIds, random, layers,
        [&](const std::string& layer, std::span<const float> g) { gradients[layer].assign(g.begin(), g.end()); }, {}));
    QCOMPARE(gradients.size(), layers.size());
    RandomStream noise(3, "direction");
    for (const auto& [layer, gradient] : gradients) {
        const Tensor& weight = model.weight(*model.layout.findLayer(layer));
        const auto values = dequantize(weight);
        QCOMPARE(gradient.size(), values.size());
        // Along the gradient itself, which fp32 resolves best, with a little of everything else.
        double norm = 0.0;
        for (const float g : gradient) {
            norm += static_cast<double>(g) * g;
        }
        norm = std::sqrt(norm);
        if (norm < 1e-4) {
            continue;  // keys' biases and the like: nothing to see in fp32
        }
        std::vector<float> direction;
        double slope = 0.0;
        for (const float g : gradient) {
            direction.push_back(static_cast<float>(g / norm + 0.02 * noise.normal()));
            slope += static_cast<double>(direction.back()) * g;
        }
        const auto lossAt = [&](double step) {
            auto moved = values;
            for (std::size_t at = 0; at < moved.size(); ++at) {
                moved[at] += static_cast<float>(step) * direction[at];
            }
            [&] { CHECK_OK(graph.replaceWeight(layer, denseTensor(weight.shape, moved))); }();
            return lossOf(graph).value();
        };
        const double step = 4e-3 / (1.0 + norm);  // so small that no other answer is drawn
        const double found = (lossAt(step) - lossAt(-step)) / (2.0 * step);
        CHECK_OK(graph.replaceWeight(layer, weight));
        QVERIFY2(std::fabs(found - slope) < 0.03 * std::fabs(slope) + 2e-3,
                 qPrintable(QStringLiteral("%1: %2 by differences, %3 by the gradient")
                                .arg(QString::fromStdString(layer)).arg(found).arg(slope)));
    }
}

void TestGradients::sameSeedSameGradients() {
    const auto opened = test::openModel(test::kGolden + "tiny_llama");
    CHECK_OK(opened);
    const auto made = gradientsOf(opened.value());
    CHECK_OK(made);
    const std::vector<std::string> one{layersOf(opened.value().layout).front()};
    const auto gradientFor = [&](std::uint64_t seed) {
        std::vector<float> out;
        RandomStream random(seed, "test");
        [&] {
            CHECK_OK(made.value()->differentiate(
                kIds, random, one,
                [&](const std::string&, std::span<const float> g) { out.assign(g.begin(), g.end()); }, {}));
        }();
        return out;
    };
    const auto first = gradientFor(1);
    QVERIFY(!first.empty());
    QCOMPARE(gradientFor(1), first);
    QVERIFY(gradientFor(2) != first);
}

void TestGradients::refusals() {
    const auto pairs = test::openModel(test::kGolden + "tiny_t5");
    CHECK_OK(pairs);
    QVERIFY(gradientsOf(pairs.value()).error().code == ErrorCode::TaskUnfit);
    const auto opened = test::openModel(test::kGolden + "tiny_llama");
    CHECK_OK(opened);
    const auto made = gradientsOf(opened.value());
    CHECK_OK(made);
    RandomStream random(1, "test");
    const std::vector<std::string> unknown{"decoder.layer.9.ffn.up"};
    const auto missing = made.value()->differentiate(kIds, random, unknown, {}, {});
    QVERIFY(!missing.ok());
    QVERIFY(errorMessage(missing.error()).find("decoder.layer.9.ffn.up") != std::string::npos);
    QVERIFY(!made.value()->differentiate({1 << 30}, random, {}, {}, {}).ok());
}

QTEST_GUILESS_MAIN(TestGradients)
#include "tst_gradients.moc"
