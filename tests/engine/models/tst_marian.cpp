// The Opus-MT model English to French against transformers (tests/golden/models/make_marian.py).
#include <chrono>
#include <filesystem>

#include <QtTest>

#include "engine/models/generate.h"
#include "engine/spec/task.h"
#include "tests/engine/models/golden.h"

using namespace pareto;
using namespace pareto::test;

class TestMarian : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void sentences_data();
    void sentences();
    void batches_data() { sentences_data(); }
    void batches();

private:
    models::GenerateOptions options(int beams) const {
        auto out = models::generateOptionsOf(m_model.seq2seq->layout());
        out.maxTokens = 128;
        out.beams = beams;
        return out;
    }
    std::vector<std::vector<std::int32_t>> sources() const {
        return m_expected["sources"].get<std::vector<std::vector<std::int32_t>>>();
    }
    static void say(const char* what, std::size_t sentences, std::size_t tokens,
                    std::chrono::steady_clock::time_point start) {
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        qInfo("%s: %.2f sentences/s, %.1f tokens/s", what, static_cast<double>(sentences) / seconds,
              static_cast<double>(tokens) / seconds);
    }

    Json m_expected;
    models::RunnableModel m_model;
};

void TestMarian::initTestCase() {
    const auto folder = samplesFolder() + "/helsinki_en_fr";
    if (!std::filesystem::exists(folder)) {
        QSKIP("the sample helsinki_en_fr is not in the samples folder");
    }
    m_expected = golden("marian_en_fr.json");
    if (!m_expected.is_object()) {
        QSKIP("tests/golden/models/marian_en_fr.json is missing: make_marian.py makes it");
    }
    auto model = prepare(folder);
    CHECK_OK(model);
    m_model = std::move(model).value();
    QVERIFY(m_model.seq2seq != nullptr);
    QVERIFY(sources().size() >= 50);
}

void TestMarian::sentences_data() {
    QTest::addColumn<QString>("key");
    QTest::addColumn<int>("beams");
    QTest::newRow("greedy") << QStringLiteral("greedy") << 1;
    QTest::newRow("4 beams") << QStringLiteral("beams") << 4;
}

void TestMarian::sentences() {
    QFETCH(QString, key);
    QFETCH(int, beams);
    const auto& expected = m_expected[key.toStdString()];
    const auto start = std::chrono::steady_clock::now();
    std::size_t tokens = 0;
    for (std::size_t i = 0; i < sources().size(); ++i) {
        const auto made = models::translate(*m_model.seq2seq, sources()[i], options(beams), {}, {});
        CHECK_OK(made);
        QVERIFY2(made->ids == idsOf(expected[i]), ("sentence " + std::to_string(i)).c_str());
        if (beams > 1) {
            const auto score = m_expected["beams_scores"][i].get<double>();
            QVERIFY(std::fabs(made->score - score) < 1e-3);
        }
        tokens += made->ids.size();
    }
    say("one at a time", sources().size(), tokens, start);
}

/// All sentences at once, of any lengths, give what each gives alone.
void TestMarian::batches() {
    QFETCH(QString, key);
    QFETCH(int, beams);
    const auto start = std::chrono::steady_clock::now();
    const auto made = models::translate(*m_model.seq2seq, {sources(), {}}, options(beams), {});
    CHECK_OK(made);
    std::size_t tokens = 0;
    for (std::size_t i = 0; i < made->size(); ++i) {
        QVERIFY2(made.value()[i].ids == idsOf(m_expected[key.toStdString()][i]),
                 ("sentence " + std::to_string(i)).c_str());
        tokens += made.value()[i].ids.size();
    }
    say("in one batch", made->size(), tokens, start);
}

QTEST_GUILESS_MAIN(TestMarian)
#include "tst_marian.moc"
