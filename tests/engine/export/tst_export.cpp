#include <QtTest>

#include <algorithm>
#include <filesystem>

#include "engine/compress/pipeline.h"
#include "engine/core/file.h"
#include "engine/core/hash.h"
#include "engine/core/json.h"
#include "engine/export/exporter.h"
#include "engine/layout/describe.h"
#include "engine/weights/load.h"
#include "engine/weights/weights_hash.h"
#include "tests/engine/weights/tiny_models.h"

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

/// A made-up model on disk, a recipe, the export and the export opened again.
struct Case {
    QTemporaryDir folder;
    std::shared_ptr<const io::ModelFiles> files;
    LoadedModel compressed;

    std::string source() const { return folder.path().toStdString() + "/source"; }
    std::string target() const { return folder.path().toStdString() + "/exported"; }

    explicit Case(const auto& sizes, const Recipe& recipe = {}) {
        fs::create_directories(source());
        if (const auto status = test::writeTiny(source(), sizes); !status.ok()) {
            qFatal("%s", errorOf(status).c_str());
        }
        files = io::ModelFiles::open(source()).value();
        Progress progress;
        const auto original =
            loadWeights(*files, describeModel(*files).value(), progress, {}).value();
        auto result = compress::compress(original, recipe, progress, {});
        if (!result.ok()) {
            qFatal("%s", errorOf(result).c_str());
        }
        compressed = std::move(result.value().model);
    }

    Result<ExportOutcome> write(std::stop_token stop = {}) {
        ExportRequest request;
        request.target = target();
        request.report = {{"recipe", "as tested"}};
        Progress progress;
        return exportModel(compressed, *files, request, progress, stop);
    }
    Json config() const { return readJsonFile(target() + "/config.json").value(); }
    LoadedModel back() const { return test::loadFolder(target()).value(); }
};

PruneSpec prune(PrunePattern pattern, double ratio) { return {PruneMethod::L1, pattern, ratio}; }

Recipe quantized(NumberFormat format, Granularity granularity, std::int64_t group = 8) {
    Recipe recipe;
    QuantizeSpec spec;
    spec.weights = format;
    spec.granularity = granularity;
    spec.groupSize = group;
    recipe.quantize = spec;
    return recipe;
}

bool mentions(const std::vector<std::string>& notes, const std::string& text) {
    return std::ranges::any_of(
        notes, [&](const std::string& note) { return note.find(text) != std::string::npos; });
}

/// Made-up decoders come without a tokenizer, which the export says. What else did it say?
std::vector<std::string> notesBesideTokenizer(std::vector<std::string> notes) {
    std::erase_if(notes, [](const std::string& note) {
        return note.find("has no tokenizer") != std::string::npos;
    });
    return notes;
}

bool sameValues(const LoadedModel& a, const LoadedModel& b, const std::string& tensor) {
    return dequantize(a.tensors.at(tensor)) == dequantize(b.tensors.at(tensor));
}

}  // namespace

class TestExport : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void untouchedModelComesBack_data();
    void untouchedModelComesBack();
    void prunedHeadsOfBertAreZeros();
    void prunedDecoderIsSmallerByConfig();
    void unevenWidthsAreFilledUp();
    void removedBlocksAreGone();
    void intQuantized();
    void activationGroups();
    void packQuantized();
    void floatQuantized();
    void staticInputs();
    void fewBitsStandOnFour();
    void sixteenBits();
    void cacheIsSaid();
    void mixedSchemes();
    void quantizedPrunedDecoder();
    void quantizedModelExportsAgain();
    void halfPrecision();
    void sentenceTransformers();
    void classifier();
    void companionsAndReport();
    void neverOverwrites();
    void cancelLeavesNothing();
    void formatNames();
};

void TestExport::untouchedModelComesBack_data() {
    QTest::addColumn<int>("kind");
    QTest::newRow("encoder") << 0;
    QTest::newRow("classifier") << 1;
    QTest::newRow("decoder, tied") << 2;
    QTest::newRow("decoder, own head, biases") << 3;
    QTest::newRow("sentence encoder with dense modules") << 4;
}

void TestExport::untouchedModelComesBack() {
    QFETCH(int, kind);
    test::TinyBert bert;
    test::TinyLlama llama;
    bert.classes = kind == 1 ? 2 : 0;
    bert.sentence = kind == 4;
    bert.dense = kind == 4 ? std::vector<std::int64_t>{12, 3} : std::vector<std::int64_t>{};
    llama.tied = kind == 2;
    llama.attentionBias = kind == 3;
    Case test = kind == 2 || kind == 3 ? Case(llama) : Case(bert);
    const auto outcome = test.write();
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QVERIFY(outcome.value().verified);
    QCOMPARE(mentions(outcome.value().notes, "has no tokenizer"), kind == 2 || kind == 3);
    QVERIFY(notesBesideTokenizer(outcome.value().notes).empty());
    QCOMPARE(outcome.value().path, test.target());
    QVERIFY(outcome.value().bytes > test.compressed.bytes());
    QCOMPARE(weightsHash(test.back()), weightsHash(test.compressed));
}

void TestExport::prunedHeadsOfBertAreZeros() {
    Recipe recipe;
    recipe.prune = {prune(PrunePattern::Heads, 0.5)};
    Case test(test::TinyBert{}, recipe);
    const auto outcome = test.write();
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QVERIFY(mentions(outcome.value().notes, "3 of 3 blocks are written as zeros"));
    QCOMPARE(test.config()["num_attention_heads"], 4);
    const LoadedModel back = test.back();
    QCOMPARE(back.layout.blocks[0].heads, std::int64_t{4});
    const auto before =
        dequantize(test.compressed.tensors.at("encoder.layer.1.attention.query.weight"));
    const auto after = dequantize(back.tensors.at("encoder.layer.1.attention.query.weight"));
    QCOMPARE(before.size(), std::size_t{12 * 24});
    QVERIFY(std::equal(before.begin(), before.end(), after.begin()));
    QVERIFY(std::all_of(after.begin() + 12 * 24, after.end(), [](float x) { return x == 0.0F; }));
    const auto bias = dequantize(back.tensors.at("encoder.layer.1.attention.value.bias"));
    QVERIFY(std::all_of(bias.begin() + 12, bias.end(), [](float x) { return x == 0.0F; }));
    const auto output = dequantize(back.tensors.at("encoder.layer.1.attention.output.weight"));
    for (std::size_t row = 0; row < 24; ++row) {
        QVERIFY(std::all_of(output.begin() + static_cast<long>(row * 24 + 12),
                            output.begin() + static_cast<long>(row * 24 + 24),
                            [](float x) { return x == 0.0F; }));
    }
}

void TestExport::prunedDecoderIsSmallerByConfig() {
    Recipe recipe;
    recipe.prune = {prune(PrunePattern::Heads, 0.34), prune(PrunePattern::Neurons, 0.5)};
    Case test(test::TinyLlama{}, recipe);
    const auto outcome = test.write();
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QVERIFY(notesBesideTokenizer(outcome.value().notes).empty());
    const Json config = test.config();
    QCOMPARE(config["num_attention_heads"], 4);
    QCOMPARE(config["num_key_value_heads"], 2);
    QCOMPARE(config["head_dim"], 8);
    QCOMPARE(config["intermediate_size"], 24);
    QCOMPARE(weightsHash(test.back()), weightsHash(test.compressed));
}

void TestExport::unevenWidthsAreFilledUp() {
    Recipe recipe;
    recipe.prune = {prune(PrunePattern::Neurons, 0.5), prune(PrunePattern::Heads, 0.34)};
    LayerOverride entry;
    entry.match = "decoder.layer.1";
    entry.prune.push_back({PrunePattern::Neurons, std::nullopt, 0.25});
    entry.prune.push_back({PrunePattern::Heads, std::nullopt, 0.0});
    recipe.layers = {entry};
    Case test(test::TinyLlama{}, recipe);
    const auto outcome = test.write();
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QVERIFY(
        mentions(outcome.value().notes, "2 of 3 blocks are filled up with zeros to 36 neurons"));
    QVERIFY(mentions(outcome.value().notes, "2 of 3 blocks are filled up with zeros to 6 heads"));
    QCOMPARE(test.config()["intermediate_size"], 36);
    const LoadedModel back = test.back();
    const auto down = dequantize(back.tensors.at("decoder.layer.0.ffn.down.weight"));
    const auto was = dequantize(test.compressed.tensors.at("decoder.layer.0.ffn.down.weight"));
    for (std::size_t row = 0; row < 32; ++row) {
        for (std::size_t col = 0; col < 36; ++col) {
            QCOMPARE(down[row * 36 + col], col < 24 ? was[row * 24 + col] : 0.0F);
        }
    }
    QVERIFY(sameValues(back, test.compressed, "decoder.layer.1.attention.query.weight"));
    std::vector<WeightFormat> formats;
    for (const auto& layer : test.compressed.layout.layers) {
        formats.push_back(test.compressed.weight(layer).format());
    }
    QCOMPARE(exportNotes(test.compressed.layout, formats, ExportFormat{}),
             notesBesideTokenizer(outcome.value().notes));
}

void TestExport::removedBlocksAreGone() {
    Recipe recipe;
    recipe.prune = {prune(PrunePattern::Blocks, 0.34)};
    Case test(test::TinyBert{}, recipe);
    const auto outcome = test.write();
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QCOMPARE(test.config()["num_hidden_layers"], 2);
    QCOMPARE(weightsHash(test.back()), weightsHash(test.compressed));
}

void TestExport::intQuantized() {
    Recipe recipe = quantized(NumberFormat::Int8, Granularity::Channel);
    recipe.quantize->activations = Activations::Int8Dynamic;
    Case test(test::TinyBert{}, recipe);
    const auto outcome = test.write();
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QVERIFY(mentions(outcome.value().notes, "embeddings.word"));
    const Json quantization = test.config()["quantization_config"];
    QCOMPARE(quantization["format"], "int-quantized");
    const Json group = quantization["config_groups"]["group_0"];
    QCOMPARE(group["targets"], Json({"Linear"}));
    QCOMPARE(group["input_activations"]["strategy"], "token");
    QCOMPARE(group["input_activations"]["dynamic"], true);
    QCOMPARE(quantization["ignore"], Json({"re:(.*\\.)?pooler\\.dense$"}));
    const LoadedModel back = test.back();
    for (const auto& layer : back.layout.layers) {
        QVERIFY(sameValues(back, test.compressed, layer.name + ".weight"));
        const auto format = back.weight(layer).format();
        QVERIFY(layer.isEmbedding() ? format.format == NumberFormat::F32
                                    : format.activations == Activations::Int8Dynamic);
    }
    const auto files = io::ModelFiles::open(test.target()).value();
    const auto* codes = files->find("encoder.layer.0.attention.self.query.weight");
    QCOMPARE(codes->typeName, std::string("I8"));
    QCOMPARE(files->find("encoder.layer.0.attention.self.query.weight_scale")->shape,
             (Shape{24, 1}));
    QVERIFY(files->find("pooler.dense.weight") != nullptr);
}

void TestExport::activationGroups() {
    Recipe recipe = quantized(NumberFormat::Int8, Granularity::Channel);
    recipe.quantize->activations = Activations::Int8Dynamic;
    recipe.quantize->activationGroup = 8;
    Case test(test::TinyLlama{}, recipe);
    const auto outcome = test.write();
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    const Json activations =
        test.config()["quantization_config"]["config_groups"]["group_0"]["input_activations"];
    QCOMPARE(activations["strategy"], "group");
    QCOMPARE(activations["group_size"], 8);
    const auto format = test.back().tensors.at("decoder.layer.0.ffn.up.weight").format();
    QCOMPARE(format.activationGroup, std::int64_t{8});
}

void TestExport::packQuantized() {
    for (const auto format : {NumberFormat::Int4, NumberFormat::Int8}) {
        for (const auto granularity :
             {Granularity::Tensor, Granularity::Channel, Granularity::Group}) {
            for (const bool symmetric : {true, false}) {
                Recipe recipe = quantized(format, granularity);
                recipe.quantize->symmetric = symmetric;
                Case test(test::TinyBert{}, recipe);
                const auto outcome = test.write();
                QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
                const LoadedModel back = test.back();
                for (const auto& [name, tensor] : test.compressed.tensors) {
                    QVERIFY2(sameValues(back, test.compressed, name), name.c_str());
                }
                const Json quantization = test.config()["quantization_config"];
                // Zero points keep codes from being packed: see compressed_tensors_writer.h.
                QCOMPARE(quantization["format"], symmetric ? "pack-quantized" : "int-quantized");
                QCOMPARE(mentions(outcome.value().notes, "a byte a value"),
                         !symmetric && format == NumberFormat::Int4);
                const Json weights = quantization["config_groups"]["group_0"]["weights"];
                QCOMPARE(weights["num_bits"], format == NumberFormat::Int4 ? 4 : 8);
                QCOMPARE(weights["symmetric"], symmetric);
                QCOMPARE(weights["strategy"],
                         granularity == Granularity::Group ? "group" : "channel");
            }
        }
    }
}

void TestExport::floatQuantized() {
    for (const auto granularity : {Granularity::Tensor, Granularity::Channel, Granularity::Group}) {
        Case test(test::TinyLlama{}, quantized(NumberFormat::F8, granularity));
        const auto outcome = test.write();
        QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
        const Json quantization = test.config()["quantization_config"];
        QCOMPARE(quantization["format"], "float-quantized");
        const Json weights = quantization["config_groups"]["group_0"]["weights"];
        QCOMPARE(weights["type"], "float");
        QCOMPARE(weights["num_bits"], 8);
        const auto files = io::ModelFiles::open(test.target()).value();
        QCOMPARE(files->find("model.layers.0.mlp.up_proj.weight")->typeName, std::string("F8_E4M3"));
        const LoadedModel back = test.back();
        for (const auto& layer : back.layout.layers) {
            if (layer.tiedTo.empty()) {
                QVERIFY2(sameValues(back, test.compressed, layer.name + ".weight"), layer.name.c_str());
                QVERIFY(layer.isEmbedding() || back.weight(layer).format().format == NumberFormat::F8);
            }
        }
    }
}

void TestExport::staticInputs() {
    Recipe recipe = quantized(NumberFormat::Int8, Granularity::Channel);
    recipe.quantize->activations = Activations::Int8Dynamic;
    Case test(test::TinyBert{}, recipe);
    // As a calibration leaves it: a scale of its own for each linear.
    float scale = 0.01F;
    for (const auto& layer : test.compressed.layout.layers) {
        auto& tensor = test.compressed.tensors.at(layer.name + ".weight");
        if (!layer.isEmbedding() && !tensor.isDense()) {
            auto values = tensor.quantized();
            values.format.activations = Activations::Int8Static;
            values.inputScale = scale += 0.001F;
            tensor = {tensor.shape, std::move(values)};
        }
    }
    const auto outcome = test.write();
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    const Json inputs = test.config()["quantization_config"]["config_groups"]["group_0"]["input_activations"];
    QCOMPARE(inputs["strategy"], "tensor");
    QCOMPARE(inputs["dynamic"], false);
    const LoadedModel back = test.back();
    int seen = 0;
    for (const auto& layer : back.layout.layers) {
        QVERIFY(sameValues(back, test.compressed, layer.name + ".weight"));
        if (!back.weight(layer).isDense()) {
            const auto& found = back.weight(layer).quantized();
            QVERIFY(found.format.activations == Activations::Int8Static);
            QCOMPARE(found.inputScale, test.compressed.weight(layer).quantized().inputScale);
            ++seen;
        }
    }
    QCOMPARE(seen, 18);
}

void TestExport::fewBitsStandOnFour() {
    for (const auto format : {NumberFormat::Int3, NumberFormat::Int2}) {
        for (const bool symmetric : {true, false}) {
            Recipe recipe = quantized(format, Granularity::Group);
            recipe.quantize->symmetric = symmetric;
            Case test(test::TinyBert{}, recipe);
            const auto outcome = test.write();
            QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
            QCOMPARE(mentions(outcome.value().notes, "are written as int4, with the same values"), symmetric);
            QCOMPARE(mentions(outcome.value().notes, "a byte a value"), !symmetric);
            const Json weights = test.config()["quantization_config"]["config_groups"]["group_0"]["weights"];
            QCOMPARE(weights["num_bits"], 4);
            const LoadedModel back = test.back();
            for (const auto& layer : back.layout.layers) {
                QVERIFY(sameValues(back, test.compressed, layer.name + ".weight"));
                QVERIFY(layer.isEmbedding() || back.weight(layer).format().format == NumberFormat::Int4);
            }
        }
    }
}

void TestExport::sixteenBits() {
    for (const auto format : {NumberFormat::Int16, NumberFormat::Int8}) {
        Recipe recipe = quantized(format, Granularity::Channel);
        recipe.quantize->activations = Activations::Int16Dynamic;
        Case test(test::TinyLlama{}, recipe);
        const auto outcome = test.write();
        QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
        const bool wide = format == NumberFormat::Int16;
        QCOMPARE(mentions(outcome.value().notes, "The format has no int16 weights"), wide);
        QCOMPARE(mentions(outcome.value().notes, "inputs are rounded to 16 bits"), !wide);
        const LoadedModel back = test.back();
        for (const auto& layer : back.layout.layers) {
            QVERIFY(!layer.tiedTo.empty() || sameValues(back, test.compressed, layer.name + ".weight"));
            QVERIFY(back.weight(layer).format().activations == Activations::None);
        }
    }
}

void TestExport::cacheIsSaid() {
    Recipe recipe = quantized(NumberFormat::Int8, Granularity::Channel);
    recipe.quantize->cache = NumberFormat::Int4;
    Case test(test::TinyLlama{}, recipe);
    QVERIFY(test.compressed.layout.cache == NumberFormat::Int4);
    const auto outcome = test.write();
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QVERIFY(mentions(outcome.value().notes, "keys and values are held in int4"));
}

void TestExport::mixedSchemes() {
    Recipe recipe = quantized(NumberFormat::Int8, Granularity::Channel);
    recipe.quantize->activations = Activations::Int8Dynamic;
    LayerOverride small;
    small.match = ".*\\.ffn\\.(gate|up|down)";
    small.quantize = QuantizeOverride{};
    small.quantize->weights = NumberFormat::Int4;
    small.quantize->groupSize = 16;
    LayerOverride dense;
    dense.match = "decoder.layer.2";
    dense.quantizeOff = true;
    recipe.layers = {small, dense};
    test::TinyLlama sizes;
    sizes.tied = false;
    Case test(sizes, recipe);
    const auto outcome = test.write();
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    const Json quantization = test.config()["quantization_config"];
    QCOMPARE(quantization["format"], "mixed-precision");
    QCOMPARE(quantization["config_groups"].size(), std::size_t{2});
    QCOMPARE(quantization["ignore"].size(), std::size_t{7});
    const LoadedModel back = test.back();
    for (const auto& layer : back.layout.layers) {
        QVERIFY(sameValues(back, test.compressed, layer.name + ".weight"));
        if (!layer.isEmbedding()) {
            auto expected = test.compressed.weight(layer).format();
            QVERIFY2(back.weight(layer).format() == expected, layer.name.c_str());
        }
    }
}

void TestExport::quantizedPrunedDecoder() {
    // 0.45 of 48 neurons leaves 26 or 27: not whole groups of 8, so 32 are written.
    Recipe recipe = quantized(NumberFormat::Int4, Granularity::Group);
    recipe.quantize->symmetric = false;
    recipe.prune = {prune(PrunePattern::Neurons, 0.45)};
    Case test(test::TinyLlama{}, recipe);
    const auto outcome = test.write();
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QCOMPARE(test.config()["intermediate_size"], 32);
    QVERIFY(mentions(outcome.value().notes, "32 neurons"));
    const LoadedModel back = test.back();
    const auto kept = static_cast<std::size_t>(test.compressed.layout.blocks[0].neurons);
    const auto was = dequantize(test.compressed.tensors.at("decoder.layer.0.ffn.down.weight"));
    const auto is = dequantize(back.tensors.at("decoder.layer.0.ffn.down.weight"));
    for (std::size_t row = 0; row < 32; ++row) {
        for (std::size_t col = 0; col < 32; ++col) {
            QCOMPARE(is[row * 32 + col], col < kept ? was[row * kept + col] : 0.0F);
        }
    }
    QVERIFY(back.tensors.at("decoder.layer.0.ffn.down.weight").format().format ==
            NumberFormat::Int4);
}

void TestExport::quantizedModelExportsAgain() {
    Case test(test::TinyBert{}, quantized(NumberFormat::Int4, Granularity::Group));
    QVERIFY(test.write().ok());
    const auto files = io::ModelFiles::open(test.target()).value();
    const LoadedModel once = test.back();
    ExportRequest request;
    request.target = test.folder.path().toStdString() + "/again";
    Progress progress;
    const auto outcome = exportModel(once, *files, request, progress, {});
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    const auto twice = test::loadFolder(request.target);
    QVERIFY2(twice.ok(), errorOf(twice).c_str());
    QCOMPARE(weightsHash(twice.value()), weightsHash(once));
    QCOMPARE(readTextFile(request.target + "/model.safetensors").value(),
             readTextFile(test.target() + "/model.safetensors").value());
}

void TestExport::halfPrecision() {
    for (const auto& [format, name] :
         {std::pair{NumberFormat::F16, "float16"}, std::pair{NumberFormat::BF16, "bfloat16"}}) {
        Recipe recipe;
        recipe.quantize = QuantizeSpec{};
        recipe.quantize->weights = format;
        Case test(test::TinyLlama{}, recipe);
        const auto outcome = test.write();
        QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
        QCOMPARE(test.config()["torch_dtype"], name);
        QVERIFY(!test.config().contains("quantization_config"));
        QCOMPARE(weightsHash(test.back()), weightsHash(test.compressed));
    }
    Recipe mixed;  // one fp16 layer among fp32: loading all as fp16 would change the others
    LayerOverride entry;
    entry.match = "decoder.layer.0.ffn.up";
    entry.quantize = QuantizeOverride{};
    entry.quantize->weights = NumberFormat::F16;
    mixed.layers = {entry};
    Case test(test::TinyLlama{}, mixed);
    QVERIFY(test.write().ok());
    QCOMPARE(test.config()["torch_dtype"], "float32");
}

void TestExport::sentenceTransformers() {
    test::TinyBert sizes;
    sizes.sentence = true;
    sizes.dense = {12, 3};
    Recipe recipe = quantized(NumberFormat::Int8, Granularity::Channel);
    recipe.prune = {prune(PrunePattern::Neurons, 0.5)};
    Case test(sizes, recipe);
    const auto outcome = test.write();
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    QVERIFY(mentions(outcome.value().notes, "dense.0"));
    for (const char* name :
         {"modules.json", "1_Pooling/config.json", "2_Dense/config.json",
          "2_Dense/model.safetensors", "3_Dense/model.safetensors", "vocab.txt"}) {
        QVERIFY2(fs::exists(test.target() + "/" + name), name);
    }
    const LoadedModel back = test.back();
    QVERIFY(sameValues(back, test.compressed, "dense.1.weight"));
    QVERIFY(back.tensors.at("dense.0.weight").isDense());
    QCOMPARE(back.layout.head.size(), test.compressed.layout.head.size());
}

void TestExport::classifier() {
    test::TinyBert sizes;
    sizes.classes = 3;
    Recipe recipe = quantized(NumberFormat::Int8, Granularity::Channel);
    recipe.quantize->activations = Activations::Int8Dynamic;
    LayerOverride head;
    head.match = "classifier";
    head.skip = true;
    recipe.layers = {head};
    Case test(sizes, recipe);
    const auto outcome = test.write();
    QVERIFY2(outcome.ok(), errorOf(outcome).c_str());
    const LoadedModel back = test.back();
    QCOMPARE(back.layout.labels, test.compressed.layout.labels);
    QCOMPARE(back.layout.labels[2], std::string("class 2"));
    QVERIFY(back.tensors.at("classifier.weight").isDense());
    QVERIFY(!back.tensors.at("pooler.weight").isDense());
    QCOMPARE(test.config()["quantization_config"]["ignore"], Json({"re:(.*\\.)?classifier$"}));
}

void TestExport::companionsAndReport() {
    Case test(test::TinyBert{});
    QVERIFY(test.write().ok());
    QCOMPARE(readTextFile(test.target() + "/LICENSE").value(),
             readTextFile(test.source() + "/LICENSE").value());
    QCOMPARE(readTextFile(test.target() + "/vocab.txt").value(),
             readTextFile(test.source() + "/vocab.txt").value());
    const Json report = readJsonFile(test.target() + "/pareto_report.json").value();
    QCOMPARE(report["recipe"], "as tested");
    QCOMPARE(report["format"], "hf");
    QCOMPARE(report["weights_sha256"], weightsHash(test.compressed));
    for (const char* file : {"model.safetensors", "config.json", "LICENSE", "vocab.txt"}) {
        QCOMPARE(report["files"][file]["sha256"],
                 sha256Hex(readTextFile(test.target() + "/" + file).value()));
    }
    QVERIFY(!report["files"].contains("pareto_report.json"));
    // Nothing but the two folders: the pending one became the target.
    int entries = 0;
    for (const auto& entry : fs::directory_iterator(test.folder.path().toStdString())) {
        entries += entry.exists() ? 1 : 0;
    }
    QCOMPARE(entries, 2);
}

void TestExport::neverOverwrites() {
    Case test(test::TinyBert{});
    fs::create_directories(test.target());
    QVERIFY(writeFileAtomically(test.target() + "/mine.txt", "mine").ok());
    const auto outcome = test.write();
    QVERIFY(!outcome.ok());
    QCOMPARE(errorName(outcome.error().code), std::string_view("FileWriteDenied"));
    QCOMPARE(readTextFile(test.target() + "/mine.txt").value(), std::string("mine"));
}

void TestExport::cancelLeavesNothing() {
    Case test(test::TinyBert{});
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(test.write(stop.get_token()).cancelled());
    QVERIFY(!fs::exists(test.target()));
    int entries = 0;
    for (const auto& entry : fs::directory_iterator(test.folder.path().toStdString())) {
        entries += entry.exists() ? 1 : 0;
    }
    QCOMPARE(entries, 1);
}

void TestExport::formatNames() {
    for (const auto& format : exportFormats()) {
        const auto back = exportFormatFromName(nameOf(format));
        QVERIFY(back.ok() && back.value() == format);
    }
    QCOMPARE(nameOf(ExportFormat{}), std::string("hf"));
    QCOMPARE(nameOf({ExportFormat::Kind::Gguf, GgufType::Q4_K}), std::string("gguf:q4_k"));
    for (const char* name : {"onnx", "gguf:", "gguf:q2_k", ""}) {
        const auto refused = exportFormatFromName(name);
        QVERIFY(!refused.ok());
        QVERIFY(errorMessage(refused.error()).find("gguf:q8_0") != std::string::npos);
    }
}

QTEST_GUILESS_MAIN(TestExport)
#include "tst_export.moc"
