// Encoder-decoder models against transformers (tests/golden/models/make_seq2seq.py).
#include <set>

#include <QtTest>

#include "engine/models/generate.h"
#include "engine/spec/resolve.h"
#include "tests/engine/models/golden.h"

using namespace pareto;
using namespace pareto::test;
using models::GenerateOptions;

namespace {

using Ids = std::vector<std::int32_t>;

std::vector<Ids> sourcesOf(const Json& expected) { return expected["sources"].get<std::vector<Ids>>(); }

struct Phases final : models::LayerObserver {
    void begin(const std::string&) override {}
    void end(const std::string& phase) override { seen.insert(phase); }
    std::set<std::string> seen;
};

}  // namespace

class TestSeq2Seq : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void statesAndLogits_data() { everyModel(); }
    void statesAndLogits();
    void greedy_data() { everyModel(); }
    void greedy();
    void beams_data() { everyModel(); }
    void beams();
    void ggufAsTransformers();
    void bytesAndTrace_data() { everyModel(); }
    void bytesAndTrace();
    void badInput();

private:
    static void everyModel();
    static GenerateOptions usual(const ModelLayout& layout) {
        auto options = models::generateOptionsOf(layout);
        options.maxTokens = 26;
        return options;
    }
};

void TestSeq2Seq::everyModel() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"tiny_t5", "tiny_t5_gated", "tiny_mt5", "tiny_marian"}) {
        QTest::newRow(name) << QString::fromLatin1(name);
    }
}

void TestSeq2Seq::statesAndLogits() {
    QFETCH(QString, name);
    const Json expected = golden(name.toStdString() + ".json");
    QVERIFY(expected.is_object());
    const auto runnable = prepare(kGolden + name.toStdString());
    CHECK_OK(runnable);
    auto& model = *runnable->seq2seq;
    for (std::size_t i = 0; i < 2; ++i) {
        const auto source = sourcesOf(expected)[i + 1];
        const auto states = model.encoderStates(source, {});
        CHECK_OK(states);
        QVERIFY(largestDifference(states->values, expected["states"][i]) < 1e-4);
        const auto logits = model.logits(source, idsOf(expected["target"]), {});
        CHECK_OK(logits);
        for (std::int64_t row = 0; row < logits->rows; ++row) {
            const double off = largestDifference(
                logits->row(row), expected["logits"][i][static_cast<std::size_t>(row)]);
            QVERIFY2(off < 1e-3, qPrintable(QString::number(off)));
        }
    }
}

void TestSeq2Seq::greedy() {
    QFETCH(QString, name);
    const Json expected = golden(name.toStdString() + ".json");
    const auto runnable = prepare(kGolden + name.toStdString());
    CHECK_OK(runnable);
    auto& model = *runnable->seq2seq;
    auto options = usual(model.layout());
    const auto all = models::translate(model, {sourcesOf(expected), {}}, options, {});
    CHECK_OK(all);
    for (std::size_t i = 0; i < all->size(); ++i) {
        QCOMPARE(all.value()[i].ids, idsOf(expected["greedy"][i]));
        Ids heard;
        const auto one = models::translate(model, sourcesOf(expected)[i], options,
                                           [&](std::int32_t id) {
                                               heard.push_back(id);
                                               return true;
                                           },
                                           {});
        CHECK_OK(one);
        QCOMPARE(one->ids, idsOf(expected["greedy"][i]));
        QCOMPARE(heard, one->ids);
    }
    options.repetitionPenalty = 1.5;
    options.noRepeatNgram = 3;
    const auto penalized = models::translate(model, {sourcesOf(expected), {}}, options, {});
    CHECK_OK(penalized);
    for (std::size_t i = 0; i < penalized->size(); ++i) {
        QCOMPARE(penalized.value()[i].ids, idsOf(expected["greedy_penalized"][i]));
    }
}

void TestSeq2Seq::beams() {
    QFETCH(QString, name);
    const Json expected = golden(name.toStdString() + ".json");
    const auto runnable = prepare(kGolden + name.toStdString());
    CHECK_OK(runnable);
    auto& model = *runnable->seq2seq;
    for (const auto& one : expected["beams"]) {
        auto options = usual(model.layout());
        options.beams = 4;
        options.lengthPenalty = one["length_penalty"].get<double>();
        options.earlyStopping = one["early_stopping"].get<bool>();
        options.repetitionPenalty = one.value("repetition_penalty", 1.0);
        options.noRepeatNgram = one.value("no_repeat_ngram_size", 0);
        options.maxTokens = one.value("max_new_tokens", std::int64_t{26});
        const auto all = models::translate(model, {sourcesOf(expected), {}}, options, {});
        CHECK_OK(all);
        for (std::size_t i = 0; i < all->size(); ++i) {
            const auto& made = all.value()[i];
            QVERIFY2(made.ids == idsOf(one["ids"][i]), (one.dump() + Json(made.ids).dump()).c_str());
            QVERIFY(std::fabs(made.score - one["scores"][i].get<double>()) < 1e-3);
            const auto alone = models::translate(model, sourcesOf(expected)[i], options, {}, {});
            CHECK_OK(alone);
            QCOMPARE(alone->ids, made.ids);
        }
    }
}

void TestSeq2Seq::ggufAsTransformers() {
    const Json expected = golden("tiny_t5_gguf.json");
    const auto runnable = prepare(kGolden + "tiny_t5.gguf");
    CHECK_OK(runnable);
    QCOMPARE(runnable->seq2seq->layout().family, Family::T5);
    const auto logits =
        runnable->seq2seq->logits(idsOf(expected["source"]), idsOf(expected["target"]), {});
    CHECK_OK(logits);
    for (std::int64_t row = 0; row < logits->rows; ++row) {
        QVERIFY(largestDifference(logits->row(row),
                                  expected["logits"][static_cast<std::size_t>(row)]) < 1e-4);
    }
}

void TestSeq2Seq::bytesAndTrace() {
    QFETCH(QString, name);
    const auto model = openModel(kGolden + name.toStdString());
    CHECK_OK(model);
    const auto runnable = prepare(model.value());
    CHECK_OK(runnable);
    QCOMPARE(runnable->model().bytes(), estimate(model->layout).bytes);
    QCOMPARE(estimate(model->layout).parameters, model->layout.parameters());
    Phases phases;
    runnable->model().setObserver(&phases);
    CHECK_OK(runnable->seq2seq->logits({3, 4, 5}, {model->layout.decoderStartId, 7}, {}));
    for (const auto& layer : model->layout.layers) {
        QVERIFY2(phases.seen.contains(layer.name), layer.name.c_str());
        QVERIFY(!runnable->model().kernelOf(layer.name).empty());
    }
}

void TestSeq2Seq::badInput() {
    const auto runnable = prepare(kGolden + "tiny_marian");
    CHECK_OK(runnable);
    auto& model = *runnable->seq2seq;
    QVERIFY(!model.encoderStates({}, {}).ok());
    QVERIFY(!model.encoderStates({9999}, {}).ok());
    QVERIFY(!model.encoderStates(Ids(65, 3), {}).ok());
    auto cache = model.encode({{{3, 4}, {5, 6, 7}}, {}}, 2, {3}, {});
    CHECK_OK(cache);
    QCOMPARE(cache.value()->batch(), std::int64_t{4});
    QVERIFY(!model.step({{3}}, *cache.value(), {}).ok());
    QVERIFY(model.step({{3}, {3}, {3}, {3, 4}}, *cache.value(), {}).ok());
    QCOMPARE(cache.value()->length(3), std::int64_t{2});
    QVERIFY(!model.step({{3, 4}, {3, 4}, {3, 4}, {3, 4}}, *cache.value(), {}).ok());
}

QTEST_GUILESS_MAIN(TestSeq2Seq)
#include "tst_seq2seq.moc"
