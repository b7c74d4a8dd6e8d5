// Training whole models: beside transformers' own training step by step, what is held while it goes on, and that it
// goes on where it was killed.
#include <QTemporaryDir>
#include <QtTest>

#include <thread>

#include "engine/compress/pipeline.h"
#include "engine/train/step_order.h"
#include "engine/train/trainer.h"
#include "tests/engine/models/golden.h"
#include "tests/engine/train/curves.h"

using namespace pareto;
using train::Objective;

namespace {

const Json& training() {
    static const Json json = [] {
        auto read = readJsonFile(PARETO_SOURCE_DIR "/tests/golden/train/training.json");
        return read.ok() ? read.value() : Json();
    }();
    return json;
}

train::TrainingData dataOf(Objective objective) {
    train::TrainingData out;
    out.objective = objective;
    for (std::size_t i = 0; i < training()["ids"].size(); ++i) {
        train::Example example;
        example.ids = test::idsOf(training()["ids"][i]);
        example.label = training()["labels"][i].get<int>();
        out.examples.push_back(std::move(example));
    }
    return out;
}

/// As make_training.py trains: all examples a step.
train::TrainOptions goldenOptions() {
    train::TrainOptions out;
    out.spec.source = "golden";
    out.spec.steps = training()["steps"].get<std::int64_t>();
    out.spec.batch = static_cast<int>(training()["ids"].size());
    out.spec.learningRate = training()["rate"].get<double>();
    out.spec.weightDecay = training()["decay"].get<double>();
    out.spec.warmup = training()["warmup"].get<double>();
    out.spec.clip = training()["clip"].get<double>();
    out.spec.dropout = 0.0;
    out.device.threads = 1;
    return out;
}

/// Two examples a step, dropped shares, so that much is drawn.
train::TrainOptions smallSteps() {
    auto out = goldenOptions();
    out.spec.batch = 2;
    out.spec.dropout = 0.2;
    out.spec.steps = 9;
    return out;
}

Result<train::TrainOutcome> trained(const LoadedModel& model, const train::TrainingData& data,
                                    const train::TrainOptions& options, const LoadedModel* teacher = nullptr,
                                    const std::vector<LayerPlan>& plans = {}, std::stop_token stop = {}) {
    Progress progress;
    return train::train(model, teacher, plans, data, options, progress, std::move(stop));
}

/// Layers of blocks lose `ratio` of their values while the model learns; nothing where the method is no trained one.
void prune(std::vector<LayerPlan>& plans, const ModelLayout& layout, PruneMethod method, double ratio) {
    plans.resize(layout.layers.size());
    for (std::size_t i = 0; i < plans.size(); ++i) {
        plans[i].method = method;
        plans[i].sparsity = isTrained(method) && layout.layers[i].block >= 0 ? ratio : 0.0;
    }
}

Result<models::Matrix> logitsOf(const LoadedModel& model, const train::TrainingData& data);

double lossOf(const LoadedModel& model, const train::TrainingData& data) {
    const auto logits = logitsOf(model, data);
    if (!logits.ok()) {
        return NAN;
    }
    double loss = 0.0;
    for (std::int64_t row = 0; row < logits.value().rows; ++row) {
        const auto values = logits.value().row(row);
        double sum = 0.0;
        for (const float value : values) {
            sum += std::exp(static_cast<double>(value));
        }
        const auto label = static_cast<std::size_t>(data.examples[static_cast<std::size_t>(row)].label);
        loss += std::log(sum) - static_cast<double>(values[label]);
    }
    return loss / static_cast<double>(logits.value().rows);
}

/// Behind each step the loss of the model as it would be handed on.
void validateByLoss(train::TrainOptions& options, const train::TrainingData& data, std::vector<double>& losses) {
    options.spec.validateEvery = 1;
    options.validate = [&](const LoadedModel& now, std::stop_token) -> Result<train::Validated> {
        losses.push_back(lossOf(now, data));
        return train::Validated{"loss", losses.back(), false};
    };
}

std::int64_t zerosOf(const Tensor& tensor) {
    const auto values = dequantize(tensor);
    return std::count(values.begin(), values.end(), 0.0F);
}

bool sameValues(const LoadedModel& a, const LoadedModel& b) {
    for (const auto& [name, tensor] : a.tensors) {
        if (dequantize(tensor) != dequantize(b.tensors.at(name))) {
            return false;
        }
    }
    return a.tensors.size() == b.tensors.size();
}

Result<LoadedModel> classifier() { return test::openModel(test::kGolden + "encoders/roberta_classes"); }

Result<models::Matrix> logitsOf(const LoadedModel& model, const train::TrainingData& data) {
    PARETO_TRY(const auto runnable, test::prepare(model, 1));
    models::TokenBatch batch;
    for (const auto& example : data.examples) {
        batch.ids.push_back(example.ids);
    }
    return runnable.encoder->run(batch, {});
}

}  // namespace

class TestTraining : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void classifierLearnsAsWithTransformers();
    void decoderLearnsAsWithTransformers();
    void accumulatedBatchesAreOneStep();
    void seedsGiveTheSameBytes();
    void goesOnAfterAKill_data();
    void goesOnAfterAKill();
    void prunesWhileItLearns_data();
    void prunesWhileItLearns();
    void onlyWhatIsPrunedCompetes();
    void adaptersAreAdded_data();
    void adaptersAreAdded();
    void onlyPartsLearn_data();
    void onlyPartsLearn();
    void partsThatAreNotThereAreRefused();
    void recomputedIsTheSame_data();
    void recomputedIsTheSame();
    void heldZeros();
    void roundedWhileItLearns();
    void studentsLearnFromTeachers_data();
    void studentsLearnFromTeachers();
    void keepsTheBest();
    void patienceEnds();
    void endsWhenAsked();
    void divergenceIsSaid();
    void misfitsAreRefused();
    void everyExampleOnceAnEpoch();
};

void TestTraining::classifierLearnsAsWithTransformers() {
    const auto model = classifier();
    CHECK_OK(model);
    const auto data = dataOf(Objective::Classes);
    const auto outcome = trained(model.value(), data, goldenOptions());
    CHECK_OK(outcome);
    test::compareCurves(outcome.value().record, training()["classifier"]);
    const auto logits = logitsOf(outcome.value().model, data);
    CHECK_OK(logits);
    QVERIFY(test::largestDifference(logits.value().values, training()["classifier"]["outputs"]) < 2e-2);
}

void TestTraining::decoderLearnsAsWithTransformers() {
    const auto model = test::openModel(test::kGolden + "tiny_llama");
    CHECK_OK(model);
    auto data = dataOf(Objective::NextToken);
    for (auto& example : data.examples) {
        for (auto& id : example.ids) {
            id = std::min<std::int32_t>(id, static_cast<std::int32_t>(model.value().layout.vocabulary) - 1);
        }
    }
    const auto outcome = trained(model.value(), data, goldenOptions());
    CHECK_OK(outcome);
    test::compareCurves(outcome.value().record, training()["decoder"]);
    const auto runnable = test::prepare(outcome.value().model, 1);
    CHECK_OK(runnable);
    const auto logits = runnable.value().decoder->logits(data.examples[2].ids, {});
    CHECK_OK(logits);
    const auto last = logits.value().row(logits.value().rows - 1);
    QVERIFY(test::largestDifference(last, training()["decoder"]["outputs"]) < 2e-2);
}

/// Three batches of two, whose gradients are summed, are a step over all six.
void TestTraining::accumulatedBatchesAreOneStep() {
    const auto model = classifier();
    CHECK_OK(model);
    auto options = goldenOptions();
    options.spec.batch = 2;
    options.spec.accumulate = 3;
    const auto outcome = trained(model.value(), dataOf(Objective::Classes), options);
    CHECK_OK(outcome);
    test::compareCurves(outcome.value().record, training()["classifier"]);
}

void TestTraining::seedsGiveTheSameBytes() {
    const auto model = classifier();
    CHECK_OK(model);
    const auto data = dataOf(Objective::Classes);
    auto options = smallSteps();
    const auto first = trained(model.value(), data, options);
    const auto again = trained(model.value(), data, options);
    options.seed = 1;
    const auto other = trained(model.value(), data, options);
    CHECK_OK(first);
    CHECK_OK(again);
    CHECK_OK(other);
    QVERIFY(sameValues(first.value().model, again.value().model));
    QVERIFY(!sameValues(first.value().model, other.value().model));
}

void TestTraining::goesOnAfterAKill_data() {
    QTest::addColumn<PruneMethod>("method");
    QTest::newRow("nothing pruned") << PruneMethod::Magnitude;
    QTest::newRow("gradual") << PruneMethod::Gradual;
    QTest::newRow("movement") << PruneMethod::Movement;
    QTest::newRow("soft movement") << PruneMethod::SoftMovement;
    QTest::newRow("proximal") << PruneMethod::Proximal;
}

/// A training that is stopped behind each of its steps and begun anew from the file ends with the same bits.
void TestTraining::goesOnAfterAKill() {
    const auto model = classifier();
    const auto teacher = test::openModel(test::kGolden + "encoders/roberta_classes");
    CHECK_OK(model);
    CHECK_OK(teacher);
    const auto data = dataOf(Objective::Classes);
    auto options = smallSteps();
    options.spec.distil = DistilSpec{};
    options.spec.distil->hidden = 1.0;
    options.spec.quantizeAware = true;
    std::vector<LayerPlan> plans(model.value().layout.layers.size());
    for (auto& plan : plans) {
        plan.format.format = NumberFormat::Int8;
        plan.format.activations = Activations::Int8Static;
    }
    QFETCH(PruneMethod, method);
    prune(plans, model.value().layout, method, 0.5);
    options.spec.sparsify = {0.1, 0.6, 1, 0.01};
    int validations = 0;
    options.validate = [&](const LoadedModel&, std::stop_token) -> Result<train::Validated> {
        return train::Validated{"accuracy", ++validations == 1 ? 1.0 : 0.5, true};
    };
    options.spec.validateEvery = 4;
    const auto whole = trained(model.value(), data, options, &teacher.value(), plans);
    CHECK_OK(whole);
    // The first validation is the best, where it counts: before all zeros are chosen it does not.
    QCOMPARE(whole.value().record.keptStep, std::int64_t{method == PruneMethod::Magnitude ? 4 : 8});

    QTemporaryDir folder;
    options.checkpoint = folder.filePath(QStringLiteral("state.safetensors")).toStdString();
    options.key = "this";
    options.checkpointSeconds = 0.0;
    validations = 0;
    std::size_t parts = 0;
    for (; parts < 20; ++parts) {
        std::stop_source kill;
        options.stepDone = [&](const TrainingPoint&) { kill.request_stop(); };
        const auto part = trained(model.value(), data, options, &teacher.value(), plans, kill.get_token());
        if (part.ok()) {
            QVERIFY(sameValues(part.value().model, whole.value().model));
            QCOMPARE(part.value().record.validations, whole.value().record.validations);
            break;
        }
        QVERIFY(part.cancelled());
    }
    QVERIFY(parts > 3);
    // Finished: the file answers.
    options.stepDone = [](const TrainingPoint&) { QFAIL("nothing is left to do"); };
    const auto finished = trained(model.value(), data, options, &teacher.value(), plans);
    CHECK_OK(finished);
    QVERIFY(sameValues(finished.value().model, whole.value().model));
    // Another training does not go on with it.
    options.key = "other";
    options.stepDone = {};
    validations = 0;
    const auto other = trained(model.value(), data, options, &teacher.value(), plans);
    CHECK_OK(other);
    QVERIFY(sameValues(other.value().model, whole.value().model));
}

void TestTraining::recomputedIsTheSame_data() {
    QTest::addColumn<QString>("name");
    QTest::newRow("encoder") << QStringLiteral("encoders/roberta_classes");
    QTest::newRow("runs of one block") << QStringLiteral("encoders/albert_classes");
    QTest::newRow("decoder") << QStringLiteral("tiny_llama");
}

/// Blocks whose activations are computed again, with what was dropped, train to the same bits.
void TestTraining::recomputedIsTheSame() {
    QFETCH(QString, name);
    const auto model = test::openModel(test::kGolden + name.toStdString());
    CHECK_OK(model);
    auto data = dataOf(model.value().layout.isDecoder() ? Objective::NextToken : Objective::Classes);
    for (auto& example : data.examples) {
        for (auto& id : example.ids) {
            id = std::min<std::int32_t>(id, static_cast<std::int32_t>(model.value().layout.vocabulary) - 1);
        }
    }
    auto options = smallSteps();
    const auto kept = trained(model.value(), data, options);
    options.spec.recompute = true;
    const auto recomputed = trained(model.value(), data, options);
    CHECK_OK(kept);
    CHECK_OK(recomputed);
    QVERIFY(sameValues(kept.value().model, recomputed.value().model));
}

void TestTraining::heldZeros() {
    const auto model = classifier();
    CHECK_OK(model);
    PruneSpec prune;
    prune.ratio = 0.5;
    prune.keepOf = 2;
    prune.groupOf = 4;
    Recipe recipe;
    recipe.prune.push_back(prune);
    Progress progress;
    const auto pruned = compress::compress(model.value(), recipe, progress, {});
    CHECK_OK(pruned);
    const auto outcome = trained(pruned.value().model, dataOf(Objective::Classes), smallSteps());
    CHECK_OK(outcome);
    std::int64_t changed = 0;
    for (const auto& layer : model.value().layout.layers) {
        const auto before = dequantize(pruned.value().model.weight(layer));
        const auto after = dequantize(outcome.value().model.weight(layer));
        const bool sparse = std::count(before.begin(), before.end(), 0.0F) * 10 > static_cast<std::ptrdiff_t>(before.size());
        for (std::size_t i = 0; i < before.size(); ++i) {
            QVERIFY(!sparse || before[i] != 0.0F || after[i] == 0.0F);
            changed += before[i] != after[i] ? 1 : 0;
        }
    }
    QVERIFY(changed > 1000);
}

/// What training saw is what the integer kernels compute: the loss of the finished model is that of the last step.
void TestTraining::roundedWhileItLearns() {
    const auto model = classifier();
    CHECK_OK(model);
    const auto data = dataOf(Objective::Classes);
    auto options = goldenOptions();
    options.spec.quantizeAware = true;
    options.spec.steps = 30;
    options.spec.schedule = LearningSchedule::Linear;
    std::vector<LayerPlan> plans;
    for (const auto& layer : model.value().layout.layers) {
        LayerPlan plan;
        WeightFormat& format = plan.format;
        format.format = NumberFormat::Int4;
        format.granularity = Granularity::Group;
        format.groupSize = 8;
        format.activations = layer.isEmbedding() ? Activations::None : Activations::Int8Dynamic;
        plans.push_back(plan);
    }
    const auto outcome = trained(model.value(), data, options, nullptr, plans);
    CHECK_OK(outcome);
    const auto& record = outcome.value().record;
    QVERIFY(record.points.back().loss < 0.5 * record.points.front().loss);
    for (std::size_t i = 0; i < plans.size(); ++i) {
        QVERIFY(outcome.value().model.weight(outcome.value().model.layout.layers[i]).format() == plans[i].format);
    }
    const double loss = lossOf(outcome.value().model, data);
    // The last step's rate is nearly 0: it changed next to nothing.
    QVERIFY2(std::fabs(loss - record.points.back().loss) < 0.05 * std::max(0.05, loss),
             qPrintable(QStringLiteral("%1, trained to %2").arg(loss).arg(record.points.back().loss)));
}

void TestTraining::prunesWhileItLearns_data() {
    QTest::addColumn<PruneMethod>("method");
    QTest::addColumn<int>("tile");
    QTest::addColumn<bool>("rounds");
    QTest::newRow("gradual") << PruneMethod::Gradual << 1 << false;
    QTest::newRow("gradual, tiles") << PruneMethod::Gradual << 4 << false;
    QTest::newRow("gradual, rounded") << PruneMethod::Gradual << 1 << true;
    QTest::newRow("movement") << PruneMethod::Movement << 1 << false;
    QTest::newRow("movement, tiles") << PruneMethod::Movement << 4 << false;
    QTest::newRow("movement, rounded") << PruneMethod::Movement << 1 << true;
    QTest::newRow("soft movement") << PruneMethod::SoftMovement << 1 << false;
    QTest::newRow("proximal") << PruneMethod::Proximal << 1 << false;
    QTest::newRow("proximal, tiles") << PruneMethod::Proximal << 4 << false;
}

/// The ratio is met, the model learns all the same, and what is handed on at each validation is what the next step sees.
void TestTraining::prunesWhileItLearns() {
    QFETCH(PruneMethod, method);
    QFETCH(int, tile);
    QFETCH(bool, rounds);
    const auto model = classifier();
    CHECK_OK(model);
    const auto& layout = model.value().layout;
    const auto data = dataOf(Objective::Classes);
    std::vector<LayerPlan> plans;
    prune(plans, layout, method, 0.5);
    for (auto& plan : plans) {
        plan.tileRows = plan.tileCols = tile;
        if (rounds) {
            plan.format.format = NumberFormat::Int8;
        }
    }
    auto options = goldenOptions();
    options.spec.steps = 60;
    options.spec.quantizeAware = rounds;
    std::vector<double> losses;
    validateByLoss(options, data, losses);
    const auto outcome = trained(model.value(), data, options, nullptr, plans);
    CHECK_OK(outcome);
    const auto& points = outcome.value().record.points;
    QVERIFY2(points.back().loss < (method == PruneMethod::Proximal ? 0.8 : 0.7) * points.front().loss,
             qPrintable(QStringLiteral("%1 → %2").arg(points.front().loss).arg(points.back().loss)));
    test::handedOnAsTrained(losses, points);
    double zeros = 0.0;
    double all = 0.0;
    for (std::size_t i = 0; i < layout.layers.size(); ++i) {
        const auto& layer = layout.layers[i];
        const double count = static_cast<double>(layer.rows * layer.cols);
        const auto own = static_cast<double>(zerosOf(outcome.value().model.weight(layer)));
        if (layer.block < 0) {
            continue;
        }
        zeros += own;
        all += count;
        if (method != PruneMethod::SoftMovement && !rounds) {
            QVERIFY2(std::fabs(own / count - 0.5) < 0.01, qPrintable(QString::number(own / count)));
        }
    }
    QVERIFY2(rounds ? zeros / all >= 0.5 : std::fabs(zeros / all - 0.5) < 0.01, qPrintable(QString::number(zeros / all)));
    const auto& notes = outcome.value().record.notes;
    QVERIFY(std::any_of(notes.begin(), notes.end(), [](const std::string& note) { return note.starts_with("training pruned 50.0 %"); }) || rounds);
}

/// A validation before all zeros are chosen is of a larger model: it is told, and not kept.
void TestTraining::onlyWhatIsPrunedCompetes() {
    const auto model = classifier();
    CHECK_OK(model);
    std::vector<LayerPlan> plans;
    prune(plans, model.value().layout, PruneMethod::Gradual, 0.5);
    auto options = smallSteps();
    options.spec.sparsify = {0.0, 0.6, 1, 0.01};
    options.spec.validateEvery = 1;
    int validations = 0;
    options.validate = [&](const LoadedModel&, std::stop_token) -> Result<train::Validated> {
        return train::Validated{"accuracy", 1.0 - 0.1 * validations++, true};  // each worse than the one before
    };
    const auto outcome = trained(model.value(), dataOf(Objective::Classes), options, nullptr, plans);
    CHECK_OK(outcome);
    QCOMPARE(outcome.value().record.validations.size(), std::size_t{9});
    QCOMPARE(outcome.value().record.keptStep, std::int64_t{6});  // the first of 9 behind 0.6 of them
    QVERIFY(!outcome.value().record.validations[0].best);

    // Ended by hand before that: the rest is chosen at once.
    Control control;
    options.control = &control;
    options.validate = {};
    options.stepDone = [&](const TrainingPoint& point) {
        if (point.step == 2) {
            control.finish();
        }
    };
    const auto early = trained(model.value(), dataOf(Objective::Classes), options, nullptr, plans);
    CHECK_OK(early);
    QCOMPARE(early.value().record.ended, std::string("asked"));
    for (const auto& layer : early.value().model.layout.layers) {
        if (layer.block >= 0) {
            QCOMPARE(zerosOf(early.value().model.weight(layer)), layer.rows * layer.cols / 2);
        }
    }
}

void TestTraining::adaptersAreAdded_data() {
    QTest::addColumn<bool>("zeros");
    QTest::addColumn<bool>("rounds");
    QTest::addColumn<bool>("recompute");
    QTest::newRow("beside the weights") << false << false << false;
    QTest::newRow("activations computed again") << false << false << true;
    QTest::newRow("zeros held") << true << false << false;
    QTest::newRow("rounded") << false << true << false;
}

/// What is handed on has the adapters in its weights: it computes what training computed beside them. Nothing else of the
/// model changes, but the classes that a task is about.
void TestTraining::adaptersAreAdded() {
    QFETCH(bool, zeros);
    QFETCH(bool, rounds);
    QFETCH(bool, recompute);
    auto model = classifier();
    CHECK_OK(model);
    const auto data = dataOf(Objective::Classes);
    if (zeros) {
        Recipe recipe;
        PruneSpec half;
        half.ratio = 0.5;
        recipe.prune.push_back(half);
        Progress progress;
        auto pruned = compress::compress(model.value(), recipe, progress, {});
        CHECK_OK(pruned);
        model = std::move(pruned.value().model);
    }
    std::vector<LayerPlan> plans(model.value().layout.layers.size());
    for (auto& plan : plans) {
        plan.format.format = rounds ? NumberFormat::Int8 : NumberFormat::F32;
    }
    auto options = goldenOptions();
    options.spec.steps = 40;
    options.spec.learningRate = 5e-3;
    options.spec.adapters = AdapterSpec{};
    options.spec.quantizeAware = rounds;
    options.spec.recompute = recompute;
    std::vector<double> losses;
    validateByLoss(options, data, losses);
    const auto outcome = trained(model.value(), data, options, nullptr, plans);
    CHECK_OK(outcome);
    const auto& points = outcome.value().record.points;
    QVERIFY2(points.back().loss < 0.8 * points.front().loss,
             qPrintable(QStringLiteral("%1 → %2").arg(points.front().loss).arg(points.back().loss)));
    test::handedOnAsTrained(losses, points);
    const auto& layout = model.value().layout;
    for (const auto& [name, tensor] : outcome.value().model.tensors) {
        const int index = layout.layerIndex(name.substr(0, name.rfind('.')));
        const auto* layer = index >= 0 ? &layout.layers[static_cast<std::size_t>(index)] : nullptr;
        const bool head = layer != nullptr && layer->role == LayerRole::Head;
        const bool adapted = layer != nullptr && layer->block >= 0 && name.ends_with(".weight");
        const bool same = dequantize(tensor) == dequantize(model.value().tensors.at(name));
        QVERIFY2(same != (head || adapted || (rounds && name.ends_with(".weight") && layer != nullptr)), name.c_str());
        if (zeros && adapted) {
            QCOMPARE(zerosOf(tensor), zerosOf(model.value().tensors.at(name)));
        }
    }
}

void TestTraining::onlyPartsLearn_data() {
    QTest::addColumn<LearnedPart>("part");
    QTest::newRow("biases") << LearnedPart::Biases;
    QTest::newRow("norms") << LearnedPart::Norms;
    QTest::newRow("both") << LearnedPart::BiasesNorms;
}

void TestTraining::onlyPartsLearn() {
    QFETCH(LearnedPart, part);
    const auto model = classifier();
    CHECK_OK(model);
    auto options = goldenOptions();
    options.spec.steps = 20;
    options.spec.learns = part;
    const auto outcome = trained(model.value(), dataOf(Objective::Classes), options);
    CHECK_OK(outcome);
    const auto& layout = model.value().layout;
    for (const auto& [name, tensor] : outcome.value().model.tensors) {
        const int index = layout.layerIndex(name.substr(0, name.rfind('.')));
        const bool head = index >= 0 && layout.layers[static_cast<std::size_t>(index)].role == LayerRole::Head;
        const bool norm = name.ends_with(".weight") && index < 0;
        const bool bias = name.ends_with(".bias");
        const bool learned = head || (bias && part != LearnedPart::Norms) || (norm && part != LearnedPart::Biases);
        const bool same = dequantize(tensor) == dequantize(model.value().tensors.at(name));
        // A key's bias moves no attention: its gradient is rounding.
        QVERIFY2(same != learned || name.ends_with("key.bias"), name.c_str());
    }
    QVERIFY(outcome.value().record.points.back().loss < outcome.value().record.points.front().loss);
}

void TestTraining::partsThatAreNotThereAreRefused() {
    const auto decoder = test::openModel(test::kGolden + "tiny_llama");
    CHECK_OK(decoder);
    auto options = smallSteps();
    options.spec.learns = LearnedPart::Biases;
    auto data = dataOf(Objective::NextToken);
    const auto biases = trained(decoder.value(), data, options);
    QVERIFY(!biases.ok() && !biases.cancelled());
    QCOMPARE(biases.error().code, ErrorCode::RecipeInvalid);
    options.spec.learns = LearnedPart::All;
    options.spec.adapters = AdapterSpec{};
    options.spec.adapters->layers = "nothing";
    const auto adapters = trained(decoder.value(), data, options);
    QVERIFY(!adapters.ok() && !adapters.cancelled());
    QVERIFY(errorMessage(adapters.error()).find("adapters.layers") != std::string::npos);
    options.spec.adapters->layers = "(";
    QVERIFY(!trained(decoder.value(), data, options).ok());
    options.spec.adapters->layers.clear();
    std::vector<LayerPlan> plans;
    prune(plans, decoder.value().layout, PruneMethod::Gradual, 0.5);
    const auto both = trained(decoder.value(), data, options, nullptr, plans);
    QVERIFY(!both.ok() && !both.cancelled());
    QVERIFY(errorMessage(both.error()).find("recover.adapters") != std::string::npos);
}

void TestTraining::studentsLearnFromTeachers_data() {
    QTest::addColumn<double>("logits");
    QTest::addColumn<double>("hidden");
    QTest::addColumn<double>("attention");
    QTest::addColumn<double>("relations");
    QTest::addColumn<QString>("term");
    QTest::newRow("outputs") << 1.0 << 0.0 << 0.0 << 0.0 << QStringLiteral("logits");
    QTest::newRow("hidden states") << 0.0 << 1.0 << 0.0 << 0.0 << QStringLiteral("hidden");
    QTest::newRow("attention maps") << 0.0 << 0.0 << 1.0 << 0.0 << QStringLiteral("attention");
    QTest::newRow("relations") << 0.0 << 0.0 << 0.0 << 1.0 << QStringLiteral("relations");
    QTest::newRow("all") << 1.0 << 1.0 << 1.0 << 1.0 << QStringLiteral("logits");
}

/// A student without the teacher's first block, and without labels, comes nearer to it.
void TestTraining::studentsLearnFromTeachers() {
    QFETCH(double, logits);
    QFETCH(double, hidden);
    QFETCH(double, attention);
    QFETCH(double, relations);
    QFETCH(QString, term);
    const auto model = classifier();
    CHECK_OK(model);
    Recipe recipe;
    PruneSpec prune;
    prune.pattern = PrunePattern::Blocks;
    prune.method = PruneMethod::L1;
    prune.ratio = 0.5;
    recipe.prune.push_back(prune);
    Progress progress;
    const auto student = compress::compress(model.value(), recipe, progress, {});
    CHECK_OK(student);
    QCOMPARE(student.value().model.layout.blocks.size(), std::size_t{1});
    auto options = goldenOptions();
    options.spec.steps = 40;
    options.spec.labels = 0.0;
    options.spec.distil = DistilSpec{};
    options.spec.distil->logits = logits;
    options.spec.distil->hidden = hidden;
    options.spec.distil->attention = attention;
    options.spec.distil->relations = relations;
    const auto outcome = trained(student.value().model, dataOf(Objective::Classes), options, &model.value());
    CHECK_OK(outcome);
    const auto& points = outcome.value().record.points;
    const auto part = [&](const TrainingPoint& point) { return point.parts.at(term.toStdString()); };
    QVERIFY2(part(points.back()) < 0.5 * part(points.front()),
             qPrintable(QStringLiteral("%1 → %2").arg(part(points.front())).arg(part(points.back()))));
    QVERIFY(!points.back().parts.contains("labels"));
}

void TestTraining::keepsTheBest() {
    const auto model = classifier();
    CHECK_OK(model);
    const auto data = dataOf(Objective::Classes);
    auto options = smallSteps();
    options.spec.validateEvery = 3;
    std::vector<LoadedModel> seen;
    std::vector<ValidationPoint> told;
    options.validate = [&](const LoadedModel& now, std::stop_token) -> Result<train::Validated> {
        seen.push_back(now);
        const double values[] = {7.0, 5.0, 6.0};
        return train::Validated{"perplexity", values[seen.size() - 1], false};
    };
    options.validated = [&](const ValidationPoint& point) { told.push_back(point); };
    const auto outcome = trained(model.value(), data, options);
    CHECK_OK(outcome);
    QCOMPARE(seen.size(), std::size_t{3});
    QCOMPARE(outcome.value().record.keptStep, std::int64_t{6});
    QVERIFY(sameValues(outcome.value().model, seen[1]));
    QVERIFY(!sameValues(seen[1], seen[2]));
    QCOMPARE(told.size(), std::size_t{3});
    QVERIFY(told[0].best && told[1].best && !told[2].best);
}

void TestTraining::patienceEnds() {
    const auto model = classifier();
    CHECK_OK(model);
    auto options = smallSteps();
    options.spec.validateEvery = 1;
    options.spec.patience = 2;
    int calls = 0;
    options.validate = [&](const LoadedModel&, std::stop_token) -> Result<train::Validated> {
        ++calls;
        return train::Validated{"accuracy", calls == 2 ? 0.9 : 0.1, true};
    };
    const auto outcome = trained(model.value(), dataOf(Objective::Classes), options);
    CHECK_OK(outcome);
    QCOMPARE(outcome.value().record.ended, std::string("patience"));
    QCOMPARE(outcome.value().record.steps, std::int64_t{4});
    QCOMPARE(outcome.value().record.keptStep, std::int64_t{2});
}

void TestTraining::endsWhenAsked() {
    const auto model = classifier();
    CHECK_OK(model);
    auto options = smallSteps();
    Control control;
    options.control = &control;
    options.stepDone = [&](const TrainingPoint& point) {
        if (point.step == 4) {
            control.finish();
        }
    };
    const auto outcome = trained(model.value(), dataOf(Objective::Classes), options);
    CHECK_OK(outcome);
    QCOMPARE(outcome.value().record.ended, std::string("asked"));
    QCOMPARE(outcome.value().record.steps, std::int64_t{4});
    // A pause ends with a cancel, too.
    Control paused;
    paused.pause(true);
    options.control = &paused;
    std::stop_source stop;
    std::jthread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        stop.request_stop();
    });
    const auto cancelled = trained(model.value(), dataOf(Objective::Classes), options, nullptr, {}, stop.get_token());
    QVERIFY(cancelled.cancelled());
}

void TestTraining::divergenceIsSaid() {
    const auto model = classifier();
    CHECK_OK(model);
    auto options = smallSteps();
    options.spec.learningRate = 10.0;
    options.spec.clip = 0.0;
    options.spec.warmup = 0.0;
    options.spec.weightDecay = 10.0;
    options.spec.schedule = LearningSchedule::Constant;
    options.spec.steps = 400;
    const auto outcome = trained(model.value(), dataOf(Objective::Classes), options);
    QVERIFY(!outcome.ok());
    QVERIFY(!outcome.cancelled());
    QCOMPARE(outcome.error().code, ErrorCode::TrainingDiverged);
}

void TestTraining::misfitsAreRefused() {
    const auto model = classifier();
    const auto llama = test::openModel(test::kGolden + "tiny_llama");
    const auto t5 = test::openModel(test::kGolden + "tiny_t5");
    CHECK_OK(model);
    CHECK_OK(llama);
    CHECK_OK(t5);
    const auto data = dataOf(Objective::Classes);
    const auto refusedBy = [&](const Result<train::TrainOutcome>& result) {
        return !result.ok() && !result.cancelled() ? result.error().code : ErrorCode::EngineFailure;
    };
    QCOMPARE(refusedBy(trained(llama.value(), data, smallSteps())), ErrorCode::TaskUnfit);
    QCOMPARE(refusedBy(trained(t5.value(), data, smallSteps())), ErrorCode::TaskUnfit);
    QCOMPARE(refusedBy(trained(model.value(), dataOf(Objective::NextToken), smallSteps())), ErrorCode::TaskUnfit);
    QCOMPARE(refusedBy(trained(model.value(), {Objective::Classes, {}}, smallSteps())), ErrorCode::TaskUnfit);
    auto options = smallSteps();
    options.spec.distil = DistilSpec{};
    options.spec.distil->hidden = 1.0;
    options.spec.distil->blocks = {{0, 7}};
    QCOMPARE(refusedBy(trained(model.value(), data, options, &model.value())), ErrorCode::RecipeInvalid);
    QCOMPARE(refusedBy(trained(model.value(), data, options, &llama.value())), ErrorCode::RecipeInvalid);
}

void TestTraining::everyExampleOnceAnEpoch() {
    std::vector<std::int64_t> lengths;
    for (int i = 0; i < 103; ++i) {
        lengths.push_back(1 + (i * 37) % 50);
    }
    train::StepOrder order(lengths, 8, 3);
    QCOMPARE(order.batchesPerEpoch(), std::int64_t{13});
    std::vector<std::size_t> firstEpoch;
    for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
        std::vector<int> seen(lengths.size(), 0);
        std::int64_t spread = 0;
        for (std::int64_t batch = 0; batch < 13; ++batch) {
            const auto indices = order.batch(epoch * 13 + batch);
            std::int64_t shortest = 1000;
            std::int64_t longest = 0;
            for (const auto index : indices) {
                ++seen[index];
                shortest = std::min(shortest, lengths[index]);
                longest = std::max(longest, lengths[index]);
            }
            spread += longest - shortest;
            if (epoch == 0) {
                firstEpoch.insert(firstEpoch.end(), indices.begin(), indices.end());
            }
        }
        QVERIFY(std::all_of(seen.begin(), seen.end(), [](int times) { return times == 1; }));
        QVERIFY(spread < 13 * 10);  // texts of a batch are of about one length
    }
    train::StepOrder same(lengths, 8, 3);
    QCOMPARE(same.batch(20), order.batch(20));
    QVERIFY(order.batch(13) != order.batch(0));
}

QTEST_GUILESS_MAIN(TestTraining)
#include "tst_training.moc"
