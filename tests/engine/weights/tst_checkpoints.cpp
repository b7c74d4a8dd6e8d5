// Checkpoints as GPTQ, AWQ and compressed-tensors leave them, see tests/golden/checkpoints.

#include <cstring>
#include <filesystem>
#include <functional>

#include <QTemporaryDir>
#include <QTest>

#include "engine/core/file.h"
#include "engine/core/json.h"
#include "engine/io/model_files.h"
#include "engine/layout/describe.h"
#include "engine/spec/resolve.h"
#include "engine/weights/load.h"
#include "engine/weights/quantized_parts.h"
#include "tests/engine/weights/tiny_models.h"

using namespace pareto;
namespace fs = std::filesystem;

namespace {

const std::string kGolden = PARETO_SOURCE_DIR "/tests/golden/checkpoints/";

/// Canonical name of a linear of the only block.
std::string canonical(const std::string& source) {
    static const std::map<std::string, std::string> kNames{
        {"model.layers.0.self_attn.q_proj.weight", "decoder.layer.0.attention.query.weight"},
        {"model.layers.0.self_attn.k_proj.weight", "decoder.layer.0.attention.key.weight"},
        {"model.layers.0.mlp.down_proj.weight", "decoder.layer.0.ffn.down.weight"}};
    return kNames.at(source);
}

WeightFormat integers(NumberFormat format, std::int64_t group, bool symmetric) {
    WeightFormat out;
    out.format = format;
    out.granularity = group > 0 ? Granularity::Group : Granularity::Channel;
    out.groupSize = group;
    out.symmetric = symmetric;
    return out;
}

/// A copy of a checkpoint whose tensors and config a test may spoil.
class Copy {
public:
    explicit Copy(const std::string& name) {
        fs::copy(kGolden + name, path());
        m_config = parseJson(readTextFile(path() + "/config.json").value(), "config.json").value();
        const auto files = io::ModelFiles::open(path(), io::Access::Read).value();
        for (const auto& [key, tensor] : files->tensors()) {
            m_tensors[key] = {
                key, tensor.encoding.dtype, tensor.shape,
                [bytes = files->raw(tensor).value()]() -> Result<Buffer> { return bytes; }};
        }
    }
    std::string path() const { return m_folder.path().toStdString() + "/model"; }
    Json& config() { return m_config; }
    Json& quantization() { return m_config["quantization_config"]; }
    void drop(const std::string& name) { m_tensors.erase(name); }
    template <typename T>
    void put(const std::string& name, DType type, Shape shape, const std::vector<T>& values) {
        m_tensors[name] = test::rawTensor(name, type, std::move(shape), values);
    }
    Result<LoadedModel> load() const {
        std::vector<io::TensorToWrite> tensors;
        for (const auto& [name, tensor] : m_tensors) {
            tensors.push_back(tensor);
        }
        fs::remove(path() + "/model.safetensors");
        PARETO_CHECK(test::writeTensors(path() + "/model.safetensors", std::move(tensors)));
        PARETO_CHECK(writeFileAtomically(path() + "/config.json", m_config.dump()));
        return test::loadFolder(path());
    }

private:
    QTemporaryDir m_folder;
    Json m_config;
    std::map<std::string, io::TensorToWrite> m_tensors;
};

}  // namespace

class TestCheckpoints : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void packedElements();
    void opensAsItIs_data();
    void opensAsItIs();
    void settingsInAFileOfTheirOwn();
    void partsOfFusedLinears();
    void scatteredGroupsAreSaid();
    void inputsOfOneScale();
    void inputsOfFloats();
    void spoiled_data();
    void spoiled();
};

void TestCheckpoints::packedElements() {
    // 32 elements of 3 bits in three words, 32 of 5 in five: elements 10 and 21, 6, 12, 19, 25 lie in two.
    for (const int bits : {2, 3, 4, 5, 6, 7, 8}) {
        std::vector<std::uint32_t> words(static_cast<std::size_t>(2 * bits));
        for (int i = 0; i < 32; ++i) {
            const auto value = static_cast<std::uint32_t>(i * 37) & ((1U << bits) - 1U);
            for (int bit = 0; bit < bits; ++bit) {
                const int at = i * bits + bit;
                words[static_cast<std::size_t>(at / 32 * 2)] |= ((value >> bit) & 1U) << (at % 32);
            }
        }
        for (int i = 0; i < 32; ++i) {
            QCOMPARE(packedElement(words, i, bits, 2),
                     static_cast<std::uint32_t>(i * 37) & ((1U << bits) - 1U));
        }
    }
}

void TestCheckpoints::opensAsItIs_data() {
    QTest::addColumn<WeightFormat>("format");
    const WeightFormat dense;
    QTest::newRow("gptq_2bit") << integers(NumberFormat::Int2, 16, false);
    QTest::newRow("gptq_3bit") << integers(NumberFormat::Int3, 16, false);
    QTest::newRow("gptq_4bit") << integers(NumberFormat::Int4, 16, true);
    QTest::newRow("gptq_4bit_v2_channel") << integers(NumberFormat::Int4, 0, false);
    QTest::newRow("gptq_8bit") << integers(NumberFormat::Int8, 16, false);
    QTest::newRow("gptq_act_order") << dense;
    QTest::newRow("gptq_dynamic") << integers(NumberFormat::Int4, 16, true);
    QTest::newRow("awq") << integers(NumberFormat::Int4, 16, false);
    QTest::newRow("ct_pack_4bit") << integers(NumberFormat::Int4, 16, true);
    QTest::newRow("ct_pack_3bit_asym") << integers(NumberFormat::Int3, 16, false);
    QTest::newRow("ct_pack_act_order") << dense;
    QTest::newRow("ct_int8") << integers(NumberFormat::Int8, 0, true);
    QTest::newRow("ct_float8") << integers(NumberFormat::F8, 0, true);
}

void TestCheckpoints::opensAsItIs() {
    QFETCH(WeightFormat, format);
    const std::string name = QTest::currentDataTag();
    const auto files = io::ModelFiles::open(kGolden + name + "/model.safetensors");
    QVERIFY(files.ok());
    const auto layout = describeModel(*files.value());
    QVERIFY2(layout.ok(), layout.ok() ? "" : errorMessage(layout.error()).c_str());
    Progress progress;
    const auto model = loadWeights(*files.value(), layout.value(), progress, {});
    QVERIFY2(model.ok(), model.ok() ? "" : errorMessage(model.error()).c_str());
    QVERIFY(model->weight(*model->layout.findLayer("decoder.layer.0.attention.query")).format() ==
            format);
    // What is said before a weight is read holds afterwards.
    QCOMPARE(model->bytes(), estimate(layout.value()).bytes);
    for (std::size_t i = 0; i < layout->layers.size(); ++i) {
        QVERIFY(layout->layers[i].sourceFormat == model->layout.layers[i].sourceFormat);
    }
    const auto expected = io::ModelFiles::open(kGolden + name + "/expected.safetensors");
    QVERIFY(expected.ok());
    QCOMPARE(expected.value()->tensors().size(), std::size_t{3});
    for (const auto& [source, tensor] : expected.value()->tensors()) {
        const auto values = dequantize(model->tensors.at(canonical(source)));
        const auto reference = expected.value()->floats(tensor);
        QCOMPARE(values.size(), reference->as<float>().size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            // −0 of a scale times 0 is as good as 0.
            QVERIFY2(values[i] == reference->as<float>()[i],
                     (source + " " + std::to_string(i)).c_str());
        }
    }
    if (name == "gptq_dynamic") {
        QVERIFY(model->weight(*model->layout.findLayer("decoder.layer.0.ffn.down")).format() ==
                integers(NumberFormat::Int8, 32, true));
        QVERIFY(model->weight(*model->layout.findLayer("decoder.layer.0.attention.key"))
                    .format()
                    .format == NumberFormat::F16);
    }
}

void TestCheckpoints::settingsInAFileOfTheirOwn() {
    for (const auto& [name, file, old] :
         {std::tuple{"gptq_3bit", "quantize_config.json",
                     R"({"bits":3,"group_size":16,"sym":false,"desc_act":false})"},
          std::tuple{"awq", "quant_config.json",
                     R"({"w_bit":4,"q_group_size":16,"zero_point":true,"version":"GEMM"})"}}) {
        const auto expected = test::loadFolder(Copy(name).path());
        Copy copy(name);
        copy.quantization() = Json();
        QVERIFY(!copy.load().ok());
        copy.config().erase("quantization_config");
        QVERIFY(writeFileAtomically(copy.path() + "/" + file, old).ok());
        const auto model = copy.load();
        QVERIFY2(model.ok(), model.ok() ? "" : errorMessage(model.error()).c_str());
        const auto* layer = model->layout.findLayer("decoder.layer.0.ffn.down");
        QVERIFY(dequantize(model->weight(*layer)) == dequantize(expected->weight(*layer)));
    }
}

void TestCheckpoints::partsOfFusedLinears() {
    // GPT-2's query, key and value lie fused and, before GPTQ packs them, transposed.
    const auto files = io::ModelFiles::open(kGolden + "gptq_4bit/model.safetensors");
    QVERIFY(files.ok());
    std::vector<float> halves;
    std::vector<float> whole;
    for (const int parts : {1, 2}) {
        for (int part = 0; part < parts; ++part) {
            ModelLayout layout;
            LayerInfo layer;
            layer.name = "x";
            layer.rows = 64 / parts;
            layer.cols = 32;
            layout.layers.push_back(layer);
            layout.bindings.push_back({"x.weight", "model.layers.0.mlp.gate_proj.weight",
                                       Shape{64 / parts, 32}, Transform::Transpose, 0, part,
                                       parts});
            Progress progress;
            const auto model = loadWeights(*files.value(), layout, progress, {});
            QVERIFY2(model.ok(), model.ok() ? "" : errorMessage(model.error()).c_str());
            const auto values = dequantize(model->tensors.at("x.weight"));
            auto& out = parts == 1 ? whole : halves;
            out.insert(out.end(), values.begin(), values.end());
        }
    }
    QCOMPARE(whole.size(), std::size_t{64 * 32});
    QVERIFY(whole == halves);
}

void TestCheckpoints::scatteredGroupsAreSaid() {
    for (const auto& [name, notices] :
         {std::pair{"gptq_act_order", 1}, std::pair{"ct_pack_act_order", 1},
          std::pair{"ct_float8", 0}, std::pair{"gptq_4bit", 0}}) {
        const auto files = io::ModelFiles::open(kGolden + name + "/model.safetensors");
        const auto layout = describeModel(*files.value());
        QCOMPARE(layout->notices.size(), static_cast<std::size_t>(notices));
        QVERIFY(notices == 0 || layout->notices[0].starts_with("7 linears"));
    }
}

/// Linears whose inputs have one scale for good.
Copy withStaticInputs(const Json& strategy) {
    Copy copy("ct_int8");
    for (auto& [name, group] : copy.quantization()["config_groups"].items()) {
        group["input_activations"] = {{"num_bits", 8},
                                      {"type", "int"},
                                      {"symmetric", true},
                                      {"strategy", strategy},
                                      {"dynamic", false}};
    }
    float scale = 0.5F;
    for (const char* module : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                               "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"}) {
        copy.put("model.layers.0." + std::string(module) + ".input_scale", DType::F32, Shape{1},
                 std::vector<float>{scale});
        scale += 0.25F;
    }
    return copy;
}

void TestCheckpoints::inputsOfOneScale() {
    const auto model = withStaticInputs("tensor").load();
    QVERIFY2(model.ok(), model.ok() ? "" : errorMessage(model.error()).c_str());
    const auto& down = model->weight(*model->layout.findLayer("decoder.layer.0.ffn.down")).quantized();
    QVERIFY(down.format.activations == Activations::Int8Static);
    QCOMPARE(down.inputScale, 2.0F);
    QVERIFY(!down.codeSums.empty());
    QCOMPARE(model->bytes(), estimate(model->layout).bytes);
    const std::string name = "model.layers.0.mlp.up_proj.input_scale";
    const auto problemOf = [](const Copy& copy) {
        const auto spoiled = copy.load();
        return spoiled.ok() ? std::string() : std::string(errorName(spoiled.error().code));
    };
    Copy missing = withStaticInputs("tensor");
    missing.drop(name);
    QCOMPARE(problemOf(missing), std::string("TensorMissing"));
    Copy zero = withStaticInputs("tensor");
    zero.put(name, DType::F32, Shape{1}, std::vector<float>{0.0F});
    QCOMPARE(problemOf(zero), std::string("TensorValues"));
    Copy two = withStaticInputs("tensor");
    two.put(name, DType::F32, Shape{2}, std::vector<float>{1.0F, 1.0F});
    QCOMPARE(problemOf(two), std::string("TensorShape"));
    QCOMPARE(problemOf(withStaticInputs("channel")), std::string("ConfigInvalid"));
}

void TestCheckpoints::inputsOfFloats() {
    Copy copy("ct_float8");
    for (auto& [name, group] : copy.quantization()["config_groups"].items()) {
        group["input_activations"] = {
            {"num_bits", 8}, {"type", "float"}, {"strategy", "token"}, {"dynamic", true}};
    }
    const auto model = copy.load();
    QVERIFY2(model.ok(), model.ok() ? "" : errorMessage(model.error()).c_str());
    QCOMPARE(model->layout.notices.size(), std::size_t{1});
    QVERIFY(model->layout.notices[0].starts_with("7 linears want their inputs"));
}

using Spoil = std::function<void(Copy&)>;

void TestCheckpoints::spoiled_data() {
    QTest::addColumn<QString>("base");
    QTest::addColumn<Spoil>("spoil");
    QTest::addColumn<QString>("code");
    const auto row = [](const char* name, const char* base, const char* code, Spoil spoil) {
        QTest::newRow(name) << QString::fromLatin1(base) << std::move(spoil)
                            << QString::fromLatin1(code);
    };
    const std::string query = "model.layers.0.self_attn.q_proj.";
    const auto set = [](const char* key, Json value) {
        return [key, value](Copy& copy) { copy.quantization()[key] = value; };
    };
    row("5 bits", "gptq_4bit", "ConfigInvalid", set("bits", 5));
    row("bits a text", "gptq_4bit", "ConfigInvalid", set("bits", "4"));
    row("group size 0", "gptq_4bit", "ConfigInvalid", set("group_size", 0));
    row("group size -2", "gptq_4bit", "ConfigInvalid", set("group_size", -2));
    row("other group size", "gptq_4bit", "TensorShape", set("group_size", 8));
    row("other bits", "gptq_4bit", "TensorShape", set("bits", 8));
    row("marlin", "gptq_4bit", "ConfigInvalid", set("checkpoint_format", "marlin"));
    row("int16 words", "gptq_4bit", "ConfigInvalid", set("pack_dtype", "int16"));
    row("rules a list", "gptq_4bit", "ConfigInvalid", set("dynamic", Json::array({1})));
    row("rule a number", "gptq_4bit", "ConfigInvalid", set("dynamic", {{"a", 1}}));
    row("bad pattern", "gptq_4bit", "ConfigInvalid", set("dynamic", {{"+:(", Json::object()}}));
    row("long pattern", "gptq_4bit", "ConfigInvalid",
        set("dynamic", {{std::string(600, 'a'), Json::object()}}));
    row("other method", "gptq_4bit", "ConfigInvalid", set("quant_method", "hqq"));
    row("method missing", "gptq_4bit", "ConfigInvalid",
        [](Copy& copy) { copy.quantization().erase("quant_method"); });
    row("awq of 3 bits", "awq", "ConfigInvalid", set("bits", 3));
    row("awq gemv", "awq", "ConfigInvalid", set("version", "gemv"));
    for (const char* part : {"scales", "qzeros"}) {
        QTest::addRow("no %s", part)
            << QStringLiteral("gptq_4bit")
            << Spoil([query, part](Copy& copy) { copy.drop(query + part); })
            << QStringLiteral("TensorMissing");
    }
    row("no qweight", "gptq_4bit", "TensorMissing",
        [query](Copy& copy) { copy.drop(query + "qweight"); });
    row("qweight I64", "gptq_4bit", "TensorType", [query](Copy& copy) {
        copy.put(query + "qweight", DType::I64, Shape{4, 64}, std::vector<std::int64_t>(256));
    });
    row("qweight transposed", "gptq_4bit", "TensorShape", [query](Copy& copy) {
        copy.put(query + "qweight", DType::I32, Shape{64, 4}, std::vector<std::int32_t>(256));
    });
    row("scales transposed", "gptq_4bit", "TensorShape", [query](Copy& copy) {
        copy.put(query + "scales", DType::F32, Shape{64, 2}, std::vector<float>(128));
    });
    row("scale infinite", "gptq_4bit", "TensorValues", [query](Copy& copy) {
        copy.put(query + "scales", DType::F32, Shape{2, 64}, std::vector<float>(128, INFINITY));
    });
    row("g_idx short", "gptq_4bit", "TensorShape", [query](Copy& copy) {
        copy.put(query + "g_idx", DType::I32, Shape{31}, std::vector<std::int32_t>(31));
    });
    row("g_idx I8", "gptq_4bit", "TensorType", [query](Copy& copy) {
        copy.put(query + "g_idx", DType::I8, Shape{32}, std::vector<std::int8_t>(32));
    });
    row("group 2 of 2", "gptq_4bit", "TensorType", [query](Copy& copy) {
        copy.put(query + "g_idx", DType::I32, Shape{32}, std::vector<std::int32_t>(32, 2));
    });
    row("group negative", "gptq_4bit", "TensorType", [query](Copy& copy) {
        std::vector<std::int32_t> groups(32, 0);
        groups[7] = INT32_MIN;
        copy.put(query + "g_idx", DType::I32, Shape{32}, groups);
    });
    row("fp8 of 4 bits", "ct_float8", "ConfigInvalid", [](Copy& copy) {
        copy.quantization()["config_groups"]["group_0"]["weights"]["num_bits"] = 4;
    });
    row("fp8 with a NaN", "ct_float8", "TensorValues", [query](Copy& copy) {
        std::vector<std::uint8_t> codes(64 * 32, 0x38);
        codes[100] = 0xFF;
        copy.put(query + "weight", DType::F8E4M3, Shape{64, 32}, codes);
    });
    row("9 bits", "ct_int8", "ConfigInvalid", [](Copy& copy) {
        copy.quantization()["config_groups"]["group_0"]["weights"]["num_bits"] = 9;
    });
}

void TestCheckpoints::spoiled() {
    QFETCH(QString, base);
    QFETCH(Spoil, spoil);
    QFETCH(QString, code);
    Copy copy(base.toStdString());
    QVERIFY(copy.load().ok());
    spoil(copy);
    const auto model = copy.load();
    QVERIFY2(!model.ok(), "accepted");
    QVERIFY2(errorName(model.error().code) == code.toStdString(),
             errorMessage(model.error()).c_str());
}

QTEST_GUILESS_MAIN(TestCheckpoints)
#include "tst_checkpoints.moc"
