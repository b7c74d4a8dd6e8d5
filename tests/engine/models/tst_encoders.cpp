// Every encoder family with every head against transformers (tests/golden/models/make_encoders.py), and
// what compression and export make of it against what it stands for.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include <QtTest>

#include "engine/compress/pipeline.h"
#include "engine/core/json.h"
#include "engine/export/exporter.h"
#include "engine/layout/describe.h"
#include "engine/models/model.h"
#include "engine/spec/resolve.h"
#include "engine/weights/load.h"
#include "engine/weights/select.h"

using namespace pareto;
using models::Matrix;

namespace {

const std::string kGolden = PARETO_SOURCE_DIR "/tests/golden/models/encoders/";

/// Folders with a golden file of the same name.
std::vector<std::string> allModels() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(kGolden)) {
        if (entry.is_directory()) {
            names.push_back(entry.path().filename().string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

Json golden(const std::string& name) {
    auto json = readJsonFile(kGolden + name + ".json");
    return json.ok() ? json.value() : Json();
}

Result<LoadedModel> openModel(const std::string& path) {
    Progress progress;
    PARETO_TRY(auto files, io::ModelFiles::open(path));
    PARETO_TRY(auto layout, describeModel(*files));
    return loadWeights(*files, std::move(layout), progress, {});
}

Result<models::RunnableModel> prepare(const LoadedModel& model) {
    Progress progress;
    models::DeviceOptions options;
    options.threads = 1;
    return models::prepareModel(model, options, progress, {});
}

std::vector<std::vector<std::int32_t>> rowsOf(const Json& json) {
    return json.is_array() ? json.get<std::vector<std::vector<std::int32_t>>>()
                           : std::vector<std::vector<std::int32_t>>();
}

models::TokenBatch batchOf(const Json& expected) {
    return {rowsOf(expected["ids"]), rowsOf(expected.value("types", Json()))};
}

/// A value a text: what the head gives, one token after the other where it works on tokens.
Result<std::vector<std::vector<float>>> outputs(
    const models::RunnableModel& model, const models::TokenBatch& batch,
    const std::vector<std::vector<std::int32_t>>& wanted) {
    std::vector<std::vector<float>> out;
    const auto kind = model.encoder->layout().outputs;
    if (kind == Outputs::Embedding || kind == Outputs::Classes) {
        PARETO_TRY(const auto values, model.encoder->run(batch, {}));
        for (std::int64_t i = 0; i < values.rows; ++i) {
            out.emplace_back(values.row(i).begin(), values.row(i).end());
        }
        return out;
    }
    PARETO_TRY(const auto tokens, model.encoder->tokenOutputs(batch, wanted, {}));
    for (std::size_t i = 0; i + 1 < tokens.starts.size(); ++i) {
        const auto cols = tokens.values.cols;
        out.emplace_back(tokens.values.values.begin() + tokens.starts[i] * cols,
                         tokens.values.values.begin() + tokens.starts[i + 1] * cols);
    }
    return out;
}

double difference(const std::vector<float>& found, const std::vector<float>& expected) {
    double worst = found.size() == expected.size() ? 0.0 : INFINITY;
    for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
        const double off =
            std::fabs(static_cast<double>(found[i]) - static_cast<double>(expected[i]));
        worst = std::isnan(off) ? INFINITY : std::max(worst, off);
    }
    return worst;
}

double difference(const std::vector<std::vector<float>>& found,
                  const std::vector<std::vector<float>>& expected) {
    double worst = found.size() == expected.size() ? 0.0 : INFINITY;
    for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
        worst = std::max(worst, difference(found[i], expected[i]));
    }
    return worst;
}

std::vector<std::vector<float>> expectedOf(const Json& json) {
    const char* key = json.contains("logits") ? "logits" : "means";
    return json[key].get<std::vector<std::vector<float>>>();
}

Result<Recipe> recipeOf(const std::string& text) {
    PARETO_TRY(const auto json, parseJson(text, "test"));
    return recipeFromJson(json);
}

Result<compress::CompressedModel> compressed(const LoadedModel& model, const std::string& recipe) {
    PARETO_TRY(const auto parsed, recipeOf(recipe));
    Progress progress;
    return compress::compress(model, parsed, progress, {});
}

const std::string kPruned =
    R"({"version": 1, "defaults": {"prune": [{"pattern": "heads", "ratio": 0.34}, {"pattern": "neurons", "ratio": 0.5}]}})";

/// The original with the columns set to zero through which removed units reach the rest of the model.
LoadedModel silenced(const LoadedModel& model, const compress::CompressReport& report) {
    LoadedModel out = model;
    for (const auto& [name, kept] : report.keptUnits) {
        const auto group =
            std::find_if(model.layout.groups.begin(), model.layout.groups.end(),
                         [&, name = name](const GroupInfo& one) { return one.name == name; });
        const std::set<int> stay(kept.begin(), kept.end());
        for (const int index : group->layers) {
            const auto& layer = model.layout.layers[static_cast<std::size_t>(index)];
            if (layer.role != LayerRole::AttentionOutput && layer.role != LayerRole::FfnDown) {
                continue;
            }
            std::vector<std::int64_t> places;
            for (std::int64_t place = 0; place < layer.rows * layer.cols; ++place) {
                const auto unit = place % layer.cols / (layer.cols / group->units);
                if (!stay.contains(static_cast<int>(unit))) {
                    places.push_back(place);
                }
            }
            auto& weight = out.tensors.at(layer.name + ".weight");
            weight = zeroValues(weight, places);
        }
    }
    return out;
}

struct Phases final : models::LayerObserver {
    void begin(const std::string&) override {}
    void end(const std::string& phase) override { seen.insert(phase); }
    std::set<std::string> seen;
};

std::string messageOf(const auto& result) {
    return result.ok() ? "" : result.cancelled() ? "cancelled" : errorMessage(result.error());
}

}  // namespace

#define CHECK_OK(result) QVERIFY2((result).ok(), messageOf(result).c_str())

class TestEncoders : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void asTransformers_data();
    void asTransformers();
    void hiddenStates();
    void poolings_data();
    void poolings();
    void ggufAsTransformers();
    void bytesAndTrace_data() { asTransformers_data(); }
    void bytesAndTrace();
    void prunedAsSilenced_data() { asTransformers_data(); }
    void prunedAsSilenced();
    void removedBlocks_data();
    void removedBlocks();
    void quantized_data();
    void quantized();
    void exportedComesBack_data();
    void exportedComesBack();
    void sharedWeightsCountOnce();
    void tooLongForThePositions();
};

void TestEncoders::asTransformers_data() {
    QTest::addColumn<QString>("name");
    for (const auto& name : allModels()) {
        QTest::newRow(name.c_str()) << QString::fromStdString(name);
    }
}

void TestEncoders::asTransformers() {
    QFETCH(QString, name);
    const Json expected = golden(name.toStdString());
    QVERIFY(expected.is_object());
    const auto model = openModel(kGolden + name.toStdString());
    CHECK_OK(model);
    const auto runnable = prepare(model.value());
    CHECK_OK(runnable);
    const auto batch = batchOf(expected);
    const auto wanted = rowsOf(expected.value("wanted", Json()));
    const auto found = outputs(runnable.value(), batch, wanted);
    CHECK_OK(found);
    const double off = difference(found.value(), expectedOf(expected));
    QVERIFY2(off < 1e-4, qPrintable(QString::number(off)));
    for (std::size_t i = 0; i < batch.ids.size(); ++i) {
        models::TokenBatch one{{batch.ids[i]}, {}};
        if (!batch.typeIds.empty()) {
            one.typeIds = {batch.typeIds[i]};
        }
        const auto alone = outputs(runnable.value(), one,
                                   wanted.empty() || wanted[i].empty()
                                       ? std::vector<std::vector<std::int32_t>>()
                                       : std::vector<std::vector<std::int32_t>>{wanted[i]});
        CHECK_OK(alone);
        if (wanted.empty() || !wanted[i].empty()) {
            QVERIFY(difference(alone.value()[0], expectedOf(expected)[i]) < 1e-4);
        }
    }
}

void TestEncoders::hiddenStates() {
    const Json expected = golden("mpnet_bare");
    const auto model = openModel(kGolden + "mpnet_bare");
    CHECK_OK(model);
    const auto runnable = prepare(model.value());
    CHECK_OK(runnable);
    const auto hidden = runnable->encoder->hiddenStates({{batchOf(expected).ids[1]}, {}}, {});
    CHECK_OK(hidden);
    QVERIFY(difference(hidden->values, expected["hidden1"].get<std::vector<float>>()) < 1e-4);
    QVERIFY(!runnable->encoder->tokenOutputs({{{70}}, {}}, {}, {}).ok());
}

void TestEncoders::poolings_data() {
    QTest::addColumn<QString>("mode");
    for (const auto* mode : {"pooling_mode_cls_token", "pooling_mode_mean_tokens", "pooling_mode_max_tokens",
                             "pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens",
                             "pooling_mode_lasttoken"}) {
        QTest::newRow(mode) << QString::fromLatin1(mode);
    }
}

/// sentence-transformers' formulas over the hidden states.
void TestEncoders::poolings() {
    QFETCH(QString, mode);
    const auto name = mode.toStdString();
    namespace fs = std::filesystem;
    QTemporaryDir folder;
    const fs::path copy = fs::path(folder.path().toStdString()) / "model";
    fs::copy(kGolden + "mpnet_sentence", copy, fs::copy_options::recursive);
    fs::remove_all(copy / "2_Normalize");
    {
        std::ofstream(copy / "modules.json")
            << R"([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                   {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}])";
        std::ofstream(copy / "1_Pooling" / "config.json") << Json{{name, true}}.dump();
    }
    const auto model = openModel(copy.string()).value();
    const auto runnable = prepare(model).value();
    const auto batch = batchOf(golden("mpnet_sentence"));
    const auto vectors = runnable.encoder->run(batch, {}).value();
    const auto hidden = runnable.encoder->hiddenStates(batch, {}).value();
    const auto longest = hidden.rows / vectors.rows;
    for (std::int64_t item = 0; item < vectors.rows; ++item) {
        const auto count = static_cast<std::int64_t>(batch.ids[static_cast<std::size_t>(item)].size());
        for (std::int64_t column = 0; column < vectors.cols; ++column) {
            double sum = 0.0;
            double weighted = 0.0;
            double most = -INFINITY;
            const auto at = [&](std::int64_t token) {
                return static_cast<double>(hidden.row(item * longest + token)[static_cast<std::size_t>(column)]);
            };
            for (std::int64_t token = 0; token < count; ++token) {
                sum += at(token);
                weighted += at(token) * static_cast<double>(token + 1);
                most = std::max(most, at(token));
            }
            const auto tokens = static_cast<double>(count);
            const double expected = name == "pooling_mode_cls_token"              ? at(0)
                                    : name == "pooling_mode_lasttoken"            ? at(count - 1)
                                    : name == "pooling_mode_max_tokens"           ? most
                                    : name == "pooling_mode_mean_tokens"          ? sum / tokens
                                    : name == "pooling_mode_mean_sqrt_len_tokens" ? sum / std::sqrt(tokens)
                                                                       : weighted / (tokens * (tokens + 1.0) / 2.0);
            const double found = static_cast<double>(vectors.row(item)[static_cast<std::size_t>(column)]);
            QVERIFY2(std::fabs(found - expected) < 1e-5,
                     (std::to_string(found) + " not " + std::to_string(expected)).c_str());
        }
    }
}

void TestEncoders::ggufAsTransformers() {
    const Json expected = golden("bert_bare_gguf");
    const auto model = openModel(kGolden + "bert_bare.gguf");
    CHECK_OK(model);
    QCOMPARE(model->layout.family, Family::Bert);
    const auto runnable = prepare(model.value());
    CHECK_OK(runnable);
    const auto found = outputs(runnable.value(), batchOf(expected), {});
    CHECK_OK(found);
    QVERIFY(difference(found.value(), expectedOf(expected)) < 1e-4);
}

void TestEncoders::bytesAndTrace() {
    QFETCH(QString, name);
    const auto model = openModel(kGolden + name.toStdString());
    CHECK_OK(model);
    const auto runnable = prepare(model.value());
    CHECK_OK(runnable);
    QCOMPARE(runnable->model().bytes(), estimate(model->layout).bytes);
    QCOMPARE(estimate(model->layout).parameters, model->layout.parameters());
    Phases phases;
    runnable->model().setObserver(&phases);
    CHECK_OK(outputs(runnable.value(), {{{2, 9, 11, 3}}, {}}, {}));
    for (const auto& layer : model->layout.layers) {
        QVERIFY2(phases.seen.contains(layer.name), layer.name.c_str());
        QVERIFY(!runnable->model().kernelOf(layer.name).empty());
    }
    for (const auto& plain : model->layout.plain) {
        const auto stem = plain.name.substr(0, plain.name.find_last_of('.'));
        QVERIFY2(stem == "encoder.relative_bias" || phases.seen.contains(stem), stem.c_str());
    }
}

void TestEncoders::prunedAsSilenced() {
    QFETCH(QString, name);
    const Json expected = golden(name.toStdString());
    const auto model = openModel(kGolden + name.toStdString());
    CHECK_OK(model);
    const auto smaller = compressed(model.value(), kPruned);
    CHECK_OK(smaller);
    const auto& layout = smaller->model.layout;
    QCOMPARE(layout.blocks[0].heads, std::int64_t{2});
    QCOMPARE(layout.blocks[0].neurons, std::int64_t{14});
    const auto pruned = prepare(smaller->model);
    CHECK_OK(pruned);
    const auto recipe = recipeOf(kPruned);
    CHECK_OK(recipe);
    const auto resolved = resolve(recipe.value(), model->layout);
    CHECK_OK(resolved);
    QCOMPARE(pruned->model().bytes(), estimate(resolved.value(), model->layout).bytes);
    const auto whole = prepare(silenced(model.value(), smaller->report));
    CHECK_OK(whole);
    const auto found = outputs(pruned.value(), batchOf(expected), {});
    CHECK_OK(found);
    const auto wanted = outputs(whole.value(), batchOf(expected), {});
    CHECK_OK(wanted);
    const double off = difference(found.value(), wanted.value());
    QVERIFY2(off < 1e-4, qPrintable(QString::number(off)));
}

void TestEncoders::removedBlocks_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<int>("runs");
    QTest::newRow("mpnet") << QStringLiteral("mpnet_bare") << 1;
    QTest::newRow("shared blocks") << QStringLiteral("albert_groups") << 2;
}

void TestEncoders::removedBlocks() {
    QFETCH(QString, name);
    QFETCH(int, runs);
    const Json expected = golden(name.toStdString() + "_without0");
    QVERIFY(expected.is_object());
    const auto model = openModel(kGolden + name.toStdString());
    CHECK_OK(model);
    const auto smaller = compressed(
        model.value(),
        R"({"version": 1, "layers": [{"match": "encoder.layer.0", "prune": {"pattern": "blocks", "ratio": 1.0}}]})");
    CHECK_OK(smaller);
    QCOMPARE(smaller->model.layout.blocks.size(), std::size_t{1});
    QCOMPARE(smaller->model.layout.blocks[0].repeats, std::int64_t{runs});
    const auto runnable = prepare(smaller->model);
    CHECK_OK(runnable);
    const auto found = outputs(runnable.value(), batchOf(expected), {});
    CHECK_OK(found);
    QVERIFY(difference(found.value(), expectedOf(expected)) < 1e-4);
    const auto last = compressed(
        smaller->model,
        R"({"version": 1, "layers": [{"match": "encoder.layer.0", "prune": {"pattern": "blocks", "ratio": 1.0}}]})");
    QVERIFY(!last.ok());
}

void TestEncoders::quantized_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("quantize");
    QTest::addColumn<double>("tolerance");
    // Rounding activations to 8 bits is a loss of its own, large on random tiny layers.
    const struct {
        const char* title;
        const char* recipe;
        double tolerance;
    } recipes[] = {
        {"int8", R"({"weights": "int8", "group": "channel"})", 1e-4},
        {"int4", R"({"weights": "int4", "group": 8})", 1e-4},
        {"dynamic", R"({"weights": "int8", "group": "channel", "activations": "int8-dynamic"})",
         0.15}};
    for (const auto& name : allModels()) {
        for (const auto& recipe : recipes) {
            QTest::addRow("%s %s", name.c_str(), recipe.title)
                << QString::fromStdString(name) << QString::fromLatin1(recipe.recipe)
                << recipe.tolerance;
        }
    }
}

/// Heads and neurons go, the rest is rounded: outputs are those of the same values in fp32.
void TestEncoders::quantized() {
    QFETCH(QString, name);
    QFETCH(QString, quantize);
    QFETCH(double, tolerance);
    const Json expected = golden(name.toStdString());
    const auto model = openModel(kGolden + name.toStdString());
    CHECK_OK(model);
    std::string text = kPruned;
    text.insert(text.size() - 2, ", \"quantize\": " + quantize.toStdString());
    const auto recipe = recipeOf(text);
    CHECK_OK(recipe);
    const auto resolved = resolve(recipe.value(), model->layout);
    CHECK_OK(resolved);
    const auto smaller = compressed(model.value(), text);
    CHECK_OK(smaller);
    QCOMPARE(smaller->model.bytes(), estimate(resolved.value(), model->layout).bytes);
    const auto packed = prepare(smaller->model);
    CHECK_OK(packed);
    QCOMPARE(packed->model().bytes(), smaller->model.bytes());
    LoadedModel floats = smaller->model;
    for (auto& [tensorName, tensor] : floats.tensors) {
        const auto values = dequantize(tensor);
        tensor = denseTensor(tensor.shape, std::span<const float>(values));
    }
    const auto plain = prepare(floats);
    CHECK_OK(plain);
    const auto found = outputs(packed.value(), batchOf(expected), {});
    CHECK_OK(found);
    const auto wanted = outputs(plain.value(), batchOf(expected), {});
    CHECK_OK(wanted);
    float scale = 1.0F;
    for (const auto& row : wanted.value()) {
        for (const float value : row) {
            scale = std::max(scale, std::fabs(value));
        }
    }
    const double off = difference(found.value(), wanted.value()) / static_cast<double>(scale);
    QVERIFY2(off < tolerance, qPrintable(QString::number(off)));
}

void TestEncoders::exportedComesBack_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("recipe");
    for (const auto& name : allModels()) {
        const auto title = QString::fromStdString(name);
        QTest::newRow(name.c_str()) << title << QStringLiteral("{\"version\": 1}");
        QTest::addRow("%s pruned", name.c_str()) << title << QString::fromStdString(kPruned);
        std::string int8 = kPruned;
        int8.insert(int8.size() - 2, R"(, "quantize": {"weights": "int8", "group": "channel"})");
        QTest::addRow("%s pruned, int8", name.c_str()) << title << QString::fromStdString(int8);
    }
    QTest::newRow("gguf") << QStringLiteral("bert_bare.gguf") << QString::fromStdString(kPruned);
    QTest::newRow("shared blocks, one removed")
        << QStringLiteral("albert_groups")
        << QStringLiteral(
               R"({"version": 1, "layers": [{"match": "encoder.layer.0", "prune": {"pattern": "blocks", "ratio": 1.0}}]})");
    QTest::newRow("own decoder")
        << QStringLiteral("electra_masked")
        << QStringLiteral(
               R"({"version": 1, "untie": true, "layers": [{"match": "mlm.decoder", "quantize": {"weights": "int8"}}]})");
    QTest::newRow("groups of columns move with their heads")
        << QStringLiteral("mpnet_bare")
        << QStringLiteral(
               R"({"version": 1, "defaults": {"prune": [{"pattern": "heads", "ratio": 0.34}], "quantize": {"weights": "int4", "group": 16}}})");
}

/// Written, opened again and run: the outputs are the compressed model's.
void TestEncoders::exportedComesBack() {
    QFETCH(QString, name);
    QFETCH(QString, recipe);
    const bool gguf = name.endsWith(QStringLiteral(".gguf"));
    const auto path = kGolden + name.toStdString();
    const Json expected = golden(gguf ? "bert_bare_gguf" : name.toStdString());
    const auto model = openModel(path);
    CHECK_OK(model);
    const auto smaller = compressed(model.value(), recipe.toStdString());
    CHECK_OK(smaller);
    const auto files = io::ModelFiles::open(path);
    CHECK_OK(files);
    QTemporaryDir folder;
    exporting::ExportRequest request;
    request.target = folder.path().toStdString() + "/out";
    Progress progress;
    const auto outcome =
        exporting::exportModel(smaller->model, *files.value(), request, progress, {});
    CHECK_OK(outcome);
    QVERIFY(outcome->verified);
    auto back = openModel(request.target);
    CHECK_OK(back);
    if (gguf) {
        back->layout.head = model->layout.head;  // a folder does not say how its states are pooled
    }
    const auto before = prepare(smaller->model);
    CHECK_OK(before);
    const auto after = prepare(back.value());
    CHECK_OK(after);
    const auto wanted = outputs(before.value(), batchOf(expected), {});
    CHECK_OK(wanted);
    const auto found = outputs(after.value(), batchOf(expected), {});
    CHECK_OK(found);
    const double off = difference(found.value(), wanted.value());
    QVERIFY2(off < 1e-4, qPrintable(QString::number(off)));
    QCOMPARE(back->layout.labels, smaller->model.layout.labels);
}

void TestEncoders::sharedWeightsCountOnce() {
    const auto model = openModel(kGolden + "albert_bare");
    CHECK_OK(model);
    QCOMPARE(model->layout.blocks.size(), std::size_t{1});
    QCOMPARE(model->layout.blocks[0].repeats, std::int64_t{3});
    QCOMPARE(model->layout.embeddingWidth, std::int64_t{16});
    const auto groups = openModel(kGolden + "albert_groups");
    CHECK_OK(groups);
    QCOMPARE(groups->layout.blocks.size(), std::size_t{2});
    QCOMPARE(groups->layout.blocks[1].repeats, std::int64_t{2});
}

/// The first rows of the table are never used: a text may be shorter than the table is long.
void TestEncoders::tooLongForThePositions() {
    const auto model = openModel(kGolden + "roberta_bare");
    CHECK_OK(model);
    QCOMPARE(model->layout.maxPositions, std::int64_t{38});
    const auto runnable = prepare(model.value());
    CHECK_OK(runnable);
    QVERIFY(runnable->encoder->run({{std::vector<std::int32_t>(38, 5)}, {}}, {}).ok());
    QVERIFY(!runnable->encoder->run({{std::vector<std::int32_t>(39, 5)}, {}}, {}).ok());
    QVERIFY(!runnable->encoder->run({{{5}}, {{1}}}, {}).ok());  // there is one type only
}

QTEST_GUILESS_MAIN(TestEncoders)
#include "tst_encoders.moc"
