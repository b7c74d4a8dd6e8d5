// Readers of data sets with a layout of their own: SQuAD's JSON, BEIR folders, tagged text in columns.

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <QTemporaryDir>
#include <QTest>

#include "engine/io/beir.h"
#include "engine/io/squad.h"
#include "engine/io/tagged_text.h"
#include "tests/engine/io/fixtures.h"
#include "tests/support/peak_memory.h"

using namespace pareto;
using namespace pareto::fixtures;

namespace {

const char* const kSquad = R"({"version":"v2.0","data":[
 {"title":"T","paragraphs":[
  {"qas":[{"question":"Who?","id":"q1","answers":[{"text":"Ann","answer_start":0},{"answer_start":4,"text":"Ann B"}],
           "is_impossible":false},
          {"plausible_answers":[{"text":"x","answer_start":1}],"question":"Why?","id":"q2","answers":[],"is_impossible":true}],
   "context":"Ann B \u00e9 came."},
  {"context":"empty","qas":[]},
  {"context":"Two","extra":{"deep":[[1,2,{"context":7}]]},"qas":[{"id":"q3","question":"N?","answers":[{"text":"Two"}]}]}]},
 {"title":"none","paragraphs":[]}]})";

}  // namespace

class TestDataSets : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void squad();
    void squadSaysWhereItIsWrong_data();
    void squadSaysWhereItIsWrong();
    void squadCancels();
    void beirFolder();
    void beirSaysWhereItIsWrong_data();
    void beirSaysWhereItIsWrong();
    void aLargeCorpusIsNotHeld();
    void taggedText();
    void taggedTextSaysWhereItIsWrong_data();
    void taggedTextSaysWhereItIsWrong();

private:
    std::string path(const char* name) const {
        return m_folder.filePath(QString::fromLatin1(name)).toStdString();
    }
    Result<io::SquadData> squadOf(const std::string& content, std::stop_token stop = {}) {
        writeBytes(path("squad.json"), content);
        return io::readSquad(path("squad.json"), m_progress, std::move(stop));
    }
    Result<std::vector<io::TaggedSentence>> taggedOf(const std::string& content) {
        writeBytes(path("t.conll"), content);
        std::vector<io::TaggedSentence> sentences;
        PARETO_CHECK(io::readTaggedText(
            path("t.conll"),
            [&](io::TaggedSentence sentence) -> Status {
                sentences.push_back(std::move(sentence));
                return Done{};
            },
            m_progress, {}));
        return sentences;
    }
    Result<std::vector<io::BeirText>> textsOf(const std::string& file) {
        std::vector<io::BeirText> texts;
        PARETO_CHECK(io::readBeirTexts(
            file,
            [&](io::BeirText text) -> Status {
                texts.push_back(std::move(text));
                return Done{};
            },
            m_progress, {}));
        return texts;
    }
    QTemporaryDir m_folder;
    Progress m_progress;
};

using Texts = std::vector<std::string>;

void TestDataSets::squad() {
    const auto data = squadOf(std::string("\xEF\xBB\xBF") + kSquad);
    QVERIFY2(data.ok(), describe(data).c_str());
    QCOMPARE(data->version, std::string("v2.0"));
    QCOMPARE(data->questions.size(), std::size_t{3});
    QCOMPARE(data->questions[0].id, std::string("q1"));
    QCOMPARE(data->questions[0].question, std::string("Who?"));
    QCOMPARE(data->questions[0].answers, (Texts{"Ann", "Ann B"}));
    QCOMPARE(data->questions[0].starts, (std::vector<std::int64_t>{0, 4}));
    QCOMPARE(data->contexts[data->questions[0].context], std::string("Ann B \xC3\xA9 came."));
    QVERIFY(data->questions[1].answers.empty() && data->questions[1].starts.empty());
    QCOMPARE(data->questions[2].starts, std::vector<std::int64_t>{-1});  // the file does not say
    QCOMPARE(data->questions[1].context, data->questions[0].context);
    QCOMPARE(data->contexts[data->questions[2].context], std::string("Two"));
    // The paragraph without questions is not kept.
    QCOMPARE(data->contexts.size(), std::size_t{2});
}

void TestDataSets::squadSaysWhereItIsWrong_data() {
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QByteArray>("said");
    const auto question = [](const char* fields) -> QByteArray {
        return QByteArray(R"({"data":[{"paragraphs":[{"context":"c","qas":[{"id":"a","question":"b"},{)") + fields +
               "}]}]}]}";
    };
    QTest::newRow("cut short") << QByteArray(R"({"data":[)") << QByteArray("JsonInvalid");
    QTest::newRow("two values") << QByteArray(R"({"data":[]} {})") << QByteArray("JsonInvalid");
    QTest::newRow("nul") << QByteArray("{\"data\":[]}\0{}", 14) << QByteArray("NUL");
    QTest::newRow("no data") << QByteArray(R"({"version":"1"})") << QByteArray("data is missing");
    QTest::newRow("a list") << QByteArray("[]") << QByteArray("the file must be an object");
    QTest::newRow("data is text") << QByteArray(R"({"data":"x"})") << QByteArray("data must be a list");
    QTest::newRow("question") << question(R"("id":"x","question":3)")
                              << QByteArray("data[0].paragraphs[0].qas[1].question must be text");
    QTest::newRow("no id") << question(R"("question":"x")") << QByteArray("data[0].paragraphs[0].qas[1].id is missing");
    QTest::newRow("answers") << question(R"("question":"x","id":"y","answers":{"text":["a"]})")
                             << QByteArray("qas[1].answers must be a list");
    QTest::newRow("answer") << question(R"("question":"x","id":"y","answers":[{"text":"a"},{"start":1}])")
                            << QByteArray("qas[1].answers[1].text is missing");
    QTest::newRow("no context") << QByteArray(R"({"data":[{"paragraphs":[{"qas":[{"id":"a","question":"b"}]}]}]})")
                                << QByteArray("data[0].paragraphs[0].context is missing");
    QTest::newRow("deep") << QByteArray(R"({"x":)") + QByteArray(100000, '[') << QByteArray("64 levels");
    QTest::newRow("utf-8") << QByteArray("{\"data\":[{\"title\":\"\xFF\"}]}") << QByteArray("JsonInvalid");
}

void TestDataSets::squadSaysWhereItIsWrong() {
    QFETCH(QByteArray, content);
    QFETCH(QByteArray, said);
    const auto data = squadOf(content.toStdString());
    QVERIFY(!data.ok());
    const auto text = std::string(errorName(data.error().code)) + " " + errorMessage(data.error());
    QVERIFY2(text.find(said.toStdString()) != std::string::npos && text.find(path("squad.json")) != std::string::npos,
             text.c_str());
}

void TestDataSets::squadCancels() {
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(squadOf(kSquad, stop.get_token()).cancelled());
}

void TestDataSets::beirFolder() {
    const auto folder = path("beir");
    const auto missing = io::beirFiles(folder, "test");
    QVERIFY(!missing.ok() && missing.error().args.at("file").ends_with("corpus.jsonl"));
    std::filesystem::create_directories(folder + "/qrels");
    writeBytes(folder + "/corpus.jsonl",
               "{\"_id\":\"d1\",\"title\":\"T\",\"text\":\"x \xC3\xA9\",\"metadata\":{\"u\":[1]}}\r\n\n"
               "{\"_id\":2,\"text\":\"no title\"}\n{\"_id\":\"d3\",\"title\":\"only\",\"text\":\"\"}");
    writeBytes(folder + "/queries.jsonl", "{\"_id\":\"q\",\"text\":\"what\"}\n");
    writeBytes(folder + "/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq\td1\t2\r\nq\t2\t0\n\np\td1\t1\n");
    const auto files = io::beirFiles(folder, "test");
    QVERIFY2(files.ok(), describe(files).c_str());
    const auto texts = textsOf(files->corpus);
    QVERIFY2(texts.ok(), describe(texts).c_str());
    QCOMPARE(texts->size(), std::size_t{3});
    QCOMPARE(texts.value()[0].joined(), std::string("T x \xC3\xA9"));
    QCOMPARE(texts.value()[1].id, std::string("2"));
    QCOMPARE(texts.value()[1].line, std::int64_t{3});
    QCOMPARE(texts.value()[1].joined(), std::string("no title"));
    QCOMPARE(texts.value()[2].joined(), std::string("only"));
    const auto qrels = io::readBeirQrels(files->qrels, m_progress, {});
    QVERIFY2(qrels.ok(), describe(qrels).c_str());
    QCOMPARE(qrels->size(), std::size_t{2});
    QCOMPARE(qrels->at("q").at("d1"), 2);
    QCOMPARE(qrels->at("q").at("2"), 0);
    const auto queries = textsOf(files->queries);
    QVERIFY(queries.ok() && queries->front().text == "what");
}

void TestDataSets::beirSaysWhereItIsWrong_data() {
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QByteArray>("said");
    QTest::newRow("json") << QByteArray("{\"_id\":\"a\",\"text\":\"b\"}\n{\"_id\"\n") << QByteArray("line 2: not valid JSON");
    QTest::newRow("list") << QByteArray("[1]") << QByteArray("line 1: it is not a JSON object");
    QTest::newRow("id") << QByteArray("{\"text\":\"b\"}") << QByteArray("\"_id\" is missing");
    QTest::newRow("text") << QByteArray("{\"_id\":\"1\",\"text\":[]}") << QByteArray("\"text\" must be text");
    QTest::newRow("qrels: columns") << QByteArray("q d 1\n") << QByteArray("line 1: a query, a document and a grade");
    QTest::newRow("qrels: grade") << QByteArray("a\tb\tc\na\tb\t1.5\n") << QByteArray("line 2: the grade \"1.5\"");
    QTest::newRow("qrels: twice") << QByteArray("a\tb\t1\na\tb\t1\n") << QByteArray("line 2: the document b is judged twice");
}

void TestDataSets::beirSaysWhereItIsWrong() {
    QFETCH(QByteArray, content);
    QFETCH(QByteArray, said);
    writeBytes(path("broken"), content.toStdString());
    std::string text;
    if (QByteArray(QTest::currentDataTag()).startsWith("qrels")) {
        const auto qrels = io::readBeirQrels(path("broken"), m_progress, {});
        QVERIFY(!qrels.ok());
        text = errorMessage(qrels.error());
    } else {
        const auto texts = textsOf(path("broken"));
        QVERIFY(!texts.ok());
        text = errorMessage(texts.error());
    }
    QVERIFY2(text.find(said.toStdString()) != std::string::npos && text.find(path("broken")) != std::string::npos,
             text.c_str());
}

// 5 million lines (2.6 GB) under PARETO_SOAK: more than fits the program's memory bounds twice over.
void TestDataSets::aLargeCorpusIsNotHeld() {
    const std::int64_t lines = std::getenv("PARETO_SOAK") != nullptr ? 5'000'000 : 100'000;
    {
        std::ofstream out(path("corpus.jsonl"));
        const std::string text(500, 'x');
        for (std::int64_t i = 0; i < lines; ++i) {
            out << "{\"_id\":\"" << i << "\",\"text\":\"" << text << "\"}\n";
        }
    }
    const auto before = test::peakMemory();
    std::int64_t count = 0;
    std::size_t bytes = 0;
    const auto status = io::readBeirTexts(
        path("corpus.jsonl"),
        [&](io::BeirText text) -> Status {
            ++count;
            bytes += text.text.size();
            return Done{};
        },
        m_progress, {});
    const auto grown = test::peakMemory() - before;
    std::filesystem::remove(path("corpus.jsonl"));
    QVERIFY(status.ok());
    QCOMPARE(count, lines);
    QCOMPARE(bytes, static_cast<std::size_t>(lines) * 500);
    QVERIFY(before > 0);
    QVERIFY2(grown < std::int64_t{8} << 20, qPrintable(QString::number(grown)));
    QVERIFY(m_progress.snapshot().done > lines * 500);
}

void TestDataSets::taggedText() {
    const auto sentences = taggedOf(
        "-DOCSTART- -X- -X- O\n\n# id = 7\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\r\n\n\n \t\n# NN B-NP O\n. . O O");
    QVERIFY2(sentences.ok(), describe(sentences).c_str());
    QCOMPARE(sentences->size(), std::size_t{2});
    QCOMPARE(sentences->front().words, (Texts{"EU", "rejects"}));
    QCOMPARE(sentences->front().tags, (Texts{"B-ORG", "O"}));
    QCOMPARE(sentences->front().line, std::int64_t{4});
    QCOMPARE(sentences->back().words, (Texts{"#", "."}));
    const auto tabs = taggedOf("New York\tB-LOC\n\xE4\xB8\xAD\tO\n");
    QVERIFY2(tabs.ok(), describe(tabs).c_str());
    QCOMPARE(tabs->front().words, (Texts{"New York", "\xE4\xB8\xAD"}));
    QVERIFY(taggedOf("\n\n")->empty());
}

void TestDataSets::taggedTextSaysWhereItIsWrong_data() {
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QByteArray>("said");
    QTest::newRow("no tag") << QByteArray("a O\nb\n") << QByteArray("line 2: a word and its tag");
    QTest::newRow("empty tag") << QByteArray("a\t\n") << QByteArray("line 1: a word and its tag");
    QTest::newRow("columns") << QByteArray("a X O\n\nb O\n") << QByteArray("line 3: it has 2 columns");
    QTest::newRow("one sentence") << QByteArray("a O\n").repeated(70000) << QByteArray("line 65537: the sentence");
}

void TestDataSets::taggedTextSaysWhereItIsWrong() {
    QFETCH(QByteArray, content);
    QFETCH(QByteArray, said);
    const auto sentences = taggedOf(content.toStdString());
    QVERIFY(!sentences.ok());
    const auto text = errorMessage(sentences.error());
    QVERIFY2(text.find(said.toStdString()) != std::string::npos && text.find(path("t.conll")) != std::string::npos,
             text.c_str());
}

QTEST_GUILESS_MAIN(TestDataSets)
#include "tst_data_sets.moc"
