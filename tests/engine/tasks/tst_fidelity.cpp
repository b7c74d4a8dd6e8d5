#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

#include "engine/core/random.h"
#include "engine/tasks/task_runner.h"
#include "tests/engine/tasks/fakes.h"

using namespace pareto;

class TestFidelity : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void theOriginalIsFaithfulToItself();
    void aTurnedEmbeddingIsNot();
    void noiseLowersBothFigures();
    void twoTextsHaveNoCorrelation();

private:
    using Answer = fakes::FakeEncoder::Answer;
    Result<tasks::EvalResult> evaluate(Answer after, Answer before, std::int64_t limit = 0) {
        models::RunnableModel model;
        models::RunnableModel original;
        model.encoder = std::make_unique<fakes::FakeEncoder>(std::move(after));
        tasks::EvalRequest request;
        request.model = &model;
        if (before) {
            original.encoder = std::make_unique<fakes::FakeEncoder>(std::move(before));
            request.original = &original;
        }
        request.tokenizer = std::make_shared<fakes::ByteTokenizer>();
        request.task.kind = TaskKind::Fidelity;
        request.task.data = m_folder.filePath(QStringLiteral("texts.csv")).toStdString();
        request.task.limit = limit;
        return fakes::evaluate(request);
    }
    /// Eight numbers drawn from the text itself; `noise` of others mixed in.
    static std::vector<float> embedding(const std::vector<std::int32_t>& ids, double noise) {
        const std::string text(ids.begin(), ids.end());
        RandomStream own(1, text);
        RandomStream other(2, text);
        std::vector<float> values;
        for (int i = 0; i < 8; ++i) {
            values.push_back(static_cast<float>(own.normal() + noise * other.normal()));
        }
        return values;
    }
    QTemporaryDir m_folder;
};

void TestFidelity::initTestCase() {
    QFile file(m_folder.filePath(QStringLiteral("texts.csv")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("text\n");
    for (int i = 0; i < 150; ++i) {
        file.write("question " + QByteArray::number(i * i) + "\n");
    }
}

void TestFidelity::theOriginalIsFaithfulToItself() {
    const auto clean = [](const auto& ids) { return embedding(ids, 0.0); };
    for (const auto& before : {Answer{}, Answer{clean}}) {
        const auto result = evaluate(clean, before);
        QVERIFY(result.ok());
        QCOMPARE(result->metric, std::string("fidelity_cosine"));
        QVERIFY(std::abs(result->headline().value - 1.0) < 1e-12);
        QCOMPARE(result->headline().n, 150);
        QCOMPARE(result->measurements[1].key, std::string("fidelity_spearman"));
        QVERIFY(std::abs(result->measurements[1].value - 1.0) < 1e-9);
        QCOMPARE(result->items.size(), std::size_t{150});
    }
}

void TestFidelity::aTurnedEmbeddingIsNot() {
    const auto clean = [](const auto& ids) { return embedding(ids, 0.0); };
    const auto turned = [](const auto& ids) {
        auto values = embedding(ids, 0.0);
        for (auto& value : values) {
            value = -value;
        }
        return values;
    };
    const auto result = evaluate(turned, clean);
    QVERIFY(result.ok());
    QVERIFY(std::abs(result->headline().value + 1.0) < 1e-12);
    // Turning everything leaves the similarities between texts as they were.
    QVERIFY(std::abs(result->measurements[1].value - 1.0) < 1e-9);
}

void TestFidelity::noiseLowersBothFigures() {
    const auto clean = [](const auto& ids) { return embedding(ids, 0.0); };
    double lastCosine = 1.0;
    double lastSpearman = 1.0;
    for (const double noise : {0.2, 0.6, 2.0}) {
        const auto result =
            evaluate([noise](const auto& ids) { return embedding(ids, noise); }, clean);
        QVERIFY(result.ok());
        const auto& cosine = result->measurements[0];
        const auto& spearman = result->measurements[1];
        QVERIFY(cosine.value < lastCosine && spearman.value < lastSpearman);
        QVERIFY(*cosine.low < cosine.value && cosine.value < *cosine.high);
        QVERIFY(*spearman.low < spearman.value && spearman.value < *spearman.high);
        QVERIFY(*spearman.high - *spearman.low < 0.5);
        lastCosine = cosine.value;
        lastSpearman = spearman.value;
    }
}

void TestFidelity::twoTextsHaveNoCorrelation() {
    const auto clean = [](const auto& ids) { return embedding(ids, 0.0); };
    const auto result = evaluate(clean, {}, 2);
    QVERIFY(result.ok());
    QCOMPARE(result->measurements.size(), std::size_t{1});
    QVERIFY(result->headline().low && result->headline().high);
    const auto one = evaluate(clean, {}, 1);
    QVERIFY(one.ok());
    QVERIFY(!one->headline().low && !one->headline().high);
}

QTEST_GUILESS_MAIN(TestFidelity)
#include "tst_fidelity.moc"
