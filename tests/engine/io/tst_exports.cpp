// What other programs make of transformers' checkpoints: CTranslate2, ONNX and Marian. Opened, they are
// compared tensor by tensor with the checkpoint they were made from (tests/golden/exports/make_exports.py).

#include <cmath>
#include <filesystem>
#include <tuple>

#include <QSet>
#include <QTemporaryDir>
#include <QTest>

#include "engine/core/file.h"
#include "engine/io/model_files.h"
#include "tests/engine/io/fixtures.h"
#include "tests/engine/io/onnx_fixtures.h"

using namespace pareto;
using namespace pareto::fixtures;
namespace fs = std::filesystem;

namespace {

const std::string kExports = PARETO_SOURCE_DIR "/tests/golden/exports/";
const std::string kModels = PARETO_SOURCE_DIR "/tests/golden/models/";

/// How far a value may be from the source's: exact, rounded to 8 or 11 bits, or half a step of integers.
enum class Exactness { Exact, BFloat, Half, Int8, Int16 };

double allowed(Exactness exactness, std::span<const float> row, std::span<const float> all, float value) {
    const auto largest = [](std::span<const float> values) {
        float most = 0.0F;
        for (const float one : values) {
            most = std::max(most, std::abs(one));
        }
        return static_cast<double>(most);
    };
    switch (exactness) {
    case Exactness::Exact: return 0.0;
    case Exactness::BFloat: return std::abs(value) / 256.0;
    case Exactness::Half: return std::abs(value) / 2048.0 + 1e-7;
    case Exactness::Int8: return largest(row) / 127.0 * 0.5001;
    case Exactness::Int16: return largest(all) / 1000.0;
    }
    return 0.0;
}

std::string varied(const std::string& name, const io::ModelFiles& source) {
    for (const char* prefix : {"", "bert.", "distilbert.", "roberta.", "transformer."}) {
        if (source.find(prefix + name) != nullptr) {
            return prefix + name;
        }
    }
    return {};
}

}  // namespace

class TestExports : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void models_data();
    void models();
    void rows();
    void quantized();
    void malformedCTranslate2_data();
    void malformedCTranslate2();
    void malformedOnnx_data();
    void malformedOnnx();
    void malformedNpz_data();
    void malformedNpz();
    void externalData_data();
    void externalData();
    void truncated();

private:
    std::string path(const char* name) const { return m_folder.filePath(QString::fromLatin1(name)).toStdString(); }
    QTemporaryDir m_folder;
};

void TestExports::models_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("source");
    QTest::addColumn<int>("format");
    QTest::addColumn<int>("exactness");
    const auto row = [](const char* name, const char* source, io::Format format, Exactness exactness) {
        QTest::newRow(name) << QString::fromLatin1(name) << QString::fromLatin1(source)
                            << static_cast<int>(format) << static_cast<int>(exactness);
    };
    const auto ct2 = io::Format::CTranslate2;
    row("ctranslate2/tiny_bert", "tiny_bert", ct2, Exactness::Int8);
    row("ctranslate2/distilbert_bare", "encoders/distilbert_bare", ct2, Exactness::Half);
    row("ctranslate2/roberta_bare", "encoders/roberta_bare", ct2, Exactness::Exact);
    row("ctranslate2/gpt2", "decoders/gpt2", ct2, Exactness::Int16);
    row("ctranslate2/llama_bias", "decoders/llama_bias", ct2, Exactness::Int8);
    row("ctranslate2/mistral", "decoders/mistral", ct2, Exactness::BFloat);
    row("ctranslate2/qwen2", "decoders/qwen2", ct2, Exactness::Int8);
    row("ctranslate2/tiny_t5", "tiny_t5", ct2, Exactness::Exact);
    row("ctranslate2/tiny_t5_gated", "tiny_t5_gated", ct2, Exactness::Int8);
    row("ctranslate2/tiny_marian", "tiny_marian", ct2, Exactness::Int8);
    row("onnx/tiny_bert", "tiny_bert", io::Format::Onnx, Exactness::Exact);
    row("onnx/external", "tiny_bert", io::Format::Onnx, Exactness::Exact);
    row("onnx/distilbert_bare", "encoders/distilbert_bare", io::Format::Onnx, Exactness::Exact);
    row("onnx/mpnet_bare", "encoders/mpnet_bare", io::Format::Onnx, Exactness::Exact);
    row("onnx/qwen3", "decoders/qwen3", io::Format::Onnx, Exactness::Exact);
    row("onnx/gpt2", "decoders/gpt2", io::Format::Onnx, Exactness::Exact);
    row("onnx/tiny_llama", "tiny_llama", io::Format::Onnx, Exactness::Exact);
    row("onnx/tiny_t5", "tiny_t5", io::Format::Onnx, Exactness::Exact);
    row("onnx/tiny_t5_wrapped", "tiny_t5", io::Format::Onnx, Exactness::Exact);
    row("marian/model.npz", "tiny_marian", io::Format::Marian, Exactness::Exact);
}

void TestExports::models() {
    QFETCH(QString, name);
    QFETCH(QString, source);
    QFETCH(int, format);
    QFETCH(int, exactness);
    if (!fs::exists(kModels + source.toStdString())) {
        QSKIP("the checkpoint is not part of this tree");
    }
    const auto made = io::ModelFiles::open(kExports + name.toStdString());
    QVERIFY2(made.ok(), describe(made).c_str());
    const auto original = io::ModelFiles::open(kModels + source.toStdString());
    QVERIFY2(original.ok(), describe(original).c_str());
    const auto& files = *made.value();
    const auto& from = *original.value();
    QCOMPARE(static_cast<int>(files.format()), format);

    // Settings that both have agree; token ids are the converter's words, not the checkpoint's.
    for (const auto& [key, value] : files.config().items()) {
        const auto theirs = from.config().find(key);
        const bool token = key.ends_with("_token_id");
        const bool assumed = key == "architectures" || key == "max_position_embeddings" || key == "decoder_ffn_dim" ||
                             key == "encoder_ffn_dim" || token;
        if (theirs != from.config().end() && !theirs->is_null() && !assumed) {
            QVERIFY2(value == *theirs, (key + ": " + value.dump() + " " + theirs->dump()).c_str());
        }
    }
    QSet<QString> seen;
    for (const auto& [tensorName, info] : files.tensors()) {
        const auto theirName = varied(tensorName, from);
        if (theirName.empty()) {
            // Only the copy of a tied matrix and the table that T5 keeps once have no counterpart.
            QVERIFY2(tensorName == "lm_head.weight" || tensorName.ends_with("embed_tokens.weight"),
                     tensorName.c_str());
            continue;
        }
        seen.insert(QString::fromStdString(theirName));
        const auto& theirs = *from.find(theirName);
        QVERIFY2(info.shape == theirs.shape, (tensorName + " " + info.shape.text()).c_str());
        const auto values = files.floats(info);
        QVERIFY2(values.ok(), describe(values).c_str());
        const auto wanted = from.floats(theirs);
        QCOMPARE(values.value().size(), wanted.value().size());
        const auto ours = values.value().as<float>();
        const auto correct = wanted.value().as<float>();
        const auto rows = info.shape[0];
        // Rows that stand for padding are gone from the export.
        const bool words = tensorName == "model.shared.weight";
        const bool logits = tensorName == "final_logits_bias";
        const bool positions = files.config().value("model_type", "") == "roberta" && format == static_cast<int>(io::Format::CTranslate2) &&
                               tensorName.ends_with("position_embeddings.weight");
        const auto width = ours.size() / static_cast<std::size_t>(rows);
        // GPT-2's matrices are quantized the other way round: all rows share what is largest.
        for (std::size_t i = 0; i < ours.size(); ++i) {
            const auto row = i / width;
            const bool lost = (words && row + 1 == static_cast<std::size_t>(rows)) ||
                              (logits && i + 1 == ours.size()) || (positions && row < 2);
            const double most = lost ? 0.0
                                     : allowed(static_cast<Exactness>(exactness),
                                               correct.subspan(row * width, width), correct, correct[i]);
            const double error = std::abs(static_cast<double>(ours[i]) - (lost ? 0.0 : correct[i]));
            if (!(error <= most)) {
                QFAIL(qPrintable(QStringLiteral("%1[%2]: %3 instead of %4")
                                     .arg(QString::fromStdString(tensorName)).arg(i).arg(ours[i]).arg(correct[i])));
            }
        }
    }
    for (const auto& [theirName, info] : from.tensors()) {
        const bool left = theirName.starts_with("classifier") || theirName == "lm_head.weight" ||
                          theirName.find("embed_positions") != std::string::npos ||
                          theirName.ends_with("embed_tokens.weight") || theirName.find("pooler") != std::string::npos;
        QVERIFY2(left || seen.contains(QString::fromStdString(theirName)), theirName.c_str());
    }
}

void TestExports::rows() {
    for (const char* name : {"ctranslate2/tiny_bert", "ctranslate2/gpt2", "onnx/tiny_bert", "onnx/tiny_bert_int8",
                             "ctranslate2/roberta_bare", "marian/model.npz"}) {
        for (const auto access : {io::Access::Map, io::Access::Read}) {
            const auto files = io::ModelFiles::open(kExports + name, access);
            QVERIFY2(files.ok(), describe(files).c_str());
            for (const auto& [tensorName, info] : files.value()->tensors()) {
                const auto all = files.value()->floats(info);
                QVERIFY2(all.ok(), describe(all).c_str());
                QCOMPARE(all.value().size(), static_cast<std::size_t>(info.shape.elements()) * sizeof(float));
                const auto half = info.shape[0] / 2;
                const auto part = files.value()->floatRows(info, half, info.shape[0] - half);
                QVERIFY2(part.ok(), describe(part).c_str());
                QVERIFY(!part.value().empty());
                const auto tail = all.value().bytes().last(part.value().size());
                QVERIFY2(std::memcmp(tail.data(), part.value().data(), tail.size()) == 0, tensorName.c_str());
            }
        }
    }
}

/// onnxruntime's dynamic and static (QDQ) quantization: (code - zero) · scale as NumPy computes it, and the sizes of a BERT
/// without config.json.
void TestExports::quantized() {
    for (const char* name : {"onnx/tiny_bert_int8", "onnx/tiny_bert_uint8", "onnx/tiny_bert_qdq"}) {
        const auto files = io::ModelFiles::open(kExports + name);
        QVERIFY2(files.ok(), describe(files).c_str());
        const auto& config = files.value()->config();
        QCOMPARE(config.at("num_attention_heads").get<int>(), 3);
        QCOMPARE(config.at("hidden_size").get<int>(), 24);
        QCOMPARE(config.at("num_hidden_layers").get<int>(), 2);
        QCOMPARE(config.at("intermediate_size").get<int>(), 40);
        QCOMPARE(config.at("hidden_act").get<std::string>(), std::string("gelu"));
        QVERIFY(!files.value()->notices().empty());
        const auto original = io::ModelFiles::open(kModels + "tiny_bert");
        int integers = 0;
        for (const auto& [tensorName, info] : files.value()->tensors()) {
            const auto* theirs = original.value()->find(varied(tensorName, *original.value()));
            QVERIFY2(theirs != nullptr && theirs->shape == info.shape, tensorName.c_str());
            if (!info.typeName.starts_with("I") && !info.typeName.starts_with("U")) {
                continue;
            }
            ++integers;
            const auto ours = files.value()->floats(info).value();
            const auto correct = original.value()->floats(*theirs).value();
            float low = 0.0F;
            float high = 0.0F;
            for (const float one : correct.as<float>()) {
                low = std::min(low, one);
                high = std::max(high, one);
            }
            for (std::size_t i = 0; i < ours.as<float>().size(); ++i) {
                // Of all values of the tensor: never finer than per tensor. 8 bits, or 7 where it saves range.
                QVERIFY(std::abs(ours.as<float>()[i] - correct.as<float>()[i]) <= (high - low) / 127.0F);
            }
        }
        QVERIFY2(integers >= 15, (std::string(name) + " " + std::to_string(integers)).c_str());
    }
}

namespace {

std::string ctName(const std::string& name) {
    return littleEndian<std::uint16_t>(static_cast<std::uint16_t>(name.size() + 1)) + name + '\0';
}
std::string ctVariable(const std::string& name, std::uint32_t size, std::uint8_t type, std::uint32_t bytes,
                       const std::string& data) {
    return ctName(name) + '\1' + littleEndian(size) + static_cast<char>(type) + littleEndian(bytes) + data;
}
std::string ctFile(const std::string& variables, std::uint32_t count, const std::string& aliases = {},
                   std::uint32_t aliasCount = 0, const std::string& spec = "TransformerEncoderSpec",
                   std::uint32_t version = 6) {
    return littleEndian(version) + ctName(spec) + littleEndian<std::uint32_t>(1) + littleEndian(count) + variables +
           littleEndian(aliasCount) + aliases;
}

void checkRefused(const std::string& file, const QString& code, const QString& says) {
    const auto opened = io::ModelFiles::open(file);
    QVERIFY2(!opened.ok() && !opened.cancelled(), describe(opened).c_str());
    const auto text = QString::fromStdString(describe(opened));
    QVERIFY2(text.startsWith(code + QLatin1Char(':')), qPrintable(text));
    QVERIFY2(text.contains(says), qPrintable(text));
    QVERIFY(!opened.error().args.at("file").empty());
}

void addCases(std::initializer_list<std::tuple<const char*, std::string, const char*, const char*>> cases) {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("code");
    QTest::addColumn<QString>("says");
    for (const auto& [name, bytes, code, says] : cases) {
        QTest::newRow(name) << QByteArray::fromStdString(bytes) << QString::fromUtf8(code) << QString::fromUtf8(says);
    }
}

}  // namespace

void TestExports::malformedCTranslate2_data() {
    const auto data = std::string(16, '\1');
    const auto good = ctVariable("a", 4, 0, 16, data);
    addCases({
        {"old version", ctFile(good, 1, {}, 0, "TransformerEncoderSpec", 3), "FileFormatUnknown", "version 3"},
        {"new version", ctFile(good, 1, {}, 0, "TransformerEncoderSpec", 7), "FileFormatUnknown", "version 7"},
        {"other structure", ctFile(good, 1, {}, 0, "WhisperSpec"), "FamilyUnknown", "WhisperSpec"},
        {"nothing of a model", ctFile(good, 1), "FamilyUnknown", "BERT"},
        {"too few bytes", ctFile(ctVariable("a", 4, 0, 12, data.substr(4)), 1), "FileCorrupt", "offset 51"},
        {"too many bytes", ctFile(ctVariable("a", 4, 0, 20, data + "1234"), 1), "FileCorrupt", "instead of 16"},
        {"unknown type", ctFile(ctVariable("a", 4, 9, 16, data), 1), "TensorType", "number 9"},
        {"twice", ctFile(good + good, 2), "FileCorrupt", "occurs twice"},
        {"alias of nothing", ctFile(good, 1, ctName("b") + ctName("c"), 1), "FileCorrupt", "stands for c"},
        {"alias twice", ctFile(good, 1, ctName("a") + ctName("a"), 1), "FileCorrupt", "occurs twice"},
        {"millions of variables", ctFile(good, 0xFFFFFFFF), "FileCorrupt", "4294967295 variables"},
        {"missing variable", ctFile(good, 2), "FileCorrupt", ""},
        {"bytes at the end", ctFile(good, 1) + "x", "FileCorrupt", "after the last alias"},
        {"beyond the end", ctFile(ctVariable("a", 0xFFFFFFFF, 1, 0xFFFFFFFF, data), 1), "FileTruncated", ""},
        {"name without an end", ctFile(std::string("\x02\0ab", 4) + good, 1), "FileCorrupt", "ends with a zero"},
    });
}

void TestExports::malformedCTranslate2() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, code);
    QFETCH(QString, says);
    writeBytes(path("model.bin"), bytes.toStdString());
    checkRefused(path("model.bin"), code, says);
}

void TestExports::malformedOnnx_data() {
    const auto data = std::string(16, '\1');
    const auto graph = [](const std::string& tensor) { return onnxModel(protoBytes(5, tensor)); };
    const auto good = graph(onnxTensor("a.weight", {4}, data));
    const std::string head = protoNumber(1, 8) + protoBytes(2, "test");
    addCases({
        {"no family", good, "ConfigInvalid", "put the source model's config.json beside the file"},
        {"no graph", head, "FileFormatUnknown", "without a graph"},
        {"two graphs", good + protoBytes(7, ""), "FileCorrupt", "two graphs"},
        {"too few values", graph(onnxTensor("a.weight", {5}, data)), "FileCorrupt", "a.weight"},
        {"too many values", graph(onnxTensor("a.weight", {3}, data)), "FileCorrupt", "16 bytes instead of 12"},
        {"negative size", graph(onnxTensor("a.weight", {std::uint64_t(-4)}, data)), "FileCorrupt", "a.weight"},
        {"sizes that wrap", graph(onnxTensor("a.weight", {1ULL << 32, 1ULL << 32}, data)), "FileCorrupt", "a.weight"},
        {"many dimensions", graph(onnxTensor("a.weight", std::vector<std::uint64_t>(17, 1), data)), "FileCorrupt", "more than 16 dimensions"},
        {"twice", onnxModel(protoBytes(5, onnxTensor("a", {4}, data)) + protoBytes(5, onnxTensor("a", {4}, data))), "FileCorrupt", "occurs twice"},
        {"values twice", graph(onnxTensor("a", {4}, data) + protoBytes(9, data)), "FileCorrupt", "values twice"},
        {"number without an end", head + "\x08" + std::string(11, '\xFF'), "FileCorrupt", "more than ten bytes"},
        {"number beyond the file", head + "\x08\xFF", "FileCorrupt", "beyond its message"},
        {"field 0", head + std::string("\0\0", 2), "FileCorrupt", "the number 0"},
        {"a group", head + "\x0B", "FileCorrupt", "the kind 3"},
        {"kind 7", head + "\x0F", "FileCorrupt", "the kind 7"},
        {"beyond the file", head + "\x3A\x7F", "FileTruncated", ""},
        {"beyond the message", onnxModel(std::string("\x2A\x7F\x08\x01")) + protoNumber(5, 1), "FileCorrupt", "beyond its message"},
        {"enormous", head + "\x3A" + varint(1ULL << 63), "FileTruncated", ""},
        {"long name", graph(onnxTensor(std::string(70'000, 'a'), {4}, data)), "FileCorrupt", "a name has 70000 bytes"},
        {"no text", graph(onnxTensor("\xFF\xFE", {4}, data)), "FileCorrupt", "not UTF-8"},
        {"few bits", onnxModel(protoBytes(1, protoBytes(4, "MatMulNBits"))), "FileFormatUnknown", "MatMulNBits"},
    });
}

void TestExports::malformedOnnx() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, code);
    QFETCH(QString, says);
    fs::create_directories(path("onnx"));
    writeBytes(path("onnx/model.onnx"), bytes.toStdString());
    checkRefused(path("onnx/model.onnx"), code, says);
}

void TestExports::malformedNpz_data() {
    const auto golden = readTextFile(kExports + "marian/model.npz").value();
    const auto changed = [&](const std::string& from, const std::string& to) {
        std::string out = golden;
        // In the local header, the directory and the text alike: sizes stay.
        for (auto at = out.find(from); at != std::string::npos; at = out.find(from, at + to.size())) {
            out.replace(at, from.size(), to);
        }
        return out;
    };
    addCases({
        {"no magic", changed("\x93NUMPY", "\x93NUMPX"), "FileCorrupt", "does not begin as a NumPy array"},
        {"version", changed(std::string("\x93NUMPY\x01", 7), std::string("\x93NUMPY\x09", 7)), "FileCorrupt", "NumPy array"},
        {"other shape", changed("(71, 24)", "(71, 25)"), "FileCorrupt", "Wemb"},
        {"enormous shape", changed("(71, 24)", "(999999)"), "FileCorrupt", "Wemb"},
        {"no number", changed("(71, 24)", "(71, x4)"), "FileCorrupt", "no list of numbers"},
        {"big-endian", changed("'<f4'", "'>f4'"), "TensorType", ">f4"},
        {"objects", changed("'<f4'", "'|O8'"), "TensorType", "|O8"},
        {"no order of types", changed("'descr'", "'destr'"), "FileCorrupt", "without 'descr'"},
        {"no shape", changed("'shape':", "'shapf':"), "FileCorrupt", "without 'shape'"},
        {"no settings", changed("special:model.yml", "special:model.ymx"), "FileFormatUnknown", "special:model.yml"},
        {"no embedding", changed("Wemb", "Wemx"), "TensorMissing", "Wemb"},
        {"no matrix", changed("decoder_l2_context_Wk", "decoder_l2_context_Wx"), "TensorMissing", "decoder_l2_context_Wk"},
    });
}

void TestExports::malformedNpz() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, code);
    QFETCH(QString, says);
    writeBytes(path("model.npz"), bytes.toStdString());
    checkRefused(path("model.npz"), code, says);
}

void TestExports::externalData_data() {
    QTest::addColumn<QByteArray>("location");
    QTest::addColumn<QString>("code");
    QTest::newRow("above") << QByteArray("../secret.bin") << "FileUnsafe";
    QTest::newRow("inside and above") << QByteArray("a/../../secret.bin") << "FileUnsafe";
    QTest::newRow("absolute") << QByteArray("/etc/passwd") << "FileUnsafe";
    QTest::newRow("folder") << QByteArray("a/b.bin") << "FileUnsafe";
    QTest::newRow("backslash") << QByteArray("..\\secret.bin") << "FileUnsafe";
    QTest::newRow("zero") << QByteArray("w.bin\0x", 7) << "FileUnsafe";
    QTest::newRow("none") << QByteArray("") << "FileUnsafe";
    QTest::newRow("dot") << QByteArray(".") << "FileUnsafe";
    QTest::newRow("dots") << QByteArray("..") << "FileUnsafe";
    QTest::newRow("long") << QByteArray(4096, 'a') << "FileUnsafe";
    QTest::newRow("link outward") << QByteArray("link.bin") << "FileUnsafe";
    QTest::newRow("hard link") << QByteArray("hard.bin") << "FileUnsafe";
    QTest::newRow("missing") << QByteArray("missing.bin") << "FileMissing";
    QTest::newRow("short") << QByteArray("short.bin") << "FileCorrupt";
}

void TestExports::externalData() {
    QFETCH(QByteArray, location);
    QFETCH(QString, code);
    const auto folder = path("external");
    fs::create_directories(folder);
    writeBytes(path("secret.bin"), std::string(64, '\1'));
    writeBytes(folder + "/short.bin", "1");
    std::error_code problem;
    fs::create_symlink(path("secret.bin"), folder + "/link.bin", problem);
    fs::create_hard_link(path("secret.bin"), folder + "/hard.bin", problem);
    writeBytes(folder + "/model.onnx",
               onnxModel(protoBytes(5, onnxExternal("a.weight", 4, location.toStdString()))));
    checkRefused(folder + "/model.onnx", code, {});
}

void TestExports::truncated() {
    for (const char* name : {"ctranslate2/tiny_bert/model.bin", "marian/model.npz", "onnx/tiny_bert_int8/model.onnx"}) {
        const auto whole = readTextFile(kExports + name).value();
        const auto file = path("cut") + fs::path(name).extension().string();
        for (int i = 1; i < 200; ++i) {
            writeBytes(file, whole.substr(0, whole.size() * static_cast<std::size_t>(i) / 200));
            const auto opened = io::ModelFiles::open(file);
            QVERIFY2(!opened.ok(), name);
            QVERIFY(!opened.error().args.at("file").empty());
        }
    }
}

QTEST_GUILESS_MAIN(TestExports)
#include "tst_exports.moc"
