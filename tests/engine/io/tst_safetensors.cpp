#include "engine/io/safetensors.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include "engine/core/random.h"
#include "tests/engine/io/fixtures.h"

using namespace pareto;
using namespace pareto::fixtures;

class TestSafetensors : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void validFilesAreRead();
    void unusualButValid_data();
    void unusualButValid();
    void otherTypesAreLeftOut();
    void malformed_data();
    void malformed();
    void truncatedAnywhere();

private:
    Result<io::SafetensorsHeader> read(const std::string& bytes) {
        const auto path = m_folder.filePath(QStringLiteral("t.safetensors")).toStdString();
        writeBytes(path, bytes);
        auto file = InputFile::open(path);
        return io::readSafetensorsHeader(*file.value());
    }
    QTemporaryDir m_folder;
};

void TestSafetensors::validFilesAreRead() {
    const auto header = read(validSafetensors());
    QVERIFY2(header.ok(), describe(header).c_str());
    QCOMPARE(header->tensors.size(), std::size_t{2});
    QCOMPARE(header->tensors[0].name, std::string("a"));
    QCOMPARE(header->tensors[0].shape, Shape({2, 2}));
    QCOMPARE(header->tensors[1].typeName, std::string("F16"));
    QCOMPARE(header->tensors[1].offset, header->tensors[0].offset + 16);
    QCOMPARE(header->metadata.at("format"), std::string("pt"));
}

void TestSafetensors::unusualButValid_data() {
    QTest::addColumn<QByteArray>("bytes");
    const auto row = [](const char* name, const std::string& header, std::size_t data) {
        const auto bytes = safetensors(header, data);
        QTest::newRow(name) << QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size()));
    };
    row("no tensors", "{}", 0);
    row("padding", "{}      ", 0);
    row("rank 0", R"({"t":)" + tensorEntry("\"F32\"", "[]", "[0,4]") + "}", 4);
    row("size 0", R"({"t":)" + tensorEntry("\"F32\"", "[0,7]", "[0,0]") + "}", 0);
    row("size 0 between", R"({"a":)" + tensorEntry("\"U8\"", "[2]", "[0,2]") + R"(,"z":)" +
                              tensorEntry("\"U8\"", "[0]", "[2,2]") + R"(,"b":)" +
                              tensorEntry("\"U8\"", "[2]", "[2,4]") + "}", 4);
    row("name escapes", R"({"\u00e9\n":)" + tensorEntry("\"I8\"", "[1]", "[0,1]") + "}", 1);
    row("empty name", R"({"":)" + tensorEntry("\"BOOL\"", "[1]", "[0,1]") + "}", 1);
}

void TestSafetensors::unusualButValid() {
    QFETCH(QByteArray, bytes);
    const auto header = read(bytes.toStdString());
    QVERIFY2(header.ok(), describe(header).c_str());
}

void TestSafetensors::otherTypesAreLeftOut() {
    const auto header = read(safetensors(R"({"a":)" + tensorEntry("\"U64\"", "[2]", "[0,16]") + ",\"b\":" +
                                             tensorEntry("\"F32\"", "[1]", "[16,20]") + ",\"c\":" +
                                             tensorEntry("\"F4\"", "[3,6]", "[20,29]") + "}",
                                         29));
    QVERIFY2(header.ok(), describe(header).c_str());
    QCOMPARE(header->tensors.size(), std::size_t{1});
    QCOMPARE(header->tensors[0].name, std::string("b"));
    QCOMPARE(header->unusable.size(), std::size_t{2});
    QCOMPARE(header->unusable[1].typeName, std::string("F4"));
}

void TestSafetensors::malformed_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("code");
    QTest::addColumn<QString>("offset");  // empty: the error has none; *: any
    const auto add = [](const char* name, const std::string& bytes, const char* code,
                        const char* offset) {
        QTest::newRow(name) << QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size()))
                            << QString::fromLatin1(code) << QString::fromLatin1(offset);
    };
    const auto length = [](std::uint64_t value, const std::string& rest) {
        return littleEndian(value) + rest;
    };
    add("empty file", "", "FileTruncated", "");
    add("7 bytes", "1234567", "FileTruncated", "");
    add("length 0", length(0, ""), "FileCorrupt", "8");
    add("length beyond the file", length(3, "{}"), "FileTruncated", "");
    add("length 2^63", length(std::uint64_t{1} << 63, "{}"), "FileCorrupt", "0");
    add("length 2^64-1", length(UINT64_MAX, "{}"), "FileCorrupt", "0");
    add("length 2^64-8", length(UINT64_MAX - 7, "{}"), "FileCorrupt", "0");
    add("length over the limit", length(100'000'001, "{}"), "FileCorrupt", "0");
    add("length at the limit", length(100'000'000, "{}"), "FileTruncated", "");
    const auto header = [&](const char* name, const std::string& text, const char* code,
                            const char* offset, std::size_t data = 0) {
        add(name, safetensors(text, data), code, offset);
    };
    header("array", "[]", "FileCorrupt", "8");
    header("null", "null", "FileCorrupt", "8");
    header("space first", " {}", "FileCorrupt", "8");
    header("byte order mark", "\xEF\xBB\xBF{}", "FileCorrupt", "8");
    header("open brace", "{", "FileCorrupt", "*");
    header("text after", "{}x", "FileCorrupt", "*");
    header("two objects", "{} {}", "FileCorrupt", "*");
    header("NUL padding", std::string("{}\0", 3), "FileCorrupt", "*");
    header("comment", "{/**/}", "FileCorrupt", "*");
    header("trailing comma", R"({"__metadata__":{},})", "FileCorrupt", "*");
    header("single quotes", "{'a':1}", "FileCorrupt", "*");
    header("NaN", R"({"a":NaN})", "FileCorrupt", "*");
    header("name not UTF-8", "{\"\xFF\":1}", "FileCorrupt", "*");
    header("name with overlong slash", "{\"\xC0\xAF\":1}", "FileCorrupt", "*");
    header("name with surrogate", R"({"\ud800":1})", "FileCorrupt", "*");
    header("control character", "{\"a\nb\":1}", "FileCorrupt", "*");
    header("too deep", R"({"t":{"a":[[[[1]]]]}})", "FileCorrupt", "*");
    header("depth bomb", "{\"a\":" + std::string(100'000, '['), "FileCorrupt", "*");
    header("metadata list", R"({"__metadata__":[]})", "FileCorrupt", "9");
    header("metadata number", R"({"__metadata__":{"a":1}})", "FileCorrupt", "9");
    header("metadata null", R"({"__metadata__":null})", "FileCorrupt", "9");
    header("metadata object", R"({"__metadata__":{"a":{}}})", "FileCorrupt", "9");
    header("metadata too long", R"({"__metadata__":{"a":")" + std::string((1 << 20) + 1, 'x') + "\"}}",
           "FileCorrupt", "9");
    header("metadata twice", R"({"__metadata__":{},"__metadata__":{}})", "FileCorrupt", "*");
    header("entry number", R"({"t":1})", "FileCorrupt", "9");
    header("entry list", R"({"t":[]})", "FileCorrupt", "9");
    header("entry null", R"({"t":null})", "FileCorrupt", "9");
    header("entry empty", R"({"t":{}})", "FileCorrupt", "9");
    header("no dtype", R"({"t":{"shape":[1],"data_offsets":[0,4]}})", "FileCorrupt", "9", 4);
    header("no shape", R"({"t":{"dtype":"F32","data_offsets":[0,4]}})", "FileCorrupt", "9", 4);
    header("no offsets", R"({"t":{"dtype":"F32","shape":[1]}})", "FileCorrupt", "9", 4);
    header("extra field", R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})",
           "FileCorrupt", "9", 4);
    const auto tensor = [&](const char* name, const char* dtype, const char* shape,
                            const char* offsets, const char* code, const char* offset,
                            std::size_t data) {
        header(name, R"({"t":)" + tensorEntry(dtype, shape, offsets) + "}", code, offset, data);
    };
    tensor("dtype number", "7", "[1]", "[0,4]", "FileCorrupt", "9", 4);
    tensor("dtype unknown", "\"F33\"", "[1]", "[0,4]", "TensorType", "", 4);
    tensor("dtype lower case", "\"f32\"", "[1]", "[0,4]", "TensorType", "", 4);
    tensor("dtype U128", "\"U128\"", "[1]", "[0,16]", "TensorType", "", 16);
    tensor("U16 of another size", "\"U16\"", "[1]", "[0,4]", "FileCorrupt", "9", 4);
    tensor("F4 of another size", "\"F4\"", "[10]", "[0,10]", "FileCorrupt", "9", 10);
    tensor("dtype empty", "\"\"", "[1]", "[0,4]", "TensorType", "", 4);
    tensor("shape text", "\"F32\"", "\"1\"", "[0,4]", "FileCorrupt", "9", 4);
    tensor("shape object", "\"F32\"", "{}", "[0,4]", "FileCorrupt", "9", 4);
    tensor("shape negative", "\"F32\"", "[-1]", "[0,4]", "FileCorrupt", "9", 4);
    tensor("shape negative pair", "\"F32\"", "[-1,-1]", "[0,4]", "FileCorrupt", "9", 4);
    tensor("shape fraction", "\"F32\"", "[1.0]", "[0,4]", "FileCorrupt", "9", 4);
    tensor("shape exponent", "\"F32\"", "[1e0]", "[0,4]", "FileCorrupt", "9", 4);
    tensor("shape of text", "\"F32\"", "[\"1\"]", "[0,4]", "FileCorrupt", "9", 4);
    tensor("shape of true", "\"F32\"", "[true]", "[0,4]", "FileCorrupt", "9", 4);
    tensor("shape of null", "\"F32\"", "[null]", "[0,4]", "FileCorrupt", "9", 4);
    tensor("rank 17", "\"F32\"", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,4]", "FileCorrupt", "9", 4);
    tensor("size 2^63", "\"U8\"", "[9223372036854775808]", "[0,4]", "FileCorrupt", "9", 4);
    tensor("size 2^64-1", "\"U8\"", "[18446744073709551615]", "[0,4]", "FileCorrupt", "9", 4);
    tensor("size beyond 64 bits", "\"U8\"", "[99999999999999999999]", "[0,4]", "FileCorrupt", "9", 4);
    tensor("product wraps", "\"F32\"", "[4294967296,4294967296]", "[0,0]", "FileCorrupt", "9", 0);
    tensor("bytes wrap", "\"F64\"", "[2305843009213693953]", "[0,8]", "FileCorrupt", "9", 8);
    tensor("zero hides a wrap", "\"F32\"", "[0,4611686018427387904,4611686018427387904]", "[0,0]",
           "FileCorrupt", "9", 0);
    tensor("offsets text", "\"F32\"", "[1]", "\"0\"", "FileCorrupt", "9", 4);
    tensor("one offset", "\"F32\"", "[1]", "[0]", "FileCorrupt", "9", 4);
    tensor("three offsets", "\"F32\"", "[1]", "[0,4,8]", "FileCorrupt", "9", 4);
    tensor("offset negative", "\"F32\"", "[1]", "[-4,0]", "FileCorrupt", "9", 4);
    tensor("offset fraction", "\"F32\"", "[1]", "[0,4.0]", "FileCorrupt", "9", 4);
    tensor("offsets reversed", "\"F32\"", "[1]", "[4,0]", "FileCorrupt", "9", 4);
    tensor("fewer bytes than the shape", "\"F32\"", "[2]", "[0,4]", "FileCorrupt", "9", 4);
    tensor("more bytes than the shape", "\"F32\"", "[1]", "[0,8]", "FileCorrupt", "9", 8);
    tensor("offsets at the end of numbers", "\"F32\"", "[1]",
           "[18446744073709551611,18446744073709551615]", "FileCorrupt", "9", 4);
    tensor("hole at the start", "\"F32\"", "[1]", "[4,8]", "FileCorrupt", "9", 8);
    tensor("empty tensor elsewhere", "\"F32\"", "[0]", "[9,9]", "FileCorrupt", "9", 0);
    tensor("one byte missing", "\"F32\"", "[1]", "[0,4]", "FileTruncated", "", 3);
    tensor("all bytes missing", "\"F32\"", "[1000000]", "[0,4000000]", "FileTruncated", "", 0);
    const std::string a = R"({"a":)" + tensorEntry("\"F32\"", "[1]", "[0,4]") + R"(,"b":)";
    const std::string second = std::to_string(8 + a.size() - 4);
    header("overlap", a + tensorEntry("\"F32\"", "[1]", "[2,6]") + "}", "FileCorrupt",
           second.c_str(), 6);
    header("the same bytes twice", a + tensorEntry("\"F32\"", "[1]", "[0,4]") + "}", "FileCorrupt",
           "*", 4);
    header("hole", a + tensorEntry("\"F32\"", "[1]", "[8,12]") + "}", "FileCorrupt",
           second.c_str(), 12);
    header("tensor twice", R"({"t":)" + tensorEntry("\"U8\"", "[1]", "[0,1]") + R"(,"t":)" +
                               tensorEntry("\"U8\"", "[1]", "[1,2]") + "}",
           "FileCorrupt", "*", 2);
    header("data without tensors", "{}", "FileCorrupt", "10", 1);
    const std::string one = R"({"t":)" + tensorEntry("\"U8\"", "[1]", "[0,1]") + "}";
    header("bytes after the last tensor", one, "FileCorrupt",
           std::to_string(8 + one.size() + 1).c_str(), 9);
}

void TestSafetensors::malformed() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, code);
    QFETCH(QString, offset);
    QElapsedTimer timer;
    timer.start();
    const auto header = read(bytes.toStdString());
    QVERIFY2(timer.elapsed() < 1000, "took longer than a second");
    QVERIFY2(!header.ok(), "accepted");
    const Error& error = header.error();
    QCOMPARE(QString::fromLatin1(errorName(error.code).data()), code);
    QVERIFY(error.args.at("file").ends_with("t.safetensors"));
    if (offset == QStringLiteral("*")) {
        QVERIFY2(std::stoull(error.args.at("offset")) >= 8, errorMessage(error).c_str());
    } else if (!offset.isEmpty()) {
        QCOMPARE(QString::fromStdString(error.args.at("offset")), offset);
    }
    QVERIFY2(errorMessage(error).find('{') == std::string::npos || code == QStringLiteral("FileCorrupt"),
             errorMessage(error).c_str());
}

void TestSafetensors::truncatedAnywhere() {
    const auto whole = validSafetensors();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto header = read(whole.substr(0, length));
        QVERIFY2(!header.ok(), std::to_string(length).c_str());
        QCOMPARE(header.error().code, ErrorCode::FileTruncated);
    }
}

QTEST_GUILESS_MAIN(TestSafetensors)
#include "tst_safetensors.moc"
