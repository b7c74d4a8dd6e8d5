#include <QtTest>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "engine/compress/pipeline.h"
#include "engine/core/file.h"
#include "engine/core/hash.h"
#include "engine/export/exporter.h"
#include "engine/export/gguf_file.h"
#include "engine/layout/describe.h"
#include "engine/text/tokenizer.h"
#include "engine/weights/load.h"
#include "engine/weights/quantize.h"
#include "tests/engine/weights/tiny_models.h"
#include "tests/support/tiny_models.h"

using namespace pareto;
using namespace pareto::exporting;
namespace fs = std::filesystem;

namespace {

std::string errorOf(const auto& result) {
    return result.ok() ? "none"
           : result.cancelled()
               ? "cancelled"
               : std::string(errorName(result.error().code)) + " " + errorMessage(result.error());
}

/// Widths that 32 divides, so that blocks fit.
test::TinyLlama llama() {
    test::TinyLlama sizes;
    sizes.hidden = 64;
    sizes.heads = 8;
    sizes.kvHeads = 4;
    sizes.headDim = 8;
    sizes.neurons = 96;
    return sizes;
}

test::TinyBert bert() {
    test::TinyBert sizes;
    sizes.hidden = 32;
    sizes.heads = 4;
    sizes.neurons = 64;
    return sizes;
}

/// A model on disk, a recipe, its GGUF file and that opened again.
struct Case {
    QTemporaryDir folder;
    std::shared_ptr<const io::ModelFiles> files;
    LoadedModel model;

    std::string source() const { return folder.path().toStdString() + "/source"; }
    std::string target() const { return folder.path().toStdString() + "/exported"; }

    explicit Case(const auto& sizes, const Recipe& recipe = {}) {
        fs::create_directories(source());
        if (const auto status = test::writeTiny(source(), sizes); !status.ok()) {
            qFatal("%s", errorOf(status).c_str());
        }
        open(recipe);
    }
    Case() = default;

    void open(const Recipe& recipe) {
        files = io::ModelFiles::open(source()).value();
        Progress progress;
        const auto original =
            loadWeights(*files, describeModel(*files).value(), progress, {}).value();
        auto result = compress::compress(original, recipe, progress, {});
        if (!result.ok()) {
            qFatal("%s", errorOf(result).c_str());
        }
        model = std::move(result.value().model);
    }

    Result<ExportOutcome> write(GgufType type, std::stop_token stop = {}) {
        ExportRequest request;
        request.target = target();
        request.format = {ExportFormat::Kind::Gguf, type};
        request.report = {{"recipe", "as tested"}};
        request.parallel = test::scatteredFor();
        Progress progress;
        return exportModel(model, *files, request, progress, stop);
    }
    std::shared_ptr<const io::ModelFiles> back() const {
        return io::ModelFiles::open(target() + "/model.gguf").value();
    }
    std::vector<float> values(const std::string& tensor) const {
        const auto opened = back();
        const auto buffer = opened->floats(*opened->find(tensor)).value();
        return {buffer.as<float>().begin(), buffer.as<float>().end()};
    }
    int entries() const {
        return static_cast<int>(std::distance(
            fs::directory_iterator(folder.path().toStdString()), fs::directory_iterator{}));
    }
};

Recipe pruned(PrunePattern pattern, double ratio) {
    Recipe recipe;
    recipe.prune = {{pattern == PrunePattern::Unstructured ? PruneMethod::Magnitude : PruneMethod::L1,
                     pattern, ratio}};
    return recipe;
}

Recipe quantized(NumberFormat format, bool symmetric, std::int64_t group) {
    Recipe recipe;
    QuantizeSpec spec;
    spec.weights = format;
    spec.granularity = group > 0 ? Granularity::Group : Granularity::Channel;
    spec.groupSize = group;
    spec.symmetric = symmetric;
    recipe.quantize = spec;
    return recipe;
}

bool mentions(const std::vector<std::string>& notes, const std::string& text) {
    return std::ranges::any_of(
        notes, [&](const std::string& note) { return note.find(text) != std::string::npos; });
}

double largestOff(const std::vector<float>& a, const std::vector<float>& b) {
    double most = a.size() == b.size() ? 0.0 : INFINITY;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        most = std::max(most, std::fabs(static_cast<double>(a[i]) - b[i]));
    }
    return most;
}

}  // namespace

class TestGgufFile : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void decoderComesBack();
    void encoderComesBack();
    void blocksOfDifferentSizes();
    void removedHeadsOfBertAreZeros();
    void codesAreKept_data();
    void codesAreKept();
    void roundedASecondTime();
    void wideCodesBecomeHalves();
    void fallbackTypes();
    void sparseZeros();
    void denseModulesAreLeftOut();
    void classifier();
    void companionsAndReport();
    void sameBytesEachTime();
    void damagedBytesAreFound();
    void cancelLeavesNothing();
    void tokenizerOfWordPieces();
    void tokenizerOfBytes();
};

void TestGgufFile::decoderComesBack() {
    for (const bool tied : {true, false}) {
        auto sizes = llama();
        sizes.tied = tied;
        sizes.attentionBias = !tied;
        Case test(sizes);
        const auto outcome = test.write(GgufType::AsHeld);
        QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
        QVERIFY(outcome.value().verified);
        QCOMPARE(outcome.value().format, std::string("gguf"));
        const auto files = test.back();
        QCOMPARE(files->gguf().values["general.architecture"], Json("llama"));
        Progress progress;
        const auto back = loadWeights(*files, describeModel(*files).value(), progress, {});
        QVERIFY2(back.ok(), errorOf(back).c_str());
        // Rows of queries and keys are paired in the file and come back in their order.
        QCOMPARE(back.value().tensors.size(), test.model.tensors.size());
        for (const auto& [name, tensor] : test.model.tensors) {
            QVERIFY2(dequantize(back.value().tensors.at(name)) == dequantize(tensor), name.c_str());
        }
        QCOMPARE(files->find("output.weight") == nullptr, tied);
        const auto was = dequantize(test.model.tensors.at("decoder.layer.0.attention.query.weight"));
        QVERIFY(test.values("blk.0.attn_q.weight") != was);
    }
}

void TestGgufFile::encoderComesBack() {
    auto sizes = bert();
    sizes.sentence = true;
    Case test(sizes);
    const auto outcome = test.write(GgufType::F16);
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    const auto files = test.back();
    const Json& values = files->gguf().values;
    QCOMPARE(values["general.architecture"], Json("bert"));
    QCOMPARE(values["bert.pooling_type"], Json(1));
    QCOMPARE(values["bert.attention.causal"], Json(false));
    QCOMPARE(values["bert.block_count"], Json(3));
    QCOMPARE(values["bert.context_length"], Json(16));
    QCOMPARE(values["tokenizer.ggml.token_type_count"], Json(2));
    for (const auto& [ours, theirs] :
         {std::pair{"embeddings.norm.bias", "token_embd_norm.bias"},
          std::pair{"embeddings.position.weight", "position_embd.weight"},
          std::pair{"embeddings.type.weight", "token_types.weight"},
          std::pair{"encoder.layer.2.ffn.norm.weight", "blk.2.layer_output_norm.weight"},
          std::pair{"encoder.layer.1.attention.query.bias", "blk.1.attn_q.bias"}}) {
        QCOMPARE(test.values(theirs), dequantize(test.model.tensors.at(ours)));
        QCOMPARE(files->find(theirs)->typeName, std::string("F32"));
    }
    QCOMPARE(files->find("token_embd.weight")->typeName, std::string("F16"));
    QVERIFY(largestOff(test.values("blk.0.attn_q.weight"),
                       dequantize(test.model.tensors.at("encoder.layer.0.attention.query.weight"))) <
            1e-3);
}

/// llama.cpp's "llama" takes the sizes of the first block for all; "deci" reads one number a block.
void TestGgufFile::blocksOfDifferentSizes() {
    Recipe recipe = pruned(PrunePattern::Neurons, 0.5);
    recipe.prune.push_back({PruneMethod::L1, PrunePattern::Heads, 0.5});
    LayerOverride entry;
    entry.match = "decoder.layer.1.*";
    entry.skip = true;
    recipe.layers = {entry};
    Case test(llama(), recipe);
    const auto outcome = test.write(GgufType::F32);
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QVERIFY(mentions(outcome.value().notes, "deci"));
    const auto files = test.back();
    const Json& values = files->gguf().values;
    QCOMPARE(values["general.architecture"], Json("deci"));
    QCOMPARE(values["deci.feed_forward_length"], Json({48, 96, 48}));
    QCOMPARE(values["deci.attention.head_count"], Json({4, 8, 4}));
    QCOMPARE(values["deci.attention.head_count_kv"], Json({2, 4, 2}));
    Progress progress;
    const auto layout = describeModel(*files);
    QVERIFY2(layout.ok(), errorOf(layout).c_str());
    const auto back = loadWeights(*files, layout.value(), progress, {});
    QVERIFY2(back.ok(), errorOf(back).c_str());
    for (const auto& [name, tensor] : test.model.tensors) {
        QVERIFY2(dequantize(back.value().tensors.at(name)) == dequantize(tensor), name.c_str());
    }
}

void TestGgufFile::removedHeadsOfBertAreZeros() {
    Case test(bert(), pruned(PrunePattern::Heads, 0.5));
    const auto outcome = test.write(GgufType::F32);
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QVERIFY(mentions(outcome.value().notes, "zeros"));
    const auto files = test.back();
    QCOMPARE(files->find("blk.0.attn_q.weight")->shape, Shape({32, 32}));
    QCOMPARE(files->gguf().values["bert.attention.head_count"], Json(4));
    const auto output = test.values("blk.0.attn_output.weight");
    const auto was = dequantize(test.model.tensors.at("encoder.layer.0.attention.output.weight"));
    for (std::size_t row = 0; row < 32; ++row) {
        for (std::size_t col = 0; col < 32; ++col) {
            QCOMPARE(output[row * 32 + col], col < 16 ? was[row * 16 + col] : 0.0F);
        }
    }
}

void TestGgufFile::codesAreKept_data() {
    QTest::addColumn<int>("format");
    QTest::addColumn<bool>("symmetric");
    QTest::addColumn<qint64>("group");
    QTest::addColumn<int>("type");
    QTest::addColumn<QString>("expected");
    const auto row = [](const char* name, NumberFormat format, bool symmetric, qint64 group,
                        GgufType type, const char* expected) {
        QTest::newRow(name) << static_cast<int>(format) << symmetric << group
                            << static_cast<int>(type) << expected;
    };
    row("int8 by groups", NumberFormat::Int8, true, 32, GgufType::AsHeld, "Q8_0");
    row("int8 by rows", NumberFormat::Int8, true, 0, GgufType::AsHeld, "Q8_0");
    row("int4 by groups", NumberFormat::Int4, true, 32, GgufType::AsHeld, "Q4_0");
    row("int4 with zero points", NumberFormat::Int4, false, 32, GgufType::AsHeld, "Q4_1");
    row("int4 in eight bits", NumberFormat::Int4, false, 64, GgufType::Q8_0, "Q8_0");
    row("int3 by groups", NumberFormat::Int3, true, 32, GgufType::AsHeld, "Q4_0");
    row("int3 with zero points", NumberFormat::Int3, false, 32, GgufType::AsHeld, "Q4_1");
    row("int2 by groups", NumberFormat::Int2, true, 32, GgufType::AsHeld, "Q4_0");
    row("int2 with zero points", NumberFormat::Int2, false, 64, GgufType::AsHeld, "Q4_1");
    row("int4 in five bits", NumberFormat::Int4, false, 32, GgufType::Q5_0, "Q5_0");
    row("int4 in five bits with minimum", NumberFormat::Int4, false, 0, GgufType::Q5_1, "Q5_1");
}

/// The same codes with scales in half precision: values are off by 2^-11 of themselves at most (with a
/// minimum, of the block's largest), not by half a step.
void TestGgufFile::codesAreKept() {
    QFETCH(int, format);
    QFETCH(bool, symmetric);
    QFETCH(qint64, group);
    QFETCH(int, type);
    QFETCH(QString, expected);
    Case test(llama(), quantized(static_cast<NumberFormat>(format), symmetric, group));
    const auto outcome = test.write(static_cast<GgufType>(type));
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QVERIFY(mentions(outcome.value().notes, "keep their codes"));
    QVERIFY(!mentions(outcome.value().notes, "second time"));
    QCOMPARE(mentions(outcome.value().notes, "the place of int4's"),
             bitsOf(static_cast<NumberFormat>(format)) < 4);
    for (const auto& [ours, theirs] : {std::pair{"decoder.layer.0.ffn.up", "blk.0.ffn_up"},
                                       std::pair{"decoder.layer.2.ffn.down", "blk.2.ffn_down"},
                                       std::pair{"embeddings.word", "token_embd"}}) {
        const auto name = std::string(theirs) + ".weight";
        QCOMPARE(test.back()->find(name)->typeName, expected.toStdString());
        const auto was = dequantize(test.model.tensors.at(std::string(ours) + ".weight"));
        const auto is = test.values(name);
        float most = 0.0F;
        for (const float value : was) {
            most = std::max(most, std::fabs(value));
        }
        QVERIFY(most > 0.1F);
        QVERIFY2(largestOff(was, is) <= most * 3.0 / 2048, name.c_str());
    }
}

void TestGgufFile::roundedASecondTime() {
    for (const auto& [recipe, type, name] :
         {std::tuple{quantized(NumberFormat::Int8, false, 32), GgufType::AsHeld, "Q8_0"},
          std::tuple{quantized(NumberFormat::Int8, true, 32), GgufType::Q4_0, "Q4_0"},
          std::tuple{quantized(NumberFormat::Int4, true, 8), GgufType::AsHeld, "Q4_0"}}) {
        Case test(llama(), recipe);
        const auto outcome = test.write(type);
        QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
        QVERIFY(mentions(outcome.value().notes,
                         std::string("rounded a second time, from their values to ") + name));
        std::vector<WeightFormat> formats;
        for (const auto& layer : test.model.layout.layers) {
            formats.push_back(test.model.weight(layer).format());
        }
        // The dialog says so before anything is written.
        const auto before =
            exportNotes(test.model.layout, formats, {ExportFormat::Kind::Gguf, type});
        QVERIFY(mentions(before, "rounded a second time"));
    }
    Case test(llama(), quantized(NumberFormat::Int8, true, 32));
    const auto outcome = test.write(GgufType::F16);
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QVERIFY(mentions(outcome.value().notes, "written as F16"));
}

/// int16 and fp8 have no block type: half precision, off by 2^-11 of each value.
void TestGgufFile::wideCodesBecomeHalves() {
    for (const auto format : {NumberFormat::Int16, NumberFormat::F8}) {
        Case test(llama(), quantized(format, true, 0));
        const auto outcome = test.write(GgufType::AsHeld);
        QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
        QVERIFY(mentions(outcome.value().notes, "rounded to half precision (F16)"));
        QCOMPARE(test.back()->find("blk.0.ffn_up.weight")->typeName, std::string("F16"));
        const auto was = dequantize(test.model.tensors.at("decoder.layer.0.ffn.up.weight"));
        const auto is = test.values("blk.0.ffn_up.weight");
        for (std::size_t at = 0; at < was.size(); ++at) {
            QVERIFY(std::fabs(was[at] - is[at]) <= std::fabs(was[at]) / 2048 + 1e-7F);
        }
    }
}

void TestGgufFile::fallbackTypes() {
    const WeightFormat held;
    const auto fitting = [&](GgufType type, std::int64_t cols) {
        return std::string(fittingType(ggmlTypeFor(type, held), cols).name);
    };
    QCOMPARE(fitting(GgufType::Q4_K, 512), std::string("Q4_K"));
    QCOMPARE(fitting(GgufType::Q4_K, 576), std::string("Q5_0"));
    QCOMPARE(fitting(GgufType::Q5_K, 576), std::string("Q5_1"));
    QCOMPARE(fitting(GgufType::Q6_K, 576), std::string("Q8_0"));
    QCOMPARE(fitting(GgufType::Q6_K, 577), std::string("F16"));
    QCOMPARE(fitting(GgufType::Q4_0, 48), std::string("F16"));
    QCOMPARE(fitting(GgufType::BF16, 7), std::string("BF16"));
    Recipe recipe = pruned(PrunePattern::Neurons, 0.2);
    Case test(llama(), recipe);  // 76 or 77 of 96 neurons are left
    const auto outcome = test.write(GgufType::Q4_K);
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QCOMPARE(test.back()->find("blk.0.attn_q.weight")->typeName, std::string("Q5_0"));
    QCOMPARE(test.back()->find("blk.0.ffn_down.weight")->typeName, std::string("F16"));
    QVERIFY(mentions(outcome.value().notes, "Q4_K needs rows of whole blocks of 256 values. As "
                                            "llama.cpp does, Q5_0 is used instead for: "
                                            "embeddings.word"));
    QVERIFY(mentions(outcome.value().notes, "F16 is used instead for: decoder.layer.0.ffn.down"));
}

void TestGgufFile::sparseZeros() {
    Case test(llama(), pruned(PrunePattern::Unstructured, 0.6));
    const auto zeros = [&](const std::string& tensor) {
        const auto values = test.values(tensor);
        return std::count(values.begin(), values.end(), 0.0F);
    };
    const auto wanted = countZeros(test.model.tensors.at("decoder.layer.0.ffn.up.weight"));
    QVERIFY(wanted > 3000);
    for (const auto type : {GgufType::Q8_0, GgufType::Q4_0, GgufType::Q5_0, GgufType::F16}) {
        const auto outcome = test.write(type);
        QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
        QVERIFY(zeros("blk.0.ffn_up.weight") >= wanted);
        QVERIFY(!mentions(outcome.value().notes, "no zero of its own"));
        fs::remove_all(test.target());
    }
    const auto outcome = test.write(GgufType::Q4_1);
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QVERIFY(mentions(outcome.value().notes, "no zero of its own"));
}

void TestGgufFile::denseModulesAreLeftOut() {
    auto sizes = bert();
    sizes.sentence = true;
    sizes.dense = {12, 3};
    Case test(sizes);
    const auto outcome = test.write(GgufType::AsHeld);
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QVERIFY(mentions(outcome.value().notes, "no place for dense.0, dense.1"));
}

void TestGgufFile::classifier() {
    auto sizes = bert();
    sizes.classes = 3;
    Case test(sizes);
    const auto outcome = test.write(GgufType::Q8_0);
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    const auto files = test.back();
    QCOMPARE(files->gguf().values["bert.pooling_type"], Json(4));
    QCOMPARE(files->gguf().strings.at("bert.classifier.output_labels").size(), std::size_t{3});
    QCOMPARE(test.values("cls.output.weight"),
             dequantize(test.model.tensors.at("classifier.weight")));
    QCOMPARE(test.values("cls.bias"), dequantize(test.model.tensors.at("pooler.bias")));
}

void TestGgufFile::companionsAndReport() {
    Case test(bert());
    const auto outcome = test.write(GgufType::Q8_0);
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    const Json report = readJsonFile(test.target() + "/pareto_report.json").value();
    QCOMPARE(report["format"], "gguf:q8_0");
    QCOMPARE(report["recipe"], "as tested");
    QCOMPARE(report["notes"], Json(outcome.value().notes));
    QCOMPARE(report["files"].size(), std::size_t{3});
    std::uint64_t bytes = 0;
    for (const char* file : {"model.gguf", "config.json", "LICENSE"}) {
        const auto content = readTextFile(test.target() + "/" + file).value();
        QCOMPARE(report["files"][file]["sha256"], sha256Hex(content));
        bytes += content.size();
    }
    QCOMPARE(readTextFile(test.target() + "/config.json").value(),
             readTextFile(test.source() + "/config.json").value());
    QCOMPARE(outcome.value().bytes, bytes + fs::file_size(test.target() + "/pareto_report.json"));
    QCOMPARE(test.entries(), 2);
}

void TestGgufFile::sameBytesEachTime() {
    Case test(llama());
    QVERIFY(test.write(GgufType::Q5_1).ok());
    const auto first = readTextFile(test.target() + "/model.gguf").value();
    const auto report = readTextFile(test.target() + "/pareto_report.json").value();
    fs::remove_all(test.target());
    QVERIFY(test.write(GgufType::Q5_1).ok());
    QCOMPARE(readTextFile(test.target() + "/model.gguf").value(), first);
    QCOMPARE(readTextFile(test.target() + "/pareto_report.json").value(), report);
}

/// The read-back is what stands between a damaged disk and a model that is silently wrong.
void TestGgufFile::damagedBytesAreFound() {
    Case test(llama());
    std::vector<WeightFormat> formats;
    for (const auto& layer : test.model.layout.layers) {
        formats.push_back(test.model.weight(layer).format());
    }
    const auto plan = planGguf(test.model.layout, formats, GgufType::Q8_0).value();
    std::vector<std::string> notes;
    auto content = ggufContent(test.model, plan, *test.files, notes).value();
    const auto path = test.folder.path().toStdString() + "/damaged.gguf";
    Progress progress;
    QVERIFY(writeGgufFile(path, test.model, content, progress, {}, serialFor).ok());
    QVERIFY(verifyGguf(path, test.model, content, progress, {}).ok());
    const auto damagedAt = [&](std::uint64_t offset) {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(offset));
        const char byte = static_cast<char>(file.get() ^ 0x01);
        file.seekp(static_cast<std::streamoff>(offset));
        file.put(byte);
        file.close();
        const auto verdict = verifyGguf(path, test.model, content, progress, {});
        file.open(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(offset));
        file.put(static_cast<char>(byte ^ 0x01));
        return verdict;
    };
    const auto files = io::ModelFiles::open(path).value();
    const auto* tensor = files->find("blk.1.ffn_gate.weight");
    const auto inTensor = damagedAt(tensor->offset + tensor->bytes / 2);
    QVERIFY(!inTensor.ok());
    QCOMPARE(inTensor.error().code, ErrorCode::ExportMismatch);
    QCOMPARE(inTensor.error().args.at("tensor"), std::string("blk.1.ffn_gate.weight"));
    const auto bytes = readTextFile(path).value();
    const auto value = bytes.find("llama.embedding_length") + std::string("llama.embedding_length").size() + 4;
    const auto inHeader = damagedAt(value);
    QVERIFY(!inHeader.ok());
    QCOMPARE(inHeader.error().args.at("tensor"), std::string("llama.embedding_length"));
    QVERIFY(verifyGguf(path, test.model, content, progress, {}).ok());
    // Right bytes of wrong values: the model is another one.
    LoadedModel other = test.model;
    auto changed = dequantize(other.tensors.at("decoder.layer.1.ffn.gate.weight"));
    changed[100] += 1.0F;
    other.tensors.at("decoder.layer.1.ffn.gate.weight") = denseTensor(Shape{96, 64}, changed);
    const auto wrong = verifyGguf(path, other, content, progress, {});
    QVERIFY(!wrong.ok());
    QCOMPARE(wrong.error().args.at("tensor"), std::string("blk.1.ffn_gate.weight"));
}

void TestGgufFile::cancelLeavesNothing() {
    Case test(llama());
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(test.write(GgufType::Q8_0, stop.get_token()).cancelled());
    QCOMPARE(test.entries(), 1);
}

void TestGgufFile::tokenizerOfWordPieces() {
    Case test;
    test::writeTinyClassifier(test.source());
    test.open({});
    const auto outcome = test.write(GgufType::F32);
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    const auto files = test.back();
    const auto& metadata = files->gguf();
    QCOMPARE(metadata.values["tokenizer.ggml.model"], Json("bert"));
    const auto& tokens = metadata.strings.at("tokenizer.ggml.tokens");
    const auto& types = metadata.numbers.at("tokenizer.ggml.token_type");
    QCOMPARE(tokens.size(), static_cast<std::size_t>(test.model.layout.vocabulary));
    QCOMPARE(types.size(), tokens.size());
    const auto tokenizer = text::loadTokenizer(*test.files).value();
    for (std::size_t id = 0; id < tokens.size(); ++id) {
        const auto& text = tokenizer->tokenText(static_cast<std::int32_t>(id));
        const bool special = text.starts_with("[") && types[id] == 3.0;
        const std::string expected = text.empty() ? "[PAD" + std::to_string(id) + "]"
                                     : special    ? text
                                     : text.starts_with("##") ? text.substr(2)
                                                              : "\xE2\x96\x81" + text;
        QVERIFY2(tokens[id] == expected, (tokens[id] + " is not " + expected).c_str());
    }
    const auto cls = metadata.values["tokenizer.ggml.cls_token_id"].get<std::size_t>();
    const auto sep = metadata.values["tokenizer.ggml.seperator_token_id"].get<std::size_t>();
    QCOMPARE(tokens[cls], std::string("[CLS]"));
    QCOMPARE(tokens[sep], std::string("[SEP]"));
    QCOMPARE(metadata.values["tokenizer.ggml.bos_token_id"], Json(cls));
    QCOMPARE(metadata.values["tokenizer.ggml.normalizer.lowercase"], Json(true));
}

void TestGgufFile::tokenizerOfBytes() {
    Case test;
    test::writeTinyLlama(test.source());
    test.open({});
    const auto outcome = test.write(GgufType::F32);
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    const auto files = test.back();
    const auto& metadata = files->gguf();
    QCOMPARE(metadata.values["tokenizer.ggml.model"], Json("gpt2"));
    QVERIFY(!metadata.strings.at("tokenizer.ggml.merges").empty());
    QCOMPARE(metadata.strings.at("tokenizer.ggml.tokens")[2], std::string("<|im_end|>"));
    QCOMPARE(metadata.numbers.at("tokenizer.ggml.token_type")[2], 3.0);
    // The same ids from the file's own tokenizer.
    const auto theirs = text::loadTokenizer(*files);
    const auto ours = text::loadTokenizer(*test.files);
    QVERIFY2(theirs.ok(), errorOf(theirs).c_str());
    for (const char* line : {"the cat sat on the mat", "  12 dogs\n\n", "<|im_start|>x<|im_end|>"}) {
        QCOMPARE(theirs.value()->encode(line).ids, ours.value()->encode(line).ids);
    }
    QCOMPARE(theirs.value()->eosId(), ours.value()->eosId());
}

QTEST_GUILESS_MAIN(TestGgufFile)
#include "tst_gguf_file.moc"
