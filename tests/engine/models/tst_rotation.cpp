// Rotation of the residual stream: the model says the same, and its weights round better.
#include <algorithm>
#include <numeric>

#include "engine/compress/hadamard.h"
#include "engine/compress/prune/structure.h"
#include "engine/compress/rotate.h"
#include "engine/weights/quantize.h"
#include "tests/engine/models/golden.h"

using namespace pareto;
using namespace pareto::test;
using compress::RotatedModel;
using compress::Rotation;

namespace {

const std::vector<std::string> kRotatable{"decoders/llama_bias", "decoders/llama_rope",
                                          "decoders/mistral",    "decoders/qwen2",
                                          "decoders/qwen3",      "tiny_llama"};

std::vector<std::int32_t> someIds(const ModelLayout& layout) {
    std::vector<std::int32_t> ids;
    for (std::int64_t at = 0; at < 12; ++at) {
        ids.push_back(static_cast<std::int32_t>((at * 37 + 5) % layout.vocabulary));
    }
    return ids;
}

Result<std::vector<float>> logitsOf(const LoadedModel& model) {
    PARETO_TRY(auto runnable, prepare(model));
    PARETO_TRY(auto logits, runnable.decoder->logits(someIds(model.layout), {}));
    return logits.values;
}

Result<RotatedModel> rotated(const LoadedModel& model, std::uint64_t seed = 1) {
    return compress::rotateModel(model, seed, {});
}

/// Norms of other weights than 1, so that folding them matters.
void varyNorms(LoadedModel& model) {
    for (const PlainTensor& plain : model.layout.plain) {
        auto values = dequantize(model.tensors.at(plain.name));
        for (std::size_t at = 0; at < values.size(); ++at) {
            values[at] *= 0.5F + static_cast<float>((at * 7) % 11) / 10.0F;
        }
        model.tensors.insert_or_assign(plain.name, denseTensor(plain.shape, values));
    }
}

double kurtosis(const std::vector<float>& values) {
    double squares = 0.0;
    double fourths = 0.0;
    for (const float value : values) {
        const double square = static_cast<double>(value) * value;
        squares += square;
        fourths += square * square;
    }
    return fourths * static_cast<double>(values.size()) / (squares * squares);
}

/// ‖W − Ŵ‖² / ‖W‖² of int4, a scale a row.
double roundingError(const Tensor& weight) {
    WeightFormat format;
    format.format = NumberFormat::Int4;
    const auto values = dequantize(weight);
    const auto held = dequantize(quantizeTensor(values, weight.shape[0], weight.shape[1], format));
    double error = 0.0;
    double norm = 0.0;
    for (std::size_t at = 0; at < values.size(); ++at) {
        error += std::pow(static_cast<double>(values[at]) - held[at], 2);
        norm += static_cast<double>(values[at]) * values[at];
    }
    return error / norm;
}

}  // namespace

class TestRotation : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void matricesAreOrthogonal_data();
    void matricesAreOrthogonal();
    void sameLogits_data();
    void sameLogits();
    void headsAreRotated();
    void prunedModelsToo();
    void outliersSpread();
    void sameForAnyThreads();
    void otherFamiliesAreRefused_data();
    void otherFamiliesAreRefused();
    void cancels();
};

void TestRotation::matricesAreOrthogonal_data() {
    QTest::addColumn<int>("width");
    QTest::addColumn<bool>("hadamard");
    for (const int width : {1, 2, 64, 12, 20, 28, 36, 44, 60, 576, 96, 112, 896}) {
        QTest::addRow("%d", width) << width << true;
    }
    QTest::newRow("104: eight times 13") << 104 << true;
    for (const int width : {3, 14, 25, 46, 92}) {
        QTest::addRow("%d", width) << width << false;
    }
}

void TestRotation::matricesAreOrthogonal() {
    QFETCH(int, width);
    QFETCH(bool, hadamard);
    const auto n = static_cast<std::size_t>(width);
    const Rotation rotation(width, 3);
    std::vector<std::vector<double>> rows(n, std::vector<double>(n));
    std::vector<double> scratch;
    for (std::size_t row = 0; row < n; ++row) {
        rows[row][row] = 1.0;
        rotation.apply(rows[row], scratch);
    }
    QCOMPARE(rotation.isHadamard(), hadamard);
    double worst = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            double sum = 0.0;
            for (std::size_t at = 0; at < n; ++at) {
                sum += rows[i][at] * rows[j][at];
            }
            worst = std::max(worst, std::fabs(sum - (i == j ? 1.0 : 0.0)));
        }
        for (std::size_t at = 0; hadamard && at < n; ++at) {
            worst =
                std::max(worst, std::fabs(std::fabs(rows[i][at]) * std::sqrt(double(width)) - 1.0));
        }
    }
    QVERIFY2(worst < 1e-12, qPrintable(QString::number(worst)));
    const auto ofSeed = [&](std::uint64_t seed) {
        std::vector<double> values(n);
        std::iota(values.begin(), values.end(), 1.0);
        Rotation(width, seed).apply(values, scratch);
        return values;
    };
    QVERIFY(ofSeed(3) == ofSeed(3));
    QVERIFY(width < 12 || ofSeed(3) != ofSeed(4));
}

void TestRotation::sameLogits_data() {
    QTest::addColumn<QString>("name");
    for (const auto& name : kRotatable) {
        QTest::newRow(name.c_str()) << QString::fromStdString(name);
    }
}

void TestRotation::sameLogits() {
    QFETCH(QString, name);
    auto opened = openModel(kGolden + name.toStdString());
    CHECK_OK(opened);
    LoadedModel model = std::move(opened).value();
    varyNorms(model);
    const auto before = logitsOf(model);
    CHECK_OK(before);
    const bool tied = !model.layout.findLayer("lm_head")->tiedTo.empty();
    const std::uint64_t bytes = model.bytes();
    const auto now = rotated(model);
    CHECK_OK(now);
    const auto after = logitsOf(now->model);
    CHECK_OK(after);
    const double difference =
        largestDifference(after.value(), std::span<const float>(before.value()));
    QVERIFY2(difference < 1e-4, qPrintable(QString::number(difference)));
    QVERIFY(difference > 0.0);
    QCOMPARE(
        now->untiedBytes,
        tied ? static_cast<std::uint64_t>(model.layout.vocabulary * model.layout.hidden * 4) : 0U);
    QVERIFY(now->model.layout.findLayer("lm_head")->tiedTo.empty());
    QCOMPARE(model.bytes(), bytes);
    for (const auto value : dequantize(now->model.tensors.at("decoder.norm.weight"))) {
        QCOMPARE(value, 1.0F);
    }
    const std::string down = "decoder.layer.0.ffn.down.weight";
    QVERIFY(largestDifference(dequantize(now->model.tensors.at(down)),
                              std::span<const float>(dequantize(model.tensors.at(down)))) > 0.01);
}

void TestRotation::headsAreRotated() {
    auto model = openModel(kGolden + "decoders/qwen2");
    CHECK_OK(model);
    const auto now = rotated(model.value());
    CHECK_OK(now);
    const auto dim = static_cast<std::uint64_t>(model->layout.headDim);
    QCOMPARE(now->heads, (dim & (dim - 1)) == 0);
    // A bias of value is rotated within its heads: another one, of the same length.
    const std::string bias = "decoder.layer.0.attention.value.bias";
    const auto before = dequantize(model->tensors.at(bias));
    const auto after = dequantize(now->model.tensors.at(bias));
    double was = 0.0;
    double is = 0.0;
    for (std::size_t at = 0; at < before.size(); ++at) {
        was += static_cast<double>(before[at]) * before[at];
        is += static_cast<double>(after[at]) * after[at];
    }
    QVERIFY(was > 0.0 && std::fabs(was - is) < 1e-5 * was);
    QVERIFY(before != after);
}

void TestRotation::prunedModelsToo() {
    auto opened = openModel(kGolden + "decoders/qwen2");
    CHECK_OK(opened);
    LoadedModel model = std::move(opened).value();
    const BlockInfo block = model.layout.blocks[0];
    std::vector<std::int64_t> neurons;
    for (std::int64_t at = 0; at < block.neurons; at += 2) {
        neurons.push_back(at);
    }
    compress::cutGroup(model, block.feedForward, neurons);
    if (model.layout.groups[static_cast<std::size_t>(block.attention)].units > 1) {
        compress::cutGroup(model, block.attention, {1});
    }
    const auto before = logitsOf(model);
    CHECK_OK(before);
    const auto now = rotated(model);
    CHECK_OK(now);
    const auto after = logitsOf(now->model);
    CHECK_OK(after);
    QVERIFY(largestDifference(after.value(), std::span<const float>(before.value())) < 1e-4);
}

void TestRotation::outliersSpread() {
    auto opened = openModel(kGolden + "tiny_llama");
    CHECK_OK(opened);
    LoadedModel model = std::move(opened).value();
    // Three loud channels of the stream, as big models have them.
    for (const LayerInfo& layer : model.layout.layers) {
        if (layer.role != LayerRole::Query && layer.role != LayerRole::FfnUp) {
            continue;
        }
        auto values = dequantize(model.weight(layer));
        for (std::size_t at = 0; at < values.size(); ++at) {
            const std::size_t col = at % static_cast<std::size_t>(layer.cols);
            values[at] *= col == 1 || col == 7 || col == 20 ? 25.0F : 1.0F;
        }
        model.tensors.insert_or_assign(layer.name + ".weight",
                                       denseTensor(Shape{layer.rows, layer.cols}, values));
    }
    const auto now = rotated(model);
    CHECK_OK(now);
    for (const char* name :
         {"decoder.layer.0.attention.query.weight", "decoder.layer.1.ffn.up.weight"}) {
        const Tensor& before = model.tensors.at(name);
        const Tensor& after = now->model.tensors.at(name);
        QVERIFY(kurtosis(dequantize(before)) > 8.0);
        QVERIFY(kurtosis(dequantize(after)) < 4.0);
        QVERIFY2(roundingError(after) < 0.75 * roundingError(before),
                 qPrintable(QString::number(roundingError(after) / roundingError(before))));
    }
}

void TestRotation::sameForAnyThreads() {
    auto model = openModel(kGolden + "tiny_llama");
    CHECK_OK(model);
    const auto one = rotated(model.value(), 5);
    const auto other = compress::rotateModel(model.value(), 5, {}, models::torchParallelFor());
    const auto seed = rotated(model.value(), 6);
    CHECK_OK(one);
    CHECK_OK(other);
    CHECK_OK(seed);
    bool differs = false;
    for (const auto& [name, tensor] : one->model.tensors) {
        QVERIFY(dequantize(tensor) == dequantize(other->model.tensors.at(name)));
        differs = differs || dequantize(tensor) != dequantize(seed->model.tensors.at(name));
    }
    QVERIFY(differs);
}

void TestRotation::otherFamiliesAreRefused_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("reason");
    QTest::newRow("gemma2") << QStringLiteral("decoders/gemma2")
                            << QStringLiteral("behind its sublayers");
    QTest::newRow("gemma3") << QStringLiteral("decoders/gemma3")
                            << QStringLiteral("behind its sublayers");
    QTest::newRow("gpt2") << QStringLiteral("decoders/gpt2") << QStringLiteral("LayerNorm");
    QTest::newRow("bert") << QStringLiteral("tiny_bert") << QStringLiteral("no decoder");
    QTest::newRow("t5") << QStringLiteral("tiny_t5") << QStringLiteral("no decoder");
}

void TestRotation::otherFamiliesAreRefused() {
    QFETCH(QString, name);
    QFETCH(QString, reason);
    const auto model = openModel(kGolden + name.toStdString());
    CHECK_OK(model);
    const auto now = rotated(model.value());
    QVERIFY(!now.ok() && !now.cancelled());
    QCOMPARE(now.error().code, ErrorCode::RecipeInvalid);
    QVERIFY(QString::fromStdString(errorMessage(now.error())).contains(reason));
}

void TestRotation::cancels() {
    const auto model = openModel(kGolden + "tiny_llama");
    CHECK_OK(model);
    std::stop_source source;
    source.request_stop();
    QVERIFY(compress::rotateModel(model.value(), 1, source.get_token()).cancelled());
}

QTEST_GUILESS_MAIN(TestRotation)
#include "tst_rotation.moc"
