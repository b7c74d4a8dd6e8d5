#include <QTest>

#include <cmath>

#include "tests/engine/tasks/fakes.h"

using namespace pareto;
using namespace pareto::fakes;

/// Two tokens; the logits' difference is a function of the position's byte.
class TestDivergence : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void theOriginalDoesNotDiverge();
    void figuresByHand();
    void anotherVocabularyDoesNotFit();
    void onlyOnePlainText();

private:
    using Difference = float (*)(std::int32_t);
    static models::RunnableModel decoder(Difference difference, std::size_t vocabulary = 2) {
        models::RunnableModel model;
        auto fake = std::make_unique<FakeDecoder>([](const auto&, std::size_t) { return 1.0F; });
        fake->m_onLogits = [=](const std::vector<std::int32_t>& ids, std::size_t i) {
            std::vector<float> row(vocabulary, 0.0F);
            row[1] = difference(ids[i]);
            return row;
        };
        model.decoder = std::move(fake);
        return model;
    }
    Task task() {
        auto task = taskOf(TaskKind::Fidelity, writeFile(m_folder, "t.txt", "abababababab"), DataFormat::Text);
        task.window = 4;
        return task;
    }
    QTemporaryDir m_folder;
};

void TestDivergence::theOriginalDoesNotDiverge() {
    auto model = decoder([](std::int32_t id) { return id == 'a' ? 1.0F : -1.0F; });
    const auto result = evaluate(model, task());
    QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
    QCOMPARE(result->metric, std::string("kl_divergence"));
    QCOMPARE(result->headline().value, 0.0);
    QCOMPARE(result->measurements[1].value, 1.0);
    QCOMPARE(result->items.size(), std::size_t{3});
}

void TestDivergence::figuresByHand() {
    auto original = decoder([](std::int32_t) { return 1.0F; });
    auto changed = decoder([](std::int32_t id) { return id == 'a' ? 1.0F : -1.0F; });
    const auto result = evaluate(changed, task(), false, {}, &original);
    QVERIFY(result.ok());
    // Of the positions a b a, which predict the scored tokens, b differs: p = σ(1), q = σ(−1).
    const double p = 1.0 / (1.0 + std::exp(-1.0));
    const double divergence = p * std::log(p / (1.0 - p)) + (1.0 - p) * std::log((1.0 - p) / p);
    QVERIFY(std::abs(result->headline().value - divergence / 3.0) < 1e-9);
    QVERIFY(std::abs(result->measurements[1].value - 2.0 / 3.0) < 1e-12);
    QCOMPARE(result->items[0].parts[2], 3.0);
}

void TestDivergence::anotherVocabularyDoesNotFit() {
    auto original = decoder([](std::int32_t) { return 1.0F; }, 3);
    auto changed = decoder([](std::int32_t) { return 1.0F; });
    QVERIFY(evaluate(changed, task(), false, {}, &original).error().code == ErrorCode::TaskUnfit);
}

void TestDivergence::onlyOnePlainText() {
    auto model = decoder([](std::int32_t) { return 1.0F; });
    auto other = taskOf(TaskKind::Fidelity, writeFile(m_folder, "t.csv", "text\na\n"), DataFormat::Csv);
    QVERIFY(evaluate(model, other).error().code == ErrorCode::TaskUnfit);
}

QTEST_GUILESS_MAIN(TestDivergence)
#include "tst_divergence.moc"
