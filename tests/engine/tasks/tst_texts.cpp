// Tasks whose models write texts: translation, summaries.

#include <QTest>

#include <algorithm>
#include <cmath>

#include "engine/metrics/bleu.h"
#include "engine/metrics/chrf.h"
#include "engine/stats/stats.h"
#include "tests/engine/tasks/fakes.h"

using namespace pareto;
using namespace pareto::fakes;

class TestTexts : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { m_seen.clear(); }
    void translationsAreScoredAsACorpus_data();
    void translationsAreScoredAsACorpus();
    void prefixesAndPlaces();
    void severalReferences();
    void emptyTargetsAreNamed();
    void summariesOfADecoder();
    void summariesOfAnEncoderDecoder();
    void longTextsEnd();
    void decodersDoNotTranslate();

private:
    /// Echoes what it is given, and keeps it.
    models::RunnableModel translator() {
        models::RunnableModel model;
        model.seq2seq = std::make_unique<FakeTranslator>([this](const std::string& source) {
            m_seen.push_back(source);
            return source;
        });
        return model;
    }
    models::RunnableModel writer(const std::string& text) {
        models::RunnableModel model;
        model.decoder = std::make_unique<FakeContinuer>([this, text](const std::string& prompt) {
            m_seen.push_back(prompt);
            return text;
        });
        return model;
    }
    Task translation(const QByteArray& rows) {
        return taskOf(TaskKind::Translation, writeFile(m_folder, "t.tsv", "source\ttarget\n" + rows), DataFormat::Tsv);
    }
    std::vector<std::string> m_seen;
    QTemporaryDir m_folder;
};

void TestTexts::translationsAreScoredAsACorpus_data() {
    QTest::addColumn<int>("beams");
    QTest::newRow("greedy") << 1;
    QTest::newRow("beams") << 3;
}

void TestTexts::translationsAreScoredAsACorpus() {
    QFETCH(int, beams);
    auto model = translator();
    auto task = translation("the cat sat on the mat\tthe cat sat on a mat\nsix of them\tsix of them\nun\tdeux trois\n");
    task.beams = beams;
    const auto result = evaluate(model, task);
    QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
    stats::ItemRows words(10);
    stats::ItemRows characters(18);
    const std::vector<std::pair<std::string, std::string>> rows{
        {"the cat sat on the mat", "the cat sat on a mat"}, {"six of them", "six of them"}, {"un", "deux trois"}};
    for (const auto& [hypothesis, reference] : rows) {
        words.add(metrics::bleuRow(hypothesis, std::vector{reference}));
        characters.add(metrics::chrfRow(hypothesis, std::vector{reference}));
    }
    QCOMPARE(result->headline().key, std::string("bleu"));
    QCOMPARE(result->headline().value, metrics::bleu(words.sum()));
    QCOMPARE(result->measurements[1].value, metrics::chrf(characters.sum()));
    QVERIFY(*result->headline().low < result->headline().value);
    QCOMPARE(result->items[0].answer, std::string("the cat sat on the mat"));
    QVERIFY(std::abs(result->items[1].score - 100.0) < 1e-9);  // three words have no four-grams
    QCOMPARE(result->items[2].score, 0.0);
}

void TestTexts::prefixesAndPlaces() {
    const fakes::Alone alone;  // the calls of the model are counted
    auto model = translator();
    auto task = translation("one\tone\n");
    task.prompt = "translate: ";
    QVERIFY(evaluate(model, task).ok());
    task.prompt = "<{source}>";
    QVERIFY(evaluate(model, task).ok());
    QCOMPARE(m_seen, (std::vector<std::string>{"translate: one", "<one>"}));
}

void TestTexts::severalReferences() {
    auto model = translator();
    const auto result = evaluate(model, taskOf(TaskKind::Translation,
                                               writeFile(m_folder, "r.jsonl", "{\"source\":\"a b c d\",\"target\":[\"x y\",\"a b c d\"]}\n"),
                                               DataFormat::Jsonl));
    QVERIFY(result.ok());
    QVERIFY(std::abs(result->headline().value - 100.0) < 1e-9);
}

void TestTexts::emptyTargetsAreNamed() {
    auto model = translator();
    const auto result = evaluate(model, translation("a\tb\nc\t\n"));
    QVERIFY(!result.ok() && result.error().code == ErrorCode::DataRowInvalid);
    QCOMPARE(result.error().args.at("line"), std::string("3"));
}

void TestTexts::summariesOfADecoder() {
    auto model = writer("the red cat");
    const auto data = writeFile(m_folder, "s.csv", "document,summary\na long text,The red cat!\nanother,a dog\n");
    const auto result = evaluate(model, taskOf(TaskKind::Generation, data, DataFormat::Csv));
    QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
    QVERIFY(std::find(m_seen.begin(), m_seen.end(), "a long text\nTL;DR:") != m_seen.end());
    QCOMPARE(result->headline().key, std::string("rouge_l"));
    QCOMPARE(result->headline().value, 0.5);
    QCOMPARE(result->items[0].parts, (std::vector<double>{1.0, 1.0, 1.0}));
    QCOMPARE(result->items[1].answer, std::string("the red cat"));
}

void TestTexts::summariesOfAnEncoderDecoder() {
    const fakes::Alone alone;  // the calls of the model are counted
    auto model = translator();
    auto task = taskOf(TaskKind::Generation, writeFile(m_folder, "s.csv", "document,summary\nred cat,red cat\n"), DataFormat::Csv);
    task.prompt = "summarize: ";
    QVERIFY(evaluate(model, task).ok());
    task.prompt.clear();
    const auto result = evaluate(model, task);
    QVERIFY(result.ok());
    QCOMPARE(m_seen, (std::vector<std::string>{"summarize: red cat", "red cat"}));
    QCOMPARE(result->headline().value, 1.0);
}

void TestTexts::longTextsEnd() {
    auto model = writer(std::string(5000, 'x'));
    auto task = taskOf(TaskKind::Generation, writeFile(m_folder, "l.csv", "document,summary\n" + QByteArray(900, 'a') + ",x\n"), DataFormat::Csv);
    task.maxTokens = 40;
    task.maxLength = 100;
    const auto result = evaluate(model, task);
    QVERIFY(result.ok());
    QCOMPARE(result->items[0].answer, std::string(40, 'x'));
    QCOMPARE(m_seen.front().size(), std::size_t{100});
    task.maxTokens = 3000;
    const auto longer = evaluate(model, task);
    QVERIFY(longer.ok());
    QCOMPARE(longer->items[0].answer.size(), kMostAnswerBytes);
}

void TestTexts::decodersDoNotTranslate() {
    auto model = writer("x");
    QVERIFY(evaluate(model, translation("a\tb\n")).error().code == ErrorCode::TaskUnfit);
}

QTEST_GUILESS_MAIN(TestTexts)
#include "tst_texts.moc"
