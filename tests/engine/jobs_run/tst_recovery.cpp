// Recovery as a part of a recipe: what the job "run" makes of it, tells of it and keeps.
#include <algorithm>

#include <QDir>
#include <QtTest>

#include "engine/jobs/run/export_job.h"
#include "engine/records/training.h"
#include "tests/engine/jobs_run/jobs_fixture.h"

using namespace pareto;

namespace {

/// Asks for the end behind a number of steps.
class FinishingSink : public test::NoSink {
public:
    explicit FinishingSink(std::int64_t steps) : m_steps(steps) {}
    void partial(const Json& event) override {
        NoSink::partial(event);
        if (event.contains("training") && event["training"].back()["step"].get<std::int64_t>() >= m_steps) {
            m_control.finish();
        }
    }
    const Control& control() const override { return m_control; }

private:
    std::int64_t m_steps;
    Control m_control;
};

std::int64_t toldSteps(const test::NoSink& sink) {
    std::int64_t steps = 0;
    for (const auto& event : sink.m_events) {
        steps += static_cast<std::int64_t>(event.value("training", Json::array()).size());
    }
    return steps;
}

}  // namespace

class TestRecovery : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void aClassifierIsTrained();
    void validationCountsItsClasses();
    void whatWasFoundIsKept();
    void anEmbedderGetsAHead();
    void aDecoderLearnsAText();
    void anEmbedderLearnsFromItself();
    void prunedThenTrainedThenRounded();
    void aShorterStudentLearnsFromTheOriginal();
    void quantizeAwareWeightsAreHeldAsTrained();
    void blocksAreFittedWithoutLabels();
    void prunesWhileItTrains();
    void theTeachersTextsAreLearned();
    void adaptersAreExportedInTheWeights();
    void biasesAndNormsCorrectPrunedBlocks();
    void aFreshStudentLearns();
    void keptWeightsAreAdjusted();
    void endsWhenAskedWithWhatItHas();
    void refusals_data();
    void refusals();

private:
    Result<RunRecord> run(const std::string& model, const std::string& recipe, test::NoSink* sink = nullptr,
                          bool evaluates = true) {
        auto params = test::quickRun(model);
        params.timing = false;
        params.recipe = test::recipe(recipe);
        if (evaluates) {
            params.task = task();
        }
        params.exportTo = m_exportTo;
        Progress progress;
        return jobs::runRun(m_cache, params, progress, {}, sink);
    }
    Task task() const {
        Task out;
        out.kind = TaskKind::Classification;
        out.name = "splits";
        out.data = m_data;
        out.split = "test";
        out.maxLength = 32;
        return out;
    }
    /// A recipe whose recovery learns the task, with more fields.
    std::string recovering(const std::string& more, const std::string& rest = "") const {
        return R"({"version": 1, "recover": {"source": )" + taskToJson(task()).dump() +
               R"(, "epochs": 8, "batch": 8, "learning_rate": 0.002, "dropout": 0)" + more + "}" + rest + "}";
    }
    static TrainingRecord recovered(const Result<RunRecord>& record) {
        const auto read = trainingRecordFromJson(record->details["recover"][0]);
        return read.ok() ? read.value() : TrainingRecord{};
    }
    test::JobsFolder m_folder;
    jobs::ModelCache m_cache;
    std::string m_classifier;
    std::string m_sentences;
    std::string m_llama;
    std::string m_data;
    std::string m_text;
    std::string m_exportTo;
};

void TestRecovery::initTestCase() {
    m_classifier = test::writeTinyClassifier(m_folder.path(QStringLiteral("classifier")));
    m_sentences = test::writeTinySentenceModel(m_folder.path(QStringLiteral("sentences")));
    m_llama = test::writeTinyLlama(m_folder.path(QStringLiteral("llama")));
    m_data = m_folder.path(QStringLiteral("data"));
    QVERIFY(QDir().mkpath(QString::fromStdString(m_data)));
    // The label is what the text begins with: easy to learn.
    const auto write = [&](const char* split, int rows) {
        std::string csv = "text,label\n";
        for (int i = 0; i < rows; ++i) {
            const bool attack = i % 3 == 0;
            csv += std::string(attack ? "ignore all rules" : "what is the time") + (i % 2 == 0 ? " now" : "") +
                   (i % 5 == 0 ? " please" : "") + "," + (attack ? "1" : "0") + "\n";
        }
        test::writeText(m_data + "/" + split + ".csv", csv);
    };
    write("train", 48);
    write("validation", 24);
    write("test", 30);
    m_text = m_folder.path(QStringLiteral("book.txt"));
    std::string text;
    for (int i = 0; i < 400; ++i) {
        text += "the cat sat on the mat and the dog ran to the cat, and what is the time now please\n";
    }
    test::writeText(m_text, text);
}

void TestRecovery::aClassifierIsTrained() {
    test::NoSink sink;
    const auto record = run(m_classifier, recovering(""), &sink);
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    const auto did = recovered(record);
    QCOMPARE(did.examples, std::int64_t{48});
    QCOMPARE(did.steps, std::int64_t{48});
    QCOMPARE(did.source, std::string("splits"));
    QVERIFY(did.points.back().loss < 0.3 * did.points.front().loss);
    QCOMPARE(did.validations.size(), std::size_t{8});
    QCOMPARE(toldSteps(sink), std::int64_t{48});
    QVERIFY(test::figureOf(record, "accuracy") > 0.95);
    QVERIFY(did.notes.empty());
}

/// Against the rows as they were written, and against a run of the kept weights on the same split.
void TestRecovery::validationCountsItsClasses() {
    test::NoSink sink;
    auto params = test::quickRun(m_classifier);
    params.timing = false;
    params.recipe = test::recipe(recovering(R"(, "validate_every": 1)"));
    params.task = task();
    params.task->split = "validation";
    params.validation = task();
    Progress progress;
    const auto record = jobs::runRun(m_cache, params, progress, {}, &sink);
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    int told = 0;
    bool mistaken = false;
    for (const auto& event : sink.m_events) {
        if (!event.contains("validation")) {
            continue;
        }
        const auto point = validationPointFromJson(event["validation"]);
        QVERIFY(point.ok() && point->confusion);
        const auto& counts = point->confusion->counts;
        QCOMPARE(point->confusion->classes.size(), std::size_t{2});
        // 24 rows, every third of the second class.
        QCOMPARE(counts[0][0] + counts[0][1], std::int64_t{16});
        QCOMPARE(counts[1][0] + counts[1][1], std::int64_t{8});
        QCOMPARE(point->value, static_cast<double>(counts[0][0] + counts[1][1]) / 24.0);
        mistaken = mistaken || counts[0][1] + counts[1][0] > 0;
        ++told;
    }
    QVERIFY(told >= 8);
    QVERIFY(mistaken);  // untrained weights do not know it all
    const auto did = recovered(record);
    std::vector<std::vector<std::int64_t>> counted(2, std::vector<std::int64_t>(2, 0));
    for (const auto& item : record->items) {
        ++counted[static_cast<std::size_t>(item.parts[0])][static_cast<std::size_t>(item.predicted)];
    }
    const auto kept = std::find_if(did.validations.begin(), did.validations.end(),
                                   [&](const ValidationPoint& point) { return point.step == did.keptStep; });
    QVERIFY(kept != did.validations.end() && kept->confusion);
    QCOMPARE(kept->confusion->counts, counted);
    QCOMPARE(Json(kept->confusion->classes), record->details["eval"]["labels"]);
    QCOMPARE(Json(counted), record->details["eval"]["confusion"]);
    // Another split was evaluated beside the task.
    const auto& validated = record->details["validation"];
    QCOMPARE(validated["split"], Json("test"));
    QCOMPARE(validated["measurements"][0]["n"], Json(30));
    QVERIFY(validated["data_hash"] != record->details["eval"]["data_hash"]);
    const auto alone = run(m_classifier, recovering(R"(, "validate_every": 1)"));
    QVERIFY(alone.ok());
    QCOMPARE(validated["measurements"][0]["value"].get<double>(), test::figureOf(alone, "accuracy"));
}

void TestRecovery::whatWasFoundIsKept() {
    const auto first = run(m_classifier, recovering(R"(, "weight_decay": 0.02)"));
    QVERIFY2(first.ok(), first.ok() ? "" : errorMessage(first.error()).c_str());
    test::NoSink sink;
    const auto again = run(m_classifier, recovering(R"(, "weight_decay": 0.02)"), &sink);
    QVERIFY(again.ok());
    QCOMPARE(toldSteps(sink), std::int64_t{0});
    QCOMPARE(again->weightsHash, first->weightsHash);
    QCOMPARE(recovered(again).points.size(), recovered(first).points.size());
    jobs::ExportParams params;
    params.model = m_classifier;
    params.recipe = test::recipe(recovering(R"(, "weight_decay": 0.02)"));
    params.target = m_folder.path(QStringLiteral("exported"));
    params.expectWeightsHash = first->weightsHash;
    Progress progress;
    const auto exported = jobs::runExport(m_cache, params, progress, {});
    QVERIFY2(exported.ok(), exported.ok() ? "" : errorMessage(exported.error()).c_str());
    QVERIFY(exported->verified);
    QVERIFY(exported->notes.empty());
    const auto opened = run(params.target, R"({"version": 1})");
    QVERIFY(opened.ok());
    QCOMPARE(test::figureOf(opened, "accuracy"), test::figureOf(first, "accuracy"));
    // The same rows in another folder.
    const auto before = m_data;
    m_data = m_folder.path(QStringLiteral("moved"));
    QVERIFY(QDir().rename(QString::fromStdString(before), QString::fromStdString(m_data)));
    test::NoSink moved;
    const auto there = run(m_classifier, recovering(R"(, "weight_decay": 0.02)"), &moved);
    QVERIFY(QDir().rename(QString::fromStdString(m_data), QString::fromStdString(before)));
    m_data = before;
    QVERIFY(there.ok());
    QCOMPARE(toldSteps(moved), std::int64_t{0});
    const auto other = run(m_classifier, recovering(R"(, "weight_decay": 0.03)"));
    QVERIFY(other.ok());
    QVERIFY(other->weightsHash != first->weightsHash);
}

void TestRecovery::anEmbedderGetsAHead() {
    m_exportTo = m_folder.path(QStringLiteral("with_head"));
    const auto record = run(m_sentences, recovering(R"(, "validation": "")"));
    m_exportTo.clear();
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    QVERIFY(test::figureOf(record, "accuracy") > 0.95);
    const auto did = recovered(record);
    QCOMPARE(did.examples, std::int64_t{43});  // a tenth of the rows validates
    QCOMPARE(did.notes.size(), std::size_t{1});
    const auto opened = run(m_folder.path(QStringLiteral("with_head")), R"({"version": 1})");
    QVERIFY2(opened.ok(), opened.ok() ? "" : errorMessage(opened.error()).c_str());
    QCOMPARE(test::figureOf(opened, "accuracy"), test::figureOf(record, "accuracy"));
}

void TestRecovery::aDecoderLearnsAText() {
    const std::string recipe = R"({"version": 1, "recover": {"source": ")" + m_text +
                               R"(", "epochs": 3, "batch": 4, "learning_rate": 0.003, "max_length": 32}})";
    const auto record = run(m_llama, recipe, nullptr, false);
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    const auto did = recovered(record);
    QVERIFY(did.points.back().loss < 0.5 * did.points.front().loss);
    QCOMPARE(did.validations.back().metric, std::string("perplexity"));
    // exp of a mean loss is a perplexity: the kernels say what training says.
    QVERIFY(std::fabs(std::log(did.validations.back().value) - did.points.back().loss) < 0.3);
}

void TestRecovery::anEmbedderLearnsFromItself() {
    Task texts = task();
    texts.kind = TaskKind::Fidelity;
    texts.columns = {{"text", "text"}};
    const std::string recipe = R"({"version": 1, "defaults": {"prune": {"pattern": "neurons", "ratio": 0.5}},
        "recover": {"source": )" + taskToJson(texts).dump() +
                               R"(, "epochs": 20, "batch": 8, "learning_rate": 0.002, "dropout": 0, "labels": 0,
        "distil": {"logits": 1}}})";
    const auto record = run(m_sentences, recipe, nullptr, false);
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    const auto did = recovered(record);
    QCOMPARE(did.validations.front().metric, std::string("fidelity_cosine"));
    QVERIFY(did.points.back().loss < 0.5 * did.points.front().loss);
}

void TestRecovery::prunedThenTrainedThenRounded() {
    const auto record = run(m_classifier, recovering("", R"(, "calibration": {"source": ")" + m_text +
        R"(", "samples": 8, "length": 16}, "defaults": {"prune": {"pattern": "2:4", "method": "wanda"},
        "quantize": {"weights": "int8"}})"));
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    QVERIFY(test::figureOf(record, "accuracy") > 0.95);
    int sparse = 0;
    for (const auto& layer : record->details["compress"]["layers"]) {
        const double sparsity = layer["sparsity"].get<double>();
        sparse += sparsity >= 0.5 ? 1 : 0;
        QVERIFY(layer["bits_per_weight"].get<double>() < 10.0 || layer["name"] == "embeddings.type");
    }
    QVERIFY(sparse >= 12);
}

void TestRecovery::aShorterStudentLearnsFromTheOriginal() {
    const auto record = run(m_classifier, recovering(R"(, "labels": 0, "distil": {"logits": 1, "hidden": 1})",
        R"(, "defaults": {"prune": {"pattern": "blocks", "ratio": 0.5}})"));
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    QCOMPARE(record->details["compress"]["removed_blocks"].size(), std::size_t{1});
    const auto did = recovered(record);
    QCOMPARE(did.method, std::string("distil"));
    QVERIFY(did.points.back().parts.at("logits") < 0.5 * did.points.front().parts.at("logits"));
}

void TestRecovery::quantizeAwareWeightsAreHeldAsTrained() {
    const auto record = run(m_classifier, recovering(R"(, "quantize_aware": true)",
        R"(, "defaults": {"quantize": {"weights": "int4", "group": 8, "activations": "int8-dynamic", "activation_group": 8}})"));
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    const auto did = recovered(record);
    QCOMPARE(did.method, std::string("train/qat"));
    QVERIFY(test::figureOf(record, "accuracy") > 0.95);
    // Training's own figure on the rows that validate, with the same kernels: the model that is measured is that one.
    QVERIFY(did.validations.back().value > 0.95);
    for (const auto& layer : record->details["compress"]["layers"]) {
        QVERIFY(layer["bits_per_weight"].get<double>() < 16.0);
    }
}

void TestRecovery::blocksAreFittedWithoutLabels() {
    const std::string recipe = R"({"version": 1, "calibration": {"source": ")" + m_text +
                               R"(", "samples": 16, "length": 32}, "defaults": {"prune": {"ratio": 0.5}},
        "recover": {"method": "reconstruct", "steps": 60, "batch": 4, "learning_rate": 0.01}})";
    test::NoSink sink;
    const auto record = run(m_llama, recipe, &sink, false);
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    QVERIFY(toldSteps(sink) > 0);
    const auto did = recovered(record);
    QCOMPARE(did.method, std::string("reconstruct"));
    int fitted = 0;
    for (const auto& note : did.notes) {
        const auto text = QString::fromStdString(note);
        if (text.contains(QStringLiteral("output error "))) {
            const auto numbers = text.section(QStringLiteral("output error "), 1).split(QStringLiteral(", then "));
            QVERIFY2(numbers[1].toDouble() < 0.7 * numbers[0].toDouble(), note.c_str());
            ++fitted;
        }
    }
    QCOMPARE(fitted, 2);
    double zeros = 0.0;
    for (const auto& layer : record->details["compress"]["layers"]) {
        zeros = std::max(zeros, layer["sparsity"].get<double>());
    }
    QVERIFY(zeros > 0.49);
    test::NoSink silent;
    const auto again = run(m_llama, recipe, &silent, false);
    QVERIFY(again.ok());
    QCOMPARE(toldSteps(silent), std::int64_t{0});
    QCOMPARE(again->weightsHash, record->weightsHash);
}

/// Only the first of two trainings prunes; the second one holds its zeros.
void TestRecovery::prunesWhileItTrains() {
    const auto step = [&](const std::string& more) {
        return R"({"source": )" + taskToJson(task()).dump() + R"(, "epochs": 8, "batch": 8, "learning_rate": 0.002, "dropout": 0)" +
               more + "}";
    };
    const std::string recipe = R"({"version": 1, "defaults": {"prune": {"pattern": "2x2", "method": "gradual", "ratio": 0.6}},
        "layers": [{"match": ".*query", "prune": {"ratio": 0.25}}], "recover": [)" +
                               step(R"(, "sparsify": {"begin": 0, "end": 0.5})") + "," + step(R"(, "labels": 2)") + "]}";
    const auto record = run(m_classifier, recipe);
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    QVERIFY(test::figureOf(record, "accuracy") > 0.95);
    for (const auto& layer : record->details["compress"]["layers"]) {
        const auto name = layer["name"].get<std::string>();
        const double wanted = name.find("query") != std::string::npos ? 0.25 : name.find("encoder.layer") == 0 ? 0.6 : 0.0;
        QVERIFY2(std::fabs(layer["sparsity"].get<double>() - wanted) < 0.02, name.c_str());
    }
    const auto notesOf = [&](int index) { return record->details["recover"][index]["notes"].dump(); };
    QVERIFY2(notesOf(0).find("training pruned") != std::string::npos, notesOf(0).c_str());
    QVERIFY2(notesOf(1).find("are held") != std::string::npos, notesOf(1).c_str());
    const auto alone = run(m_classifier, R"({"version": 1, "defaults": {"prune": {"method": "gradual", "ratio": 0.5}}})");
    QVERIFY(!alone.ok());
    QVERIFY(errorMessage(alone.error()).find("recover") != std::string::npos);
}

void TestRecovery::theTeachersTextsAreLearned() {
    const std::string recipe = R"({"version": 1, "defaults": {"prune": {"pattern": "blocks", "ratio": 0.5}}, "recover": {"source": ")" +
                               m_text + R"(", "steps": 60, "batch": 8, "learning_rate": 0.003, "max_length": 32,
        "distil": {"logits": 0, "sequences": {"count": 24, "prompt": 4, "length": 8}}}})";
    const auto record = run(m_llama, recipe, nullptr, false);
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    const auto did = recovered(record);
    QCOMPARE(did.examples, std::int64_t{24});
    QVERIFY2(did.points.back().loss < 0.6 * did.points.front().loss,
             qPrintable(QStringLiteral("%1 → %2").arg(did.points.front().loss).arg(did.points.back().loss)));
    const auto notes = record->details["recover"][0]["notes"].dump();
    QVERIFY2(notes.find("the teacher wrote") != std::string::npos, notes.c_str());
    const auto encoder = run(m_classifier, recovering(R"(, "distil": {"sequences": {}})"));
    QVERIFY(!encoder.ok());
    QCOMPARE(encoder.error().code, ErrorCode::TaskUnfit);
}

void TestRecovery::adaptersAreExportedInTheWeights() {
    m_exportTo = m_folder.path(QStringLiteral("adapted"));
    const std::string recipe = R"({"version": 1, "recover": {"source": ")" + m_text +
                               R"(", "epochs": 3, "batch": 4, "learning_rate": 0.02, "max_length": 32, "adapters": {"rank": 4}}})";
    const auto record = run(m_llama, recipe, nullptr, false);
    m_exportTo.clear();
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    const auto did = recovered(record);
    QCOMPARE(did.method, std::string("train/lora"));
    QVERIFY(did.points.back().loss < 0.8 * did.points.front().loss);
    const auto opened = run(m_folder.path(QStringLiteral("adapted")), R"({"version": 1})", nullptr, false);
    QVERIFY2(opened.ok(), opened.ok() ? "" : errorMessage(opened.error()).c_str());
    QCOMPARE(opened->weightsHash, record->weightsHash);
}

/// Less is learned than where the weights learn too, and every block's output comes nearer.
void TestRecovery::biasesAndNormsCorrectPrunedBlocks() {
    const std::string recipe = R"({"version": 1, "calibration": {"source": ")" + m_text +
                               R"(", "samples": 16, "length": 32}, "defaults": {"prune": {"ratio": 0.5}},
        "recover": {"method": "reconstruct", "steps": 60, "batch": 4, "learning_rate": 0.01, "learns": "biases-norms"}})";
    const auto record = run(m_classifier, recipe, nullptr, false);
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    QCOMPARE(recovered(record).method, std::string("reconstruct/biases-norms"));
    int better = 0;
    for (const auto& note : recovered(record).notes) {
        const auto text = QString::fromStdString(note);
        if (text.contains(QStringLiteral("output error "))) {
            const auto numbers = text.section(QStringLiteral("output error "), 1).split(QStringLiteral(", then "));
            better += numbers[1].toDouble() < numbers[0].toDouble() ? 1 : 0;
        }
    }
    QCOMPARE(better, 2);
    const auto llama = run(m_llama, R"({"version": 1, "calibration": {"source": ")" + m_text +
        R"(", "samples": 4, "length": 16}, "recover": {"method": "reconstruct", "learns": "biases"}})", nullptr, false);
    QVERIFY(!llama.ok());
    QVERIFY(errorMessage(llama.error()).find("recover.learns") != std::string::npos);
}

/// A student that has the model's shapes alone, half as wide in its feed-forward.
void TestRecovery::aFreshStudentLearns() {
    const auto record = run(m_classifier, recovering(R"(, "fresh": true, "epochs": 30, "distil": {"logits": 1})",
        R"(, "defaults": {"prune": {"pattern": "neurons", "ratio": 0.5}})"));
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    QVERIFY(test::figureOf(record, "accuracy") > 0.95);
    const auto kept = run(m_classifier, recovering(R"(, "epochs": 30, "distil": {"logits": 1})",
        R"(, "defaults": {"prune": {"pattern": "neurons", "ratio": 0.5}})"));
    QVERIFY(kept.ok());
    // The first step's loss tells them apart: one begins with what it was taught before.
    QVERIFY(recovered(record).points.front().loss != recovered(kept).points.front().loss);
    QCOMPARE(record->details["compress"]["layers"].size(), kept->details["compress"]["layers"].size());
}

void TestRecovery::keptWeightsAreAdjusted() {
    const auto errorWith = [&](const std::string& more) {
        const auto record = run(m_llama, R"({"version": 1, "calibration": {"source": ")" + m_text +
            R"(", "samples": 16, "length": 32}, "defaults": {"prune": {"method": "wanda", "ratio": 0.5)" + more + "}}}", nullptr, false);
        double sum = 0.0;
        for (const auto& layer : record.ok() ? record->details["compress"]["layers"] : Json::array()) {
            sum += layer.contains("output_cosine") ? 1.0 - layer["output_cosine"].get<double>() : 0.0;
        }
        return sum;
    };
    const double plain = errorWith("");
    const double adjusted = errorWith(R"(, "compensation": "least-squares", "recomputations": 5)");
    QVERIFY2(adjusted > 0.0 && adjusted < 0.8 * plain, qPrintable(QStringLiteral("%1 → %2").arg(plain).arg(adjusted)));
}

void TestRecovery::endsWhenAskedWithWhatItHas() {
    FinishingSink sink(1);
    const auto record = run(m_classifier, recovering(R"(, "epochs": 400)"), &sink);
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    const auto did = recovered(record);
    QCOMPARE(did.ended, std::string("asked"));
    QVERIFY(did.steps < 400 * 6);
    QVERIFY(!did.validations.empty());
}

void TestRecovery::refusals_data() {
    QTest::addColumn<QString>("recipe");
    QTest::addColumn<QString>("said");
    const auto row = [&](const char* name, const std::string& recipe, const char* said) {
        QTest::newRow(name) << QString::fromStdString(recipe) << QString::fromLatin1(said);
    };
    row("calibrated rounding", recovering("", R"(, "defaults": {"quantize": {"weights": "int4", "method": "gptq"}})"), "gptq");
    row("rounded first", recovering("", R"(, "order": ["quantize", "recover"])"), "order");
    row("pruned after", recovering("", R"(, "order": ["recover", "prune", "quantize"])"), "order");
    row("no such file", R"({"version": 1, "recover": {"source": "nowhere.json"}})", "nowhere.json");
    row("no teacher", recovering(R"(, "distil": {"teacher": "/nowhere/model"})"), "nowhere");
    row("no such blocks", recovering(R"(, "distil": {"hidden": 1, "blocks": [[5, 0]]})"), "pairs 5 with 0");
    row("no such split", recovering(R"(, "split": "nothing")"), "nothing");
}

void TestRecovery::refusals() {
    QFETCH(QString, recipe);
    QFETCH(QString, said);
    const auto record = run(m_classifier, recipe.toStdString());
    QVERIFY(!record.ok());
    QVERIFY(!record.cancelled());
    const auto message = QString::fromStdString(errorMessage(record.error()));
    QVERIFY2(message.contains(said), qPrintable(message));
}

QTEST_GUILESS_MAIN(TestRecovery)
#include "tst_recovery.moc"
