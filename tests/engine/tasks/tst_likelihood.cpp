// What decoders decide by likelihood: classes by label texts, one of several choices.

#include <QTest>

#include <algorithm>
#include <cmath>

#include "engine/tasks/likelihood.h"
#include "tests/engine/tasks/fakes.h"

using namespace pareto;
using namespace pareto::fakes;

namespace {

std::string textOf(const std::vector<std::int32_t>& ids) { return {ids.begin(), ids.end()}; }

/// Every byte costs 1 nat, but the bytes of a text that repeats what stands between '<' and '>'.
float repeats(const std::vector<std::int32_t>& ids, std::size_t i) {
    const auto text = textOf(ids);
    const auto open = text.find('<');
    const auto close = text.find('>');
    if (open == std::string::npos || close == std::string::npos || i <= close + 1) {
        return 1.0F;
    }
    const auto wanted = text.substr(open + 1, close - open - 1);
    const auto at = text.rfind(' ');
    return text.substr(at + 1) == wanted ? 0.25F : 1.0F;
}

models::RunnableModel repeater() {
    models::RunnableModel model;
    model.decoder = std::make_unique<FakeDecoder>(repeats);
    return model;
}

}  // namespace

class TestLikelihood : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void theEndingAloneIsScored();
    void spacesOfTheContextCountForTheEnding();
    void anEmptyContextIsTheFirstToken();
    void longContextsLoseTheirBeginning();
    void zeroShotClasses();
    void withoutLabelTextsItDoesNotFit();
    void choicesInEveryForm();
    void lengthDecidesBetweenEquals();
    void badChoicesAreNamed_data();
    void badChoicesAreNamed();
    void cancelStops();

private:
    QTemporaryDir m_folder;
};

void TestLikelihood::theEndingAloneIsScored() {
    FakeDecoder decoder([](const auto&, std::size_t i) { return static_cast<float>(i); });
    const ByteTokenizer tokenizer;
    const std::vector<std::string> endings{"c", "cd", ""};
    const auto scores = tasks::scoreEndings({decoder, tokenizer, 0}, "ab", endings, {});
    QVERIFY(scores.ok());
    // Positions 2 and 3 of "abc" and "abcd".
    QCOMPARE(scores.value(), (std::vector<double>{-2.0, -5.0, 0.0}));
}

void TestLikelihood::spacesOfTheContextCountForTheEnding() {
    FakeDecoder decoder([](const auto&, std::size_t i) { return static_cast<float>(i); });
    const ByteTokenizer tokenizer;
    const auto scores = tasks::scoreEndings({decoder, tokenizer, 0}, "ab \n", std::vector<std::string>{"c"}, {});
    QVERIFY(scores.ok());
    QCOMPARE(scores->front(), -(2.0 + 3.0 + 4.0));
}

void TestLikelihood::anEmptyContextIsTheFirstToken() {
    FakeDecoder decoder([](const auto&, std::size_t) { return 1.0F; });
    for (const bool addsBos : {true, false}) {
        const ByteTokenizer tokenizer(addsBos);
        const auto scores = tasks::scoreEndings({decoder, tokenizer, 0}, "", std::vector<std::string>{"abc"}, {});
        QVERIFY(scores.ok());
        // Without any first token nothing says how likely the first byte is.
        QCOMPARE(scores->front(), addsBos ? -3.0 : -2.0);
    }
}

void TestLikelihood::longContextsLoseTheirBeginning() {
    FakeDecoder decoder([](const auto&, std::size_t) { return 1.0F; });
    const ByteTokenizer tokenizer;
    const auto scores = tasks::scoreEndings({decoder, tokenizer, 5}, std::string(100, 'x'), std::vector<std::string>{"abc"}, {});
    QVERIFY(scores.ok());
    QCOMPARE(scores->front(), -3.0);
    QCOMPARE(textOf(decoder.m_windows.back()), std::string("xxabc"));
    // An ending that alone is too long is scored as far as its own tokens say something.
    QCOMPARE(tasks::scoreEndings({decoder, tokenizer, 5}, "x", std::vector<std::string>{"abcdefgh"}, {})->front(), -4.0);
}

void TestLikelihood::zeroShotClasses() {
    auto model = repeater();
    auto task = taskOf(TaskKind::Classification,
                       writeFile(m_folder, "z.csv", "text,label\n<bad>,0\n<good>,1\n<good>,bad\n<good>,good\n"),
                       DataFormat::Csv);
    task.labelTexts = {"bad", "good"};
    task.prompt = "Say {text}:";
    const auto result = evaluate(model, task);
    QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
    QCOMPARE(result->headline().key, std::string("accuracy"));
    QCOMPARE(result->headline().value, 0.75);
    QCOMPARE(result->items[2].predicted, 1);
    QCOMPARE(result->items[2].parts, std::vector<double>{0.0});
    const auto& windows = static_cast<FakeDecoder&>(*model.decoder).m_windows;
    QCOMPARE(textOf(windows.front()), std::string("Say <bad>: bad"));
}

void TestLikelihood::withoutLabelTextsItDoesNotFit() {
    auto model = repeater();
    const auto task = taskOf(TaskKind::Classification, writeFile(m_folder, "z.csv", "text,label\na,0\n"), DataFormat::Csv);
    const auto result = evaluate(model, task);
    QVERIFY(!result.ok());
    QVERIFY(result.error().code == ErrorCode::TaskUnfit);
}

void TestLikelihood::choicesInEveryForm() {
    auto model = repeater();
    const auto data = writeFile(
        m_folder, "c.jsonl",
        "{\"question\":\"<one>\",\"choices\":[\"one\",\"two\"],\"label\":0}\n"
        "{\"question\":\"<two>\",\"choices\":{\"text\":[\"one\",\"two\"],\"label\":[\"1\",\"2\"]},\"label\":\"2\"}\n"
        "{\"question\":\"<two>\",\"choices\":[\"one\",\"two\",\"six\"],\"label\":\"B\"}\n"
        "{\"question\":\"<two>\",\"choices\":[\"one\",\"two\"],\"label\":\"one\"}\n");
    const auto result = evaluate(model, taskOf(TaskKind::MultipleChoice, data, DataFormat::Jsonl));
    QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
    QCOMPARE(result->headline().value, 0.75);
    QCOMPARE(result->measurements[1].key, std::string("accuracy_normalized"));
    QCOMPARE(result->items[3].answer, std::string("two"));
    QCOMPARE(result->items[3].score, 0.0);
    const auto& windows = static_cast<FakeDecoder&>(*model.decoder).m_windows;
    QCOMPARE(textOf(windows.front()), std::string("Question: <one>\nAnswer: one"));
}

// Every byte costs the same: the shortest choice is the likeliest, by character all are equal but for
// the space between, which weighs least in the longest one; é is one character and two bytes.
void TestLikelihood::lengthDecidesBetweenEquals() {
    models::RunnableModel model;
    model.decoder = std::make_unique<FakeDecoder>([](const auto&, std::size_t) { return 1.0F; });
    const auto data = writeFile(m_folder, "l.jsonl",
                                "{\"question\":\"q\",\"choices\":[\"a\",\"abcdef\",\"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\"],\"label\":1}\n"
                                "{\"question\":\"q\",\"choices\":[\"a\",\"abcdef\"],\"label\":0}\n");
    const auto result = evaluate(model, taskOf(TaskKind::MultipleChoice, data, DataFormat::Jsonl));
    QVERIFY(result.ok());
    QCOMPARE(result->items[0].parts, (std::vector<double>{0.0, 1.0}));
    QCOMPARE(result->items[1].parts, (std::vector<double>{1.0, 0.0}));
}

void TestLikelihood::badChoicesAreNamed_data() {
    QTest::addColumn<QByteArray>("row");
    QTest::addColumn<QByteArray>("said");
    QTest::newRow("one choice") << QByteArray(R"({"question":"q","choices":["a"],"label":0})") << QByteArray("two texts");
    QTest::newRow("number") << QByteArray(R"({"question":"q","choices":["a","b"],"label":2})") << QByteArray("'2'");
    QTest::newRow("letter") << QByteArray(R"({"question":"q","choices":["a","b"],"label":"C"})") << QByteArray("'C'");
}

void TestLikelihood::badChoicesAreNamed() {
    QFETCH(QByteArray, row);
    QFETCH(QByteArray, said);
    auto model = repeater();
    const auto data = writeFile(m_folder, "b.jsonl", "{\"question\":\"q\",\"choices\":[\"a\",\"b\"],\"label\":0}\n" + row + "\n");
    const auto result = evaluate(model, taskOf(TaskKind::MultipleChoice, data, DataFormat::Jsonl));
    QVERIFY(!result.ok());
    QVERIFY(result.error().code == ErrorCode::DataRowInvalid);
    QCOMPARE(result.error().args.at("line"), std::string("2"));
    QVERIFY(result.error().args.at("reason").find(said.toStdString()) != std::string::npos);
}

void TestLikelihood::cancelStops() {
    auto model = repeater();
    std::stop_source stop;
    stop.request_stop();
    const auto data = writeFile(m_folder, "s.jsonl", "{\"question\":\"q\",\"choices\":[\"a\",\"b\"],\"label\":0}\n");
    QVERIFY(evaluate(model, taskOf(TaskKind::MultipleChoice, data, DataFormat::Jsonl), false, stop.get_token()).cancelled());
}

QTEST_GUILESS_MAIN(TestLikelihood)
#include "tst_likelihood.moc"
