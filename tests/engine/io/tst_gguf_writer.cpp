#include "engine/io/gguf_writer.h"

#include <QtTest>

#include <filesystem>

#include "engine/core/file.h"
#include "engine/io/gguf.h"
#include "engine/io/model_files.h"
#include "tests/engine/io/fixtures.h"

using namespace pareto;
using namespace pareto::fixtures;

namespace {

constexpr std::uint32_t kF32 = 0;
constexpr std::uint32_t kQ8 = 8;

io::GgufTensor floats(std::string name, Shape shape) {
    const auto cols = shape[shape.rank() - 1];
    return {std::move(name), std::move(shape), kF32,
            [cols](std::int64_t begin, std::int64_t count) -> Result<Buffer> {
                std::vector<float> values;
                for (std::int64_t at = begin * cols; at < (begin + count) * cols; ++at) {
                    values.push_back(static_cast<float>(at));
                }
                return Buffer::copyOf(std::span<const float>(values));
            }};
}

std::vector<io::GgufEntry> entries() {
    return {{"general.architecture", std::string("llama")},
            {"general.file_type", std::uint32_t{7}},
            {"a.signed", std::int32_t{-5}},
            {"a.real", 0.5F},
            {"a.flag", true},
            {"a.no", false},
            {"a.windows", std::vector<bool>{true, false, true}},
            {"a.bytes", std::vector<std::uint8_t>{0, 255}},
            {"a.heads", std::vector<std::int32_t>{4, -2, 8}},
            {"a.ids", std::vector<std::uint32_t>{1, 2}},
            {"a.scores", std::vector<float>{-1.5F, 0.0F}},
            {"tokenizer.ggml.tokens", std::vector<std::string>{"a", "", "\xE2\x96\x81naïve"}}};
}

}  // namespace

class TestGgufWriter : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void comesBack();
    void sameBytesEachTime();
    void refuses_data();
    void refuses();
    void leavesNothingBehind();

private:
    std::string path(const char* name) const {
        return m_folder.filePath(QString::fromLatin1(name)).toStdString();
    }
    QTemporaryDir m_folder;
};

void TestGgufWriter::comesBack() {
    const auto file = path("a.gguf");
    Progress progress;
    std::int64_t calls = 0;
    io::GgufTensor blocks{"blk.0.ffn_up.weight", Shape{3, 64}, kQ8,
                          [&](std::int64_t, std::int64_t count) -> Result<Buffer> {
                              ++calls;
                              return Buffer::copyOf(std::span<const std::uint8_t>(
                                  std::vector<std::uint8_t>(static_cast<std::size_t>(count) * 68, 1)));
                          }};
    // 5 million values: several stretches of rows.
    const auto status = io::writeGguf(
        file, entries(), {floats("big", Shape{5000, 1000}), floats("norm", Shape{3}), blocks}, progress,
        {});
    QVERIFY2(status.ok(), describe(status).c_str());
    QCOMPARE(calls, 1);
    const auto snapshot = progress.snapshot();
    QCOMPARE(snapshot.total, static_cast<std::int64_t>(std::filesystem::file_size(file)));
    const auto files = io::ModelFiles::open(file);
    QVERIFY2(files.ok(), describe(files).c_str());
    const auto& metadata = files.value()->gguf();
    QCOMPARE(metadata.values["general.architecture"], Json("llama"));
    QCOMPARE(metadata.values["general.file_type"], Json(7));
    QCOMPARE(metadata.values["a.signed"], Json(-5));
    QCOMPARE(metadata.values["a.real"], Json(0.5));
    QCOMPARE(metadata.values["a.flag"], Json(true));
    QCOMPARE(metadata.values["a.no"], Json(false));
    QCOMPARE(metadata.values["a.windows"], Json({true, false, true}));
    QCOMPARE(metadata.numbers.at("a.bytes"), (std::vector<double>{0, 255}));
    QCOMPARE(metadata.numbers.at("a.heads"), (std::vector<double>{4, -2, 8}));
    QCOMPARE(metadata.numbers.at("a.ids"), (std::vector<double>{1, 2}));
    QCOMPARE(metadata.numbers.at("a.scores"), (std::vector<double>{-1.5, 0}));
    QCOMPARE(metadata.strings.at("tokenizer.ggml.tokens"),
             (std::vector<std::string>{"a", "", "\xE2\x96\x81naïve"}));
    const auto* big = files.value()->find("big");
    QVERIFY(big != nullptr && big->shape == Shape({5000, 1000}));
    const auto values = files.value()->floats(*big);
    QCOMPARE(values.value().as<float>()[4'999'999], 4999999.0F);
    const auto* norm = files.value()->find("norm");
    QVERIFY(norm != nullptr && norm->shape == Shape{3} && norm->offset % 32 == 0);
    QCOMPARE(files.value()->floats(*norm).value().as<float>()[2], 2.0F);
    QCOMPARE(files.value()->find("blk.0.ffn_up.weight")->typeName, std::string("Q8_0"));
}

void TestGgufWriter::sameBytesEachTime() {
    Progress progress;
    for (const char* name : {"one.gguf", "two.gguf"}) {
        QVERIFY(io::writeGguf(path(name), entries(), {floats("x", Shape{2, 3})}, progress, {}).ok());
    }
    const auto one = readTextFile(path("one.gguf"));
    QCOMPARE(one.value(), readTextFile(path("two.gguf")).value());
    QCOMPARE(one->size() % 32, std::size_t{0});
}

void TestGgufWriter::refuses_data() {
    QTest::addColumn<int>("kind");
    const char* names[] = {"no name",     "a name of 64 bytes", "a name twice",    "a key twice",
                           "five sizes",  "no element",         "ragged blocks",   "unknown type",
                           "rows missing"};
    for (int kind = 0; kind < 9; ++kind) {
        QTest::newRow(names[kind]) << kind;
    }
}

void TestGgufWriter::refuses() {
    QFETCH(int, kind);
    auto pairs = entries();
    std::vector<io::GgufTensor> tensors{floats("x", Shape{2, 3})};
    switch (kind) {
    case 0: tensors[0].name.clear(); break;
    case 1: tensors[0].name = std::string(64, 'x'); break;
    case 2: tensors.push_back(tensors[0]); break;
    case 3: pairs.push_back(pairs[0]); break;
    case 4: tensors[0].shape = Shape{1, 1, 1, 2, 3}; break;
    case 5: tensors[0].shape = Shape{0, 3}; break;
    case 6: tensors[0].type = kQ8; break;
    case 7: tensors[0].type = 99; break;
    default: tensors[0].rows = [](std::int64_t, std::int64_t) -> Result<Buffer> { return Buffer(); };
    }
    Progress progress;
    const auto status = io::writeGguf(path("refused.gguf"), pairs, tensors, progress, {});
    QVERIFY(!status.ok() && status.error().code == ErrorCode::ExportMismatch);
    QVERIFY(!std::filesystem::exists(path("refused.gguf")));
}

void TestGgufWriter::leavesNothingBehind() {
    Progress progress;
    std::stop_source stop;
    auto cancelling = floats("x", Shape{4000, 1000});
    cancelling.rows = [&stop, rows = cancelling.rows](std::int64_t begin, std::int64_t count) {
        stop.request_stop();
        return rows(begin, count);
    };
    QVERIFY(io::writeGguf(path("gone.gguf"), {}, {cancelling}, progress, stop.get_token()).cancelled());
    QVERIFY(!std::filesystem::exists(path("gone.gguf")));
    const auto full = io::writeGguf(path("gone.gguf"), {},
                                    {floats("x", Shape{std::int64_t{1} << 40, 1 << 15})}, progress, {});
    QVERIFY(!full.ok() && full.error().code == ErrorCode::DiskFull);
    QVERIFY(!std::filesystem::exists(path("gone.gguf")));
    const auto denied = io::writeGguf(path("no/where.gguf"), {}, {floats("x", Shape{1})}, progress, {});
    QVERIFY(!denied.ok() && denied.error().code == ErrorCode::FileWriteDenied);
}

QTEST_GUILESS_MAIN(TestGgufWriter)
#include "tst_gguf_writer.moc"
