#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <set>

#include "engine/core/hash.h"
#include "engine/tasks/task_data.h"

using namespace pareto;

class TestTaskData : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }
    void aSplitIsAFileInTheFolder();
    void aSplitColumnSelectsRows();
    void theLimitDrawsTheSameRowsForTheSameSeed();
    void missingColumnsAndFilesAreNamed();
    void noRowsIsAnError();
    void linesOfAPlainText();
    void jsonLines();

private:
    std::string write(const QString& name, const QByteArray& content) const {
        const auto path = m_folder->filePath(name);
        QFile file(path);
        [&] { QVERIFY(file.open(QIODevice::WriteOnly)); }();
        file.write(content);
        return path.toStdString();
    }
    static Task task(const std::string& data) {
        Task task;
        task.kind = TaskKind::Classification;
        task.data = data;
        return task;
    }
    static Result<tasks::TaskRows> read(const Task& task, bool labels = true) {
        Progress progress;
        return tasks::readTaskRows(task, labels, progress, {});
    }
    std::unique_ptr<QTemporaryDir> m_folder;
};

void TestTaskData::aSplitIsAFileInTheFolder() {
    const QByteArray content = "text,label\r\n\"a \"\"b\"\", c\",1\r\nd,0\r\n";
    write(QStringLiteral("test.csv"), content);
    auto inFolder = task(m_folder->path().toStdString());
    inFolder.split = "test";
    const auto data = read(inFolder);
    QVERIFY(data.ok());
    QCOMPARE(data->rows.size(), std::size_t{2});
    QCOMPARE(data->rows[0].text, std::string("a \"b\", c"));
    QCOMPARE(data->rows[0].label, std::string("1"));
    QCOMPARE(data->rows[1].line, 3);
    QCOMPARE(data->hash, sha256Hex(content.toStdString()));
    inFolder.split = "train";
    QCOMPARE(read(inFolder).error().code, ErrorCode::FileMissing);
    inFolder.split.clear();
    QCOMPARE(read(inFolder).error().code, ErrorCode::TaskInvalid);
}

void TestTaskData::aSplitColumnSelectsRows() {
    auto one = task(write(QStringLiteral("all.csv"),
                          "split,text,label\ntrain,a,0\ntest,b,1\ntest,c,0\n"));
    one.split = "test";
    const auto data = read(one);
    QVERIFY(data.ok());
    QCOMPARE(data->rows.size(), std::size_t{2});
    QCOMPARE(data->rows[0].row, 1);
    auto bare = task(write(QStringLiteral("bare.csv"), "text,label\na,0\n"));
    bare.split = "test";
    QCOMPARE(read(bare).error().code, ErrorCode::DataColumnMissing);
    bare.split = "bare";
    QVERIFY(read(bare).ok());
}

void TestTaskData::theLimitDrawsTheSameRowsForTheSameSeed() {
    QByteArray content = "text,label\n";
    for (int i = 0; i < 500; ++i) {
        content += "t" + QByteArray::number(i) + ",0\n";
    }
    auto limited = task(write(QStringLiteral("many.csv"), content));
    limited.limit = 40;
    const auto rowsOf = [&](std::uint64_t seed) {
        limited.seed = seed;
        const auto data = read(limited);
        std::vector<std::int64_t> rows;
        for (const auto& row : data->rows) {
            rows.push_back(row.row);
        }
        return rows;
    };
    const auto first = rowsOf(1);
    QCOMPARE(first.size(), std::size_t{40});
    QVERIFY(std::is_sorted(first.begin(), first.end()));
    QCOMPARE(std::set<std::int64_t>(first.begin(), first.end()).size(), std::size_t{40});
    QVERIFY(first.back() > 250);   // from all over the file, not its beginning
    QCOMPARE(rowsOf(1), first);
    QVERIFY(rowsOf(2) != first);
    limited.limit = 1000;
    QCOMPARE(rowsOf(1).size(), std::size_t{500});
}

void TestTaskData::missingColumnsAndFilesAreNamed() {
    const auto path = write(QStringLiteral("x.csv"), "words,label\na,0\n");
    const auto noText = read(task(path));
    QCOMPARE(noText.error().code, ErrorCode::DataColumnMissing);
    QCOMPARE(noText.error().args.at("column"), std::string("text"));
    QVERIFY(noText.error().args.at("known").find("words") != std::string::npos);
    QCOMPARE(read(task(path + ".not")).error().code, ErrorCode::FileMissing);
}

void TestTaskData::noRowsIsAnError() {
    QCOMPARE(read(task(write(QStringLiteral("e.csv"), "text,label\n"))).error().code,
             ErrorCode::DataEmpty);
    auto plain = task(write(QStringLiteral("e.txt"), "\n  \n"));
    plain.format = DataFormat::Text;
    QCOMPARE(read(plain, false).error().code, ErrorCode::DataEmpty);
}

void TestTaskData::linesOfAPlainText() {
    auto plain = task(write(QStringLiteral("l.txt"), "one\r\n\ntwo\nthree"));
    plain.format = DataFormat::Text;
    const auto data = read(plain, false);
    QVERIFY(data.ok());
    QCOMPARE(data->rows.size(), std::size_t{3});
    QCOMPARE(data->rows[0].text, std::string("one"));
    QCOMPARE(data->rows[1].line, 3);
    QCOMPARE(data->rows[2].text, std::string("three"));
}

void TestTaskData::jsonLines() {
    auto lines = task(write(QStringLiteral("j.jsonl"),
                            "{\"q\": \"a\", \"p\": \"b\", \"y\": 1}\n{\"q\": \"c\", \"p\": \"d\", \"y\": 0}\n"));
    lines.format = DataFormat::Jsonl;
    lines.columns["text"] = "q";
    lines.columns["pair"] = "p";
    lines.columns["label"] = "y";
    const auto data = read(lines);
    QVERIFY(data.ok());
    QCOMPARE(data->rows[0].label, std::string("1"));
    QVERIFY(data->rows[1].hasPair);
    QCOMPARE(data->rows[1].pair, std::string("d"));
}

QTEST_GUILESS_MAIN(TestTaskData)
#include "tst_task_data.moc"
