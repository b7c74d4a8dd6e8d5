// What becomes of a labelled data set: cleaning, splits, copies across them, the report.
#include <filesystem>
#include <map>
#include <set>

#include <QtTest>

#include "engine/core/random.h"
#include "engine/io/table.h"
#include "engine/project/near_copies.h"
#include "engine/project/prepare.h"
#include "engine/project/text_keys.h"
#include "engine/spec/task.h"
#include "tests/support/tiny_models.h"

using namespace pareto;
using namespace pareto::project;
namespace fs = std::filesystem;

namespace {

using Words = std::vector<std::string>;

std::string said(const auto& result) {
    return result.ok()          ? std::string("ok")
           : result.cancelled() ? "cancelled"
                                : errorMessage(result.error());
}

#define CHECK_OK(result) QVERIFY2((result).ok(), said(result).c_str())

/// Sentences that share no five words in a row: every word carries its number.
std::string sentence(int number, int words = 9) {
    std::string out;
    for (int i = 0; i < words; ++i) {
        out += (i == 0 ? "w" : " w") + std::to_string(number) + "x" + std::to_string(i);
    }
    return out;
}

/// Plain and slow, on texts instead of hashes: word 5-grams in sets, every pair.
std::set<Words> gramsOf(const std::string& text) {
    const auto words = wordsOf(text);
    std::set<Words> grams;
    for (std::size_t i = 0; i + 5 <= words.size(); ++i) {
        grams.insert(Words(words.begin() + static_cast<std::ptrdiff_t>(i),
                           words.begin() + static_cast<std::ptrdiff_t>(i + 5)));
    }
    if (grams.empty()) {
        grams.insert(words);
    }
    return grams;
}

double similarity(const std::set<Words>& x, const std::set<Words>& y) {
    std::size_t both = 0;
    for (const auto& gram : x) {
        both += y.contains(gram) ? 1 : 0;
    }
    return static_cast<double>(both) / static_cast<double>(x.size() + y.size() - both);
}

std::map<Split, std::vector<Example>> bySplit(const PreparedData& data) {
    std::map<Split, std::vector<Example>> out;
    for (const auto& example : data.examples) {
        out[example.split].push_back(example);
    }
    return out;
}

/// Pairs across splits that a reader would call copies.
int leaksIn(const PreparedData& data) {
    std::vector<std::set<Words>> grams;
    for (const auto& example : data.examples) {
        grams.push_back(gramsOf(example.text));
    }
    int leaks = 0;
    for (std::size_t a = 0; a < grams.size(); ++a) {
        for (std::size_t b = 0; b < grams.size(); ++b) {
            leaks += data.examples[a].split < data.examples[b].split &&
                             similarity(grams[a], grams[b]) >= 0.8
                         ? 1
                         : 0;
        }
    }
    return leaks;
}

}  // namespace

class TestPrepare : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void cleaning_data();
    void cleaning();
    void words_data();
    void words();
    void nearCopiesAsEveryPair();
    void columnsAreGuessed();
    void columnsThatAreNotThere();
    void dirtyRowsGo();
    void mixedLabelsAreOrdered();
    void splitsAreStratified();
    void copiesStayTogether();
    void givenSplits_data();
    void givenSplits();
    void missingSplitsAreDrawn();
    void folders();
    void emptySplitsAreRefused();
    void csvComesBack();
    void reportIsWhole();
    void samples_data();
    void samples();

private:
    std::string write(const std::string& name, const std::string& content) {
        const auto path = m_folder.filePath(QString::fromStdString(name)).toStdString();
        fs::create_directories(fs::path(path).parent_path());
        test::writeText(path, content);
        return path;
    }
    static Result<PreparedData> prepare(const DataOptions& options) {
        Progress progress;
        return prepareData(options, progress, {});
    }
    static Result<PreparedData> prepare(const std::string& source, std::uint64_t seed = 0) {
        DataOptions options;
        options.source = source;
        options.seed = seed;
        return prepare(options);
    }
    QTemporaryDir m_folder;
};

void TestPrepare::cleaning_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("clean");
    QTest::newRow("plain") << QStringLiteral("a b") << QStringLiteral("a b");
    QTest::newRow("ends") << QStringLiteral(" \t a b \r\n") << QStringLiteral("a b");
    QTest::newRow("runs") << QStringLiteral("a \n\n b\tc") << QStringLiteral("a b c");
    QTest::newRow("wide spaces") << QStringLiteral("a\u00a0\u3000b\u2028") << QStringLiteral("a b");
    QTest::newRow("nothing") << QStringLiteral(" \u00a0 ") << QString();
    QTest::newRow("letters stay") << QStringLiteral("Größe 東京 🙂")
                                  << QStringLiteral("Größe 東京 🙂");
}

void TestPrepare::cleaning() {
    QFETCH(QString, text);
    QFETCH(QString, clean);
    QCOMPARE(QString::fromStdString(cleanText(text.toStdString())), clean);
}

void TestPrepare::words_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("key");
    QTest::newRow("case and signs")
        << QStringLiteral("Hello, World!") << QStringLiteral("hello world");
    QTest::newRow("umlauts") << QStringLiteral("GRÖSSE—naïve") << QStringLiteral("grösse naïve");
    QTest::newRow("ideographs") << QStringLiteral("在東京") << QStringLiteral("在 東 京");
    QTest::newRow("joined") << QStringLiteral("don't snake_case 3.5")
                            << QStringLiteral("don t snake_case 3 5");
    QTest::newRow("signs only") << QStringLiteral("?!") << QStringLiteral("?!");
}

void TestPrepare::words() {
    QFETCH(QString, text);
    QFETCH(QString, key);
    const auto utf8 = text.toStdString();
    QCOMPARE(QString::fromStdString(textKey(wordsOf(utf8), utf8)), key);
}

/// 200 random texts with copies of which some words were changed.
void TestPrepare::nearCopiesAsEveryPair() {
    RandomStream random(3, "near copies");
    std::vector<std::string> texts;
    for (int i = 0; i < 200; ++i) {
        std::string text;
        if (i % 3 == 2) {
            auto words = wordsOf(texts[random.below(texts.size())]);
            for (std::uint64_t change = random.below(3); change > 0 && !words.empty(); --change) {
                words[random.below(words.size())] = "v" + std::to_string(random.below(50));
            }
            for (const auto& word : words) {
                text += (text.empty() ? "" : " ") + word;
            }
        } else {
            for (std::uint64_t n = 1 + random.below(40); n > 0; --n) {
                text += (text.empty() ? "v" : " v") + std::to_string(random.below(9));
            }
        }
        texts.push_back(text);
    }
    std::vector<std::vector<std::uint64_t>> grams;
    std::vector<std::set<Words>> plain;
    for (const auto& text : texts) {
        grams.push_back(wordGrams(wordsOf(text), 5, text));
        plain.push_back(gramsOf(text));
    }
    for (const double threshold : {0.3, 0.5, 0.8, 1.0}) {
        std::set<std::pair<std::size_t, std::size_t>> found;
        double worst = 0.0;
        Progress progress;
        const auto done = findNearCopies(
            grams, threshold, [](std::size_t, std::size_t) { return true; },
            [&](std::size_t a, std::size_t b, double similar) {
                QVERIFY(found.emplace(a, b).second);
                worst = std::max(worst, std::abs(similar - similarity(plain[a], plain[b])));
            },
            progress, {});
        CHECK_OK(done);
        std::set<std::pair<std::size_t, std::size_t>> expected;
        for (std::size_t a = 0; a < texts.size(); ++a) {
            for (std::size_t b = a + 1; b < texts.size(); ++b) {
                if (similarity(plain[a], plain[b]) >= threshold) {
                    expected.emplace(a, b);
                }
            }
        }
        QVERIFY(expected.size() > 10);
        QVERIFY(found == expected);
        QVERIFY(worst < 1e-12);
    }
}

void TestPrepare::columnsAreGuessed() {
    std::string csv = ",label-coarse,label-fine,question,source\n";
    for (int i = 0; i < 60; ++i) {
        csv += std::to_string(i) + "," + std::to_string(i % 3) + "," + std::to_string(i % 7) + "," +
               sentence(i) + ",web\n";
    }
    const auto guessed = prepare(write("guess.csv", csv));
    CHECK_OK(guessed);
    QCOMPARE(guessed->report.textColumn, std::string("question"));
    QCOMPARE(guessed->report.labelColumn, std::string("label-coarse"));
    QVERIFY(guessed->report.textWhy.find("60 of 60") != std::string::npos);
    QVERIFY(guessed->report.labelWhy.find("(3)") != std::string::npos);
    DataOptions options;
    options.source = write("guess.csv", csv);
    options.label = "label-fine";
    const auto given = prepare(options);
    CHECK_OK(given);
    QCOMPARE(given->report.labels.size(), std::size_t{7});
    QCOMPARE(given->report.labelWhy, std::string("given"));
}

void TestPrepare::columnsThatAreNotThere() {
    std::string csv = "text,label\n";
    for (int i = 0; i < 20; ++i) {
        csv += sentence(i) + "," + (i % 2 == 0 ? "yes" : "no") + "\n";
    }
    DataOptions options;
    options.source = write("columns.csv", csv);
    options.label = "class";
    auto result = prepare(options);
    QVERIFY(!result.ok());
    QVERIFY(result.error().code == ErrorCode::DataColumnMissing);
    options.label.clear();
    options.split = "fold";
    result = prepare(options);
    QVERIFY(!result.ok());
    QVERIFY(result.error().code == ErrorCode::DataColumnMissing);
    options.split = "label";  // its values are no splits
    result = prepare(options);
    QVERIFY(!result.ok());
    QVERIFY(result.error().code == ErrorCode::TaskInvalid);
    options.split.clear();
    options.label = "text";
    QVERIFY(prepare(options).error().code == ErrorCode::TaskInvalid);
    options.label.clear();
    options.shares = {0.5, 0.1, 0.1};
    QVERIFY(prepare(options).error().code == ErrorCode::TaskInvalid);
    options.source = m_folder.filePath(QStringLiteral("none.csv")).toStdString();
    options.shares = {0.8, 0.1, 0.1};
    QVERIFY(prepare(options).error().code == ErrorCode::FileMissing);
}

void TestPrepare::dirtyRowsGo() {
    std::string csv = "text,label\n";
    for (int i = 0; i < 30; ++i) {
        csv += sentence(i) + "," + std::to_string(i % 2) + "\n";
    }
    csv += "   ,1\n";                      // no text
    csv += sentence(100) + ",\n";          // no label
    csv += "  " + sentence(0) + " ,0\n";   // the first one again, white space cleaned
    csv += "\"" + sentence(1) + "\",1\n";  // and the second
    csv += sentence(200) + ",0\n" + sentence(200) + ",1\n" + sentence(200) +
           ",1\n";  // nobody knows which
    const auto data = prepare(write("dirty.csv", csv));
    CHECK_OK(data);
    const auto& report = data->report;
    QCOMPARE(report.read, std::int64_t{37});
    QCOMPARE(report.withoutText, std::int64_t{1});
    QCOMPARE(report.withoutLabel, std::int64_t{1});
    QCOMPARE(report.duplicates, std::int64_t{2});
    QCOMPARE(report.respaced, std::int64_t{1});
    QCOMPARE(report.conflicting, std::int64_t{3});
    QCOMPARE(report.conflicts, std::vector<std::string>{sentence(200)});
    QCOMPARE(data->examples.size(), std::size_t{30});
    for (const auto& example : data->examples) {
        QVERIFY(example.text != sentence(200));
        QCOMPARE(cleanText(example.text), example.text);
    }
}

/// Numbers and words among the labels: as the model's head will have them.
void TestPrepare::mixedLabelsAreOrdered() {
    std::string csv = "text,label\n";
    int number = 0;
    for (const char* label : {"b", "10", "a", "9"}) {
        for (int i = 0; i < 12; ++i) {
            csv += sentence(number++) + "," + label + "\n";
        }
    }
    const auto data = prepare(write("mixed.csv", csv), 3);
    CHECK_OK(data);
    QCOMPARE(data->report.labels, (std::vector<std::string>{"9", "10", "a", "b"}));
}

void TestPrepare::splitsAreStratified() {
    std::string csv = "text,label\n";
    const std::map<std::string, int> counts{{"10", 100}, {"9", 250}, {"2", 3}, {"30", 47}};
    int number = 0;
    for (const auto& [label, count] : counts) {
        for (int i = 0; i < count; ++i) {
            csv += sentence(number++) + "," + label + "\n";
        }
    }
    const auto path = write("strata.csv", csv);
    const auto data = prepare(path, 7);
    CHECK_OK(data);
    // As numbers: "9" stands before "10".
    QCOMPARE(data->report.labels, (std::vector<std::string>{"2", "9", "10", "30"}));
    QCOMPARE(data->report.classes[1], (std::array<std::int64_t, 3>{200, 25, 25}));
    QCOMPARE(data->report.classes[2], (std::array<std::int64_t, 3>{80, 10, 10}));
    QCOMPARE(data->report.classes[0], (std::array<std::int64_t, 3>{1, 1, 1}));
    QCOMPARE(data->report.classes[3], (std::array<std::int64_t, 3>{37, 5, 5}));
    QCOMPARE(data->examples.size(), std::size_t{400});
    const auto again = prepare(path, 7);
    const auto other = prepare(path, 8);
    CHECK_OK(again);
    CHECK_OK(other);
    QCOMPARE(splitCsv(again->examples, Split::Test), splitCsv(data->examples, Split::Test));
    QCOMPARE(splitCsv(again->examples, Split::Train), splitCsv(data->examples, Split::Train));
    QVERIFY(splitCsv(other->examples, Split::Test) != splitCsv(data->examples, Split::Test));
    QCOMPARE(other->report.classes[1], data->report.classes[1]);
    DataOptions options;
    options.source = path;
    options.shares = {0.5, 0.0, 0.5};
    const auto halves = prepare(options);
    CHECK_OK(halves);
    QCOMPARE(halves->report.classes[1], (std::array<std::int64_t, 3>{125, 0, 125}));
}

/// Every third row has a near copy; whatever the seed, no pair is split, and the report says so.
void TestPrepare::copiesStayTogether() {
    std::string csv = "text,label\n";
    for (int i = 0; i < 90; ++i) {
        csv += sentence(i, 30) + "," + std::to_string(i % 2) + "\n";
        if (i % 3 == 0) {
            csv += "Indeed: " + sentence(i, 30) + "!," + std::to_string(i % 2) + "\n";
        }
        if (i == 6) {
            csv += "short text\n";
        }
    }
    csv.replace(csv.find("short text\n"), 11, "Short text,0\n\"short, TEXT\",0\n");
    const auto path = write("copies.csv", csv);
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
        const auto data = prepare(path, seed);
        CHECK_OK(data);
        QCOMPARE(leaksIn(data.value()), 0);
        QCOMPARE(data->report.leaking, std::int64_t{0});
        QCOMPARE(data->report.copies, std::int64_t{62});
        QCOMPARE(data->report.copyGroups, std::int64_t{31});
        QCOMPARE(data->report.moved, std::int64_t{62});
        QCOMPARE(data->report.rowsOf(Split::Test), std::int64_t{12});
        QVERIFY(!data->report.pairs.empty());
    }
    DataOptions options;
    options.source = path;
    options.leaks = Leaks::Drop;
    const auto dropped = prepare(options);
    CHECK_OK(dropped);
    QCOMPARE(dropped->examples.size(), std::size_t{91});
    QCOMPARE(leaksIn(dropped.value()), 0);
    options.leaks = Leaks::Report;
    const auto reported = prepare(options);
    CHECK_OK(reported);
    QCOMPARE(reported->examples.size(), std::size_t{122});
    QVERIFY(leaksIn(reported.value()) > 0);
    QVERIFY(reported->report.leaking > 0);
    QVERIFY(!reported->report.notes.empty());
}

void TestPrepare::givenSplits_data() {
    QTest::addColumn<QString>("policy");
    for (const char* policy : {"", "move", "drop", "report"}) {
        QTest::newRow(policy[0] == '\0' ? "default" : policy) << QString::fromLatin1(policy);
    }
}

/// A test split that came with the data stays whole, unless somebody wants its copies moved.
void TestPrepare::givenSplits() {
    QFETCH(QString, policy);
    std::string csv = "text,label,split\n";
    for (int i = 0; i < 60; ++i) {
        csv += sentence(i, 30) + "," + std::to_string(i % 2) + "," +
               (i < 40   ? "train"
                : i < 50 ? "dev"
                         : "test") +
               "\n";
    }
    csv += "so " + sentence(55, 30) + ",1,train\n";  // nearly a test row
    csv += "so " + sentence(56, 30) + ",0,dev\n";    // and one of validation
    csv += sentence(57, 30) + ",1,train\n";          // the very same
    DataOptions options;
    options.source = write("given.csv", csv);
    if (Leaks leaks{}; leaksFromName(policy.toStdString(), leaks)) {
        options.leaks = leaks;
    }
    const auto data = prepare(options);
    CHECK_OK(data);
    const auto& report = data->report;
    QCOMPARE(report.splitsFrom, std::string("column split"));
    QCOMPARE(report.duplicates, std::int64_t{1});
    QCOMPARE(report.duplicatesAcross, std::int64_t{1});
    const bool moves = policy == QStringLiteral("move");
    const bool reports = policy == QStringLiteral("report");
    QCOMPARE(report.rowsOf(Split::Test), std::int64_t{moves ? 8 : 10});
    QCOMPARE(report.rowsOf(Split::Train), std::int64_t{moves ? 44 : reports ? 41 : 40});
    QCOMPARE(report.rowsOf(Split::Validation), std::int64_t{reports ? 11 : 10});
    QCOMPARE(report.leaking, std::int64_t{reports ? 2 : 0});
    QCOMPARE(leaksIn(data.value()), reports ? 2 : 0);
    QCOMPARE(report.droppedCopies, std::int64_t{moves || reports ? 0 : 2});
    QCOMPARE(report.pairs.size(), std::size_t{2});
    QVERIFY(report.pairs[0].a.starts_with("given.csv:"));
    QVERIFY(report.pairs[0].sameLabel);
}

void TestPrepare::missingSplitsAreDrawn() {
    std::string csv = "text,label,set\n";
    for (int i = 0; i < 100; ++i) {
        csv += sentence(i) + "," + std::to_string(i % 2) + "," + (i < 80 ? "Train" : "Test") + "\n";
    }
    const auto data = prepare(write("drawn.csv", csv));
    CHECK_OK(data);
    QCOMPARE(data->report.drawn, std::vector<std::string>{"validation"});
    QCOMPARE(data->report.rowsOf(Split::Test), std::int64_t{20});
    QCOMPARE(data->report.rowsOf(Split::Validation),
             std::int64_t{8});  // 0.1 of 0.9, of 80, twice 40
    for (const auto& example : data->examples) {
        QCOMPARE(example.split == Split::Test, example.line >= 82);
    }
}

void TestPrepare::folders() {
    std::string train = "text\tlabel\n";
    std::string test = "{\"text\": \"" + sentence(900) + "\", \"label\": \"b\"}\n";
    for (int i = 0; i < 40; ++i) {
        train += sentence(i) + "\t" + (i % 2 == 0 ? "a" : "b") + "\n";
        test += "{\"text\": \"" + sentence(1000 + i) + "\", \"label\": \"a\"}\n";
    }
    write("folder/train.tsv", train);
    write("folder/test.jsonl", test);
    write("folder/readme.csv", "nothing\n");
    const auto folder = m_folder.filePath(QStringLiteral("folder")).toStdString();
    const auto data = prepare(folder);
    CHECK_OK(data);
    QCOMPARE(data->report.splitsFrom, std::string("files"));
    QCOMPARE(data->report.files.size(), std::size_t{2});
    QCOMPARE(data->report.rowsOf(Split::Test), std::int64_t{41});
    QCOMPARE(data->report.labels, (std::vector<std::string>{"a", "b"}));
    write("folder/valid.csv", "text,label\n" + sentence(77) + ",a\n");
    write("folder/dev.csv", "text,label\n" + sentence(78) + ",a\n");
    const auto twice = prepare(folder);
    QVERIFY(!twice.ok() && twice.error().code == ErrorCode::TaskInvalid);
    write("lone/test.csv", "text,label\nx,a\n");
    QVERIFY(prepare(m_folder.filePath(QStringLiteral("lone")).toStdString()).error().code ==
            ErrorCode::TaskInvalid);
}

void TestPrepare::emptySplitsAreRefused() {
    const auto two =
        prepare(write("two.csv", "text,label\n" + sentence(1) + ",a\n" + sentence(2) + ",b\n" +
                                     sentence(3) + ",a\n" + sentence(4) + ",b\n"));
    QVERIFY(!two.ok());
    QVERIFY(two.error().code == ErrorCode::DataEmpty);
    const auto one =
        prepare(write("one.csv", "text,label\n" + sentence(1) + ",a\n" + sentence(2) + ",a\n"));
    QVERIFY(!one.ok());
    QVERIFY(one.error().code == ErrorCode::TaskInvalid);
}

void TestPrepare::csvComesBack() {
    const std::vector<Example> examples{{"a, \"b\"", "x", Split::Test, 0, 1},
                                        {"not this", "y", Split::Train, 0, 2},
                                        {"Größe 🙂", "z,\"", Split::Test, 0, 3}};
    const auto table = io::readTable(write("back.csv", splitCsv(examples, Split::Test)));
    CHECK_OK(table);
    QCOMPARE(table->columns, (std::vector<std::string>{"text", "label"}));
    QCOMPARE(table->rows.size(), std::size_t{2});
    QCOMPARE(table->rows[0].cells, (std::vector<std::string>{"a, \"b\"", "x"}));
    QCOMPARE(table->rows[1].cells, (std::vector<std::string>{"Größe 🙂", "z,\""}));
}

void TestPrepare::reportIsWhole() {
    std::string csv = "text,label\n";
    for (int i = 0; i < 50; ++i) {
        csv += sentence(i, 2 + i % 10) + "," + (i < 45 ? "often" : "seldom") + "\n";
    }
    const auto data = prepare(write("report.csv", csv));
    CHECK_OK(data);
    const Json json = toJson(data->report);
    QCOMPARE(json["cleaning"]["read"], Json(50));
    QCOMPARE(json["columns"]["text"]["name"], Json("text"));
    QCOMPARE(json["classes"][1]["label"], Json("seldom"));
    QCOMPARE(json["files"][0]["sha256"].get<std::string>().size(), std::size_t{64});
    QCOMPARE(json["leakage"]["policy"], Json("move"));
    std::int64_t rows = 0;
    for (const auto split : kSplits) {
        const auto& words = json["words"][std::string(nameOf(split))];
        rows += words["rows"].get<std::int64_t>();
        QVERIFY(words["shortest"] <= words["median"] && words["median"] <= words["p95"]);
        QVERIFY(words["p95"] <= words["longest"] && words["longest"] <= 11);
    }
    QCOMPARE(rows, std::int64_t{50});
    const auto notes = json["notes"].dump();
    QVERIFY(notes.find("seldom") != std::string::npos);
}

void TestPrepare::samples_data() {
    QTest::addColumn<QString>("source");
    QTest::addColumn<QString>("label");
    QTest::addColumn<int>("classes");
    QTest::newRow("trec") << QStringLiteral("trec/trec.csv") << QStringLiteral("label-coarse") << 6;
    QTest::newRow("prompt-injection")
        << QStringLiteral("prompt-injection") << QStringLiteral("label") << 2;
}

void TestPrepare::samples() {
    QFETCH(QString, source);
    QFETCH(QString, label);
    QFETCH(int, classes);
    const auto path = samplesFolder() + "/" + source.toStdString();
    if (!fs::exists(path)) {
        QSKIP("the sample is missing; ./dev setup fetches it");
    }
    const auto data = prepare(path);
    CHECK_OK(data);
    const auto& report = data->report;
    QCOMPARE(report.textColumn, std::string("text"));
    QCOMPARE(report.labelColumn, label.toStdString());
    QCOMPARE(static_cast<int>(report.labels.size()), classes);
    QCOMPARE(report.leaking, std::int64_t{0});
    const auto splits = bySplit(data.value());
    QVERIFY(splits.at(Split::Test).size() > 500);
    std::set<std::string> training;
    for (const auto& example : splits.at(Split::Train)) {
        training.insert(textKey(wordsOf(example.text), example.text));
    }
    for (const auto& example : splits.at(Split::Test)) {
        QVERIFY2(!training.contains(textKey(wordsOf(example.text), example.text)),
                 example.text.c_str());
    }
    for (const auto& note : report.notes) {
        qInfo("%s", textOf(note).c_str());
    }
    qInfo("%lld rows, %lld copies in %lld groups, test %lld", static_cast<long long>(report.read),
          static_cast<long long>(report.copies), static_cast<long long>(report.copyGroups),
          static_cast<long long>(report.rowsOf(Split::Test)));
}

QTEST_GUILESS_MAIN(TestPrepare)
#include "tst_prepare.moc"
