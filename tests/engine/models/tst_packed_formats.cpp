// Every weight format: the bytes a prepared model holds are the bytes the size estimate says, and
// its outputs are those of the dequantized weights.
#include <algorithm>
#include <atomic>
#include <cmath>

#include <QtTest>

#include "engine/layout/describe.h"
#include "engine/models/generate.h"
#include "engine/models/model.h"
#include "engine/spec/resolve.h"
#include "engine/weights/load.h"
#include "engine/weights/quantize.h"

using namespace pareto;

namespace {

const std::string kGolden = PARETO_SOURCE_DIR "/tests/golden/models/";

Result<LoadedModel> openModel(const std::string& folder) {
    Progress progress;
    PARETO_TRY(auto files, io::ModelFiles::open(kGolden + folder));
    PARETO_TRY(auto layout, describeModel(*files));
    return loadWeights(*files, std::move(layout), progress, {});
}

/// The model with every layer the recipe quantizes in its new format; structure untouched.
LoadedModel applied(const LoadedModel& model, const ResolvedRecipe& resolved, bool backToFloat) {
    LoadedModel out = model;
    for (std::size_t i = 0; i < model.layout.layers.size(); ++i) {
        const auto& layer = model.layout.layers[i];
        if (!layer.tiedTo.empty()) {
            continue;
        }
        auto& tensor = out.tensors.at(layer.name + ".weight");
        tensor = quantizeTensor(dequantize(tensor), layer.rows, layer.cols, resolved.layers[i].format);
        if (backToFloat) {
            const auto values = dequantize(tensor);
            tensor = denseTensor(Shape{layer.rows, layer.cols}, std::span<const float>(values));
        }
    }
    return out;
}

Result<models::RunnableModel> prepare(const LoadedModel& model) {
    Progress progress;
    models::DeviceOptions options;
    options.threads = 2;
    return models::prepareModel(model, options, progress, {});
}

/// Largest difference, relative to the largest expected value.
double relative(const models::Matrix& found, const models::Matrix& expected) {
    double worst = found.values.size() == expected.values.size() ? 0.0 : INFINITY;
    double scale = 1e-9;
    for (std::size_t i = 0; i < found.values.size() && i < expected.values.size(); ++i) {
        const double off = std::fabs(static_cast<double>(found.values[i]) - static_cast<double>(expected.values[i]));
        worst = std::isnan(off) ? INFINITY : std::max(worst, off);
        scale = std::max(scale, std::fabs(static_cast<double>(expected.values[i])));
    }
    return worst / scale;
}

Result<models::Matrix> outputs(const models::RunnableModel& model, std::size_t tokens) {
    std::vector<std::int32_t> ids;
    for (std::size_t i = 0; i < tokens; ++i) {
        ids.push_back(static_cast<std::int32_t>(3 + i * 7 % 80));
    }
    if (model.encoder) {
        return model.encoder->run({{ids, {5, 6, 7}}, {}}, {});
    }
    return model.decoder->logits(ids, {});
}

struct RecordedPhases final : models::LayerObserver {
    void begin(const std::string& phase) override { open.push_back(phase); }
    void end(const std::string& phase) override {
        balanced = balanced && !open.empty() && open.back() == phase;
        open.pop_back();
        seen.push_back(phase);
    }
    std::vector<std::string> open, seen;
    bool balanced = true;
};

}  // namespace

#define CHECK_OK(result) \
    QVERIFY2((result).ok(), (result).ok() || (result).cancelled() ? "" : errorMessage((result).error()).c_str())

class TestPackedFormats : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void bytesAndOutputs_data();
    void bytesAndOutputs();
    void staticInputs();
    void kernelNames();
    void untouchedModel_data();
    void untouchedModel();
    void observerSeesEveryLayer();
    void badInputsAreErrors();
    void stopsWhenAsked();
    void samplingFollowsTheSeed();
    void devices();
};

void TestPackedFormats::bytesAndOutputs_data() {
    QTest::addColumn<QString>("folder");
    QTest::addColumn<QString>("quantize");
    QTest::addColumn<double>("tolerance");
    const char* const recipes[][2] = {
        {"fp32", R"({"weights": "fp32"})"},
        {"fp16", R"({"weights": "fp16"})"},
        {"bf16", R"({"weights": "bf16"})"},
        {"int8 channel", R"({"weights": "int8", "group": "channel"})"},
        {"int8 tensor", R"({"weights": "int8", "group": "tensor"})"},
        {"int8 group asymmetric", R"({"weights": "int8", "group": 8, "symmetric": false})"},
        {"int4 group", R"({"weights": "int4", "group": 8})"},
        {"int4 asymmetric", R"({"weights": "int4", "group": 16, "symmetric": false})"},
        {"int8 dynamic", R"({"weights": "int8", "group": "channel", "activations": "int8-dynamic"})"},
        {"int8 dynamic tensor", R"({"weights": "int8", "group": "tensor", "activations": "int8-dynamic"})"},
        {"int8 dynamic groups", R"({"weights": "int8", "group": "channel", "activations": "int8-dynamic", "activation_group": 8})"},
        {"fp8", R"({"weights": "fp8", "group": "channel"})"},
        {"fp8 group", R"({"weights": "fp8", "group": 8})"},
        {"int16", R"({"weights": "int16", "group": "channel"})"},
        {"int3 group", R"({"weights": "int3", "group": 8})"},
        {"int3 asymmetric", R"({"weights": "int3", "group": 24, "symmetric": false})"},
        {"int2 group", R"({"weights": "int2", "group": 8})"},
        {"int2 asymmetric", R"({"weights": "int2", "group": "channel", "symmetric": false})"},
        // Inputs of 16 bits lose next to nothing.
        {"int16 both", R"({"weights": "int16", "group": "channel", "activations": "int16-dynamic"})"},
        {"int8, inputs int16", R"({"weights": "int8", "group": "channel", "activations": "int16-dynamic"})"},
    };
    for (const char* folder : {"tiny_bert", "tiny_llama"}) {
        for (const auto& recipe : recipes) {
            // Rounding activations to 8 bits is a loss of its own, large on random tiny layers (the
            // products themselves are held to the reference exactly in tst_kernels).
            const bool inputs = std::string(recipe[1]).find("int16-dynamic") != std::string::npos;
            const bool dynamic = std::string(recipe[0]).find("dynamic") != std::string::npos;
            QTest::addRow("%s %s", folder, recipe[0])
                << QString::fromLatin1(folder) << QString::fromLatin1(recipe[1])
                << (dynamic ? 0.1 : inputs ? 5e-4 : 2e-5);
        }
    }
}

void TestPackedFormats::bytesAndOutputs() {
    QFETCH(QString, folder);
    QFETCH(QString, quantize);
    QFETCH(double, tolerance);
    auto model = openModel(folder.toStdString());
    CHECK_OK(model);
    auto json = parseJson("{\"version\": 1, \"defaults\": {\"quantize\": " + quantize.toStdString() + "}}", "test");
    CHECK_OK(json);
    auto recipe = recipeFromJson(json.value());
    CHECK_OK(recipe);
    auto resolved = resolve(recipe.value(), model->layout);
    CHECK_OK(resolved);
    auto packed = prepare(applied(model.value(), resolved.value(), false));
    CHECK_OK(packed);
    QCOMPARE(packed->model().bytes(), estimate(resolved.value(), model->layout).bytes);
    auto plain = prepare(applied(model.value(), resolved.value(), true));
    CHECK_OK(plain);
    for (const std::size_t tokens : {1, 2, 5, 17, 40}) {
        auto found = outputs(packed.value(), tokens);
        CHECK_OK(found);
        auto expected = outputs(plain.value(), tokens);
        CHECK_OK(expected);
        const double off = relative(found.value(), expected.value());
        QVERIFY2(off < tolerance, qPrintable(QStringLiteral("%1 tokens: %2").arg(tokens).arg(off)));
    }
}

/// Fixed steps as wide as what a token found for itself give the same numbers; steps far too narrow saturate.
void TestPackedFormats::staticInputs() {
    auto model = openModel("tiny_bert");
    CHECK_OK(model);
    WeightFormat format;
    format.format = NumberFormat::Int8;
    format.activations = Activations::Int8Static;
    const std::string name = "encoder.layer.0.attention.query";
    const auto& layer = *model->layout.findLayer(name);
    const auto with = [&](float scale, std::int64_t group) {
        LoadedModel out = model.value();
        auto& tensor = out.tensors.at(name + ".weight");
        auto held = format;
        held.granularity = group > 0 ? Granularity::Group : Granularity::Channel;
        held.groupSize = group;
        tensor = quantizeTensor(dequantize(tensor), layer.rows, layer.cols, held);
        auto values = tensor.quantized();
        values.inputScale = scale;
        tensor = {tensor.shape, std::move(values)};
        return out;
    };
    auto plain = prepare(model.value());
    CHECK_OK(plain);
    auto expected = outputs(plain.value(), 9);
    CHECK_OK(expected);
    for (const std::int64_t group : {0, 8}) {  // the integer kernel, and what does without it
        const auto quantized = with(0.02F, group);
        auto runnable = prepare(quantized);
        CHECK_OK(runnable);
        QCOMPARE(runnable->model().bytes(), quantized.bytes());
        QVERIFY(runnable->model().kernelOf(name).find("int8 static") == 0);
        auto found = outputs(runnable.value(), 9);
        CHECK_OK(found);
        const double off = relative(found.value(), expected.value());
        QVERIFY2(off > 0.0 && off < 0.1, qPrintable(QString::number(off)));
        auto narrow = prepare(with(1e-6F, group));
        CHECK_OK(narrow);
        auto saturated = outputs(narrow.value(), 9);
        CHECK_OK(saturated);
        QVERIFY(relative(saturated.value(), expected.value()) > off);
        // Not calibrated: each token has its own step.
        auto unknown = prepare(with(0.0F, group));
        CHECK_OK(unknown);
        QVERIFY(unknown->model().kernelOf(name).find("int8 dynamic") == 0);
    }
}

void TestPackedFormats::kernelNames() {
    auto model = openModel("tiny_llama");
    CHECK_OK(model);
    const std::string name = "decoder.layer.0.ffn.up";
    const auto& layer = *model->layout.findLayer(name);
    for (const auto& [number, activations, expected] :
         {std::tuple{NumberFormat::F8, Activations::None, "fp8 weight-only ("},
          std::tuple{NumberFormat::Int16, Activations::None, "int16 weight-only ("},
          std::tuple{NumberFormat::Int3, Activations::None, "int3 weight-only ("},
          std::tuple{NumberFormat::Int2, Activations::None, "int2 weight-only ("},
          std::tuple{NumberFormat::Int16, Activations::Int16Dynamic, "int16 dynamic, products in fp32 ("},
          std::tuple{NumberFormat::Int8, Activations::Int16Dynamic,
                     "int8 weights, int16 dynamic, products in fp32 ("}}) {
        LoadedModel changed = model.value();
        auto& tensor = changed.tensors.at(name + ".weight");
        WeightFormat format;
        format.format = number;
        format.activations = activations;
        tensor = quantizeTensor(dequantize(tensor), layer.rows, layer.cols, format);
        auto runnable = prepare(changed);
        CHECK_OK(runnable);
        QVERIFY2(runnable->model().kernelOf(name).starts_with(expected),
                 runnable->model().kernelOf(name).c_str());
    }
}

void TestPackedFormats::untouchedModel_data() {
    QTest::addColumn<QString>("folder");
    QTest::newRow("encoder") << QStringLiteral("tiny_bert");
    QTest::newRow("decoder") << QStringLiteral("tiny_llama");
}

void TestPackedFormats::untouchedModel() {
    QFETCH(QString, folder);
    auto model = openModel(folder.toStdString());
    CHECK_OK(model);
    auto runnable = prepare(model.value());
    CHECK_OK(runnable);
    QCOMPARE(runnable->model().bytes(), estimate(model->layout).bytes);
    QCOMPARE(runnable->encoder != nullptr, !model->layout.isDecoder());
    QCOMPARE(runnable->decoder != nullptr, model->layout.isDecoder());
    for (const auto& layer : model->layout.layers) {
        QVERIFY(!runnable->model().kernelOf(layer.name).empty());
    }
    QVERIFY(runnable->model().kernelOf("no.such.layer").empty());
}

void TestPackedFormats::observerSeesEveryLayer() {
    for (const char* folder : {"tiny_bert", "tiny_llama"}) {
        auto model = openModel(folder);
        CHECK_OK(model);
        auto runnable = prepare(model.value());
        CHECK_OK(runnable);
        RecordedPhases phases;
        runnable->model().setObserver(&phases);
        CHECK_OK(outputs(runnable.value(), 6));
        QVERIFY(phases.balanced);
        QVERIFY(phases.open.empty());
        for (const auto& layer : model->layout.layers) {
            QVERIFY2(std::find(phases.seen.begin(), phases.seen.end(), layer.name) != phases.seen.end(), layer.name.c_str());
        }
        const auto before = phases.seen.size();
        runnable->model().setObserver(nullptr);
        CHECK_OK(outputs(runnable.value(), 6));
        QCOMPARE(phases.seen.size(), before);
    }
}

void TestPackedFormats::badInputsAreErrors() {
    auto bert = openModel("tiny_bert");
    CHECK_OK(bert);
    auto encoder = prepare(bert.value());
    CHECK_OK(encoder);
    const auto tooLong = std::vector<std::int32_t>(49, 5);
    const std::vector<std::vector<std::vector<std::int32_t>>> bad = {{}, {{}}, {{96}}, {{-1}}, {tooLong}, {{5}, {}}};
    for (const auto& ids : bad) {
        QVERIFY(!encoder->encoder->run({ids, {}}, {}).ok());
    }
    QVERIFY(!encoder->encoder->run({{{5}}, {{2}}}, {}).ok());
    auto llama = openModel("tiny_llama");
    CHECK_OK(llama);
    auto decoder = prepare(llama.value());
    CHECK_OK(decoder);
    QVERIFY(!decoder->decoder->newCache(1, {65}).ok());
    QVERIFY(!decoder->decoder->newCache(0, {8}).ok());
    auto cache = decoder->decoder->newCache(1, {4});
    CHECK_OK(cache);
    QVERIFY(!decoder->decoder->step({{1}, {2}}, *cache.value(), {}).ok());
    QVERIFY(!decoder->decoder->step({{1, 2, 3, 4, 5}}, *cache.value(), {}).ok());
    QVERIFY(!models::generate(*decoder->decoder, {}, {}, {}, {}).ok());
    models::GenerateOptions options;
    options.topP = 0.0;
    QVERIFY(!models::generate(*decoder->decoder, {1}, options, {}, {}).ok());
}

void TestPackedFormats::stopsWhenAsked() {
    std::stop_source source;
    source.request_stop();
    for (const char* folder : {"tiny_bert", "tiny_llama"}) {
        auto model = openModel(folder);
        CHECK_OK(model);
        auto runnable = prepare(model.value());
        CHECK_OK(runnable);
        if (runnable->encoder) {
            QVERIFY(runnable->encoder->run({{{5, 6}}, {}}, source.get_token()).cancelled());
        } else {
            QVERIFY(runnable->decoder->logits({5, 6}, source.get_token()).cancelled());
            QVERIFY(models::generate(*runnable->decoder, {5}, {}, {}, source.get_token()).cancelled());
        }
    }
}

void TestPackedFormats::samplingFollowsTheSeed() {
    auto model = openModel("tiny_llama");
    CHECK_OK(model);
    auto runnable = prepare(model.value());
    CHECK_OK(runnable);
    models::GenerateOptions options;
    options.maxTokens = 24;
    options.temperature = 1.0;
    options.seed = 3;
    std::vector<std::int32_t> heard;
    const auto hear = [&](std::int32_t id) {
        heard.push_back(id);
        return true;
    };
    auto first = models::generate(*runnable->decoder, {1, 9}, options, hear, {});
    CHECK_OK(first);
    QCOMPARE(first->ids.size(), std::size_t{24});
    QCOMPARE(heard, first->ids);
    auto again = models::generate(*runnable->decoder, {1, 9}, options, {}, {});
    CHECK_OK(again);
    QCOMPARE(again->ids, first->ids);
    options.seed = 4;
    auto other = models::generate(*runnable->decoder, {1, 9}, options, {}, {});
    CHECK_OK(other);
    QVERIFY(other->ids != first->ids);
    // One candidate is the greedy choice, however it came about.
    models::GenerateOptions plain;
    plain.maxTokens = 24;
    auto greedy = models::generate(*runnable->decoder, {1, 9}, plain, {}, {});
    CHECK_OK(greedy);
    options.topK = 1;
    auto topOne = models::generate(*runnable->decoder, {1, 9}, options, {}, {});
    CHECK_OK(topOne);
    QCOMPARE(topOne->ids, greedy->ids);
    options.topK = 0;
    options.topP = 1e-9;
    auto nucleus = models::generate(*runnable->decoder, {1, 9}, options, {}, {});
    CHECK_OK(nucleus);
    QCOMPARE(nucleus->ids, greedy->ids);
    // A stop token ends the text and is not part of it.
    plain.stopIds = {greedy->ids[5]};
    auto stopped = models::generate(*runnable->decoder, {1, 9}, plain, {}, {});
    CHECK_OK(stopped);
    QVERIFY(stopped->ids.size() <= 5);
    QVERIFY(std::equal(stopped->ids.begin(), stopped->ids.end(), greedy->ids.begin()));
}

void TestPackedFormats::devices() {
    const auto list = models::listDevices();
    QVERIFY(!list.devices.empty());
    QCOMPARE(list.devices.front(), std::string("cpu"));
    QVERIFY(list.devices.size() > 1 || list.noCuda.has_value());
    auto model = openModel("tiny_bert");
    CHECK_OK(model);
    Progress progress;
    for (const char* name : {"gpu", "cuda:", "cuda:x", "cuda:99"}) {
        models::DeviceOptions options;
        options.device = name;
        auto runnable = models::prepareModel(model.value(), options, progress, {});
        QVERIFY(!runnable.ok());
        // Without any GPU, cuda:99 is refused for what is missing, not for its number.
        const bool isName = std::string_view(name) == "cuda:99";
        QCOMPARE(runnable.error().code, isName && list.devices.size() == 1 && list.noCuda
                                            ? list.noCuda->code
                                            : ErrorCode::DeviceUnavailable);
        QCOMPARE(runnable.error().args.at("device"), std::string(name));
    }
    QCOMPARE(models::setThreads(1), 1);
    QVERIFY(models::setThreads(0) >= 1);
    QVERIFY(models::libtorchVersion().find('.') != std::string::npos);
    // Every number is handled exactly once, whatever the pieces.
    std::vector<std::atomic<int>> hits(1000);
    models::torchParallelFor()(1000, 7, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            ++hits[static_cast<std::size_t>(i)];
        }
    });
    QVERIFY(std::all_of(hits.begin(), hits.end(), [](const auto& n) { return n == 1; }));
}

QTEST_GUILESS_MAIN(TestPackedFormats)
#include "tst_packed_formats.moc"
