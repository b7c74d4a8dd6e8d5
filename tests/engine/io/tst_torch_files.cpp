#include "engine/io/torch_file.h"

#include <filesystem>

#include <QDirIterator>
#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include "engine/io/model_files.h"
#include "engine/spec/task.h"
#include "tests/engine/io/torch_fixtures.h"

using namespace pareto;
using namespace pareto::fixtures;
namespace fs = std::filesystem;

namespace {

const std::string kGolden = PARETO_SOURCE_DIR "/tests/golden/io/";
constexpr const char* kConfig = R"({"model_type":"bert","hidden_size":8})";

using Opened = Result<std::shared_ptr<const io::ModelFiles>>;

class Folder {
public:
    Folder() { file("config.json", kConfig); }
    std::string path(const std::string& name = {}) const {
        return m_folder.path().toStdString() + (name.empty() ? "" : "/" + name);
    }
    Folder& file(const std::string& name, const std::string& content) {
        writeBytes(path(name), content);
        return *this;
    }
    Opened open(const std::string& name = {}) const { return io::ModelFiles::open(path(name)); }

private:
    QTemporaryDir m_folder;
};

QByteArray bytesOf(const std::string& text) {
    return {text.data(), static_cast<qsizetype>(text.size())};
}

std::string codeOf(const Opened& opened) {
    return opened.ok() ? "accepted" : std::string(errorName(opened.error().code));
}

std::string protocol2() { return "\x80\x02"; }

std::string repeated(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) {
        out += text;
    }
    return out;
}

}  // namespace

class TestTorchFiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsWhatTorchSaves_data();
    void readsWhatTorchSaves();
    void tiedTensorsShareTheirBytes();
    void checkpointsSayWhatIsLeftOut();
    void handMadeFilesAreRead_data();
    void handMadeFilesAreRead();
    void shards();
    void shardPathTricks_data();
    void shardPathTricks();
    void trainersFilesAreNotWeights();
    void nothingIsEverRun_data();
    void nothingIsEverRun();
    void malformed_data();
    void malformed();
    void truncatedAnywhere();
    void bombsAreRefusedAtOnce_data();
    void bombsAreRefusedAtOnce();
    void realModel();
};

void TestTorchFiles::readsWhatTorchSaves_data() {
    QTest::addColumn<int>("tensors");
    QTest::newRow("zip") << 8;
    QTest::newRow("legacy") << 8;
    QTest::newRow("protocol4") << 8;
    QTest::newRow("checkpoint") << 8;
    QTest::newRow("dtypes") << 12;
}

void TestTorchFiles::readsWhatTorchSaves() {
    QFETCH(int, tensors);
    const auto name = kGolden + "torch_" + QTest::currentDataTag();
    Folder torch;
    Folder reference;
    fs::copy_file(name + ".bin", torch.path("pytorch_model.bin"));
    fs::copy_file(name + ".safetensors", reference.path("model.safetensors"));
    for (const auto* path : {"", "pytorch_model.bin"}) {
        const auto model = torch.open(path);
        const auto expected = reference.open();
        QVERIFY2(model.ok(), describe(model).c_str());
        QVERIFY2(expected.ok(), describe(expected).c_str());
        QVERIFY(model.value()->format() == io::Format::HuggingFace);
        QCOMPARE(model.value()->tensors().size(), static_cast<std::size_t>(tensors));
        for (const auto& [key, tensor] : expected.value()->tensors()) {
            const auto* found = model.value()->find(key);
            QVERIFY2(found != nullptr, key.c_str());
            QCOMPARE(found->shape, tensor.shape);
            QCOMPARE(found->typeName, tensor.typeName);
            const auto ours = model.value()->raw(*found);
            const auto theirs = expected.value()->raw(tensor);
            QCOMPARE(ours->size(), theirs->size());
            QVERIFY2(ours->empty() || std::memcmp(ours->data(), theirs->data(), ours->size()) == 0,
                     key.c_str());
            QVERIFY(model.value()->floats(*found).ok());
        }
    }
}

void TestTorchFiles::tiedTensorsShareTheirBytes() {
    Folder folder;
    fs::copy_file(kGolden + "torch_zip.bin", folder.path("pytorch_model.bin"));
    const auto model = folder.open();
    QCOMPARE(model.value()->find("embed.weight")->offset,
             model.value()->find("head.weight")->offset);
    QCOMPARE(model.value()->find("rows")->offset,
             model.value()->find("embed.weight")->offset + 2 * 4 * 4);
}

void TestTorchFiles::checkpointsSayWhatIsLeftOut() {
    Folder folder;
    fs::copy_file(kGolden + "torch_checkpoint.bin", folder.path("epoch3.pt"));
    const auto model = folder.open();
    QVERIFY2(model.ok(), describe(model).c_str());
    QCOMPARE(model.value()->notices().size(), std::size_t{1});
    QVERIFY(model.value()->notices()[0].find("\"model\"") != std::string::npos);
}

void TestTorchFiles::handMadeFilesAreRead_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("zip") << bytesOf(validTorchZip().bytes());
    auto wide = validTorchZip();
    wide.wide = true;
    QTest::newRow("64-bit records") << bytesOf(wide.bytes());
    auto comment = validTorchZip();
    comment.comment = "PK\x05\x06 in a comment, and then some more bytes";
    QTest::newRow("comment") << bytesOf(comment.bytes());
    auto unchecked = validTorchZip();
    unchecked.change = [](ZippedFile& file) { file.crc = 0; };
    QTest::newRow("no checksums") << bytesOf(unchecked.bytes());
    auto old = validTorchZip();
    old.files.erase(old.files.begin() + 1);
    QTest::newRow("no byteorder") << bytesOf(old.bytes());
    QTest::newRow("legacy") << bytesOf(LegacyTorch{}.bytes());
    PickledParts ones;
    ones.sizes = pickleTuple({pickleInt(1), pickleInt(6)});
    ones.strides = pickleTuple({pickleInt(77), pickleInt(1)});
    QTest::newRow("stride of a size of one")
        << bytesOf(torchZip(pickledDict("a", ones.bytes())).bytes());
    PickledParts middle;
    middle.offset = pickleInt(3);
    middle.sizes = "\x8A\x01\x03\x85";  // (3,) as LONG1 and TUPLE1
    middle.strides = pickleInt(1) + "\x85";
    QTest::newRow("middle of a storage")
        << bytesOf(torchZip(pickledDict("a", middle.bytes())).bytes());
}

void TestTorchFiles::handMadeFilesAreRead() {
    QFETCH(QByteArray, bytes);
    Folder folder;
    const auto model = folder.file("pytorch_model.bin", bytes.toStdString()).open();
    QVERIFY2(model.ok(), describe(model).c_str());
    const auto values = model.value()->floats(*model.value()->find("a"));
    QVERIFY(values.ok());
    for (const float value : values->as<float>()) {
        QCOMPARE(value, std::bit_cast<float>(0x01010101));
    }
}

void TestTorchFiles::shards() {
    Folder folder;
    folder.file("pytorch_model-00001-of-00002.bin",
                torchZip(pickledDict("a", PickledParts{}.bytes())).bytes());
    LegacyTorch second;
    second.state = pickledDict("b", PickledParts{}.bytes());
    folder.file("pytorch_model-00002-of-00002.bin", second.bytes());
    const std::string index =
        R"({"metadata":{"total_size":48},"weight_map":{"a":"pytorch_model-00001-of-00002.bin","b":"pytorch_model-00002-of-00002.bin"}})";
    folder.file("pytorch_model.bin.index.json", index);
    for (const auto* path :
         {"", "pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json"}) {
        const auto model = folder.open(path);
        QVERIFY2(model.ok(), describe(model).c_str());
        QCOMPARE(model.value()->tensors().size(), std::size_t{2});
        QCOMPARE(model.value()->files().size(), std::size_t{2});
        QVERIFY(model.value()->notices().empty());
    }
    fs::remove(folder.path("pytorch_model-00002-of-00002.bin"));
    QCOMPARE(codeOf(folder.open()), std::string("FileMissing"));
}

void TestTorchFiles::shardPathTricks_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"../x.bin", "a/x.bin", "/etc/x.bin", "..\\\\x.bin", "x\\u0000.bin",
                             ".bin", "x.safetensors", "x.pkl", ""}) {
        QTest::newRow(name) << QString::fromLatin1(name);
    }
}

void TestTorchFiles::shardPathTricks() {
    QFETCH(QString, name);
    Folder folder;
    folder.file("pytorch_model.bin.index.json",
                R"({"weight_map":{"a":")" + name.toStdString() + "\"}}");
    QCOMPARE(codeOf(folder.open()), std::string("FileUnsafe"));
}

void TestTorchFiles::trainersFilesAreNotWeights() {
    Folder folder;
    folder.file("training_args.bin", LegacyTorch{}.bytes())
        .file("optimizer.pt", validTorchZip().bytes());
    folder.file("rng_state_0.pth", "x").file("notes.bin", "nothing of the kind");
    QCOMPARE(codeOf(folder.open()), std::string("FileFormatUnknown"));
    folder.file("epoch.ckpt", validTorchZip().bytes());
    QVERIFY(folder.open().ok());
    folder.file("other.ckpt", validTorchZip().bytes());
    QCOMPARE(codeOf(folder.open()), std::string("FileFormatUnknown"));
    QVERIFY(folder.open("other.ckpt").ok());
}

void TestTorchFiles::nothingIsEverRun_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("named");
    QDirIterator files(QString::fromStdString(kGolden), {QStringLiteral("torch_evil_*.bin")});
    while (files.hasNext()) {
        files.next();
        const auto name = files.fileName();
        const auto kind = name.split(QLatin1Char('_')).at(2).section(QLatin1Char('.'), 0, 0);
        QTest::newRow(qPrintable(name))
            << files.filePath()
            << (kind == QStringLiteral("script")   ? QStringLiteral("TorchScript")
                : kind == QStringLiteral("hidden") ? QStringLiteral(".exec")
                                                   : QStringLiteral(".") + kind);
    }
}

void TestTorchFiles::nothingIsEverRun() {
    QFETCH(QString, file);
    QFETCH(QString, named);
    const auto canary = fs::current_path() / "pareto-canary";
    for (const char* name : {"pytorch_model.bin", "m.pt", "m.pth", "m.ckpt", "m.pkl", "noending",
                             "model.safetensors", "m.gguf"}) {
        Folder folder;
        fs::copy_file(file.toStdString(), folder.path(name));
        const auto opened = folder.open(name);
        QCOMPARE(codeOf(opened), std::string("FileUnsafe"));
        const bool disguised =
            std::string_view(name) == "model.safetensors" || std::string_view(name) == "m.gguf";
        QVERIFY2(disguised ||
                     errorMessage(opened.error()).find(named.toStdString()) != std::string::npos,
                 describe(opened).c_str());
        QVERIFY(errorMessage(opened.error()).find("weights_only=True") != std::string::npos);
        QVERIFY(!folder.open().ok());
        QVERIFY2(!fs::exists(canary), "the payload ran");
    }
}

void TestTorchFiles::malformed_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("code");
    QTest::addColumn<QString>("says");
    const auto raw = [](const char* name, const std::string& bytes, const char* code,
                        const char* says) {
        QTest::newRow(name) << bytesOf(bytes) << QString::fromLatin1(code)
                            << QString::fromUtf8(says);
    };
    // -- the archive
    const auto zipped = [&](const char* name, const char* code, const char* says, auto&& change) {
        auto zip = validTorchZip();
        change(zip);
        raw(name, zip.bytes(), code, says);
    };
    const auto entry = [&](const char* name, const char* code, const char* says,
                           const std::function<void(ZippedFile&)>& change) {
        zipped(name, code, says, [&](Zip& zip) {
            zip.change = [&](ZippedFile& file) {
                if (file.name == "archive/data/0") {
                    change(file);
                }
            };
        });
    };
    raw("no end record", "PK\x03\x04" + std::string(400, '\0'), "FileTruncated", "cut short");
    zipped("one entry too many", "FileTruncated", "", [](Zip& zip) { zip.countChange = 1; });
    zipped("one entry too few", "FileCorrupt", "follow the last entry",
           [](Zip& zip) { zip.countChange = UINT64_MAX; });
    zipped("65534 entries", "FileCorrupt", "more than fit",
           [](Zip& zip) { zip.countChange = 65530; });
    zipped("directory beyond the end", "FileCorrupt", "beyond its end",
           [](Zip& zip) { zip.beginChange = 1; });
    zipped("directory too early", "FileCorrupt", "is expected here",
           [](Zip& zip) { zip.beginChange = UINT64_MAX - 3; });
    zipped("directory at 2^64", "FileCorrupt", "beyond its end", [](Zip& zip) {
        zip.wide = true;
        zip.beginChange = UINT64_MAX - 1000;
    });
    zipped("2^60 entries", "FileCorrupt", "more than fit", [](Zip& zip) {
        zip.wide = true;
        zip.countChange = std::uint64_t{1} << 60;
    });
    zipped("no 64-bit record", "FileCorrupt", "64-bit end record is missing",
           [](Zip& zip) { zip.countChange = 0xFFFF - 4; });
    entry("encrypted", "FileUnsafe", "encrypted", [](ZippedFile& file) { file.flags = 1; });
    entry("deflated", "FileFormatUnknown", "archive/data/0 is compressed",
          [](ZippedFile& file) { file.method = 8; });
    entry("two sizes", "FileCorrupt", "two sizes", [](ZippedFile& file) { file.size = 1 << 30; });
    entry("size beyond the directory", "FileCorrupt", "reaches into the directory",
          [](ZippedFile& file) { file.size = file.packed = 5000; });
    entry("storage too small", "FileCorrupt", "are needed",
          [](ZippedFile& file) { file.size = file.packed = 23; });
    entry("offset elsewhere", "FileCorrupt", "overlaps",
          [](ZippedFile& file) { file.offset -= 1; });
    entry("offset beyond", "FileCorrupt", "not before the directory",
          [](ZippedFile& file) { file.offset += 5000; });
    entry("offset of another", "FileCorrupt", "", [](ZippedFile& file) { file.offset = 0; });
    entry("other local name", "FileCorrupt", "header of the entry",
          [](ZippedFile& file) { file.localName = "archive/data/1"; });
    entry("storage missing", "FileCorrupt", "storage 0 is missing",
          [](ZippedFile& file) { file.name = file.localName = "archive/data/1"; });
    entry("no 64-bit sizes", "FileCorrupt", "lacks its 64-bit sizes",
          [](ZippedFile& file) { file.size = file.packed = 0xFFFFFFFF; });
    entry("extra field too long", "FileCorrupt", "too long",
          [](ZippedFile& file) { file.extra = std::string("\1\0\xFF\0", 4); });
    entry("name not UTF-8", "FileCorrupt", "not UTF-8",
          [](ZippedFile& file) { file.name = file.localName = "archive/data/\xFF"; });
    entry("entry twice", "FileCorrupt", "stands twice",
          [](ZippedFile& file) { file.name = file.localName = "archive/data.pkl"; });
    zipped("overlap", "FileCorrupt", "overlaps", [](Zip& zip) {
        // The second entry's header lies in the first one's content.
        Zip inner;
        inner.files.emplace_back("archive/b", "xyz");
        zip.files.emplace_back("archive/a", inner.bytes().substr(0, 42));
        zip.files.emplace_back("archive/b", "xyz");
        zip.change = [at = std::uint64_t{0}](ZippedFile& file) mutable {
            if (file.name == "archive/a") {
                at = file.offset + 30 + file.name.size();
            } else if (file.name == "archive/b") {
                file.offset = at;
            }
        };
    });
    zipped("wrong checksum", "FileCorrupt", "checksum", [](Zip& zip) {
        zip.change = [](ZippedFile& file) {
            file.crc ^= file.name == "archive/data.pkl" ? 1U : 0U;
        };
    });
    zipped("big-endian", "FileFormatUnknown", "little-endian",
           [](Zip& zip) { zip.files[1] = ZippedFile("archive/byteorder", "big"); });
    zipped("two pickles", "FileCorrupt", "two files data.pkl",
           [](Zip& zip) { zip.files.emplace_back("other/data.pkl", "x"); });
    zipped("no pickle", "FileUnsafe", "no PyTorch state dict",
           [](Zip& zip) { zip.files.erase(zip.files.begin()); });
    zipped("a program", "FileUnsafe", "TorchScript",
           [](Zip& zip) { zip.files.emplace_back("archive/code/x.py", ""); });
    // -- the pickle
    const auto pickled = [&](const char* name, const std::string& pickle, const char* code,
                             const char* says) { raw(name, torchZip(pickle).bytes(), code, says); };
    const auto head = protocol2();
    pickled("empty pickle", "", "FileTruncated", "");
    pickled("no STOP", head + "}", "FileTruncated", "");
    pickled("STOP alone", head + ".", "FileCorrupt", "0 values");
    pickled("two values", head + "NN.", "FileCorrupt", "2 values");
    pickled("open mark", head + "}(.", "FileCorrupt", "");
    pickled("protocol 1", std::string("\x80\x01}.", 4), "FileCorrupt", "protocol 1");
    pickled("protocol 9", std::string("\x80\x09}.", 4), "FileCorrupt", "protocol 9");
    pickled("no instruction", head + "\xFF.", "FileCorrupt", "0xFF");
    for (const char* op : {"R", "s", "a", "b", "Q", "\x93", "\x86", "q\1"}) {
        QTest::addRow("underflow of %02x", static_cast<unsigned char>(*op))
            << bytesOf(torchZip(head + op + ".").bytes()) << QStringLiteral("FileCorrupt")
            << QStringLiteral("stack");
    }
    pickled("mark hides the stack", head + "}NN(s.", "FileCorrupt", "stack");
    pickled("no mark", head + "}u.", "FileCorrupt", "mark");
    pickled("odd items", head + "}(Nu.", "FileCorrupt", "key without a value");
    pickled("append to a dictionary", head + "}Na.", "FileCorrupt", "a list");
    pickled("items of a list", head + "]NNs.", "FileCorrupt", "a dictionary");
    pickled("memo never set", head + "h\7.", "FileCorrupt", "never remembered");
    pickled("long memo never set", head + "j" + littleEndian(0xFFFFFFFFU) + ".", "FileCorrupt",
            "4294967295");
    pickled("text beyond the pickle", head + "X" + littleEndian(1000U) + "a.", "FileTruncated", "");
    pickled("text of 4 GiB", head + "X" + littleEndian(0xFFFFFFF0U) + "a.", "FileCorrupt",
            "4294967280 bytes");
    pickled("number of 200 bytes", head + "\x8A\xC8" + std::string(200, '\1') + ".", "FileCorrupt",
            "200 bytes");
    pickled("name without end", head + "c" + std::string(4000, 'a'), "FileCorrupt",
            "a name of more");
    for (const auto& [module, name] :
         {std::pair{"os", "system"}, std::pair{"posix", "system"}, std::pair{"builtins", "eval"},
          std::pair{"__builtin__", "exec"}, std::pair{"builtins", "getattr"},
          std::pair{"subprocess", "Popen"}, std::pair{"torch", "load"},
          std::pair{"torch.hub", "load"}, std::pair{"torch._utils", "_rebuild_tensor"},
          std::pair{"torch", "FloatStorage.from_file"},
          std::pair{"collections", "OrderedDict.update"},
          std::pair{"numpy.core.multiarray", "_reconstruct"}, std::pair{"argparse", "Namespace"},
          std::pair{"", ""}}) {
        const auto full = std::string(module) + "." + name;
        const auto says = QString::fromStdString("names " + full);
        QTest::addRow("GLOBAL %s", full.c_str())
            << bytesOf(torchZip(pickledDict("a", pickleGlobal(module, name))).bytes())
            << QStringLiteral("FileUnsafe") << says;
        QTest::addRow("STACK_GLOBAL %s", full.c_str())
            << bytesOf(torchZip(head + pickleText(module) + pickleText(name) + "\x93.").bytes())
            << QStringLiteral("FileUnsafe") << says;
        QTest::addRow("INST %s", full.c_str())
            << bytesOf(torchZip(head + "(i" + module + "\n" + name + "\n.").bytes())
            << QStringLiteral("FileUnsafe") << says;
    }
    pickled("name not UTF-8", head + pickleGlobal("\xFF\xFE", "x") + ".", "FileUnsafe",
            "names \xEF\xBF\xBD");
    const auto dict = pickleGlobal("collections", "OrderedDict");
    const auto element = pickleGlobal("torch", "float32");
    pickled("NEWOBJ", head + dict + ")\x81.", "FileUnsafe", "NEWOBJ");
    pickled("OBJ", head + "(" + dict + "o.", "FileUnsafe", "OBJ");
    pickled("EXT1", head + "\x82\x01.", "FileUnsafe", "EXT1");
    pickled("PERSID", head + "Px\n.", "FileUnsafe", "PERSID");
    pickled("DUP", head + "N2.", "FileUnsafe", "DUP");
    pickled("call of a dtype", head + element + ")R.", "FileUnsafe", "calls torch.float32");
    pickled("call of a storage", head + pickleGlobal("torch", "FloatStorage") + ")R.", "FileUnsafe",
            "calls torch.FloatStorage");
    pickled("call of a value", head + "N)R.", "FileUnsafe", "not a name");
    pickled("call without a tuple", head + dict + "NR.", "FileCorrupt", "other arguments");
    pickled("OrderedDict of something", head + dict + "N\x85R.", "FileCorrupt", "other arguments");
    pickled("state of a list", head + "]}b.", "FileUnsafe", "BUILD");
    pickled("state that is a tuple", head + "})b.", "FileUnsafe", "BUILD");
    pickled("root is a list", head + "].", "FileFormatUnknown", "state dict");
    pickled("no tensors", head + "}.", "FileFormatUnknown", "no tensors");
    // -- the tensors
    const auto tensor = [&](const char* name, const char* code, const char* says, auto&& change) {
        PickledParts parts;
        change(parts);
        pickled(name, pickledDict("a", parts.bytes()), code, says);
    };
    using Parts = PickledParts;
    tensor("not a storage", "FileUnsafe", "something else than a storage",
           [](Parts& p) { p.tag = pickleText("module"); });
    tensor("storage of no type", "FileCorrupt", "other arguments",
           [&](Parts& p) { p.storageType = element; });
    tensor("storage key a number", "FileCorrupt", "other arguments",
           [](Parts& p) { p.key = pickleInt(0); });
    tensor("storage key leads out", "FileCorrupt", "is missing",
           [](Parts& p) { p.key = pickleText("../../x"); });
    tensor("storage key not UTF-8", "FileCorrupt", "is missing",
           [](Parts& p) { p.key = pickleText("\xFF"); });
    tensor("elements negative", "FileCorrupt", "-1 elements",
           [](Parts& p) { p.elements = pickleInt(-1); });
    tensor("elements 2^62", "FileCorrupt", "elements",
           [](Parts& p) { p.elements = pickleLong(std::int64_t{1} << 62); });
    tensor("elements beyond the entry", "FileCorrupt", "are needed",
           [](Parts& p) { p.elements = pickleInt(7); });
    tensor("offset negative", "FileCorrupt", "offset -1",
           [](Parts& p) { p.offset = pickleInt(-1); });
    tensor("offset beyond", "FileCorrupt", "reaches to element",
           [](Parts& p) { p.offset = pickleInt(1); });
    tensor("offset 2^62", "FileCorrupt", "overflow",
           [](Parts& p) { p.offset = pickleLong(std::int64_t{1} << 62); });
    tensor("size negative", "FileCorrupt", "whole number", [](Parts& p) {
        p.sizes = pickleTuple({pickleInt(-2), pickleInt(3)});
    });
    tensor("size a text", "FileCorrupt", "whole number", [](Parts& p) {
        p.sizes = pickleTuple({pickleText("2"), pickleInt(3)});
    });
    tensor("sizes beyond", "FileCorrupt", "reaches to element", [](Parts& p) {
        p.sizes = pickleTuple({pickleInt(3), pickleInt(3)});
    });
    tensor("sizes wrap", "FileCorrupt", "overflow", [](Parts& p) {
        p.sizes =
            pickleTuple({pickleLong(std::int64_t{1} << 33), pickleLong(std::int64_t{1} << 33)});
    });
    tensor("empty but overflowing", "FileCorrupt", "overflow", [](Parts& p) {
        p.sizes = pickleTuple({pickleInt(0), pickleLong(INT64_MAX)});
    });
    tensor("stride negative", "FileCorrupt", "whole number", [](Parts& p) {
        p.strides = pickleTuple({pickleInt(3), pickleInt(-1)});
    });
    tensor("stride wraps", "FileCorrupt", "overflow", [](Parts& p) {
        p.strides = pickleTuple({pickleLong(INT64_MAX), pickleInt(1)});
    });
    tensor("strides missing", "FileCorrupt", "1 strides",
           [](Parts& p) { p.strides = pickleTuple({pickleInt(1)}); });
    tensor("17 dimensions", "FileCorrupt", "17 dimensions", [](Parts& p) {
        p.sizes = p.strides = pickleTuple(std::vector<std::string>(17, pickleInt(1)));
    });
    tensor("transposed", "TensorType", "strides 1×2", [](Parts& p) {
        p.sizes = pickleTuple({pickleInt(2), pickleInt(3)});
        p.strides = pickleTuple({pickleInt(1), pickleInt(2)});
    });
    tensor("repeated rows", "TensorType", "strides 0×1", [](Parts& p) {
        p.strides = pickleTuple({pickleInt(0), pickleInt(1)});
    });
    tensor("arguments missing", "FileCorrupt", "other arguments", [](Parts& p) { p.rest = ""; });
    tensor("dtype missing", "FileCorrupt", "other arguments",
           [](Parts& p) { p.rebuild = pickleGlobal("torch._utils", "_rebuild_tensor_v3"); });
    tensor("parameter of nothing", "FileCorrupt", "other arguments",
           [](Parts& p) { p.rebuild = pickleGlobal("torch._utils", "_rebuild_parameter"); });
    const auto a = PickledParts{}.bytes();
    pickled("key a list", head + "}]" + a + "s.", "FileCorrupt", "neither text nor number");
    pickled("tensor twice", head + "}(" + pickleText("a") + a + pickleText("a") + a + "u.",
            "FileCorrupt", "stands twice");
    pickled("tensor name not UTF-8", pickledDict("\xFF", a), "FileCorrupt", "not UTF-8");
    pickled("tensor name of 2000 bytes", pickledDict(std::string(2000, 'n'), a), "FileCorrupt",
            "longer than");
    PickledParts shorter;
    shorter.elements = pickleInt(5);
    shorter.sizes = shorter.strides = pickleTuple({});
    pickled("storage of two sizes",
            head + "}(" + pickleText("a") + a + pickleText("b") + shorter.bytes() + "u.",
            "FileCorrupt", "two different storages");
    pickled("dictionary in itself", head + "}q\1" + pickleText("x") + "h\1s.", "FileCorrupt",
            "nested more");
    pickled("dictionaries 20 deep",
            head + repeated("}" + pickleText("x"), 20) + a + repeated("s", 20) + ".", "FileCorrupt",
            "nested more");
    // -- the sequence of pickles
    const auto legacy = [&](const char* name, const char* code, const char* says, auto&& change) {
        LegacyTorch file;
        change(file);
        raw(name, file.bytes(), code, says);
    };
    using Legacy = LegacyTorch;
    legacy("legacy: version", "FileFormatUnknown", "version",
           [](Legacy& f) { f.protocol = std::string("\x80\x02M\xE8\x03.", 6); });
    legacy("legacy: big-endian", "FileFormatUnknown", "little-endian", [](Legacy& f) {
        f.machine = protocol2() + "}" + pickleText("little_endian") + "\x89s.";
    });
    legacy("legacy: machine unknown", "FileFormatUnknown", "little-endian",
           [](Legacy& f) { f.machine = protocol2() + "N."; });
    legacy("legacy: evil machine", "FileUnsafe", "os.system",
           [](Legacy& f) { f.machine = protocol2() + pickleGlobal("os", "system") + "."; });
    legacy("legacy: evil keys", "FileUnsafe", "os.system",
           [](Legacy& f) { f.keys = protocol2() + pickleGlobal("os", "system") + "."; });
    legacy("legacy: keys no list", "FileCorrupt", "list of its storages",
           [](Legacy& f) { f.keys = protocol2() + "}."; });
    legacy("legacy: no keys", "FileCorrupt", "", [](Legacy& f) { f.keys = protocol2() + "]."; });
    legacy("legacy: unknown key", "FileCorrupt", "no tensor uses",
           [](Legacy& f) { f.keys = protocol2() + "](" + pickleText("9") + "e."; });
    legacy("legacy: key twice", "FileCorrupt", "not complete", [](Legacy& f) {
        f.keys = protocol2() + "](" + pickleText("0") + pickleText("0") + "e.";
        f.storages += f.storages;
    });
    legacy("legacy: elements differ", "FileCorrupt", "instead of 6",
           [](Legacy& f) { f.storages[0] = 7; });
    legacy("legacy: elements negative", "FileCorrupt", "instead of 6",
           [](Legacy& f) { f.storages.replace(0, 8, 8, '\xFF'); });
    legacy("legacy: storage cut", "FileTruncated", "", [](Legacy& f) { f.storages.pop_back(); });
    legacy("legacy: storage missing", "FileTruncated", "", [](Legacy& f) { f.storages.clear(); });
    legacy("legacy: bytes behind", "FileCorrupt", "follow the last storage",
           [](Legacy& f) { f.storages += "x"; });
}

void TestTorchFiles::malformed() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, code);
    QFETCH(QString, says);
    QElapsedTimer timer;
    timer.start();
    Folder folder;
    const auto opened = folder.file("pytorch_model.bin", bytes.toStdString()).open();
    QVERIFY2(timer.elapsed() < 1000, "took longer than a second");
    QVERIFY2(codeOf(opened) == code.toStdString(), describe(opened).c_str());
    QVERIFY(opened.error().args.at("file").ends_with("pytorch_model.bin"));
    QVERIFY2(errorMessage(opened.error()).find(says.toStdString()) != std::string::npos,
             describe(opened).c_str());
}

void TestTorchFiles::truncatedAnywhere() {
    for (const auto& whole : {validTorchZip().bytes(), LegacyTorch{}.bytes()}) {
        Folder folder;
        for (std::size_t length = 0; length < whole.size(); ++length) {
            QVERIFY2(!folder.file("pytorch_model.bin", whole.substr(0, length)).open().ok(),
                     std::to_string(length).c_str());
        }
    }
}

void TestTorchFiles::bombsAreRefusedAtOnce_data() {
    QTest::addColumn<QByteArray>("pickle");
    const auto head = protocol2();
    QTest::newRow("values") << bytesOf(head + "(" + repeated("N", 2'000'000) + "t.");
    QTest::newRow("marks") << bytesOf(head + repeated("(", 2'000'000) + ".");
    QTest::newRow("the same value") << bytesOf(head + "Nq\1(" + repeated("h\1", 2'000'000) + "t.");
    QTest::newRow("tuples of the same")
        << bytesOf(head + "Nq\1" + repeated("(" + repeated("h\1", 100) + "tq\1", 60'000) + ".");
    QTest::newRow("texts") << bytesOf(head + repeated(pickleText(std::string(1 << 20, 'x')), 40) +
                                      ".");
    std::string puts = head + "N";
    for (std::uint32_t i = 0; i < 2'000'000; ++i) {
        puts += "r" + littleEndian(i * 2147483647U);
    }
    QTest::newRow("memo") << bytesOf(puts + ".");
    QTest::newRow("instructions") << bytesOf(head + "N" + repeated("q\1", 17'000'000) + ".");
    // Ten times a dictionary that holds ten times a dictionary …: 10^7 names.
    std::string laughs = "}" + pickleText("x") + PickledParts{}.bytes() + "s";
    for (char level = 1; level < 8; ++level) {
        std::string outer = "}(" + pickleText("a") + laughs + "q" + level;
        for (char i = 1; i < 10; ++i) {
            outer += pickleText(std::string(1, static_cast<char>('a' + i))) + "h" + level;
        }
        laughs = outer + "u";
    }
    QTest::newRow("names") << bytesOf(head + laughs + ".");
}

void TestTorchFiles::bombsAreRefusedAtOnce() {
    QFETCH(QByteArray, pickle);
    Folder folder;
    folder.file("pytorch_model.bin", torchZip(pickle.toStdString()).bytes());
    QElapsedTimer timer;
    timer.start();
    const auto opened = folder.open();
    QVERIFY2(timer.elapsed() < 5000, std::to_string(timer.elapsed()).c_str());
    QVERIFY(!opened.ok());
    QVERIFY2(codeOf(opened) == "FileCorrupt" || codeOf(opened) == "FileFormatUnknown",
             describe(opened).c_str());
}

void TestTorchFiles::realModel() {
    const auto path = samplesFolder() + "/helsinki_en_fr";
    if (!fs::exists(path)) {
        QSKIP("the sample helsinki_en_fr is not in the samples folder");
    }
    QElapsedTimer timer;
    timer.start();
    const auto model = io::ModelFiles::open(path);
    QVERIFY2(model.ok(), describe(model).c_str());
    QVERIFY2(timer.elapsed() < 1000, "opening took longer than a second");
    const auto* shared = model.value()->find("model.shared.weight");
    QVERIFY(shared != nullptr);
    QCOMPARE(shared->shape, Shape({59514, 512}));
    // Tied: the same bytes under three names.
    QCOMPARE(model.value()->find("model.decoder.embed_tokens.weight")->offset, shared->offset);
    QVERIFY(model.value()->floatRows(*shared, 59500, 14).ok());
}

QTEST_GUILESS_MAIN(TestTorchFiles)
#include "tst_torch_files.moc"
