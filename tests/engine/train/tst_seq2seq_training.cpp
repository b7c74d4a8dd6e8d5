// Encoder-decoder models with teacher forcing: loss and gradients are those of transformers (make_seq2seq_training.py) and
// of finite differences, training goes the same way step by step.
#include <QtTest>

#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "engine/core/random.h"
#include "engine/models/network.h"
#include "engine/runtime/torch_layers.h"
#include "engine/train/losses.h"
#include "engine/train/trainer.h"
#include "tests/engine/models/golden.h"
#include "tests/engine/train/curves.h"

using namespace pareto;
using train::Objective;

namespace {

const Json& golden() {
    static const Json json = [] {
        auto read = readJsonFile(PARETO_SOURCE_DIR "/tests/golden/train/seq2seq.json");
        return read.ok() ? read.value() : Json();
    }();
    return json;
}

train::TrainingData dataFor(const ModelLayout& layout) {
    train::TrainingData out;
    out.objective = Objective::Target;
    for (std::size_t i = 0; i < golden()["sources"].size(); ++i) {
        train::Example example;
        example.ids = test::idsOf(golden()["sources"][i]);
        example.target = test::idsOf(golden()["targets"][i]);
        example.ids.push_back(layout.eosId);
        example.target.push_back(layout.eosId);
        out.examples.push_back(std::move(example));
    }
    return out;
}

/// As the script trains: all examples a step.
train::TrainOptions goldenOptions() {
    train::TrainOptions out;
    out.spec.source = "golden";
    out.spec.steps = golden()["steps"].get<std::int64_t>();
    out.spec.batch = static_cast<int>(golden()["sources"].size());
    out.spec.learningRate = golden()["rate"].get<double>();
    out.spec.weightDecay = golden()["decay"].get<double>();
    out.spec.warmup = golden()["warmup"].get<double>();
    out.spec.clip = golden()["clip"].get<double>();
    out.spec.dropout = 0.0;
    out.device.threads = 1;
    return out;
}

Result<train::TrainOutcome> trained(const LoadedModel& model, const train::TrainOptions& options,
                                    const LoadedModel* teacher = nullptr) {
    Progress progress;
    return train::train(model, teacher, {}, dataFor(model.layout), options, progress, {});
}

/// A graph and the golden batch.
class Taught {
public:
    explicit Taught(const LoadedModel& model) : m_layout(model.layout) {
        auto device = runtime::openDevice("cpu", 1);
        device.value().gradients = true;
        m_device = device.value();
        Progress progress;
        m_graph = models::gradientGraph({HeldTensors(model), m_device, progress, {}});
        for (const auto& example : dataFor(m_layout).examples) {
            m_batch.ids.push_back(example.ids);
            m_batch.targets.push_back(train::decoderInput(example, m_layout.decoderStartId));
            m_labels.insert(m_labels.end(), example.target.begin(), example.target.end());
        }
    }
    models::GradientGraph& graph() { return *m_graph; }
    at::Tensor loss() {
        const auto states = m_graph->statesOf(m_batch, nullptr, {});
        return train::classLoss(m_graph->outputsOf(states.value(), models::startsOf(m_batch)), m_labels);
    }
    /// By canonical names; of all that is learned.
    std::map<std::string, at::Tensor> gradients() {
        for (const auto& [name, values] : m_graph->store().trainable()) {
            at::Tensor leaf = values;
            leaf.mutable_grad() = at::Tensor();
            leaf.requires_grad_(true);
        }
        loss().backward();
        std::map<std::string, at::Tensor> out;
        for (const auto& [name, values] : m_graph->store().trainable()) {
            if (values.grad().defined()) {
                out.emplace(name, values.grad());
            }
        }
        return out;
    }

private:
    ModelLayout m_layout;
    runtime::Device m_device;
    std::unique_ptr<models::GradientGraph> m_graph;
    models::TokenBatch m_batch;
    std::vector<std::int32_t> m_labels;
};

std::string sourceOf(const ModelLayout& layout, const std::string& name) {
    const auto found = std::find_if(layout.bindings.begin(), layout.bindings.end(),
                                    [&](const TensorBinding& binding) { return binding.name == name; });
    return found == layout.bindings.end() ? std::string() : found->source;
}

void everyModel() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"tiny_t5", "tiny_t5_gated", "tiny_mt5", "tiny_marian"}) {
        QTest::newRow(name) << QString::fromLatin1(name);
    }
}

}  // namespace

class TestSeq2SeqTraining : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void gradientsAsTransformers_data() { everyModel(); }
    void gradientsAsTransformers();
    void gradientsAsDifferences_data() { everyModel(); }
    void gradientsAsDifferences();
    void learnsAsWithTransformers_data() { everyModel(); }
    void learnsAsWithTransformers();
    void smallBatchesAreOneStep();
    void recomputedIsTheSame_data() { everyModel(); }
    void recomputedIsTheSame();
    void droppedSharesAreDrawnBySeed();
    void learnsFromATeacher();
    void misfitsAreRefused();
};

void TestSeq2SeqTraining::gradientsAsTransformers() {
    QFETCH(QString, name);
    const auto model = test::openModel(test::kGolden + name.toStdString());
    CHECK_OK(model);
    const Json& expected = golden()["models"][name.toStdString()];
    Taught taught(model.value());
    QVERIFY(std::fabs(taught.loss().item<double>() - expected["loss"].get<double>()) < 1e-4);
    std::set<std::string> left;
    for (const auto& [theirs, value] : expected["gradients"].items()) {
        left.insert(theirs);
    }
    for (const auto& [ours, gradient] : taught.gradients()) {
        const auto theirs = sourceOf(model.value().layout, ours);
        QVERIFY2(left.erase(theirs) > 0, (ours + " = " + theirs).c_str());
        const Json& wanted = expected["gradients"][theirs];
        const double norm = wanted["norm"].get<double>();
        const double tolerance = 1e-3 * norm + 1e-5;
        QVERIFY2(std::fabs(gradient.norm().item<double>() - norm) < tolerance, ours.c_str());
        const at::Tensor flat = gradient.contiguous().flatten();
        const auto step = wanted["step"].get<std::int64_t>();
        for (std::size_t i = 0; i < wanted["values"].size(); ++i) {
            const double found = flat[static_cast<std::int64_t>(i) * step].item<double>();
            QVERIFY2(std::fabs(found - wanted["values"][i].get<double>()) < tolerance, ours.c_str());
        }
    }
    QVERIFY2(left.empty(), left.empty() ? "" : left.begin()->c_str());
}

void TestSeq2SeqTraining::gradientsAsDifferences() {
    QFETCH(QString, name);
    const auto model = test::openModel(test::kGolden + name.toStdString());
    CHECK_OK(model);
    Taught taught(model.value());
    const auto gradients = taught.gradients();
    const at::NoGradGuard noGradients;
    int seen = 0;
    for (const char* part : {"embeddings.word.weight", "encoder.relative_bias.weight", "decoder.relative_bias.weight",
                             "encoder.layer.1.attention.query.weight", "encoder.layer.2.ffn.norm.weight",
                             "decoder.layer.0.cross.key.weight", "decoder.layer.1.cross.value.weight",
                             "decoder.layer.1.attention.output.weight"}) {
        const auto found = gradients.find(part);
        if (found == gradients.end()) {
            QVERIFY2(std::string(part).find("relative") != std::string::npos, part);
            continue;
        }
        ++seen;
        at::Tensor values = taught.graph().store().trainable().at(part);
        const at::Tensor before = values.clone();
        const double norm = found->second.norm().item<double>();
        const double step = 5e-3 / (1.0 + norm);
        const auto lossAt = [&](double by) {
            values.copy_(before + found->second * (by / norm));
            return taught.loss().item<double>();
        };
        const double slope = (lossAt(step) - lossAt(-step)) / (2.0 * step);
        values.copy_(before);
        QVERIFY2(std::fabs(slope - norm) < 0.02 * norm + 1e-3,
                 qPrintable(QStringLiteral("%1: %2 by differences, %3 by the gradient")
                                .arg(QLatin1String(part)).arg(slope).arg(norm)));
    }
    QVERIFY(seen >= 6);
}

void TestSeq2SeqTraining::learnsAsWithTransformers() {
    QFETCH(QString, name);
    const auto model = test::openModel(test::kGolden + name.toStdString());
    CHECK_OK(model);
    const Json& expected = golden()["models"][name.toStdString()];
    const auto outcome = trained(model.value(), goldenOptions());
    CHECK_OK(outcome);
    test::compareCurves(outcome.value().record, expected);
    const auto runnable = test::prepare(outcome.value().model, 1);
    CHECK_OK(runnable);
    const auto example = dataFor(model.value().layout).examples[2];
    const auto logits = runnable->seq2seq->logits(
        example.ids, train::decoderInput(example, model.value().layout.decoderStartId), {});
    CHECK_OK(logits);
    const double off = test::largestDifference(logits->row(logits->rows - 1), expected["outputs"]);
    QVERIFY2(off < 5e-2, qPrintable(QString::number(off)));
}

/// Losses are means over the tokens of a pass: passes of one example each, with as many tokens, are one of all.
void TestSeq2SeqTraining::smallBatchesAreOneStep() {
    const auto model = test::openModel(test::kGolden + "tiny_t5");
    CHECK_OK(model);
    auto data = dataFor(model.value().layout);
    data.examples.resize(2);
    data.examples[1].target = {22, 21, 60, model.value().layout.eosId};
    auto options = goldenOptions();
    options.spec.batch = 2;
    Progress progress;
    const auto whole = train::train(model.value(), nullptr, {}, data, options, progress, {});
    CHECK_OK(whole);
    options.spec.batch = 1;
    options.spec.accumulate = 2;
    const auto parts = train::train(model.value(), nullptr, {}, data, options, progress, {});
    CHECK_OK(parts);
    for (std::size_t i = 0; i < whole->record.points.size(); ++i) {
        QVERIFY(std::fabs(whole->record.points[i].loss - parts->record.points[i].loss) < 1e-3);
    }
}

void TestSeq2SeqTraining::recomputedIsTheSame() {
    QFETCH(QString, name);
    const auto model = test::openModel(test::kGolden + name.toStdString());
    CHECK_OK(model);
    auto options = goldenOptions();
    options.spec.dropout = 0.2;
    options.spec.batch = 2;
    const auto kept = trained(model.value(), options);
    options.spec.recompute = true;
    const auto recomputed = trained(model.value(), options);
    CHECK_OK(kept);
    CHECK_OK(recomputed);
    // Gradients of the encoder's output are summed in another order.
    for (std::size_t i = 0; i < kept->record.points.size(); ++i) {
        const double a = kept->record.points[i].loss;
        const double b = recomputed->record.points[i].loss;
        QVERIFY2(std::fabs(a - b) < 2e-3 * a, qPrintable(QStringLiteral("step %1: %2, %3").arg(i + 1).arg(a).arg(b)));
    }
}

void TestSeq2SeqTraining::droppedSharesAreDrawnBySeed() {
    const auto model = test::openModel(test::kGolden + "tiny_marian");
    CHECK_OK(model);
    auto options = goldenOptions();
    const auto plain = trained(model.value(), options);
    options.spec.dropout = 0.3;
    const auto first = trained(model.value(), options);
    const auto again = trained(model.value(), options);
    CHECK_OK(plain);
    CHECK_OK(first);
    CHECK_OK(again);
    QVERIFY(first->record.points[0].loss != plain->record.points[0].loss);
    for (const auto& [name, tensor] : first->model.tensors) {
        QVERIFY2(dequantize(tensor) == dequantize(again->model.tensors.at(name)), name.c_str());
    }
}

/// What was changed at random comes back to what it was, without labels.
void TestSeq2SeqTraining::learnsFromATeacher() {
    const auto teacher = test::openModel(test::kGolden + "tiny_t5");
    CHECK_OK(teacher);
    LoadedModel student = teacher.value();
    auto& tensor = student.tensors.at("decoder.layer.0.cross.value.weight");
    auto values = dequantize(tensor);
    RandomStream random(5, "student");
    for (float& value : values) {
        value += static_cast<float>(0.3 * random.normal());
    }
    tensor = denseTensor(tensor.shape, std::span<const float>(values));
    auto options = goldenOptions();
    options.spec.steps = 40;
    options.spec.learningRate = 1e-3;
    options.spec.labels = 0.0;
    options.spec.distil = DistilSpec{};
    const auto outcome = trained(student, options, &teacher.value());
    CHECK_OK(outcome);
    const auto& points = outcome->record.points;
    QVERIFY(points.front().parts.at("logits") > 1e-3);
    QVERIFY2(points.back().parts.at("logits") < 0.3 * points.front().parts.at("logits"),
             qPrintable(QStringLiteral("%1 → %2").arg(points.front().parts.at("logits")).arg(points.back().parts.at("logits"))));
    QVERIFY(!points.back().parts.contains("labels"));
}

void TestSeq2SeqTraining::misfitsAreRefused() {
    const auto model = test::openModel(test::kGolden + "tiny_t5");
    const auto llama = test::openModel(test::kGolden + "tiny_llama");
    CHECK_OK(model);
    CHECK_OK(llama);
    auto options = goldenOptions();
    options.spec.distil = DistilSpec{};
    options.spec.distil->hidden = 1.0;
    const auto inside = trained(model.value(), options, &model.value());
    QVERIFY(!inside.ok());
    QCOMPARE(inside.error().code, ErrorCode::RecipeInvalid);
    QVERIFY(errorMessage(inside.error()).find("recover.distil.hidden") != std::string::npos);
    options.spec.distil->hidden = 0.0;
    const auto other = trained(model.value(), options, &llama.value());
    QVERIFY(!other.ok());
    QCOMPARE(other.error().code, ErrorCode::RecipeInvalid);
    auto data = dataFor(model.value().layout);
    data.objective = Objective::NextToken;
    Progress progress;
    const auto unfit = train::train(model.value(), nullptr, {}, data, goldenOptions(), progress, {});
    QVERIFY(!unfit.ok());
    QCOMPARE(unfit.error().code, ErrorCode::TaskUnfit);
    data.objective = Objective::Target;
    data.examples[1].target = {1 << 20};
    const auto outside = train::train(model.value(), nullptr, {}, data, goldenOptions(), progress, {});
    QVERIFY(!outside.ok());
}

QTEST_GUILESS_MAIN(TestSeq2SeqTraining)
#include "tst_seq2seq_training.moc"
