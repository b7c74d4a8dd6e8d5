#include "engine/io/table.h"

#include <QTemporaryDir>
#include <QTest>

#include "engine/io/utf8.h"
#include "tests/engine/io/fixtures.h"

using namespace pareto;
using namespace pareto::fixtures;

class TestTables : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void csvAsTheStandardSays();
    void tsvAndJsonl();
    void previewStopsEarly();
    void badRows_data();
    void badRows();
    void columnsAreNamed();
    void plainTextIsCutBetweenCharacters();
    void invalidUtf8AsPython();
    void cancelled();

private:
    Result<io::Table> read(const std::string& content, io::TableFormat format = io::TableFormat::Csv,
                           std::int64_t maxRows = 0) {
        writeBytes(path(), content);
        return io::readTable(path(), {format, maxRows});
    }
    std::string path() const { return m_folder.filePath(QStringLiteral("d.csv")).toStdString(); }
    QTemporaryDir m_folder;
};

using Cells = std::vector<std::string>;

void TestTables::csvAsTheStandardSays() {
    const auto table = read("\xEF\xBB\xBFtext,label\r\n\"a \"\"b\"\", c\",0\r\n\"line 1\nline 2\r\n\",1\n\n"
                            "plain,\"\"\n,x\nlast,bad\xFF\xC3");
    QVERIFY2(table.ok(), describe(table).c_str());
    QCOMPARE(table->columns, (Cells{"text", "label"}));
    QCOMPARE(table->rows.size(), std::size_t{5});
    QCOMPARE(table->rows[0].cells, (Cells{"a \"b\", c", "0"}));
    QCOMPARE(table->rows[0].line, std::int64_t{2});
    QCOMPARE(table->rows[1].cells, (Cells{"line 1\nline 2\r\n", "1"}));
    QCOMPARE(table->rows[2].line, std::int64_t{7});
    QCOMPARE(table->rows[2].cells, (Cells{"plain", ""}));
    QCOMPARE(table->rows[3].cells, (Cells{"", "x"}));
    QCOMPARE(table->rows[4].cells[1], std::string("bad\xEF\xBF\xBD\xEF\xBF\xBD"));
    QVERIFY(table->complete);
}

void TestTables::tsvAndJsonl() {
    const auto tsv = read("a\tb\n1, 2\t3\n", io::TableFormat::Tsv);
    QVERIFY(tsv.ok());
    QCOMPARE(tsv->rows[0].cells, (Cells{"1, 2", "3"}));
    const auto json = read("{\"z\":\"x\",\"a\":1}\n\n{\"a\":null,\"n\":{\"k\":[true]}}\n",
                           io::TableFormat::Jsonl);
    QVERIFY2(json.ok(), describe(json).c_str());
    QCOMPARE(json->columns, (Cells{"z", "a", "n"}));
    QCOMPARE(json->rows[0].cells, (Cells{"x", "1", ""}));
    QCOMPARE(json->rows[1].cells, (Cells{"", "", "{\"k\":[true]}"}));
    QCOMPARE(json->rows[1].line, std::int64_t{3});
    QCOMPARE(io::tableFormatOf("a/B.TSV"), io::TableFormat::Tsv);
    QCOMPARE(io::tableFormatOf("x.jsonl"), io::TableFormat::Jsonl);
    QCOMPARE(io::tableFormatOf("x"), io::TableFormat::Csv);
}

void TestTables::previewStopsEarly() {
    const auto some = read("a\n1\n2\n\"never closed", io::TableFormat::Csv, 2);
    QVERIFY2(some.ok(), describe(some).c_str());
    QCOMPARE(some->rows.size(), std::size_t{2});
    QVERIFY(!some->complete);
    QVERIFY(read("a\n1\n2\n", io::TableFormat::Csv, 2)->complete);
}

void TestTables::badRows_data() {
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<int>("format");
    QTest::addColumn<QString>("line");
    const auto row = [](const char* name, const char* content, io::TableFormat format, const char* line) {
        QTest::newRow(name) << QByteArray(content) << static_cast<int>(format) << QString::fromLatin1(line);
    };
    row("too many cells", "a,b\n1,2\n1,2,3\n", io::TableFormat::Csv, "3");
    row("too few cells", "a,b\n1\n", io::TableFormat::Csv, "2");
    row("open quote", "a\n1\n\"x\ny\n", io::TableFormat::Csv, "3");
    row("column twice", "a,a\n1,2\n", io::TableFormat::Csv, "1");
    row("not JSON", "{\"a\":1}\n{a}\n", io::TableFormat::Jsonl, "2");
    row("no object", "[1]\n", io::TableFormat::Jsonl, "1");
    row("key twice", "{\"a\":1,\"a\":2}\n", io::TableFormat::Jsonl, "1");
}

void TestTables::badRows() {
    QFETCH(QByteArray, content);
    QFETCH(int, format);
    QFETCH(QString, line);
    const auto table = read(content.toStdString(), static_cast<io::TableFormat>(format));
    QVERIFY(!table.ok());
    QCOMPARE(table.error().code, ErrorCode::DataRowInvalid);
    QCOMPARE(QString::fromStdString(table.error().args.at("line")), line);
}

void TestTables::columnsAreNamed() {
    const auto table = read("text,label\nx,1\n");
    QCOMPARE(table->column("label").value(), std::size_t{1});
    const auto missing = table->column("lable");
    QCOMPARE(missing.error().code, ErrorCode::DataColumnMissing);
    QCOMPARE(missing.error().args.at("known"), std::string("text, label"));
    QCOMPARE(io::readTable(path() + ".none").error().code, ErrorCode::FileMissing);
}

void TestTables::plainTextIsCutBetweenCharacters() {
    writeBytes(path(), "a\xE4\xB8\xAD" "b");
    QCOMPARE(io::readPlainText(path()).value(), std::string("a\xE4\xB8\xAD" "b"));
    QCOMPARE(io::readPlainText(path(), 4).value(), std::string("a\xE4\xB8\xAD"));
    QCOMPARE(io::readPlainText(path(), 3).value(), std::string("a"));
    QCOMPARE(io::readPlainText(path(), 2).value(), std::string("a"));
}

void TestTables::invalidUtf8AsPython() {
    const std::string mark = "\xEF\xBF\xBD";
    QCOMPARE(io::replaceInvalidUtf8("\xF0\x9F\x98" "a"), mark + "a");
    QCOMPARE(io::replaceInvalidUtf8("\xED\xA0\x80"), mark + mark + mark);
    QCOMPARE(io::replaceInvalidUtf8("\xC0\xAF"), mark + mark);
    QCOMPARE(io::replaceInvalidUtf8("\xF4\x90\x80\x80"), mark + mark + mark + mark);
    QCOMPARE(io::replaceInvalidUtf8("\xE4\xB8"), mark);
    QVERIFY(io::isUtf8("\xF4\x8F\xBF\xBF"));
}

void TestTables::cancelled() {
    writeBytes(path(), "a\n1\n");
    std::stop_source stop;
    stop.request_stop();
    Progress progress;
    QVERIFY(io::readTable(path(), {}, progress, stop.get_token()).cancelled());
}

QTEST_GUILESS_MAIN(TestTables)
#include "tst_tables.moc"
