// Models run a block at a time: the same hidden states as in one pass, inputs of layers as they are,
// weights that change in between.
#include <map>

#include <QtTest>

#include "engine/models/blockwise.h"
#include "tests/engine/models/golden.h"

using namespace pareto;
using models::Blockwise;
using models::HiddenStates;
using models::Matrix;

namespace {

Result<std::unique_ptr<Blockwise>> blocksOf(const LoadedModel& model) {
    Progress progress;
    models::DeviceOptions options;
    options.threads = 1;
    return models::prepareBlockwise(model, options, progress, {});
}

/// Logits of one hidden state: RMSNorm, then the head.
std::vector<float> headOf(const LoadedModel& model, std::span<const float> state) {
    const auto norm = dequantize(model.tensors.at("decoder.norm.weight"));
    const auto& head = *model.layout.findLayer("lm_head");
    const auto weight = dequantize(model.weight(head));
    double squares = 0.0;
    for (const float value : state) {
        squares += static_cast<double>(value) * value;
    }
    const double scale = 1.0 / std::sqrt(squares / static_cast<double>(state.size()) + model.layout.normEpsilon);
    std::vector<float> out;
    for (std::size_t word = 0; word * state.size() < weight.size(); ++word) {
        double sum = 0.0;
        for (std::size_t i = 0; i < state.size(); ++i) {
            sum += static_cast<double>(state[i]) * scale * norm[i] * weight[word * state.size() + i];
        }
        out.push_back(static_cast<float>(sum));
    }
    return out;
}

const models::TokenBatch kBatch{{{3, 5, 8, 2, 9}, {4, 7}, {6, 6, 1, 10, 11, 12}}, {}};

}  // namespace

class TestBlockwise : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sameAsInOnePass_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"encoders/bert_bare", "encoders/mpnet_bare", "encoders/albert_bare",
                                 "encoders/roberta_bare", "decoders/gpt2", "decoders/gemma3", "decoders/qwen3"}) {
            QTest::newRow(name) << QString::fromLatin1(name);
        }
    }
    void sameAsInOnePass();
    void tapsAndReplacements();
    void encoderDecodersAreRefused();
};

void TestBlockwise::sameAsInOnePass() {
    QFETCH(QString, name);
    const auto model = test::openModel(test::kGolden + name.toStdString());
    CHECK_OK(model);
    const auto blocks = blocksOf(model.value());
    CHECK_OK(blocks);
    auto& parts = *blocks.value();
    auto hidden = parts.embed(kBatch, {});
    CHECK_OK(hidden);
    QCOMPARE(hidden.value().starts, (std::vector<std::int64_t>{0, 5, 7, 13}));
    for (std::size_t block = 0; block < parts.layout().blocks.size(); ++block) {
        auto next = parts.runBlock(static_cast<int>(block), hidden.value(), {}, {});
        CHECK_OK(next);
        hidden.value().values = std::move(next).value();
    }
    const auto runnable = test::prepare(model.value(), 1);
    CHECK_OK(runnable);
    if (runnable.value().encoder) {
        // Padded there.
        const auto whole = runnable.value().encoder->hiddenStates(kBatch, {});
        CHECK_OK(whole);
        const auto longest = whole.value().rows / 3;
        for (std::int64_t item = 0; item < 3; ++item) {
            const auto first = hidden.value().starts[static_cast<std::size_t>(item)];
            for (std::int64_t row = first; row < hidden.value().starts[static_cast<std::size_t>(item) + 1]; ++row) {
                QVERIFY(test::largestDifference(hidden.value().values.row(row),
                                                whole.value().row(item * longest + row - first)) < 1e-6);
            }
        }
        return;
    }
    // Decoders say logits: the final norm and the head are applied here, for one with RMSNorm.
    for (std::size_t item = 0; item < kBatch.ids.size(); ++item) {
        const auto whole = runnable.value().decoder->logits(kBatch.ids[item], {});
        CHECK_OK(whole);
        for (std::int64_t row = 0; name == QStringLiteral("decoders/qwen3") && row < whole.value().rows; ++row) {
            const auto state = hidden.value().values.row(hidden.value().starts[item] + row);
            const auto found = headOf(model.value(), state);
            QVERIFY(test::largestDifference(found, whole.value().row(row)) < 1e-4);
        }
    }
    // What one sequence gives does not depend on the others.
    auto alone = parts.embed({{kBatch.ids[2]}, {}}, {});
    CHECK_OK(alone);
    for (std::size_t block = 0; block < parts.layout().blocks.size(); ++block) {
        auto next = parts.runBlock(static_cast<int>(block), alone.value(), {}, {});
        CHECK_OK(next);
        alone.value().values = std::move(next).value();
    }
    for (std::int64_t row = 0; row < alone.value().values.rows; ++row) {
        QVERIFY(test::largestDifference(hidden.value().values.row(7 + row), alone.value().values.row(row)) < 1e-5);
    }
}

/// The product of what a layer reads and its weight is what the next one reads; a weight of zeros lets the
/// residual stream alone through.
void TestBlockwise::tapsAndReplacements() {
    const auto model = test::openModel(test::kGolden + "decoders/qwen3");
    CHECK_OK(model);
    const auto blocks = blocksOf(model.value());
    CHECK_OK(blocks);
    const auto hidden = blocks.value()->embed(kBatch, {});
    CHECK_OK(hidden);
    std::map<std::string, std::vector<std::int64_t>> seen;
    const auto tap = [&](const std::string& layer, const float* values, std::int64_t rows, std::int64_t cols) {
        QVERIFY(values != nullptr);
        seen[layer] = {rows, cols};
    };
    CHECK_OK(blocks.value()->runBlock(1, hidden.value(), tap, {}));
    QCOMPARE(seen.size(), std::size_t{7});
    for (const auto& [name, size] : seen) {
        const auto* layer = model.value().layout.findLayer(name);
        QVERIFY(layer != nullptr && layer->block == 1);
        QCOMPARE(size, (std::vector<std::int64_t>{13, layer->cols}));
    }
    for (const char* name : {"decoder.layer.1.attention.output", "decoder.layer.1.ffn.down"}) {
        const auto& weight = model.value().weight(*model.value().layout.findLayer(name));
        const std::vector<float> zeros(static_cast<std::size_t>(weight.shape.elements()));
        CHECK_OK(blocks.value()->replaceWeight(name, denseTensor(weight.shape, std::span<const float>(zeros)), nullptr));
    }
    const auto through = blocks.value()->runBlock(1, hidden.value(), {}, {});
    CHECK_OK(through);
    QVERIFY(through.value().values == hidden.value().values.values);
    // A bias that was not there is added to the stream.
    const auto& down = model.value().weight(*model.value().layout.findLayer("decoder.layer.1.ffn.down"));
    const std::vector<float> zeros(static_cast<std::size_t>(down.shape.elements()));
    const std::vector<float> ones(static_cast<std::size_t>(down.shape[0]), 1.0F);
    const auto bias = denseTensor(Shape{down.shape[0]}, std::span<const float>(ones));
    CHECK_OK(blocks.value()->replaceWeight("decoder.layer.1.ffn.down",
                                           denseTensor(down.shape, std::span<const float>(zeros)), &bias));
    const auto shifted = blocks.value()->runBlock(1, hidden.value(), {}, {});
    CHECK_OK(shifted);
    for (std::size_t at = 0; at < shifted.value().values.size(); ++at) {
        QCOMPARE(shifted.value().values[at], hidden.value().values.values[at] + 1.0F);
    }
    QVERIFY(!blocks.value()->replaceWeight("embeddings.word", {}, nullptr).ok());
}

void TestBlockwise::encoderDecodersAreRefused() {
    const auto model = test::openModel(test::kGolden + "tiny_t5");
    CHECK_OK(model);
    const auto blocks = blocksOf(model.value());
    QVERIFY(!blocks.ok());
    QCOMPARE(blocks.error().code, ErrorCode::TaskUnfit);
}

QTEST_GUILESS_MAIN(TestBlockwise)
#include "tst_blockwise.moc"
