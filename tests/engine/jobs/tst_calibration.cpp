// Recipes whose methods look at what layers read, from the calibration text to the weights: what was asked
// holds, and layers' outputs suffer less than from methods that look at the weights alone.
#include <cmath>
#include <set>

#include <QtTest>

#include "engine/compress/input_scaling.h"
#include "engine/compress/prune/structure.h"
#include "engine/compress/rotate.h"
#include "engine/core/file.h"
#include "engine/jobs/run/block_inputs.h"
#include "engine/jobs/run/calibration_texts.h"
#include "engine/jobs/run/ready_model.h"
#include "engine/jobs/run/torch_math.h"
#include "engine/jobs/run/weight_gradients.h"
#include "tests/engine/models/golden.h"
#include "tests/support/tiny_models.h"

using namespace pareto;

namespace {

using test::describe;

}  // namespace

class TestCalibration : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void pruning_data();
    void pruning();
    void rounding();
    void scalesFold_data();
    void scalesFold();
    void scaling_data();
    void scaling();
    void biasCorrection();
    void units_data();
    void units();
    void allocation_data();
    void allocation();
    void tiles();
    void blockInfluence();
    void jointly();
    void laterBlocksSeeEarlierErrors();
    void sameSeedSameWeights();
    void statesOnDisk();
    void encoders();
    void texts();
    void tasksTexts();
    void gradients_data();
    void gradients();
    void taylorSeesWhatIsUsed();
    void width();
    void refusals_data();
    void refusals();
    void linearAlgebra();

private:
    Result<jobs::ReadyModel> compressed(const std::string& defaults, const std::string& more = {});
    Result<jobs::ReadyModel> compressedOf(const std::string& model, const std::string& recipe) {
        jobs::ReadyRequest request;
        request.model = model;
        PARETO_TRY(request.recipe, loadRecipe(recipe));
        request.target.threads = 1;
        jobs::ModelCache cache;
        Progress progress;
        return jobs::compressedModel(cache, request, progress, {});
    }
    std::shared_ptr<const jobs::OpenedModel> openLlama() {
        jobs::ModelCache cache;
        Progress progress;
        return cache.open(m_llama, progress, {}).value();
    }
    Result<std::vector<std::vector<std::int32_t>>> textsOf(const CalibrationSpec& calibration) {
        const auto opened = openLlama();
        const auto tokenizer = opened->tokenizer().value();
        Progress progress;
        return jobs::calibrationTexts(calibration, *tokenizer, opened->weights.layout, progress, {});
    }
    /// Mean of the layers' output errors.
    static double outputError(const jobs::ReadyModel& model) {
        double sum = 0.0;
        int count = 0;
        for (const auto& layer : model.compressed.report.layers) {
            if (layer.output) {
                sum += layer.output->error;
                ++count;
            }
        }
        return count > 0 ? sum / count : NAN;
    }

    QTemporaryDir m_folder;
    std::string m_llama;
    std::string m_text;
};

Result<jobs::ReadyModel> TestCalibration::compressed(const std::string& defaults, const std::string& more) {
    const std::string recipe = R"({"version": 1, "defaults": {)" + defaults + R"(}, "calibration": {"source": ")" +
                               m_text + R"(", "samples": 12, "length": 24})" + more + "}";
    return compressedOf(m_llama, recipe);
}

void TestCalibration::initTestCase() {
    m_llama = test::writeTinyLlama(m_folder.filePath(QStringLiteral("llama")).toStdString());
    m_text = m_folder.filePath(QStringLiteral("text.txt")).toStdString();
    std::string text;
    for (int i = 0; i < 400; ++i) {
        text += "The " + std::to_string(i * 7919 % 97) + " quick brown foxes jump over the lazy dog number " +
                std::to_string(i * 104729 % 89) + " and say hello to the world.\n";
    }
    test::writeText(m_text, text);
}

void TestCalibration::pruning_data() {
    QTest::addColumn<QString>("method");
    QTest::addColumn<QString>("pattern");
    QTest::addColumn<double>("ratio");
    for (const char* method : {"wanda", "sparsegpt", "l1-reconstruction"}) {
        QTest::addRow("%s", method) << QString::fromLatin1(method) << QStringLiteral("unstructured") << 0.5;
        QTest::addRow("%s 2:4", method) << QString::fromLatin1(method) << QStringLiteral("2:4") << 0.5;
        QTest::addRow("%s 1:4", method) << QString::fromLatin1(method) << QStringLiteral("1:4") << 0.75;
    }
}

void TestCalibration::pruning() {
    QFETCH(QString, method);
    QFETCH(QString, pattern);
    QFETCH(double, ratio);
    const auto step = [&](const QString& name) {
        return R"("prune": {"method": ")" + name.toStdString() + R"(", "pattern": ")" + pattern.toStdString() +
               R"(", "ratio": )" + std::to_string(ratio) + "}";
    };
    const auto made = compressed(step(method));
    CHECK_OK(made);
    const auto& model = made.value().compressed.model;
    const auto& report = made.value().compressed.report;
    QCOMPARE(report.calibrationSamples, std::int64_t{12});
    QCOMPARE(report.calibrationTokens, std::int64_t{12 * 24});
    for (const auto& layer : model.layout.layers) {
        if (layer.block < 0) {
            continue;
        }
        const auto values = dequantize(model.weight(layer));
        const double zeros = static_cast<double>(std::count(values.begin(), values.end(), 0.0F));
        QVERIFY2(std::fabs(zeros / static_cast<double>(values.size()) - ratio) < 0.04, layer.name.c_str());
        for (std::size_t at = 0; pattern.contains(QLatin1Char(':')) && at < values.size(); at += 4) {
            const auto kept = 4 - std::count(values.begin() + static_cast<std::ptrdiff_t>(at),
                                             values.begin() + static_cast<std::ptrdiff_t>(at + 4), 0.0F);
            QVERIFY2(kept <= 4 - static_cast<int>(ratio * 4), layer.name.c_str());
        }
    }
    // What Wanda's mask costs the layers' outputs, correcting what stays costs less.
    if (method != QStringLiteral("wanda")) {
        const auto wanda = compressed(step(QStringLiteral("wanda")));
        CHECK_OK(wanda);
        QVERIFY2(outputError(made.value()) < outputError(wanda.value()),
                 (std::to_string(outputError(made.value())) + " " + std::to_string(outputError(wanda.value()))).c_str());
    }
}

void TestCalibration::rounding() {
    const std::string format = R"("weights": "int4", "group": 16, "symmetric": false)";
    const auto gptq = compressed(R"("quantize": {"method": "gptq", )" + format + "}");
    CHECK_OK(gptq);
    const auto ordered = compressed(R"("quantize": {"method": "gptq", "options": {"act_order": true}, )" + format + "}");
    CHECK_OK(ordered);
    const auto nearest = compressed(R"("quantize": {)" + format + "}");
    CHECK_OK(nearest);
    double better = 0;
    double layers = 0;
    for (const auto& layer : gptq.value().compressed.model.layout.layers) {
        const auto& tensor = gptq.value().compressed.model.weight(layer);
        QVERIFY(!tensor.isDense());
        QVERIFY(tensor.format() == nearest.value().compressed.model.weight(layer).format());
        QCOMPARE(tensor.bytes(), nearest.value().compressed.model.weight(layer).bytes());
        // Not the nearest codes any more inside blocks, still the nearest in the table of words.
        const bool same = dequantize(tensor) == dequantize(nearest.value().compressed.model.weight(layer));
        QCOMPARE(same, layer.block < 0);
        layers += layer.block >= 0 ? 1 : 0;
        better += same ? 0 : 1;
    }
    QCOMPARE(better, layers);
    QVERIFY(outputError(ordered.value()) < 1.1 * outputError(gptq.value()));
    QVERIFY(outputError(ordered.value()) < outputError(nearest.value()));
    for (const auto& layer : ordered.value().compressed.report.layers) {
        QCOMPARE(layer.spectrum.has_value(), layer.output.has_value());
        if (layer.spectrum) {
            QVERIFY(layer.spectrum->before.front() > 0.0 && layer.spectrum->before != layer.spectrum->after);
        }
        QCOMPARE(layer.output.has_value(), layer.name != "embeddings.word" && layer.name != "lm_head");
        // y − ŷ hardly leans towards y, so that both say the same.
        QVERIFY(!layer.output || std::fabs(1.0 - layer.output->cosine * layer.output->cosine - layer.output->error) <
                                     0.2 * layer.output->error);
    }
    QVERIFY(!gptq.value().notes.empty());  // of the table
}

void TestCalibration::scalesFold_data() {
    QTest::addColumn<QString>("model");
    QTest::addColumn<int>("sites");
    QTest::newRow("llama, grouped heads") << QStringLiteral("decoders/llama_rope") << 3;
    QTest::newRow("gpt2") << QStringLiteral("decoders/gpt2") << 3;
    QTest::newRow("gemma2") << QStringLiteral("decoders/gemma2") << 3;
}

/// Scales that are folded into what stands before leave a model's logits as they were.
void TestCalibration::scalesFold() {
    QFETCH(QString, model);
    QFETCH(int, sites);
    auto loaded = test::openModel(test::kGolden + model.toStdString());
    CHECK_OK(loaded);
    const std::vector<std::int32_t> ids{1, 5, 9, 4, 7, 3, 2};
    const auto logits = [&](const LoadedModel& of) {
        Progress progress;
        auto ready = models::prepareModel(of, {"cpu", 1}, progress, {});
        return ready.value().decoder->logits(ids, {}).value();
    };
    const auto before = logits(loaded.value());
    auto changed = loaded.value();
    for (std::size_t block = 0; block < changed.layout.blocks.size(); ++block) {
        const auto found = compress::scalingSites(changed.layout, static_cast<int>(block));
        QCOMPARE(static_cast<int>(found.size()), sites);
        for (const auto& site : found) {
            const auto& reader = changed.layout.layers[static_cast<std::size_t>(site.readers.front())];
            std::vector<float> scales(static_cast<std::size_t>(reader.cols));
            for (std::size_t at = 0; at < scales.size(); ++at) {
                scales[at] = 0.25F + static_cast<float>(at * 7 % 13) / 4.0F;
            }
            compress::foldScales(changed, site, scales);
        }
    }
    const auto after = logits(changed);
    QVERIFY(changed.tensors.at("decoder.layer.0.ffn.norm.weight").dense().values.data() !=
            loaded.value().tensors.at("decoder.layer.0.ffn.norm.weight").dense().values.data());
    for (std::int64_t row = 0; row < before.rows; ++row) {
        QVERIFY(test::largestDifference(before.row(row), after.row(row)) < 2e-4);
    }
}

void TestCalibration::scaling_data() {
    QTest::addColumn<QString>("with");
    QTest::addColumn<QString>("without");
    const auto row = [](const char* name, const char* with, const char* without) {
        QTest::newRow(name) << QString::fromLatin1(with) << QString::fromLatin1(without);
    };
    row("awq", R"("weights": "int4", "group": 16, "scaling": "awq")", R"("weights": "int4", "group": 16)");
    row("awq clip", R"("weights": "int4", "group": 16, "scaling": "awq", "options": {"clip": true})",
        R"("weights": "int4", "group": 16, "scaling": "awq")");
    row("awq gptq", R"("weights": "int4", "group": 16, "scaling": "awq", "method": "gptq")",
        R"("weights": "int4", "group": 16, "scaling": "awq")");
}

/// Whole recipes: outputs suffer less with what the option brings.
void TestCalibration::scaling() {
    QFETCH(QString, with);
    QFETCH(QString, without);
    const auto better = compressed("\"quantize\": {" + with.toStdString() + "}");
    CHECK_OK(better);
    const auto plain = compressed("\"quantize\": {" + without.toStdString() + "}");
    CHECK_OK(plain);
    QVERIFY2(outputError(better.value()) < outputError(plain.value()),
             (std::to_string(outputError(better.value())) + " " + std::to_string(outputError(plain.value()))).c_str());
    int scaled = 0;
    for (const auto& layer : better.value().compressed.report.layers) {
        scaled += layer.scaling ? 1 : 0;
        QVERIFY2(layer.relativeError < 0.05, layer.name.c_str());  // of what acts, whatever scales are folded
    }
    QVERIFY(scaled > 0);
}

/// A mean error of the output that the bias can take up is gone, and costs nothing else.
void TestCalibration::biasCorrection() {
    const auto model = test::writeTinyClassifier(m_folder.filePath(QStringLiteral("bias")).toStdString());
    const auto made = [&](const std::string& option) {
        return compressedOf(model, R"({"version": 1, "defaults": {"quantize": {"weights": "int4", "group": 8)" + option +
                                       R"(}}, "calibration": {"source": ")" + m_text + R"(", "samples": 10, "length": 16}})");
    };
    const auto plain = made("");
    CHECK_OK(plain);
    const auto corrected = made(R"(, "bias_correction": true)");
    CHECK_OK(corrected);
    const auto& a = plain.value().compressed.model;
    const auto& b = corrected.value().compressed.model;
    for (const auto& [name, tensor] : a.tensors) {
        // Later blocks read other inputs, but codes come from the weights alone.
        const bool bias = name.ends_with(".bias") && name.find("norm") == std::string::npos &&
                          name.starts_with("encoder.layer");
        QVERIFY2((dequantize(tensor) == dequantize(b.tensors.at(name))) != bias, name.c_str());
    }
}

void TestCalibration::units_data() {
    QTest::addColumn<QString>("pattern");
    QTest::addColumn<QString>("reader");
    for (const char* pattern : {"heads", "neurons"}) {
        QTest::newRow(pattern) << QString::fromLatin1(pattern)
                               << (pattern[0] == 'h' ? QStringLiteral("attention.output") : QStringLiteral("ffn.down"));
    }
}

/// Units that calibration chose: sizes are as estimated, the outputs of the layers behind them suffer less when what
/// is kept makes up for what is gone, and what follows in the same pass sees the cut layers.
void TestCalibration::units() {
    QFETCH(QString, pattern);
    QFETCH(QString, reader);
    const auto made = [&](const std::string& how) {
        return compressed(R"("prune": {"pattern": ")" + pattern.toStdString() + R"(", "ratio": 0.5, )" + how + "}");
    };
    const auto errorOf = [&](const jobs::ReadyModel& model) {
        double sum = 0.0;
        for (const auto& layer : model.compressed.report.layers) {
            sum += layer.name.ends_with(reader.toStdString()) ? layer.output->error : 0.0;
        }
        return sum;
    };
    const auto plain = made(R"("method": "l1")");
    CHECK_OK(plain);
    const auto squares = made(R"("method": "l1", "compensation": "least-squares")");
    CHECK_OK(squares);
    const auto second = made(R"("method": "second-order")");
    CHECK_OK(second);
    const auto flap = made(R"("method": "fluctuation")");
    CHECK_OK(flap);
    const auto compensated = made(R"("method": "fluctuation", "compensation": "least-squares")");
    CHECK_OK(compensated);
    QVERIFY(errorOf(compensated.value()) < errorOf(flap.value()));
    QVERIFY(errorOf(second.value()) < errorOf(flap.value()));
    QCOMPARE(second.value().compressed.report.keptUnits.size(), std::size_t{2});
    for (const auto* model : {&squares.value(), &second.value(), &flap.value()}) {
        QCOMPARE(model->compressed.model.bytes(), plain.value().compressed.model.bytes());
        const auto& layout = model->compressed.model.layout;
        for (const auto& layer : layout.layers) {
            QCOMPARE(model->compressed.model.weight(layer).shape, plain.value().compressed.model.weight(layer).shape);
        }
    }
    const auto both = compressed(R"("prune": {"pattern": ")" + pattern.toStdString() +
                                 R"(", "ratio": 0.5, "method": "second-order"}, "quantize": {"weights": "int8",
                                 "method": "gptq", "scaling": "awq"})");
    CHECK_OK(both);
    QVERIFY(errorOf(both.value()) < 1.2 * errorOf(second.value()));
}

void TestCalibration::allocation_data() {
    QTest::addColumn<QString>("prune");
    QTest::newRow("global") << QStringLiteral(R"("method": "magnitude", "allocation": "global")");
    QTest::newRow("owl") << QStringLiteral(R"("method": "wanda", "allocation": "owl")");
}

/// Layers differ, together they have the ratio that was asked.
void TestCalibration::allocation() {
    QFETCH(QString, prune);
    const auto made = compressed(R"("prune": {"pattern": "unstructured", "ratio": 0.5, )" + prune.toStdString() + "}");
    CHECK_OK(made);
    double zeros = 0.0;
    double values = 0.0;
    std::set<double> ratios;
    const auto& model = made.value().compressed.model;
    for (const auto& layer : made.value().compressed.report.layers) {
        const auto* info = model.layout.findLayer(layer.name);
        if (info->block >= 0) {
            zeros += layer.sparsity * static_cast<double>(info->rows * info->cols);
            values += static_cast<double>(info->rows * info->cols);
            ratios.insert(std::round(layer.sparsity * 100.0));
        }
    }
    QVERIFY2(std::fabs(zeros / values - 0.5) < 0.02, std::to_string(zeros / values).c_str());
    QVERIFY(ratios.size() > 1);
}

void TestCalibration::tiles() {
    for (const char* method : {"magnitude", "wanda", "sparsegpt", "l1-reconstruction"}) {
        const auto made = compressed(R"("prune": {"pattern": "1x4", "ratio": 0.5, "method": ")" + std::string(method) +
                                     "\"}");
        CHECK_OK(made);
        const auto& model = made.value().compressed.model;
        for (const auto& layer : model.layout.layers) {
            const auto values = dequantize(model.weight(layer));
            std::int64_t zeros = 0;
            for (std::size_t at = 0; layer.block >= 0 && at < values.size(); at += 4) {
                const auto begin = values.begin() + static_cast<std::ptrdiff_t>(at);
                const auto none = std::count(begin, begin + 4, 0.0F);
                QVERIFY2(none == 0 || none == 4, layer.name.c_str());
                zeros += none;
            }
            QVERIFY(layer.block < 0 || zeros == static_cast<std::int64_t>(values.size()) / 2);
        }
    }
}

/// The block that changes what passes least goes first.
void TestCalibration::blockInfluence() {
    // A block whose outputs are zero changes nothing.
    jobs::ModelCache cache;
    Progress progress;
    const auto opened = cache.open(m_llama, progress, {});
    CHECK_OK(opened);
    auto model = opened.value()->weights;
    for (const char* name : {"decoder.layer.1.attention.output", "decoder.layer.1.ffn.down"}) {
        auto& weight = model.tensors.at(std::string(name) + ".weight");
        const std::vector<float> zeros(static_cast<std::size_t>(weight.shape.elements()));
        weight = denseTensor(weight.shape, std::span<const float>(zeros));
    }
    Recipe recipe;
    PruneSpec step;
    step.pattern = PrunePattern::Blocks;
    step.method = PruneMethod::Influence;
    step.ratio = 0.5;
    recipe.prune = {step};
    recipe.calibration = CalibrationSpec{.source = m_text, .samples = 4, .length = 16};
    const compress::CompressTools tools{serialFor, &jobs::torchMath(), jobs::blockInputsOf(opened.value(), 1), {}};
    const auto made = compress::compress(model, recipe, progress, {}, tools);
    CHECK_OK(made);
    QCOMPARE(made.value().report.removedBlocks, (std::vector<std::string>{"decoder.layer.1"}));
}

/// SparseGPT rounds while it prunes. (That this is better than rounding what it left shows on single layers,
/// tests/engine/compress; here later blocks read different inputs.)
void TestCalibration::jointly() {
    const std::string prune = R"("prune": {"method": "sparsegpt", "pattern": "2:4"}, )";
    const std::string format = R"("weights": "int4", "group": 16)";
    const auto joint = compressed(prune + R"("quantize": {"method": "gptq", )" + format + "}");
    CHECK_OK(joint);
    const auto after = compressed(prune + R"("quantize": {)" + format + "}");
    CHECK_OK(after);
    QVERIFY2(outputError(joint.value()) < 1.05 * outputError(after.value()),
             (std::to_string(outputError(joint.value())) + " " + std::to_string(outputError(after.value()))).c_str());
    for (const auto& layer : joint.value().compressed.report.layers) {
        QVERIFY(layer.name == "embeddings.word" || layer.name == "lm_head" || layer.sparsity >= 0.5);
    }
}

/// The last block is rounded by what it reads behind rounded ones, not by what it read before.
void TestCalibration::laterBlocksSeeEarlierErrors() {
    const std::string gptq = R"("quantize": {"method": "gptq", "weights": "int4", "group": 16})";
    const auto all = compressed(gptq);
    CHECK_OK(all);
    const auto last = compressed(gptq, R"(, "layers": [{"match": "decoder.layer.0", "skip": true}])");
    CHECK_OK(last);
    const auto codesOf = [](const jobs::ReadyModel& model) {
        return dequantize(model.compressed.model.tensors.at("decoder.layer.1.ffn.down.weight"));
    };
    QVERIFY(codesOf(all.value()) != codesOf(last.value()));
}

void TestCalibration::sameSeedSameWeights() {
    const std::string step = R"("prune": {"method": "sparsegpt", "pattern": "unstructured", "ratio": 0.5})";
    const auto one = compressed(step);
    const auto two = compressed(step);
    CHECK_OK(one);
    CHECK_OK(two);
    for (const auto& [name, tensor] : one.value().compressed.model.tensors) {
        QVERIFY2(dequantize(tensor) == dequantize(two.value().compressed.model.tensors.at(name)), name.c_str());
    }
}

/// The same statistics whether hidden states lie in memory or in a file.
void TestCalibration::statesOnDisk() {
    jobs::ModelCache cache;
    Progress progress;
    const auto opened = cache.open(m_llama, progress, {});
    CHECK_OK(opened);
    CalibrationSpec spec{.source = m_text, .samples = 300, .length = 24};
    const auto inMemory = jobs::blockInputsOf(opened.value(), 1)(opened.value()->weights, spec, progress, {});
    CHECK_OK(inMemory);
    const auto onDisk = jobs::blockInputsOf(opened.value(), 1, 0)(opened.value()->weights, spec, progress, {});
    CHECK_OK(onDisk);
    for (int block = 0; block < 2; ++block) {
        const auto a = inMemory.value()->measure(block, {});
        const auto b = onDisk.value()->measure(block, {});
        CHECK_OK(a);
        CHECK_OK(b);
        QCOMPARE(a.value().size(), std::size_t{7});
        for (const auto& [layer, statistics] : a.value()) {
            QVERIFY(statistics->hessian == b.value().at(layer)->hessian);
            QCOMPARE(statistics->tokens, std::int64_t{300 * 24});
        }
        const auto prefix = "decoder.layer." + std::to_string(block);
        QVERIFY(a.value().at(prefix + ".attention.query") == a.value().at(prefix + ".attention.value"));
        QVERIFY(a.value().at(prefix + ".attention.query") != a.value().at(prefix + ".attention.output"));
        CHECK_OK(inMemory.value()->pass(block, {}));
        CHECK_OK(onDisk.value()->pass(block, {}));
    }
}

void TestCalibration::encoders() {
    const auto model = test::writeTinyClassifier(m_folder.filePath(QStringLiteral("bert")).toStdString());
    const auto task = test::writeTinyTask(m_folder.filePath(QStringLiteral("task.csv")).toStdString());
    for (const auto& source : {m_text, task + "#text"}) {
        const auto made = compressedOf(model, R"({"version": 1, "defaults": {"prune": {"method": "wanda", "pattern":
            "2:4"}, "quantize": {"weights": "int8", "method": "gptq", "activations": "int8-dynamic"}},
            "calibration": {"source": ")" + source + R"(", "samples": 10, "length": 16}})");
        CHECK_OK(made);
        QCOMPARE(made.value().compressed.report.calibrationSamples, std::int64_t{10});
        QVERIFY(outputError(made.value()) > 0.0 && outputError(made.value()) < 0.6);
    }
}

void TestCalibration::texts() {
    const auto draw = [&](std::uint64_t seed) {
        return textsOf({.source = m_text, .samples = 5, .length = 20, .seed = seed});
    };
    const auto one = draw(1);
    CHECK_OK(one);
    QCOMPARE(one.value().size(), std::size_t{5});
    for (const auto& ids : one.value()) {
        QCOMPARE(ids.size(), std::size_t{20});
    }
    QVERIFY(one.value() == draw(1).value());
    QVERIFY(one.value() != draw(2).value());
}

/// Of a task the training split, never what it measures.
void TestCalibration::tasksTexts() {
    const auto drawn = [&](const std::string& source) {
        return textsOf({.source = source, .samples = 8, .length = 30});
    };
    const auto decoded = [&](const std::vector<std::int32_t>& ids) { return openLlama()->tokenizer().value()->decode(ids); };
    const auto path = [&](const char* name) { return m_folder.filePath(QString::fromLatin1(name)).toStdString(); };
    QVERIFY(QDir(m_folder.path()).mkdir(QStringLiteral("split")));
    test::writeText(path("split/test.csv"), "text,label\nmeasured,0\n");
    test::writeText(path("split/train.csv"), "text,label\nthe quick brown fox,0\nhello world and the dog,1\n");
    test::writeText(path("task.json"), R"({"version": 1, "kind": "classification", "data": "split", "format": "csv",
                                           "split": "test"})");
    const auto rows = drawn(path("task.json"));
    CHECK_OK(rows);
    QCOMPARE(rows.value().size(), std::size_t{2});
    QCOMPARE(decoded(rows.value()[0]).size() + decoded(rows.value()[1]).size(), std::size_t{42});
    // A file has its training split beside it.
    test::writeText(path("alone.json"), R"({"version": 1, "kind": "classification", "data": "alone.csv", "format": "csv"})");
    test::writeText(path("alone.csv"), "text,label\nmeasured,0\n");
    const auto none = drawn(path("alone.json"));
    QVERIFY(!none.ok());
    QVERIFY(errorMessage(none.error()).find("has no training split") != std::string::npos);
    // A broken task is no text.
    test::writeText(path("broken.json"), R"({"version": 1, "kind": "classification"})");
    const auto broken = drawn(path("broken.json"));
    QVERIFY(!broken.ok());
    QCOMPARE(broken.error().code, ErrorCode::TaskInvalid);
    test::writeText(path("train.csv"), "text,label\nbeside it,0\n");
    const auto beside = drawn(path("alone.json"));
    CHECK_OK(beside);
    QCOMPARE(decoded(beside.value().front()), "beside it");
}

/// Pruning by gradients of the whole model: what was asked holds, at no more harm to the layers' outputs than magnitude
/// does, in whatever the earlier steps left of the model.
void TestCalibration::gradients_data() {
    QTest::addColumn<QString>("steps");
    QTest::addColumn<double>("ratio");
    const char* half = R"({"method": "fisher", "pattern": "unstructured", "ratio": 0.5})";
    QTest::newRow("half") << QString::fromUtf8(half) << 0.5;
    QTest::newRow("recomputed") << QStringLiteral(
        R"({"method": "fisher", "pattern": "unstructured", "ratio": 0.75, "recomputations": 2})") << 0.75;
    QTest::newRow("2:4") << QStringLiteral(R"({"method": "fisher", "pattern": "2:4"})") << 0.5;
    QTest::newRow("behind a removed block")
        << QStringLiteral(R"([{"pattern": "blocks", "ratio": 0.5}, %1])").arg(QString::fromUtf8(half)) << 0.5;
    QTest::newRow("behind removed heads")
        << QStringLiteral(R"([{"pattern": "heads", "ratio": 0.5, "method": "taylor"}, %1])").arg(QString::fromUtf8(half))
        << 0.5;
}

void TestCalibration::gradients() {
    QFETCH(QString, steps);
    QFETCH(double, ratio);
    const auto made = compressed(R"("prune": )" + steps.toStdString());
    CHECK_OK(made);
    const auto& model = made.value().compressed.model;
    QCOMPARE(made.value().compressed.report.calibrationSamples, std::int64_t{12});
    int pruned = 0;
    for (const auto& layer : model.layout.layers) {
        const auto values = dequantize(model.weight(layer));
        const double zeros = static_cast<double>(std::count(values.begin(), values.end(), 0.0F));
        QVERIFY2(layer.block < 0 || std::fabs(zeros / static_cast<double>(values.size()) - ratio) < 0.002,
                 layer.name.c_str());
        pruned += layer.block >= 0 ? 1 : 0;
    }
    QVERIFY(pruned > 0);
    const auto again = compressed(R"("prune": )" + steps.toStdString());
    CHECK_OK(again);
    for (const auto& [name, tensor] : model.tensors) {
        QVERIFY2(dequantize(tensor) == dequantize(again.value().compressed.model.tensors.at(name)), name.c_str());
    }
}

/// A narrower residual stream: sizes are as estimated, and principal axes lose less than channels as they are would.
void TestCalibration::width() {
    const auto made = compressed(R"("prune": {"pattern": "width", "ratio": 0.25})");
    CHECK_OK(made);
    const auto& model = made.value().compressed.model;
    QCOMPARE(model.layout.hidden, std::int64_t{24});
    const auto recipe = loadRecipe(R"({"version": 1, "defaults": {"prune": {"pattern": "width", "ratio": 0.25}}})").value();
    jobs::ModelCache cache;
    Progress progress;
    const auto opened = cache.open(m_llama, progress, {});
    CHECK_OK(opened);
    const auto& original = opened.value()->weights;
    const auto size = estimate(resolve(recipe, original.layout).value(), original.layout);
    QCOMPARE(size.bytes, model.bytes());
    QCOMPARE(size.parameters, model.layout.parameters());
    for (std::size_t at = 0; at < size.layers.size(); ++at) {
        QCOMPARE(model.weight(model.layout.layers[at]).shape, (Shape{size.layers[at].rows, size.layers[at].cols}));
    }
    // Against the first 24 channels of a random basis.
    const std::vector<std::int32_t> ids{5, 9, 30, 41, 7, 7, 12, 3, 22, 60, 14, 2};
    const auto logits = [&](const LoadedModel& of) {
        return test::prepare(of, 1).value().decoder->logits(ids, {}).value().values;
    };
    const auto far = [&](const LoadedModel& of) {
        const auto a = logits(original);
        const auto b = logits(of);
        double sum = 0.0;
        for (std::size_t at = 0; at < a.size(); ++at) {
            sum += std::pow(static_cast<double>(a[at]) - b[at], 2);
        }
        return sum;
    };
    auto random = compress::rotateModel(original, 5, {}).value().model;
    compress::cutWidth(random, 24);
    QVERIFY2(far(model) < 0.8 * far(random), qPrintable(QStringLiteral("%1 %2").arg(far(model)).arg(far(random))));
    // Everything else goes on behind it.
    const auto more = compressed(R"("prune": [{"pattern": "heads", "ratio": 0.5, "method": "second-order"},
        {"pattern": "2:4", "method": "sparsegpt"}, {"pattern": "width", "ratio": 0.25}],
        "quantize": {"weights": "int4", "group": 8, "method": "gptq"})");
    CHECK_OK(more);
    QVERIFY(std::isfinite(logits(more.value().compressed.model).front()));
    for (const auto& layer : more.value().compressed.report.layers) {
        QVERIFY(!layer.output || (layer.sparsity >= 0.5 && layer.bitsPerWeight < 9.0));
    }
}

/// Units that nothing reads change the loss by nothing, however large their weights are.
void TestCalibration::taylorSeesWhatIsUsed() {
    jobs::ModelCache cache;
    Progress progress;
    const auto opened = cache.open(m_llama, progress, {});
    CHECK_OK(opened);
    auto model = opened.value()->weights;
    auto& down = model.tensors.at("decoder.layer.1.ffn.down.weight");
    auto& up = model.tensors.at("decoder.layer.1.ffn.up.weight");
    auto read = dequantize(down);
    auto made = dequantize(up);
    const std::int64_t units = down.shape[1];
    const std::set<std::int64_t> unread{3, 17, 40};
    for (const auto unit : unread) {
        for (std::int64_t row = 0; row < down.shape[0]; ++row) {
            read[static_cast<std::size_t>(row * units + unit)] = 0.0F;
        }
        for (std::int64_t col = 0; col < up.shape[1]; ++col) {
            made[static_cast<std::size_t>(unit * up.shape[1] + col)] *= 50.0F;
        }
    }
    down = denseTensor(down.shape, read);
    up = denseTensor(up.shape, made);
    Recipe recipe;
    PruneSpec step;
    step.pattern = PrunePattern::Neurons;
    step.method = PruneMethod::Taylor;
    step.ratio = 3.0 / static_cast<double>(units);
    recipe.prune = {step};
    recipe.calibration = CalibrationSpec{.source = m_text, .samples = 4, .length = 16};
    const compress::CompressTools tools{serialFor, &jobs::torchMath(), jobs::blockInputsOf(opened.value(), 1),
                                        jobs::weightGradientsOf(opened.value(), 1)};
    const auto cut = compress::compress(model, recipe, progress, {}, tools);
    CHECK_OK(cut);
    for (const auto& [group, kept] : cut.value().report.keptUnits) {
        if (group == "decoder.layer.1.ffn") {
            QCOMPARE(kept.size(), static_cast<std::size_t>(units) - unread.size());
            QVERIFY(std::none_of(kept.begin(), kept.end(), [&](int unit) { return unread.contains(unit); }));
        }
    }
    recipe.prune[0].compensation = Compensation::LeastSquares;
    const auto compensated = compress::compress(model, recipe, progress, {}, tools);
    CHECK_OK(compensated);
    const auto sorted = [](auto list) { std::sort(list.begin(), list.end()); return list; };
    QVERIFY(sorted(compensated.value().report.keptUnits) == sorted(cut.value().report.keptUnits));
    const compress::CompressTools none{serialFor, &jobs::torchMath(), {}, {}};
    QVERIFY(!compress::compress(model, recipe, progress, {}, none).ok());
}

void TestCalibration::refusals_data() {
    QTest::addColumn<QString>("recipe");
    QTest::addColumn<QString>("says");
    const auto row = [](const char* name, const char* recipe, const char* says) {
        QTest::newRow(name) << QString::fromUtf8(recipe) << QString::fromUtf8(says);
    };
    row("no file", R"({"version": 1, "defaults": {"quantize": {"weights": "int4", "method": "gptq"}},
                       "calibration": {"source": "/nowhere/text.txt"}})", "/nowhere/text.txt");
    row("order", R"({"version": 1, "order": ["quantize", "prune"], "defaults": {"quantize": {"weights": "int4",
                     "method": "gptq"}, "prune": {"pattern": "2:4"}}})", "order");
    row("method", R"({"version": 1, "defaults": {"prune": {"pattern": "heads", "method": "wanda", "ratio": 0.5}}})",
        "wanda");
    row("gradients behind codes", R"({"version": 1, "order": ["quantize", "prune"], "defaults": {"quantize": {"weights":
        "int4"}, "prune": {"pattern": "2:4", "method": "fisher"}}})", "order");
    row("recomputations", R"({"version": 1, "defaults": {"prune": {"pattern": "unstructured", "ratio": 0.5,
        "recomputations": 2}}})", "fisher");
    row("pattern", R"({"version": 1, "defaults": {"prune": {"pattern": "4:2"}}})", "4:2");
    row("option", R"({"version": 1, "defaults": {"quantize": {"weights": "int4", "options": {"act_order": true}}}})",
        "act_order");
    row("N:M and ratio", R"({"version": 1, "defaults": {"prune": {"pattern": "2:4", "ratio": 0.3}}})", "ratio");
}

void TestCalibration::refusals() {
    QFETCH(QString, recipe);
    QFETCH(QString, says);
    const auto made = compressedOf(m_llama, recipe.toStdString());
    QVERIFY(!made.ok());
    QVERIFY2(describe(made.error()).find(says.toStdString()) != std::string::npos, describe(made.error()).c_str());
}

/// libtorch's products and factors against plain loops.
void TestCalibration::linearAlgebra() {
    const std::int64_t n = 37;
    std::vector<float> a(static_cast<std::size_t>(n * n));
    for (std::size_t i = 0; i < a.size(); ++i) {
        a[i] = static_cast<float>(std::sin(static_cast<double>(i * i % 101)));
    }
    std::vector<double> h(a.size());
    for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
            double sum = i == j ? 1.0 : 0.0;
            for (std::int64_t k = 0; k < n; ++k) {
                sum += static_cast<double>(a[static_cast<std::size_t>(i * n + k)]) * a[static_cast<std::size_t>(j * n + k)];
            }
            h[static_cast<std::size_t>(i * n + j)] = sum;
        }
    }
    auto ours = h;
    auto plain = h;
    QVERIFY(jobs::torchMath().inverseFactor(ours, n) && compress::plainMath().inverseFactor(plain, n));
    for (std::size_t i = 0; i < h.size(); ++i) {
        QVERIFY(std::fabs(ours[i] - plain[i]) < 1e-9);
    }
    // A symmetric matrix is put together again from its axes, which are orthogonal; both libraries find the same.
    auto axes = h;
    auto plainAxes = h;
    const auto values = jobs::torchMath().eigenvectors(axes, n);
    const auto plainValues = compress::plainMath().eigenvectors(plainAxes, n);
    QVERIFY(std::is_sorted(values.rbegin(), values.rend()));
    for (std::int64_t i = 0; i < n; ++i) {
        QVERIFY(std::fabs(values[static_cast<std::size_t>(i)] - plainValues[static_cast<std::size_t>(i)]) < 1e-8 * values.front());
        for (std::int64_t j = 0; j < n; ++j) {
            for (const auto* found : {&axes, &plainAxes}) {
                double again = 0.0;
                double dot = 0.0;
                for (std::int64_t k = 0; k < n; ++k) {
                    const double left = (*found)[static_cast<std::size_t>(i * n + k)];
                    again += left * values[static_cast<std::size_t>(k)] * (*found)[static_cast<std::size_t>(j * n + k)];
                    dot += (*found)[static_cast<std::size_t>(k * n + i)] * (*found)[static_cast<std::size_t>(k * n + j)];
                }
                QVERIFY(std::fabs(again - h[static_cast<std::size_t>(i * n + j)]) < 1e-7 * values.front());
                QVERIFY(std::fabs(dot - (i == j ? 1.0 : 0.0)) < 1e-9);
            }
        }
    }
    // A matrix of known singular values: 3 and 1 of two orthogonal outer products.
    const std::vector<float> known{1.5F, 1.5F, 0.0F, 1.5F, 1.5F, 0.0F, 0.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0.0F};
    for (const auto* math : {&jobs::torchMath(), &compress::plainMath()}) {
        const auto found = math->singularValues(known, 4, 3);
        QCOMPARE(found.size(), std::size_t{3});
        QVERIFY(std::fabs(found[0] - 3.0) < 1e-6 && std::fabs(found[1] - 1.0) < 1e-6 && found[2] < 1e-6);
    }
    for (const auto& [rows, cols] : {std::pair<std::int64_t, std::int64_t>{n, n}, {12, n}, {n, 9}}) {
        const std::span<const float> part(a.data(), static_cast<std::size_t>(rows * cols));
        const auto one = jobs::torchMath().singularValues(part, rows, cols);
        const auto two = compress::plainMath().singularValues(part, rows, cols);
        QCOMPARE(one.size(), static_cast<std::size_t>(std::min(rows, cols)));
        for (std::size_t i = 0; i < one.size(); ++i) {
            QVERIFY(std::fabs(one[i] - two[i]) < 1e-6 * (1.0 + one[0]));
            QVERIFY(i == 0 || one[i] <= one[i - 1]);
        }
    }
    h[0] = -1.0;
    QVERIFY(!jobs::torchMath().inverseFactor(h, n));
    std::vector<float> c1(a.size(), 2.0F);
    std::vector<float> c2 = c1;
    for (auto [math, c] : {std::pair{&jobs::torchMath(), &c1}, std::pair{&compress::plainMath(), &c2}}) {
        math->multiply({.rows = 20, .cols = 11, .depth = 13, .a = a.data(), .strideA = n, .b = a.data() + 5,
                        .strideB = n, .c = c->data(), .strideC = n, .alpha = -0.5F, .beta = 1.0F});
    }
    for (std::size_t i = 0; i < c1.size(); ++i) {
        QVERIFY(std::fabs(c1[i] - c2[i]) < 1e-4F);
    }
}

QTEST_GUILESS_MAIN(TestCalibration)
#include "tst_calibration.moc"
