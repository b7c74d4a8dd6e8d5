#include "engine/io/model_files.h"

#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include "engine/core/file.h"
#include "engine/core/random.h"
#include "engine/io/safetensors_writer.h"
#include "engine/spec/task.h"
#include "tests/engine/io/fixtures.h"

using namespace pareto;
using namespace pareto::fixtures;
namespace fs = std::filesystem;

namespace {

constexpr const char* kConfig = R"({"model_type":"bert","hidden_size":8,"num_hidden_layers":1})";

class Folder {
public:
    Folder() {
        file("config.json", kConfig);
        file("model.safetensors", validSafetensors());
    }
    std::string path(const std::string& name = {}) const {
        const auto root = m_folder.path().toStdString() + "/model";
        return name.empty() ? root : root + "/" + name;
    }
    Folder& file(const std::string& name, const std::string& content) {
        fs::create_directories(fs::path(path(name)).parent_path());
        writeBytes(path(name), content);
        return *this;
    }
    Folder& remove(const std::string& name) {
        fs::remove(path(name));
        return *this;
    }
    std::string outside(const std::string& name) const {
        return m_folder.path().toStdString() + "/" + name;
    }

private:
    QTemporaryDir m_folder;
};

using Opened = Result<std::shared_ptr<const io::ModelFiles>>;

#define VERIFY_REFUSED(result, expected)                                          \
    do {                                                                          \
        QVERIFY2(!(result).ok(), "accepted");                                     \
        QVERIFY2((result).error().code == (expected), describe(result).c_str());  \
    } while (false)

std::string indexOf(const std::string& map) {
    return R"({"metadata":{"total_size":24},"weight_map":)" + map + "}";
}

std::string shard(const std::string& tensor) {
    return safetensors("{\"" + tensor + "\":" + tensorEntry("\"F32\"", "[1]", "[0,4]") + "}", 4);
}

}  // namespace

class TestModelFiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void opensAFolder();
    void opensASentenceTransformersFolder();
    void opensAGguf();
    void opensShards();
    void shardsWithTypesThatAreNotUsed();
    void badShards_data();
    void badShards();
    void badFolders_data();
    void badFolders();
    void labels();
    void picklesAreRefusedByContent_data();
    void picklesAreRefusedByContent();
    void headerLengthThatLooksLikeAPickle();
    void linksLeadOutNowhere();
    void cacheLayoutOpens();
    void cachedRepositoriesGoByName();
    void fifoAndDevicesAreRefused();
    void floatsOfEveryType();
    void mappedF32IsNotCopied();
    void shrunkFileIsAnError();
    void hashSeesEveryByte();
    void writerRoundTrip();
    void writerRefuses();
    void realModels();
};

void TestModelFiles::opensAFolder() {
    Folder folder;
    for (const auto access : {io::Access::Read, io::Access::Map}) {
        for (const auto& path : {folder.path(), folder.path() + "/", folder.path("model.safetensors"),
                                 folder.path("config.json"), folder.path("x/../")}) {
            const auto model = io::ModelFiles::open(path, access);
            QVERIFY2(model.ok(), (path + ": " + describe(model)).c_str());
            QCOMPARE(model.value()->format(), io::Format::HuggingFace);
            QCOMPARE(model.value()->tensors().size(), std::size_t{2});
            QVERIFY(model.value()->config()["hidden_size"] == Json(8));
            QCOMPARE(model.value()->transformerFolder(), folder.path());
        }
    }
    VERIFY_REFUSED(io::ModelFiles::open(folder.path("nothing")), ErrorCode::FileMissing);
    VERIFY_REFUSED(io::ModelFiles::open(""), ErrorCode::FileMissing);
    VERIFY_REFUSED(io::ModelFiles::open(std::string("a\0b", 3)), ErrorCode::FileMissing);
}

void TestModelFiles::opensASentenceTransformersFolder() {
    Folder folder;
    folder.remove("config.json").remove("model.safetensors");
    folder.file("0_T/config.json", kConfig).file("0_T/model.safetensors", validSafetensors());
    folder.file("1_Pooling/config.json", R"({"pooling_mode_mean_tokens":true})");
    folder.file("2_Dense/config.json", R"({"in_features":8,"out_features":2})");
    folder.file("2_Dense/model.safetensors", shard("linear.weight"));
    const auto modules = [](const std::string& dense) {
        return R"([{"idx":0,"path":"0_T","type":"sentence_transformers.models.Transformer"},
            {"idx":1,"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
            {"idx":2,"path":")" + dense + R"(","type":"sentence_transformers.models.Dense"},
            {"idx":3,"path":"3_N","type":"sentence_transformers.models.Normalize"}])";
    };
    folder.file("modules.json", modules("2_Dense")).file("labels.json", R"(["no","yes"])");
    const auto model = io::ModelFiles::open(folder.path());
    QVERIFY2(model.ok(), describe(model).c_str());
    QCOMPARE(model.value()->format(), io::Format::SentenceTransformers);
    QCOMPARE(model.value()->modules().size(), std::size_t{3});
    QVERIFY(model.value()->find("2_Dense/linear.weight") != nullptr);
    QCOMPARE(model.value()->transformerFolder(), folder.path("0_T"));
    QCOMPARE(model.value()->labels(), (std::vector<std::string>{"no", "yes"}));
    for (const auto& path : {"../model/2_Dense", "/etc", "2_Dense/../../x", "a\\\\b"}) {
        folder.file("modules.json", modules(path));
        VERIFY_REFUSED(io::ModelFiles::open(folder.path()), ErrorCode::FileUnsafe);
    }
    folder.file("modules.json", R"([{"path":"","type":"sentence_transformers.models.CLIPModel"}])");
    VERIFY_REFUSED(io::ModelFiles::open(folder.path()), ErrorCode::ConfigInvalid);
    for (const char* bad : {"{}", "[]", "[1]", R"([{"path":""}])", R"([{"type":1,"path":""}])"}) {
        folder.file("modules.json", bad);
        VERIFY_REFUSED(io::ModelFiles::open(folder.path()), ErrorCode::ConfigInvalid);
    }
}

void TestModelFiles::opensAGguf() {
    QTemporaryDir folder;
    const auto path = folder.path().toStdString() + "/misnamed.bin";
    writeBytes(path, validGguf().bytes());
    const auto model = io::ModelFiles::open(path);
    QVERIFY2(model.ok(), describe(model).c_str());
    QCOMPARE(model.value()->format(), io::Format::Gguf);
    const auto* tensor = model.value()->find("y.weight");
    const auto all = model.value()->floats(*tensor);
    const auto rows = model.value()->floatRows(*tensor, 1, 2);
    QVERIFY(all.ok() && rows.ok());
    QCOMPARE(rows->size(), std::size_t{2 * 32 * 4});
    QVERIFY(std::memcmp(all->data() + 32 * 4, rows->data(), rows->size()) == 0);
    // Blocks in any order and number at a time, as threads take them.
    const ParallelFor oneByOne = [](std::int64_t count, std::int64_t, const auto& body) {
        for (std::int64_t i = count; i > 0; --i) {
            body(i - 1, i);
        }
    };
    const auto pieces = model.value()->floats(*tensor, oneByOne);
    QVERIFY(pieces.ok());
    QCOMPARE(pieces->size(), all->size());
    QVERIFY(std::memcmp(pieces->data(), all->data(), all->size()) == 0);
    VERIFY_REFUSED(model.value()->floatRows(*tensor, 2, 2), ErrorCode::TensorShape);
    VERIFY_REFUSED(model.value()->floatRows(*tensor, -1, 1), ErrorCode::TensorShape);
    // A folder with nothing but one GGUF file stands for it.
    fs::rename(path, folder.path().toStdString() + "/a.gguf");
    QVERIFY(io::ModelFiles::open(folder.path().toStdString()).ok());
    writeBytes(folder.path().toStdString() + "/b.gguf", validGguf().bytes());
    VERIFY_REFUSED(io::ModelFiles::open(folder.path().toStdString()), ErrorCode::FileFormatUnknown);
}

void TestModelFiles::opensShards() {
    Folder folder;
    folder.remove("model.safetensors");
    folder.file("model-00001-of-00002.safetensors", shard("a"));
    folder.file("model-00002-of-00002.safetensors", shard("b"));
    folder.file("model.safetensors.index.json",
                indexOf(R"({"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"})"));
    for (const auto& path : {folder.path(), folder.path("model-00002-of-00002.safetensors")}) {
        const auto model = io::ModelFiles::open(path);
        QVERIFY2(model.ok(), describe(model).c_str());
        QCOMPARE(model.value()->tensors().size(), std::size_t{2});
        QCOMPARE(model.value()->files().size(), std::size_t{2});
        QCOMPARE(model.value()->notices().size(), std::size_t{1});  // total_size is 8, not 24
    }
}

void TestModelFiles::shardsWithTypesThatAreNotUsed() {
    Folder folder;
    folder.remove("model.safetensors")
        .file("a.safetensors", safetensors(R"({"a":)" + tensorEntry("\"F32\"", "[1]", "[0,4]") + ",\"ids\":" +
                                               tensorEntry("\"U32\"", "[2]", "[4,12]") + "}",
                                           12))
        .file("model.safetensors.index.json", indexOf(R"({"a":"a.safetensors","ids":"a.safetensors"})"));
    const auto model = io::ModelFiles::open(folder.path());
    QVERIFY2(model.ok(), describe(model).c_str());
    QCOMPARE(model.value()->tensors().size(), std::size_t{1});
    QVERIFY(model.value()->notices().front().find("ids (U32)") != std::string::npos);
}

void TestModelFiles::badShards_data() {
    QTest::addColumn<QString>("map");
    QTest::addColumn<int>("code");
    const auto row = [](const char* name, const char* map, ErrorCode code) {
        QTest::newRow(name) << QString::fromUtf8(map) << static_cast<int>(code);
    };
    const auto unsafe = ErrorCode::FileUnsafe;
    row("parent", R"({"a":"../x.safetensors"})", unsafe);
    row("inner parent", R"({"a":"s/../../x.safetensors"})", unsafe);
    row("sub folder", R"({"a":"s/x.safetensors"})", unsafe);
    row("absolute", R"({"a":"/etc/x.safetensors"})", unsafe);
    row("NUL", R"({"a":"x\u0000.safetensors"})", unsafe);
    row("backslash", R"({"a":"s\\x.safetensors"})", unsafe);
    row("other ending", R"({"a":"x.bin"})", unsafe);
    row("ending alone", R"({"a":".safetensors"})", unsafe);
    row("empty", R"({"a":""})", unsafe);
    row("number", R"({"a":1})", unsafe);
    row("null", R"({"a":null})", unsafe);
    const std::string longName = R"({"a":")" + std::string(4096, 'n') + R"(.safetensors"})";
    row("4096 characters", longName.c_str(), unsafe);
    row("missing shard", R"({"a":"1.safetensors","b":"3.safetensors"})", ErrorCode::FileMissing);
    row("swapped", R"({"a":"2.safetensors","b":"1.safetensors"})", ErrorCode::FileCorrupt);
    row("tensor not in its shard", R"({"a":"1.safetensors","b":"2.safetensors","c":"2.safetensors"})",
        ErrorCode::TensorMissing);
    row("map empty", "{}", ErrorCode::ConfigInvalid);
    row("map list", "[]", ErrorCode::ConfigInvalid);
    row("key twice", R"({"a":"1.safetensors","a":"2.safetensors"})", ErrorCode::JsonInvalid);
}

void TestModelFiles::badShards() {
    QFETCH(QString, map);
    QFETCH(int, code);
    Folder folder;
    folder.remove("model.safetensors").file("1.safetensors", shard("a")).file("2.safetensors", shard("b"));
    folder.file("model.safetensors.index.json", indexOf(map.toStdString()));
    writeBytes(folder.outside("x.safetensors"), shard("a"));
    VERIFY_REFUSED(io::ModelFiles::open(folder.path()), static_cast<ErrorCode>(code));
}

void TestModelFiles::badFolders_data() {
    QTest::addColumn<QString>("config");
    QTest::addColumn<int>("code");
    const auto row = [](const char* config, ErrorCode code) {
        QTest::newRow(config) << QString::fromUtf8(config) << static_cast<int>(code);
    };
    for (const char* bad :
         {"[]", "1", R"({"num_hidden_layers":10001})", R"({"num_hidden_layers":-1})",
          R"({"hidden_size":0})", R"({"hidden_size":1048577})", R"({"hidden_size":1.5})",
          R"({"hidden_size":"8"})", R"({"vocab_size":16777217})", R"({"num_attention_heads":0})",
          R"({"num_attention_heads":18446744073709551615})", R"({"layer_norm_eps":-1})",
          R"({"rms_norm_eps":"x"})", R"({"id2label":{"0":"a","2":"b"}})", R"({"id2label":7})"}) {
        // A number where an object with labels is wanted has no labels in it: size 1, no key "0".
        row(bad, ErrorCode::ConfigInvalid);
    }
    for (const char* bad : {"", "{", R"({"a":NaN})", R"({"a":1,"a":2})", "{\"a\":\"\xFF\"}"}) {
        QTest::addRow("not JSON %s", bad)
            << QString::fromLatin1(bad) << static_cast<int>(ErrorCode::JsonInvalid);
    }
}

void TestModelFiles::badFolders() {
    QFETCH(QString, config);
    QFETCH(int, code);
    Folder folder;
    folder.file("config.json", config.toLatin1().toStdString());
    VERIFY_REFUSED(io::ModelFiles::open(folder.path()), static_cast<ErrorCode>(code));
}

void TestModelFiles::labels() {
    Folder folder;
    folder.file("config.json", R"({"id2label":{"1":"b","0":"a"},"auto_map":{"AutoModel":"x.py"}})");
    const auto model = io::ModelFiles::open(folder.path());
    QVERIFY2(model.ok(), describe(model).c_str());
    QCOMPARE(model.value()->labels(), (std::vector<std::string>{"a", "b"}));
    QCOMPARE(model.value()->notices().size(), std::size_t{1});
}

void TestModelFiles::picklesAreRefusedByContent_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QByteArray>("bytes");
    const QByteArray zip("PK\x05\x06" + QByteArray(18, '\0'));
    const QByteArray pickle("\x80\x02}q\x00X\x01\x00\x00\x00", 10);
    const QByteArray protocol4("\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}", 12);
    const QByteArray legacy("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 14);
    const QByteArray global("cos\nsystem\n(S'true'\ntR.");
    QByteArray tar(512, '\0');
    tar.replace(257, 5, "ustar");
    const std::vector<std::pair<const char*, QByteArray>> contents{
        {"zip", zip}, {"pickle 2", pickle}, {"pickle 4", protocol4},
        {"legacy torch", legacy}, {"pickle 0", global}, {"tar", tar}};
    for (const auto& [kind, bytes] : contents) {
        for (const char* name : {"model.safetensors", "m.gguf", "pytorch_model.bin", "m.pt", "m.pth",
                                 "m.ckpt", "m.pkl", "noending"}) {
            QTest::addRow("%s as %s", kind, name) << QString::fromLatin1(name) << bytes;
        }
    }
}

void TestModelFiles::picklesAreRefusedByContent() {
    QFETCH(QString, name);
    QFETCH(QByteArray, bytes);
    Folder folder;
    folder.remove("model.safetensors").file(name.toStdString(), bytes.toStdString());
    const auto file = io::ModelFiles::open(folder.path(name.toStdString()));
    VERIFY_REFUSED(file, ErrorCode::FileUnsafe);
    QVERIFY(errorMessage(file.error()).find("weights_only=True") != std::string::npos);
    const auto whole = io::ModelFiles::open(folder.path());
    QVERIFY(!whole.ok());
    if (name != QStringLiteral("m.gguf") && name != QStringLiteral("noending")) {
        VERIFY_REFUSED(whole, ErrorCode::FileUnsafe);
    }
}

void TestModelFiles::headerLengthThatLooksLikeAPickle() {
    // 640 bytes of header: the file begins 80 02, as a pickle of protocol 2 does.
    std::string header = R"({"t":)" + tensorEntry("\"F32\"", "[1]", "[0,4]") + "}";
    header.resize(640, ' ');
    Folder folder;
    folder.file("model.safetensors", safetensors(header, 4));
    const auto model = io::ModelFiles::open(folder.path());
    QVERIFY2(model.ok(), describe(model).c_str());
}

void TestModelFiles::linksLeadOutNowhere() {
    Folder folder;
    writeBytes(folder.outside("secret.safetensors"), validSafetensors());
    writeBytes(folder.outside("secret.json"), kConfig);
    for (const auto& [name, target] :
         {std::pair{"model.safetensors", "secret.safetensors"}, std::pair{"config.json", "secret.json"}}) {
        Folder other;
        other.remove(name);
        fs::create_symlink(folder.outside(target), other.path(name));
        const auto model = io::ModelFiles::open(other.path());
        VERIFY_REFUSED(model, ErrorCode::FileUnsafe);
        QVERIFY(model.error().args.at("file").ends_with(name));
    }
    // Inside the folder, and the folder itself through a link, are fine.
    fs::rename(folder.path("model.safetensors"), folder.path("real.safetensors"));
    fs::create_symlink("real.safetensors", folder.path("model.safetensors"));
    fs::create_directory_symlink(folder.path(), folder.outside("link"));
    QVERIFY(io::ModelFiles::open(folder.outside("link")).ok());
    fs::remove(folder.path("real.safetensors"));
    VERIFY_REFUSED(io::ModelFiles::open(folder.path()), ErrorCode::FileMissing);
    // A link to itself ends.
    fs::remove(folder.path("model.safetensors"));
    fs::create_symlink("model.safetensors", folder.path("model.safetensors"));
    QVERIFY(!io::ModelFiles::open(folder.path()).ok());
}

void TestModelFiles::cacheLayoutOpens() {
    Folder folder;
    folder.remove("config.json").remove("model.safetensors");
    folder.file("blobs/aa", kConfig).file("blobs/bb", validSafetensors()).file("refs/main", "rev1\n");
    fs::create_directories(folder.path("snapshots/rev1"));
    fs::create_symlink("../../blobs/aa", folder.path("snapshots/rev1/config.json"));
    fs::create_symlink("../../blobs/bb", folder.path("snapshots/rev1/model.safetensors"));
    for (const auto& path : {folder.path("snapshots/rev1"), folder.path()}) {
        const auto model = io::ModelFiles::open(path);
        QVERIFY2(model.ok(), describe(model).c_str());
        QVERIFY(model.value()->files().front().ends_with("snapshots/rev1/model.safetensors"));
    }
    fs::remove(folder.path("snapshots/rev1/config.json"));
    writeBytes(folder.outside("c.json"), kConfig);
    fs::create_symlink(folder.outside("c.json"), folder.path("snapshots/rev1/config.json"));
    VERIFY_REFUSED(io::ModelFiles::open(folder.path("snapshots/rev1")), ErrorCode::FileUnsafe);
}

void TestModelFiles::cachedRepositoriesGoByName() {
    Folder folder;
    folder.file("hub/models--some-lab--tiny.model/snapshots/rev1/config.json", kConfig)
        .file("hub/models--some-lab--tiny.model/snapshots/rev1/model.safetensors", validSafetensors());
    qputenv("HF_HUB_CACHE", QByteArray::fromStdString(folder.path("hub")));
    const auto model = io::ModelFiles::open("some-lab/tiny.model");
    QVERIFY2(model.ok(), describe(model).c_str());
    QCOMPARE(model.value()->name(), std::string("some-lab/tiny.model"));
    for (const char* name : {"some-lab/other", "some-lab/../tiny", "../some-lab/tiny.model", "tiny.model"}) {
        VERIFY_REFUSED(io::ModelFiles::open(name), ErrorCode::FileMissing);
    }
    qunsetenv("HF_HUB_CACHE");
}

void TestModelFiles::fifoAndDevicesAreRefused() {
    Folder folder;
    folder.remove("model.safetensors");
    QCOMPARE(::mkfifo(folder.path("model.safetensors").c_str(), 0600), 0);
    QElapsedTimer timer;
    timer.start();
    VERIFY_REFUSED(io::ModelFiles::open(folder.path()), ErrorCode::FileUnreadable);
    VERIFY_REFUSED(io::ModelFiles::open(folder.path("model.safetensors")), ErrorCode::FileUnreadable);
    VERIFY_REFUSED(io::ModelFiles::open("/dev/zero"), ErrorCode::FileUnreadable);
    QVERIFY(timer.elapsed() < 2000);
}

void TestModelFiles::floatsOfEveryType() {
    QTemporaryDir folder;
    const auto path = folder.path().toStdString() + "/model.safetensors";
    writeBytes(folder.path().toStdString() + "/config.json", kConfig);
    std::vector<io::TensorToWrite> tensors;
    const auto add = [&]<typename T>(const char* name, DType type, std::vector<T> values) {
        const auto count = static_cast<std::int64_t>(values.size());
        tensors.push_back({name, type, Shape{count},
                           [values]() -> Result<Buffer> { return Buffer::copyOf(std::span<const T>(values)); }});
    };
    add("f64", DType::F64, std::vector<double>{1.0, -2.5});
    add("f32", DType::F32, std::vector<float>{1.0F, -2.5F});
    add("f16", DType::F16, std::vector<std::uint16_t>{0x3C00, 0xC100});
    add("bf16", DType::BF16, std::vector<std::uint16_t>{0x3F80, 0xC020});
    add("e4m3", DType::F8E4M3, std::vector<std::uint8_t>{0x38, 0xC2});
    add("e5m2", DType::F8E5M2, std::vector<std::uint8_t>{0x3C, 0xC1});
    add("i64", DType::I64, std::vector<std::int64_t>{1, -2});
    add("i32", DType::I32, std::vector<std::int32_t>{1, -2});
    add("i16", DType::I16, std::vector<std::int16_t>{1, -2});
    add("i8", DType::I8, std::vector<std::int8_t>{1, -2});
    add("u8", DType::U8, std::vector<std::uint8_t>{1, 254});
    add("bool", DType::Bool, std::vector<std::uint8_t>{1, 0});
    Progress progress;
    const auto written = io::writeSafetensors(path, tensors, {}, progress, {});
    QVERIFY2(written.ok(), describe(written).c_str());
    for (const auto access : {io::Access::Read, io::Access::Map}) {
        const auto model = io::ModelFiles::open(path, access);
        QVERIFY2(model.ok(), describe(model).c_str());
        for (const auto& [name, tensor] : model.value()->tensors()) {
            const auto floats = model.value()->floats(tensor);
            QVERIFY(floats.ok());
            const float second = floats->as<float>()[1];
            const bool floating = isFloating(tensor.encoding.dtype);
            QCOMPARE(floats->as<float>()[0], 1.0F);
            QCOMPARE(second, floating ? -2.5F
                             : name == "u8"   ? 254.0F
                             : name == "bool" ? 0.0F
                                              : -2.0F);
        }
    }
}

void TestModelFiles::mappedF32IsNotCopied() {
    Folder folder;
    // The writer pads the header to 8 bytes, so its F32 tensors are aligned.
    std::string header = R"({"t":)" + tensorEntry("\"F32\"", "[2]", "[0,8]") + "}";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    folder.file("model.safetensors", safetensors(header, 8));
    const auto model = io::ModelFiles::open(folder.path());
    const auto& tensor = *model.value()->find("t");
    const auto raw = model.value()->raw(tensor);
    QCOMPARE(model.value()->floats(tensor)->data(), raw->data());
    QCOMPARE(model.value()->floatRows(tensor, 1, 1)->data(), raw->data() + 4);
    // An odd header length leaves the data unaligned: values must be usable all the same.
    folder.file("model.safetensors", safetensors(header.substr(0, header.find('}') + 2) + " ", 8));
    const auto odd = io::ModelFiles::open(folder.path());
    QVERIFY2(odd.ok(), describe(odd).c_str());
    const auto floats = odd.value()->floats(*odd.value()->find("t"));
    QCOMPARE(reinterpret_cast<std::uintptr_t>(floats->data()) % 4, std::uintptr_t{0});
}

void TestModelFiles::shrunkFileIsAnError() {
    Folder folder;
    for (const auto access : {io::Access::Read, io::Access::Map}) {
        folder.file("model.safetensors", validSafetensors());
        const auto model = io::ModelFiles::open(folder.path(), access);
        QVERIFY(model.ok());
        fs::resize_file(folder.path("model.safetensors"), 20);
        const auto floats = model.value()->floats(*model.value()->find("b"));
        VERIFY_REFUSED(floats, ErrorCode::FileTruncated);
        Progress progress;
        VERIFY_REFUSED(model.value()->contentHash(progress, {}), ErrorCode::FileTruncated);
    }
}

void TestModelFiles::hashSeesEveryByte() {
    const auto hashOf = [](const Folder& folder) {
        Progress progress;
        return io::ModelFiles::open(folder.path()).value()->contentHash(progress, {}).value();
    };
    Folder one;
    Folder two;
    QCOMPARE(hashOf(one), hashOf(two));
    auto bytes = validSafetensors();
    bytes.back() = '\2';
    two.file("model.safetensors", bytes);
    QVERIFY(hashOf(one) != hashOf(two));
    two.file("model.safetensors", validSafetensors()).file("config.json", R"({"hidden_size":9})");
    QVERIFY(hashOf(one) != hashOf(two));
    std::stop_source stop;
    stop.request_stop();
    Progress progress;
    QVERIFY(io::ModelFiles::open(one.path()).value()->contentHash(progress, stop.get_token()).cancelled());
}

void TestModelFiles::writerRoundTrip() {
    Folder folder;
    fs::remove(folder.path("model.safetensors"));
    RandomStream random(1, "writer");
    std::vector<float> values(1000);
    for (auto& value : values) {
        value = static_cast<float>(random.normal());
    }
    const auto data = [&]() -> Result<Buffer> { return Buffer::copyOf(std::span<const float>(values)); };
    const auto empty = []() -> Result<Buffer> { return Buffer{}; };
    std::vector<io::TensorToWrite> tensors{{"w", DType::F32, Shape{10, 100}, data},
                                           {"none", DType::F16, Shape{0, 3}, empty}};
    Progress progress;
    QVERIFY(io::writeSafetensors(folder.path("model.safetensors"), tensors, {{"k", "v"}}, progress, {}).ok());
    const auto first = readTextFile(folder.path("model.safetensors"));
    std::uint64_t length = 0;
    std::memcpy(&length, first->data(), sizeof length);
    QCOMPARE(length % 8, std::uint64_t{0});
    QVERIFY(first->find(R"("format":"pt")") != std::string::npos);
    const auto model = io::ModelFiles::open(folder.path());
    QVERIFY2(model.ok(), describe(model).c_str());
    const auto read = model.value()->floats(*model.value()->find("w"));
    QVERIFY(std::memcmp(read->data(), values.data(), read->size()) == 0);
    // The same input gives the same bytes, in whatever order it comes.
    std::swap(tensors[0], tensors[1]);
    QVERIFY(io::writeSafetensors(folder.path("again"), tensors, {{"k", "v"}}, progress, {}).ok());
    QCOMPARE(readTextFile(folder.path("again")).value(), first.value());
}

void TestModelFiles::writerRefuses() {
    QTemporaryDir folder;
    const auto path = folder.path().toStdString() + "/x";
    const auto two = []() -> Result<Buffer> { return Buffer::copyOf(std::span<const char>("ab", 2)); };
    Progress progress;
    VERIFY_REFUSED(io::writeSafetensors(path, {{"a", DType::U8, Shape{3}, two}}, {}, progress, {}),
                   ErrorCode::ExportMismatch);
    QVERIFY(!fs::exists(path));
    VERIFY_REFUSED(io::writeSafetensors(path, {{"a", DType::U8, Shape{2}, two}, {"a", DType::U8, Shape{2}, two}},
                                        {}, progress, {}),
                   ErrorCode::ExportMismatch);
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(io::writeSafetensors(path, {{"a", DType::U8, Shape{2}, two}}, {}, progress, stop.get_token())
                .cancelled());
    QVERIFY(!fs::exists(path));
    const std::int64_t huge = std::int64_t{1} << 60;
    VERIFY_REFUSED(io::writeSafetensors(path, {{"a", DType::U8, Shape{huge}, two}}, {}, progress, {}),
                   ErrorCode::DiskFull);
    VERIFY_REFUSED(io::writeSafetensors(folder.path().toStdString() + "/no/x",
                                        {{"a", DType::U8, Shape{2}, two}}, {}, progress, {}),
                   ErrorCode::FileWriteDenied);
    QVERIFY(io::writeSafetensors(path, {{"a", DType::U8, Shape{2}, two}}, {}, progress, {}).ok());
    VERIFY_REFUSED(io::writeSafetensors(path, {{"a", DType::U8, Shape{2}, two}}, {}, progress, {}),
                   ErrorCode::FileWriteDenied);
}

void TestModelFiles::realModels() {
    int found = 0;
    for (const char* name : {"minilm", "injection-classifier", "smollm2-135m"}) {
        const auto path = samplesFolder() + "/" + name;
        if (!fs::exists(path)) {
            continue;
        }
        ++found;
        QElapsedTimer timer;
        timer.start();
        const auto model = io::ModelFiles::open(path);
        QVERIFY2(model.ok(), describe(model).c_str());
        QVERIFY2(timer.elapsed() < 1000, "opening took longer than a second");
        for (const auto& [key, tensor] : model.value()->tensors()) {
            if (tensor.shape.rank() == 1) {
                QVERIFY(model.value()->floats(tensor).ok());
            }
        }
    }
    if (found == 0) {
        QSKIP("the samples minilm, injection-classifier and smollm2-135m are not in the samples folder");
    }
}

QTEST_GUILESS_MAIN(TestModelFiles)
#include "tst_model_files.moc"
