// The forward passes against what transformers, ONNX Runtime and gguf say; see
// tests/golden/models/make_models.py.
#include <filesystem>

#include "engine/models/generate.h"
#include "engine/spec/task.h"
#include "tests/engine/models/golden.h"

using namespace pareto;
using namespace pareto::test;
using models::Matrix;

namespace {

models::TokenBatch batchOf(const Json& ids) {
    models::TokenBatch batch;
    for (const auto& row : ids) {
        batch.ids.push_back(idsOf(row));
    }
    return batch;
}

}  // namespace

#define NEEDS_SAMPLE(folder)                                                                \
    if (!std::filesystem::exists(folder)) {                                                 \
        QSKIP(qPrintable(QStringLiteral("sample missing: %1").arg(QString::fromStdString(folder)))); \
    }

class TestModelsGolden : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tinyBertLogits();
    void tinyLlama();
    void tinyLlamaBatchedSteps();
    void miniLm_data();
    void miniLm();
    void classifierAgreesWithOnnxRuntime();
    void smolLm2();
};

void TestModelsGolden::tinyBertLogits() {
    const Json expected = golden("tiny_bert.json");
    QVERIFY(expected.is_object());
    auto runnable = prepare(kGolden + "tiny_bert", 2);
    CHECK_OK(runnable);
    auto& encoder = runnable->encoder;
    QVERIFY(encoder != nullptr);
    auto batch = batchOf(expected["ids"]);
    batch.typeIds = batchOf(expected["types"]).ids;
    auto out = encoder->run(batch, {});
    CHECK_OK(out);
    QCOMPARE(out->rows, std::int64_t{4});
    for (std::int64_t i = 0; i < out->rows; ++i) {
        QVERIFY(largestDifference(out->row(i), expected["logits"][static_cast<std::size_t>(i)]) < 1e-4);
        models::TokenBatch alone;
        alone.ids = {batch.ids[static_cast<std::size_t>(i)]};
        alone.typeIds = {batch.typeIds[static_cast<std::size_t>(i)]};
        auto one = encoder->run(alone, {});
        CHECK_OK(one);
        QVERIFY(largestDifference(one->row(0), expected["logits"][static_cast<std::size_t>(i)]) < 1e-4);
    }
}

void TestModelsGolden::tinyLlama() {
    const Json expected = golden("tiny_llama.json");
    QVERIFY(expected.is_object());
    auto runnable = prepare(kGolden + "tiny_llama", 2);
    CHECK_OK(runnable);
    auto& decoder = *runnable->decoder;
    const auto ids = idsOf(expected["ids"]);
    auto logits = decoder.logits(ids, {});
    CHECK_OK(logits);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        QVERIFY(largestDifference(logits->row(static_cast<std::int64_t>(i)), expected["logits"][i]) < 1e-3);
    }
    auto nll = decoder.negativeLogLikelihoods(ids, {});
    CHECK_OK(nll);
    QVERIFY(largestDifference(nll.value(), expected["nll"]) < 1e-3);
    models::GenerateOptions options;
    options.maxTokens = 30;
    auto made = models::generate(decoder, {ids.begin(), ids.begin() + 5}, options, {}, {});
    CHECK_OK(made);
    QCOMPARE(made->ids, idsOf(expected["greedy"]));
    QCOMPARE(made->tokenSeconds.size(), std::size_t{29});
}

/// Chunks of different sizes and two sequences at a time give what one pass gives.
void TestModelsGolden::tinyLlamaBatchedSteps() {
    const Json expected = golden("tiny_llama.json");
    auto runnable = prepare(kGolden + "tiny_llama", 2);
    CHECK_OK(runnable);
    auto& decoder = *runnable->decoder;
    const auto ids = idsOf(expected["ids"]);
    const std::vector<std::int32_t> other(ids.rbegin(), ids.rend());
    auto otherLogits = decoder.logits(other, {});
    CHECK_OK(otherLogits);
    auto cache = decoder.newCache(2, {static_cast<std::int64_t>(ids.size())});
    CHECK_OK(cache);
    std::size_t at = 0;
    for (const std::size_t tokens : {std::size_t{3}, std::size_t{1}, std::size_t{9}, std::size_t{1}, std::size_t{7}}) {
        const auto part = [&](const std::vector<std::int32_t>& of) {
            return std::vector<std::int32_t>(of.begin() + static_cast<std::ptrdiff_t>(at),
                                             of.begin() + static_cast<std::ptrdiff_t>(at + tokens));
        };
        auto step = decoder.step({part(ids), part(other)}, *cache.value(), {});
        CHECK_OK(step);
        at += tokens;
        QCOMPARE(cache.value()->length(), static_cast<std::int64_t>(at));
        QVERIFY(largestDifference(step->row(0), expected["logits"][at - 1]) < 1e-3);
        const auto row = otherLogits->row(static_cast<std::int64_t>(at) - 1);
        QVERIFY(largestDifference(step->row(1), row) < 1e-4);
    }
    auto tooMany = decoder.step({{1}, {1}}, *cache.value(), {});
    QVERIFY(!tooMany.ok());
}

void TestModelsGolden::miniLm_data() {
    QTest::addColumn<int>("threads");
    QTest::newRow("1 thread") << 1;
    QTest::newRow("2 threads") << 2;
}

void TestModelsGolden::miniLm() {
    QFETCH(int, threads);
    const std::string folder = samplesFolder() + "/minilm";
    NEEDS_SAMPLE(folder);
    const Json expected = golden("minilm.json");
    auto runnable = prepare(folder, threads);
    CHECK_OK(runnable);
    auto& encoder = *runnable->encoder;
    QCOMPARE(encoder.device().threads, threads);
    const auto batch = batchOf(expected["ids"]);
    auto out = encoder.run(batch, {});
    CHECK_OK(out);
    for (std::size_t i = 0; i < batch.ids.size(); ++i) {
        QVERIFY(largestDifference(out->row(static_cast<std::int64_t>(i)), expected["embeddings"][i]) < 1e-4);
    }
    auto hidden = encoder.hiddenStates(batch, {});
    CHECK_OK(hidden);
    const std::size_t shown = expected["hidden0"].size();
    QVERIFY(largestDifference({hidden->values.data(), shown}, expected["hidden0"]) < 1e-4);
}

void TestModelsGolden::classifierAgreesWithOnnxRuntime() {
    const std::string folder = samplesFolder() + "/injection-classifier";
    NEEDS_SAMPLE(folder);
    const Json expected = golden("classifier.json");
    auto runnable = prepare(folder, 2);
    CHECK_OK(runnable);
    auto out = runnable->encoder->run(batchOf(expected["ids"]), {});
    CHECK_OK(out);
    QCOMPARE(out->cols, std::int64_t{2});
    for (std::size_t i = 0; i < expected["ids"].size(); ++i) {
        QVERIFY(largestDifference(out->row(static_cast<std::int64_t>(i)), expected["logits"][i]) < 1e-4);
    }
}

void TestModelsGolden::smolLm2() {
    const std::string folder = samplesFolder() + "/smollm2-135m";
    NEEDS_SAMPLE(folder);
    std::string file;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".gguf") {
            file = entry.path().string();
        }
    }
    QVERIFY(!file.empty());
    const Json expected = golden("smollm2.json");
    QVERIFY(expected.is_object());
    auto runnable = prepare(file, 2);
    CHECK_OK(runnable);
    auto& decoder = *runnable->decoder;
    const auto ids = idsOf(expected["ids"]);
    auto logits = decoder.logits(ids, {});
    CHECK_OK(logits);
    const auto places = expected["vocabulary_places"].get<std::vector<std::size_t>>();
    for (std::size_t i = 0; i < expected["positions"].size(); ++i) {
        const auto row = logits->row(expected["positions"][i].get<std::int64_t>());
        std::vector<float> shown;
        for (const auto place : places) {
            shown.push_back(row[place]);
        }
        QVERIFY(largestDifference(shown, expected["logits"][i]) < 1e-3);
    }
    auto nll = decoder.negativeLogLikelihoods(ids, {});
    CHECK_OK(nll);
    QVERIFY(largestDifference(nll.value(), expected["nll"]) < 1e-3);
    auto made = models::generate(decoder, ids, {}, {}, {});
    CHECK_OK(made);
    QCOMPARE(made->ids, idsOf(expected["greedy"]));
}

QTEST_GUILESS_MAIN(TestModelsGolden)
#include "tst_models_golden.moc"
