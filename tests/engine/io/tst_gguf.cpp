#include "engine/io/gguf.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include "engine/io/gguf_dequant.h"
#include "tests/engine/io/fixtures.h"

using namespace pareto;
using namespace pareto::fixtures;

class TestGguf : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void validFileIsRead();
    void version2IsRead();
    void malformed_data();
    void malformed();
    void truncatedAnywhere();
    void dequantizesAsGgufPy_data();
    void dequantizesAsGgufPy();

private:
    Result<io::GgufHeader> read(const std::string& bytes) {
        const auto path = m_folder.filePath(QStringLiteral("t.gguf")).toStdString();
        writeBytes(path, bytes);
        auto file = InputFile::open(path);
        return io::readGgufHeader(*file.value());
    }
    QTemporaryDir m_folder;
};

void TestGguf::validFileIsRead() {
    const auto header = read(validGguf().bytes());
    QVERIFY2(header.ok(), describe(header).c_str());
    QVERIFY(header->metadata.values["general.architecture"] == Json("llama"));
    QCOMPARE(header->metadata.strings.at("tokenizer.ggml.tokens").size(), std::size_t{3});
    QCOMPARE(header->metadata.numbers.at("tokenizer.ggml.token_type").at(2), 3.0);
    QCOMPARE(header->tensors[0].shape, Shape({2, 8}));
    QCOMPARE(header->tensors[1].typeName, std::string("Q4_0"));
    QCOMPARE(header->tensors[1].bytes, std::uint64_t{54});
    QVERIFY(header->tensors[1].encoding.block);
    QCOMPARE(header->tensors[0].offset % 32, std::uint64_t{0});
}

void TestGguf::version2IsRead() {
    GgufWriter file(1, 0, 2);
    file.tensor("x", {4}, 0, 0).data(16);
    const auto header = read(file.bytes());
    QVERIFY2(header.ok(), describe(header).c_str());
    QCOMPARE(header->version, std::uint32_t{2});
}

void TestGguf::malformed_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("code");
    QTest::addColumn<qint64>("offset");  // -1: the error has none
    const auto bytesRow = [](const std::string& name, const std::string& bytes, const char* code,
                             qint64 offset) {
        QTest::newRow(name.c_str()) << QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size()))
                                    << QString::fromLatin1(code) << offset;
    };
    const auto row = [&](const std::string& name, const GgufWriter& file, const char* code) {
        const bool corrupt = std::string_view(code) == "FileCorrupt";
        bytesRow(name, file.bytes(), code, corrupt ? static_cast<qint64>(file.marked()) : -1);
    };
    const auto head = [&](std::uint64_t tensors, std::uint64_t pairs) {
        return GgufWriter(tensors, pairs);
    };
    const std::string filler(256, '\0');
    bytesRow("empty", "", "FileTruncated", -1);
    bytesRow("three bytes", "GGU", "FileTruncated", -1);
    bytesRow("other magic", "GGML" + filler, "FileCorrupt", 0);
    bytesRow("lower case magic", "gguf" + filler, "FileCorrupt", 0);
    bytesRow("magic alone", "GGUF", "FileTruncated", -1);
    for (const std::uint32_t version : {0U, 1U, 4U, 99U, 0x03000000U, 0xFFFFFFFFU}) {
        bytesRow("version " + std::to_string(version), GgufWriter(0, 0, version).bytes() + filler,
                 "FileFormatUnknown", -1);
    }
    for (const std::uint64_t count :
         {std::uint64_t{9}, (std::uint64_t{1} << 20) + 1, std::uint64_t{1} << 60, UINT64_MAX}) {
        bytesRow("tensors " + std::to_string(count), head(count, 0).bytes() + filler, "FileCorrupt", 8);
    }
    for (const std::uint64_t count :
         {std::uint64_t{19}, (std::uint64_t{1} << 16) + 1, std::uint64_t{1} << 60, UINT64_MAX}) {
        bytesRow("pairs " + std::to_string(count), head(0, count).bytes() + filler, "FileCorrupt", 16);
    }
    row("key empty", head(0, 1).mark().text("").u32(4).raw(filler), "FileCorrupt");
    for (const std::uint64_t size : {std::uint64_t{65536}, std::uint64_t{1} << 40, UINT64_MAX}) {
        row("key length " + std::to_string(size), head(0, 1).mark().u64(size).raw(filler), "FileCorrupt");
    }
    row("key beyond the file", head(0, 1).u64(1000).raw(filler), "FileTruncated");
    row("key not UTF-8", head(0, 1).mark().text("a\xFF").u32(4).u32(1).raw(filler), "FileCorrupt");
    row("key overlong", head(0, 1).mark().text("a\xC0\xAF").u32(4).u32(1), "FileCorrupt");
    row("key twice", head(0, 2).number("k", 1).mark().number("k", 2), "FileCorrupt");
    for (const std::uint32_t type : {13U, 255U, 0xFFFFFFFFU}) {
        row("value type " + std::to_string(type), head(0, 1).text("k").mark().u32(type).raw(filler),
            "FileCorrupt");
    }
    row("bool 2", head(0, 1).text("k").u32(7).mark().u8(2), "FileCorrupt");
    row("value cut", head(0, 1).text("k").u32(10).u8(1), "FileTruncated");
    for (const std::uint64_t size : {std::uint64_t{1} << 40, UINT64_MAX, std::uint64_t{1} << 29}) {
        row("string length " + std::to_string(size),
            head(0, 1).text("k").u32(8).mark().u64(size).raw(filler), "FileCorrupt");
    }
    row("string beyond the file", head(0, 1).text("k").u32(8).u64(1000).raw(filler), "FileTruncated");
    row("array of unknown", head(0, 1).text("k").u32(9).mark().u32(13).u64(1).raw(filler), "FileCorrupt");
    row("array of arrays", head(0, 1).text("k").u32(9).mark().u32(9).u64(1).raw(filler), "FileCorrupt");
    const auto array = [&](std::uint32_t type, std::uint64_t count) {
        auto file = head(0, 1);
        file.text("k").u32(9).u32(type).mark().u64(count).raw(filler);
        return file;
    };
    row("array 2^60 bytes", array(0, std::uint64_t{1} << 60), "FileCorrupt");
    row("array count wraps", array(10, (std::uint64_t{1} << 61) + 1), "FileCorrupt");
    row("array count 2^64-1", array(4, UINT64_MAX), "FileCorrupt");
    row("strings 2^60", array(8, std::uint64_t{1} << 60), "FileCorrupt");
    row("array beyond the file", array(4, 1000), "FileTruncated");
    row("strings beyond the file", array(8, 1000), "FileTruncated");
    row("bool array with 7", head(0, 1).text("k").u32(9).u32(7).u64(2).u8(1).mark().u8(7), "FileCorrupt");
    row("string in array too long",
        head(0, 1).text("k").u32(9).u32(8).u64(1).mark().u64(std::uint64_t{1} << 40).raw(filler),
        "FileCorrupt");
    for (const std::uint32_t value : {0U, 1U, 4U, 12U, 131072U, 0x80000000U}) {
        auto file = head(0, 1).number("general.alignment", value);
        bytesRow("alignment " + std::to_string(value), file.bytes() + filler, "FileCorrupt", 24);
    }
    row("alignment of 64 bits", head(0, 1).text("general.alignment").mark().u32(10).u64(32), "FileCorrupt");
    bytesRow("alignment text", head(0, 1).text("general.alignment").u32(8).text("32").bytes() + filler,
             "FileCorrupt", 24);
    row("name empty", head(1, 0).mark().tensor("", {4}, 0, 0).data(64), "FileCorrupt");
    row("name of 64 bytes", head(1, 0).mark().tensor(std::string(64, 'n'), {4}, 0, 0).data(64),
        "FileCorrupt");
    row("name length 2^40", head(1, 0).mark().u64(std::uint64_t{1} << 40).raw(filler), "FileCorrupt");
    row("name not UTF-8", head(1, 0).mark().tensor("\xED\xA0\x80", {4}, 0, 0).data(64), "FileCorrupt");
    row("name twice", head(2, 0).tensor("x", {4}, 0, 0).mark().tensor("x", {4}, 0, 32).data(64),
        "FileCorrupt");
    for (const std::uint32_t rank : {0U, 5U, 0xFFFFFFFFU}) {
        row("rank " + std::to_string(rank), head(1, 0).text("x").mark().u32(rank).raw(filler),
            "FileCorrupt");
    }
    const auto shaped = [&](const std::vector<std::uint64_t>& sizes, std::size_t bad,
                            std::uint32_t type = 0) {
        auto file = head(1, 0);
        file.text("x").u32(static_cast<std::uint32_t>(sizes.size()));
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            if (i == bad) {
                file.mark();
            }
            file.u64(sizes[i]);
        }
        file.u32(type).u64(0).data(256);
        return file;
    };
    row("size 0", shaped({0}, 0), "FileCorrupt");
    row("second size 0", shaped({4, 0}, 1), "FileCorrupt");
    row("sizes wrap", shaped({std::uint64_t{1} << 32, std::uint64_t{1} << 32}, 1), "FileCorrupt");
    row("sizes wrap to a little", shaped({std::uint64_t{1} << 63, 2, 3}, 0), "FileCorrupt");
    row("size 2^63", shaped({std::uint64_t{1} << 63}, 0), "FileCorrupt");
    row("size 2^64-1", shaped({UINT64_MAX}, 0), "FileCorrupt");
    row("bytes would wrap", shaped({std::uint64_t{1} << 61, 2}, 0), "FileCorrupt");
    row("row of 31 for Q4_0", shaped({31}, 0, 2), "FileCorrupt");
    row("row of 33 for Q8_0", shaped({33}, 0, 8), "FileCorrupt");
    row("row of 128 for Q4_K", shaped({128}, 0, 12), "FileCorrupt");
    for (const std::uint32_t type : {4U, 5U, 9U, 15U, 31U, 33U, 36U, 38U, 41U, 255U, 0xFFFFFFFFU}) {
        row("tensor type " + std::to_string(type), shaped({256}, 0, type), "TensorType");
    }
    const auto placed = [&](std::uint64_t offset, std::size_t data) {
        auto file = head(1, 0);
        file.text("x").u32(1).u64(8).u32(0).mark().u64(offset).data(data);
        return file;
    };
    row("offset not aligned", placed(4, 64), "FileCorrupt");
    row("offset 1", placed(1, 64), "FileCorrupt");
    row("offset wraps", placed(UINT64_MAX - 31, 64), "FileCorrupt");
    row("offset beyond the file", placed(64, 64), "FileTruncated");
    row("offset 2^40", placed(std::uint64_t{1} << 40, 64), "FileTruncated");
    row("last byte missing", placed(0, 31), "FileTruncated");
    row("no data", placed(0, 0), "FileTruncated");
    const auto second = [&](std::uint64_t offset) {
        auto file = head(2, 0);
        file.tensor("x", {16}, 0, 0).text("y").u32(1).u64(8).u32(0).mark().u64(offset).data(128);
        return file;
    };
    row("the same place", second(0), "FileCorrupt");
    row("overlap", second(32), "FileCorrupt");
}

void TestGguf::malformed() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, code);
    QFETCH(qint64, offset);
    QElapsedTimer timer;
    timer.start();
    const auto header = read(bytes.toStdString());
    QVERIFY2(timer.elapsed() < 1000, "took longer than a second");
    QVERIFY2(!header.ok(), "accepted");
    QVERIFY2(QString::fromLatin1(errorName(header.error().code).data()) == code,
             describe(header).c_str());
    QVERIFY(header.error().args.at("file").ends_with("t.gguf"));
    if (offset >= 0) {
        QVERIFY2(header.error().args.at("offset") == std::to_string(offset),
                 (describe(header) + " expected at " + std::to_string(offset)).c_str());
    }
}

void TestGguf::truncatedAnywhere() {
    const auto whole = validGguf();
    for (std::size_t length = 0; length < whole.bytes().size(); ++length) {
        const auto header = read(whole.bytes().substr(0, length));
        QVERIFY2(!header.ok(), std::to_string(length).c_str());
        // Counts that cannot fit any more are seen first when much is missing.
        QVERIFY2(header.error().code == ErrorCode::FileTruncated ||
                     header.error().code == ErrorCode::FileCorrupt,
                 describe(header).c_str());
    }
    for (const auto boundary : whole.boundaries()) {
        QVERIFY(!read(whole.bytes().substr(0, boundary)).ok());
    }
}

void TestGguf::dequantizesAsGgufPy_data() {
    QTest::addColumn<int>("type");
    for (const auto& [name, id] :
         {std::pair{"Q4_0", 2}, std::pair{"Q4_1", 3}, std::pair{"Q5_0", 6}, std::pair{"Q5_1", 7},
          std::pair{"Q8_0", 8}, std::pair{"Q2_K", 10}, std::pair{"Q3_K", 11}, std::pair{"Q4_K", 12},
          std::pair{"Q5_K", 13}, std::pair{"Q6_K", 14}, std::pair{"IQ2_XXS", 16},
          std::pair{"IQ2_XS", 17}, std::pair{"IQ3_XXS", 18}, std::pair{"IQ1_S", 19},
          std::pair{"IQ4_NL", 20}, std::pair{"IQ3_S", 21}, std::pair{"IQ2_S", 22},
          std::pair{"IQ4_XS", 23}, std::pair{"IQ1_M", 29}, std::pair{"TQ1_0", 34},
          std::pair{"TQ2_0", 35}, std::pair{"MXFP4", 39}, std::pair{"NVFP4", 40}}) {
        QTest::newRow(name) << id;
    }
}

void TestGguf::dequantizesAsGgufPy() {
    QFETCH(int, type);
    const auto* kind = io::ggmlType(static_cast<std::uint32_t>(type));
    QVERIFY(kind != nullptr);
    const auto golden = readTextFile(std::string(PARETO_SOURCE_DIR "/tests/golden/io/dequant_") +
                                     std::string(kind->name) + ".bin");
    QVERIFY2(golden.ok(), describe(golden).c_str());
    std::uint32_t size = 0;
    std::memcpy(&size, golden->data(), sizeof size);
    const auto blocks = std::as_bytes(std::span(golden.value())).subspan(4, size);
    std::vector<float> values(size / kind->blockBytes * kind->blockElements);
    QCOMPARE(golden->size(), 4 + size + values.size() * sizeof(float));
    io::dequantizeBlocks(*kind, blocks, values.data());
    QVERIFY(std::memcmp(values.data(), golden->data() + 4 + size, values.size() * sizeof(float)) == 0);
}

QTEST_GUILESS_MAIN(TestGguf)
#include "tst_gguf.moc"
