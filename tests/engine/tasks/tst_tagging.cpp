#include <QTest>

#include <cmath>

#include "tests/engine/tasks/fakes.h"

using namespace pareto;
using namespace pareto::fakes;

/// The fake tags a word by its first byte: upper case begins a person, '+' goes on with one.
class TestTagging : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void entitiesOfWords();
    void jsonLinesWithNumbers();
    void wordsBeyondTheLengthAreOutside();
    void unequalListsAreNamed();
    void anEmptyFileIsNamed();
    void anEncoderOfTextsDoesNotFit();

private:
    models::RunnableModel tagger() {
        models::RunnableModel model;
        auto encoder = std::make_unique<FakeEncoder>([](const auto&) { return std::vector<float>{0.0F}; });
        encoder->m_layout.outputs = Outputs::TokenClasses;
        encoder->m_layout.labels = {"O", "B-PER", "I-PER"};
        encoder->m_onToken = [this](const std::vector<std::int32_t>& ids, std::size_t i) {
            // The space before a word is its first token here, as it is for byte-level tokenizers.
            const auto first = ids[i] == ' ' ? ids[i + 1] : ids[i];
            m_asked += static_cast<char>(first);
            const bool upper = first >= 'A' && first <= 'Z';
            return std::vector<float>{0.5F, upper ? 1.0F : 0.0F, first == '+' ? 1.0F : 0.0F};
        };
        model.encoder = std::move(encoder);
        return model;
    }
    std::string m_asked;
    QTemporaryDir m_folder;
};

void TestTagging::entitiesOfWords() {
    const fakes::Alone alone;  // the calls of the model are counted
    auto model = tagger();
    const auto data = writeFile(m_folder, "n.conll", "Ann B-PER\n+b I-PER\nsaw O\nBob B-PER\n\nYes O\nno O\n\nso O\n");
    m_asked.clear();
    const auto result = evaluate(model, taskOf(TaskKind::TokenClassification, data, DataFormat::Conll));
    QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
    // Two of three predicted are right, two of two are found.
    QCOMPARE(result->headline().key, std::string("entity_f1"));
    QVERIFY(std::abs(result->headline().value - 0.8) < 1e-12);
    QVERIFY(std::abs(result->measurements[1].value - 2.0 / 3.0) < 1e-12);
    QCOMPARE(result->measurements[2].value, 1.0);
    QCOMPARE(result->items.size(), std::size_t{3});
    QCOMPARE(result->items[0].answer, std::string("B-PER I-PER O B-PER"));
    QCOMPARE(result->items[0].score, 1.0);
    QCOMPARE(result->items[1].score, 0.0);
    QCOMPARE(result->items[2].score, 1.0);  // nothing to find, nothing found
    // Only the first token of each word is asked for, longest sentences first.
    QCOMPARE(m_asked, std::string("A+sBYns"));
    QCOMPARE(result->details["types"]["PER"]["expected"].get<int>(), 2);
    QCOMPARE(result->details["words_cut"].get<int>(), 0);
}

void TestTagging::jsonLinesWithNumbers() {
    auto model = tagger();
    const auto data = writeFile(m_folder, "n.jsonl",
                                "{\"tokens\":[\"Ann\",\"+b\"],\"tags\":[1,2]}\n{\"tokens\":[\"x\"],\"tags\":[\"B-PER\"]}\n");
    const auto result = evaluate(model, taskOf(TaskKind::TokenClassification, data, DataFormat::Jsonl));
    QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
    QCOMPARE(result->measurements[1].value, 1.0);
    QCOMPARE(result->measurements[2].value, 0.5);
}

void TestTagging::wordsBeyondTheLengthAreOutside() {
    auto model = tagger();
    auto task = taskOf(TaskKind::TokenClassification, writeFile(m_folder, "l.conll", "Ann B-PER\nBob B-PER\nCid B-PER\n"),
                       DataFormat::Conll);
    task.maxLength = 7;  // "Ann Bob"
    const auto result = evaluate(model, task);
    QVERIFY(result.ok());
    QCOMPARE(result->items[0].answer, std::string("B-PER B-PER O"));
    QCOMPARE(result->details["words_cut"].get<int>(), 1);
}

void TestTagging::unequalListsAreNamed() {
    auto model = tagger();
    const auto data = writeFile(m_folder, "u.jsonl", "{\"tokens\":[\"a\",\"b\"],\"tags\":[0]}\n");
    const auto result = evaluate(model, taskOf(TaskKind::TokenClassification, data, DataFormat::Jsonl));
    QVERIFY(!result.ok());
    QCOMPARE(result.error().args.at("reason"), std::string("it has 2 words and 1 tags"));
}

void TestTagging::anEmptyFileIsNamed() {
    auto model = tagger();
    const auto result = evaluate(model, taskOf(TaskKind::TokenClassification, writeFile(m_folder, "e.conll", "\n\n"), DataFormat::Conll));
    QVERIFY(!result.ok() && result.error().code == ErrorCode::DataEmpty);
}

void TestTagging::anEncoderOfTextsDoesNotFit() {
    models::RunnableModel model;
    model.encoder = std::make_unique<FakeEncoder>([](const auto&) { return std::vector<float>{0.0F}; });
    const auto result = evaluate(model, taskOf(TaskKind::TokenClassification, writeFile(m_folder, "n.conll", "a O\n"), DataFormat::Conll));
    QVERIFY(!result.ok() && result.error().code == ErrorCode::TaskUnfit);
}

QTEST_GUILESS_MAIN(TestTagging)
#include "tst_tagging.moc"
