#include <QtTest>

#include <cmath>
#include <limits>

#include "engine/core/file.h"
#include "engine/core/json.h"
#include "engine/io/model_files.h"
#include "engine/layout/describe.h"
#include "engine/weights/load.h"
#include "tests/engine/weights/tiny_models.h"

using namespace pareto;

namespace {

/// A folder that is just a container of tensors: the layout is made by hand.
struct Fixture {
    QTemporaryDir folder;
    Json config = {{"model_type", "bert"}, {"architectures", {"BertModel"}}};

    std::string path() const { return folder.path().toStdString(); }

    Result<LoadedModel> load(std::vector<io::TensorToWrite> tensors, ModelLayout layout,
                             std::stop_token stop = {}) {
        PARETO_CHECK(test::writeTensors(path() + "/model.safetensors", std::move(tensors)));
        PARETO_CHECK(writeFileAtomically(path() + "/config.json", config.dump()));
        PARETO_TRY(const auto files, io::ModelFiles::open(path()));
        Progress progress;
        return loadWeights(*files, std::move(layout), progress, stop);
    }
};

ModelLayout oneLayer(Shape shape, Transform transform = Transform::None, std::int64_t heads = 0) {
    ModelLayout layout;
    LayerInfo layer;
    layer.name = "x";
    layer.rows = shape[0];
    layer.cols = shape[1];
    layout.layers.push_back(layer);
    layout.bindings.push_back({"x.weight", "mod.weight", std::move(shape), transform, heads});
    return layout;
}

Json quantization(const std::string& format, int bits, const std::string& strategy,
                  bool symmetric = true, bool activations = false) {
    Json group = {{"targets", {"Linear"}},
                  {"weights",
                   {{"num_bits", bits},
                    {"type", "int"},
                    {"symmetric", symmetric},
                    {"strategy", strategy},
                    {"group_size", strategy == "group" ? Json(4) : Json()}}},
                  {"input_activations", Json()}};
    if (activations) {
        group["input_activations"] = {{"num_bits", 8},
                                      {"type", "int"},
                                      {"symmetric", true},
                                      {"strategy", "token"},
                                      {"dynamic", true}};
    }
    return {{"quant_method", "compressed-tensors"},
            {"format", format},
            {"config_groups", {{"group_0", group}}}};
}

std::string errorOf(const Result<LoadedModel>& result) {
    return result.ok()          ? "none"
           : result.cancelled() ? "cancelled"
                                : std::string(errorName(result.error().code));
}

}  // namespace

class TestLoad : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void floatsAreViewsOfTheFile();
    void weightsStayInSixteenBitsAndBiasesBecomeFp32();
    void rotaryRowsAreUnpermuted();
    void notFiniteIsRefusedByName();
    void intQuantized();
    void packQuantized_data();
    void packQuantized();
    void bytesOfFourBits();
    void namedTargetsComeBeforeTheClass();
    void unusableQuantizationIsRefused();
    void cancels();
    void wholeModels();
};

void TestLoad::floatsAreViewsOfTheFile() {
    QTemporaryDir folder;
    const std::string path = folder.path().toStdString();
    QVERIFY(test::writeTiny(path, test::TinyBert{}).ok());
    const auto files = io::ModelFiles::open(path);
    QVERIFY(files.ok());
    const auto layout = describeModel(*files.value());
    QVERIFY(layout.ok());
    Progress progress;
    const auto model = loadWeights(*files.value(), layout.value(), progress, {});
    QVERIFY(model.ok());
    const auto raw =
        files.value()->raw(*files.value()->find("encoder.layer.0.attention.self.query.weight"));
    QVERIFY(raw.ok());
    const Tensor& query = model.value().tensors.at("encoder.layer.0.attention.query.weight");
    QVERIFY(query.dense().values.data() == raw.value().data());
    QVERIFY(progress.snapshot().stage == Stage::Opening);
    QCOMPARE(progress.snapshot().done, progress.snapshot().total);
}

void TestLoad::weightsStayInSixteenBitsAndBiasesBecomeFp32() {
    QTemporaryDir folder;
    test::TinyBert sizes;
    sizes.dtype = DType::F16;
    QVERIFY(test::writeTiny(folder.path().toStdString(), sizes).ok());
    const auto model = test::loadFolder(folder.path().toStdString());
    QVERIFY(model.ok());
    for (const auto& layer : model.value().layout.layers) {
        QVERIFY(model.value().weight(layer).dense().dtype == DType::F16);
        QVERIFY(layer.sourceFormat.format == NumberFormat::F16);
        if (const Tensor* bias = model.value().bias(layer); bias != nullptr) {
            QVERIFY(bias->dense().dtype == DType::F32);
        }
    }
    for (const auto& plain : model.value().layout.plain) {
        QVERIFY(model.value().tensors.at(plain.name).dense().dtype == DType::F32);
    }
    QCOMPARE(model.value().bytes(), estimate(model.value().layout).bytes);
}

void TestLoad::rotaryRowsAreUnpermuted() {
    // Two heads of four rows. GGUF holds row (i, i + d/2) pairs side by side.
    const std::vector<float> stored{0, 2, 1, 3, 4, 6, 5, 7};
    Fixture fixture;
    const auto model = fixture.load({test::floatTensor("mod.weight", {8, 1}, stored)},
                                    oneLayer({8, 1}, Transform::UnpermuteRope, 2));
    QVERIFY(model.ok());
    // llama.cpp's permute: reshape(heads, 2, d/2).swapaxes(1, 2); 0…7 goes to 0 2 1 3 | 4 6 5 7.
    QCOMPARE(dequantize(model.value().tensors.at("x.weight")),
             (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7}));

    Fixture wide;
    // One head of eight rows: 0 4 1 5 2 6 3 7 is the permuted 0…7 (two columns each, 16 bits).
    std::vector<float> rows;
    for (const int row : {0, 4, 1, 5, 2, 6, 3, 7}) {
        rows.push_back(static_cast<float>(row));
        rows.push_back(static_cast<float>(10 * row));
    }
    const auto half = wide.load({test::floatTensor("mod.weight", {8, 2}, rows, DType::BF16)},
                                oneLayer({8, 2}, Transform::UnpermuteRope, 1));
    QVERIFY(half.ok());
    const auto values = dequantize(half.value().tensors.at("x.weight"));
    for (std::size_t row = 0; row < 8; ++row) {
        QCOMPARE(values[2 * row], static_cast<float>(row));
        QCOMPARE(values[2 * row + 1], static_cast<float>(10 * row));
    }
}

void TestLoad::notFiniteIsRefusedByName() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    for (const DType dtype : {DType::F32, DType::F16, DType::BF16}) {
        Fixture fixture;
        const auto model =
            fixture.load({test::floatTensor("mod.weight", {2, 3},
                                            {1, -kInfinity, 2, std::nanf(""), 0, 1}, dtype)},
                         oneLayer({2, 3}));
        QCOMPARE(errorOf(model), std::string("TensorValues"));
        QCOMPARE(model.error().args.at("tensor"), std::string("mod.weight"));
        QCOMPARE(model.error().args.at("count"), std::string("2"));
    }
}

void TestLoad::intQuantized() {
    Fixture fixture;
    fixture.config["quantization_config"] = quantization("int-quantized", 8, "channel", true, true);
    const auto model = fixture.load(
        {test::rawTensor<std::int8_t>("mod.weight", DType::I8, {2, 3}, {-128, 0, 127, 1, 2, 3}),
         test::floatTensor("mod.weight_scale", {2, 1}, {0.5F, 0.25F}, DType::BF16)},
        oneLayer({2, 3}));
    QVERIFY2(model.ok(), errorOf(model).c_str());
    const Tensor& weight = model.value().tensors.at("x.weight");
    QCOMPARE(dequantize(weight), (std::vector<float>{-64, 0, 63.5, 0.25, 0.5, 0.75}));
    WeightFormat expected;
    expected.format = NumberFormat::Int8;
    expected.activations = Activations::Int8Dynamic;
    QVERIFY(weight.format() == expected);
    QVERIFY(model.value().layout.layers[0].sourceFormat == expected);
    QCOMPARE(weight.bytes(), weightBytes(expected, 2, 3));
    QCOMPARE(weight.quantized().codeSums.as<std::int32_t>()[1], 6);
}

void TestLoad::packQuantized_data() {
    QTest::addColumn<int>("bits");
    QTest::addColumn<bool>("symmetric");
    QTest::newRow("4 bits") << 4 << true;
    QTest::newRow("4 bits, zero points") << 4 << false;
    QTest::newRow("8 bits") << 8 << true;
    QTest::newRow("8 bits, zero points") << 8 << false;
}

void TestLoad::packQuantized() {
    QFETCH(int, bits);
    QFETCH(bool, symmetric);
    // Two rows of eight columns in groups of four: codes, packed as the format says.
    const int low = -(1 << (bits - 1));
    const std::vector<int> codes{low, -3, 0, 1, 2, 3, 4, -low - 1, 5, -5, 6, -6, 0, 0, 1, 7};
    const int perWord = 32 / bits;
    const int words = 8 / perWord;
    std::vector<std::uint32_t> packed(static_cast<std::size_t>(2 * words));
    for (int at = 0; at < 16; ++at) {
        const auto stored = static_cast<std::uint32_t>(codes[static_cast<std::size_t>(at)] - low);
        packed[static_cast<std::size_t>(at / 8 * words + at % 8 / perWord)] |=
            stored << (at % 8 % perWord * bits);
    }
    const std::vector<float> scales{0.5F, 2.0F, 1.0F, 0.25F};
    const std::vector<int> zeros{1, -2, 0, 3};  // [row][group]
    std::vector<std::uint32_t> packedZeros(2);  // [1 word of rows][group]
    for (int row = 0; row < 2; ++row) {
        for (int group = 0; group < 2; ++group) {
            packedZeros[static_cast<std::size_t>(group)] |=
                static_cast<std::uint32_t>(zeros[static_cast<std::size_t>(row * 2 + group)] - low)
                << (row * bits);
        }
    }
    Fixture fixture;
    fixture.config["quantization_config"] =
        quantization("pack-quantized", bits, "group", symmetric);
    std::vector<io::TensorToWrite> tensors{
        test::rawTensor("mod.weight_packed", DType::I32, {2, words}, packed),
        test::floatTensor("mod.weight_scale", {2, 2}, scales),
        test::rawTensor<std::int64_t>("mod.weight_shape", DType::I64, {2}, {2, 8})};
    if (!symmetric) {
        tensors.push_back(
            test::rawTensor("mod.weight_zero_point", DType::I32, {1, 2}, packedZeros));
    }
    const auto model = fixture.load(std::move(tensors), oneLayer({2, 8}));
    QVERIFY2(model.ok(), errorOf(model).c_str());
    const Tensor& weight = model.value().tensors.at("x.weight");
    QCOMPARE(weight.format().groupSize, std::int64_t{4});
    const auto values = dequantize(weight);
    for (std::size_t at = 0; at < 16; ++at) {
        const std::size_t group = at / 8 * 2 + at % 8 / 4;
        const int zero = symmetric ? 0 : zeros[group];
        QCOMPARE(values[at], scales[group] * static_cast<float>(codes[at] - zero));
    }
}

void TestLoad::bytesOfFourBits() {
    const auto attempt = [](std::int8_t code) {
        Fixture fixture;
        fixture.config["quantization_config"] = quantization("int-quantized", 4, "channel", false);
        return fixture.load(
            {test::rawTensor<std::int8_t>("mod.weight", DType::I8, {2, 3}, {-8, 0, 7, 1, 2, code}),
             test::floatTensor("mod.weight_scale", {2, 1}, {0.5F, 2.0F}),
             test::rawTensor<std::int8_t>("mod.weight_zero_point", DType::I8, {2, 1}, {1, -1})},
            oneLayer({2, 3}));
    };
    const auto model = attempt(3);
    QVERIFY2(model.ok(), errorOf(model).c_str());
    const Tensor& weight = model.value().tensors.at("x.weight");
    QVERIFY(weight.format().format == NumberFormat::Int4);
    QCOMPARE(dequantize(weight), (std::vector<float>{-4.5, -0.5, 3, 4, 6, 8}));
    QCOMPARE(errorOf(attempt(8)), std::string("TensorType"));
}

void TestLoad::namedTargetsComeBeforeTheClass() {
    Fixture fixture;
    Json config = quantization("mixed-precision", 4, "channel");
    Json named = quantization("int-quantized", 8, "channel")["config_groups"]["group_0"];
    named["targets"] = {"re:mo.*"};
    config["config_groups"]["group_1"] = named;
    fixture.config["quantization_config"] = config;
    const auto model =
        fixture.load({test::rawTensor<std::int8_t>("mod.weight", DType::I8, {1, 2}, {100, -100}),
                      test::floatTensor("mod.weight_scale", {1, 1}, {0.01F})},
                     oneLayer({1, 2}));
    QVERIFY2(model.ok(), errorOf(model).c_str());
    QVERIFY(model.value().tensors.at("x.weight").format().format == NumberFormat::Int8);
}

void TestLoad::unusableQuantizationIsRefused() {
    const auto attempt = [](const Json& config, Shape scaleShape = {2, 1}) {
        Fixture fixture;
        fixture.config["quantization_config"] = config;
        const std::vector<float> scales(static_cast<std::size_t>(scaleShape.elements()), 1.0F);
        return errorOf(fixture.load({test::rawTensor<std::int8_t>("mod.weight", DType::I8, {2, 4},
                                                                  {1, 2, 3, 4, 5, 6, 7, 8}),
                                     test::floatTensor("mod.weight_scale", scaleShape, scales)},
                                    oneLayer({2, 4})));
    };
    const Json good = quantization("int-quantized", 8, "channel");
    QCOMPARE(attempt(good), std::string("none"));
    Json other = good;
    other["quant_method"] = "gptq";
    QCOMPARE(attempt(other), std::string("ConfigInvalid"));
    Json bits = good;
    bits["config_groups"]["group_0"]["weights"]["num_bits"] = 9;
    QCOMPARE(attempt(bits), std::string("ConfigInvalid"));
    Json fixed = quantization("int-quantized", 8, "channel", true, true);
    fixed["config_groups"]["group_0"]["input_activations"]["dynamic"] = false;
    QCOMPARE(attempt(fixed), std::string("ConfigInvalid"));
    Json pattern = good;
    pattern["config_groups"]["group_0"]["targets"] = {"re:[(+"};
    QCOMPARE(attempt(pattern), std::string("ConfigInvalid"));
    Json elsewhere = good;
    elsewhere["config_groups"]["group_0"]["targets"] = {"re:other"};
    QCOMPARE(attempt(elsewhere), std::string("ConfigInvalid"));
    Json asymmetric = quantization("int-quantized", 8, "channel", false);
    QCOMPARE(attempt(asymmetric), std::string("TensorMissing"));
    QCOMPARE(attempt(good, {3, 1}), std::string("TensorShape"));
    QCOMPARE(attempt(good, {2, 3}), std::string("TensorShape"));
}

void TestLoad::cancels() {
    Fixture fixture;
    std::stop_source stop;
    stop.request_stop();
    const auto model = fixture.load({test::floatTensor("mod.weight", {1, 1}, {1})},
                                    oneLayer({1, 1}), stop.get_token());
    QVERIFY(model.cancelled());
}

void TestLoad::wholeModels() {
    QTemporaryDir bert;
    QTemporaryDir llama;
    test::TinyBert sizes;
    sizes.classes = 3;
    QVERIFY(test::writeTiny(bert.path().toStdString(), sizes).ok());
    QVERIFY(test::writeTiny(llama.path().toStdString(), test::TinyLlama{}).ok());
    for (const auto& path : {bert.path(), llama.path()}) {
        const auto model = test::loadFolder(path.toStdString());
        QVERIFY2(model.ok(), errorOf(model).c_str());
        QCOMPARE(model.value().bytes(), estimate(model.value().layout).bytes);
        std::uint64_t sum = 0;
        for (const auto& layer : model.value().layout.layers) {
            QCOMPARE(model.value().weight(layer).shape, (Shape{layer.rows, layer.cols}));
            sum += model.value().layerBytes(layer);
        }
        for (const auto& plain : model.value().layout.plain) {
            QCOMPARE(model.value().tensors.at(plain.name).shape, plain.shape);
            sum += model.value().tensors.at(plain.name).bytes();
        }
        QCOMPARE(model.value().bytes(), sum);
    }
}

QTEST_GUILESS_MAIN(TestLoad)
#include "tst_load.moc"
