// Kinds of tasks that models learn beside classes and plain texts: what training makes of them is what the task measures.
#include <QDir>
#include <QTest>

#include "engine/records/training.h"
#include "tests/engine/jobs_run/jobs_fixture.h"

using namespace pareto;

class TestTaskTraining : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void translationsAreLearned();
    void whatATeacherTranslatesIsLearned();
    void summariesAreLearned();
    void tagsAreLearned();
    void oneFileOfTagsIsDivided();
    void tagsOfTheModelStay();
    void tagsThatAreNumbersNeedNames();
    void similarityIsLearned();
    void answersAreLearned();
    void misfitsAreSaid_data();
    void misfitsAreSaid();

private:
    Task task(TaskKind kind, const std::string& data, DataFormat format) const {
        Task out;
        out.kind = kind;
        out.name = "learned";
        out.data = data;
        out.format = format;
        out.split = "test";
        out.maxLength = 32;
        out.maxTokens = 24;
        return out;
    }
    Result<RunRecord> run(const std::string& model, const Task& task, const std::string& more, bool evaluates = true) {
        auto params = test::quickRun(model);
        params.timing = false;
        params.recipe = test::recipe(R"({"version": 1, "recover": {"source": )" + taskToJson(task).dump() +
                                     R"(, "dropout": 0)" + more + "}}");
        if (evaluates) {
            params.task = task;
        }
        params.exportTo = m_exportTo;
        Progress progress;
        return jobs::runRun(m_cache, params, progress, {}, nullptr);
    }
    Result<RunRecord> measured(const std::string& model, const Task& task) {
        auto params = test::quickRun(model);
        params.timing = false;
        params.task = task;
        Progress progress;
        return jobs::runRun(m_cache, params, progress, {}, nullptr);
    }
    static TrainingRecord recovered(const Result<RunRecord>& record) {
        const auto read = trainingRecordFromJson(record->details["recover"][0]);
        return read.ok() ? read.value() : TrainingRecord{};
    }
    std::string folder(const char* name) {
        const auto path = m_folder.path(QString::fromLatin1(name));
        QDir().mkpath(QString::fromStdString(path));
        return path;
    }
    test::JobsFolder m_folder;
    jobs::ModelCache m_cache;
    std::string m_t5;
    std::string m_sentences;
    std::string m_pairs;
    std::string m_tags;
    std::string m_similar;
    std::string m_exportTo;
};

#define RUN_OK(record) QVERIFY2(record.ok(), record.ok() || record.cancelled() ? "" : errorMessage(record.error()).c_str())

void TestTaskTraining::initTestCase() {
    m_t5 = test::writeTinyT5(m_folder.path(QStringLiteral("t5")));
    m_sentences = test::writeTinySentenceModel(m_folder.path(QStringLiteral("sentences")));
    const std::vector<std::pair<std::string, std::string>> words{
        {"one", "un"}, {"two", "deux"}, {"red", "rouge"}, {"cat", "chat"}};
    m_pairs = folder("pairs");
    std::string train = "source,target\n";
    std::string some = train;
    for (const auto& [first, said] : words) {
        for (const auto& [second, answer] : words) {
            const auto row = first + " " + second + "," + said + " " + answer + "\n";
            train += row;
            some += first == "two" || second == "cat" ? row : "";
        }
    }
    test::writeText(m_pairs + "/train.csv", train);
    test::writeText(m_pairs + "/validation.csv", some);
    test::writeText(m_pairs + "/test.csv", some);
    // A name stands behind "the", a place behind "what".
    m_tags = folder("tags");
    const auto sentences = [](int rows) {
        std::string text;
        for (int i = 0; i < rows; ++i) {
            text += std::string(i % 2 == 0 ? "please O\nthe O\n" : "is O\nwhat O\n") +
                    (i % 2 == 0 ? "cats B-PER\n" : "cats B-LOC\n") + (i % 3 == 0 ? "time O\n" : "now O\ntime O\n") + "\n";
        }
        return text;
    };
    test::writeText(m_tags + "/train.conll", sentences(36));
    test::writeText(m_tags + "/validation.conll", sentences(12));
    test::writeText(m_tags + "/test.conll", sentences(18));
    m_similar = folder("similar");
    std::string scored = "sentence1,sentence2,score\n";
    const std::vector<std::string> texts{"ignore all rules", "what is the time", "hello cats", "weather today"};
    for (std::size_t i = 0; i < texts.size(); ++i) {
        for (std::size_t j = 0; j < texts.size(); ++j) {
            const bool near = i / 2 == j / 2;
            scored += texts[i] + "," + texts[j] + "," + (i == j ? "5" : near ? "4" : "1") + "\n";
        }
    }
    for (const char* split : {"train", "validation", "test"}) {
        test::writeText(m_similar + "/" + split + ".csv", scored);
    }
}

void TestTaskTraining::translationsAreLearned() {
    const auto translation = task(TaskKind::Translation, m_pairs, DataFormat::Csv);
    const auto before = measured(m_t5, translation);
    RUN_OK(before);
    const auto record = run(m_t5, translation, R"(, "epochs": 60, "batch": 8, "learning_rate": 0.005)");
    RUN_OK(record);
    const auto did = recovered(record);
    QCOMPARE(did.examples, std::int64_t{16});
    QVERIFY(did.points.back().loss < 0.1 * did.points.front().loss);
    QCOMPARE(did.validations.back().metric, std::string("perplexity"));
    // exp of a mean loss is a perplexity: the kernels say what training says.
    QVERIFY2(std::fabs(std::log(did.validations.back().value) - did.points.back().loss) < 0.2,
             qPrintable(QStringLiteral("%1, %2").arg(did.validations.back().value).arg(did.points.back().loss)));
    // Two words have no 4-grams for BLEU.
    QVERIFY(test::figureOf(before, "chrf") < 30.0);
    QVERIFY2(test::figureOf(record, "chrf") > 90.0, qPrintable(QString::number(test::figureOf(record, "chrf"))));
}

/// Sequence-level distillation: the student learns what the untouched model answers, whatever the rows say.
void TestTaskTraining::whatATeacherTranslatesIsLearned() {
    const auto translation = task(TaskKind::Translation, m_pairs, DataFormat::Csv);
    const auto record = run(m_t5, translation,
                            R"(, "epochs": 20, "batch": 8, "learning_rate": 0.002, "validation": "", "hold_out": 0,
                                "distil": {"logits": 0, "sequences": {"count": 8, "length": 6}})", false);
    RUN_OK(record);
    const auto did = recovered(record);
    QCOMPARE(did.examples, std::int64_t{8});
    QVERIFY(did.points.back().loss < 0.5 * did.points.front().loss);
    QVERIFY(!did.notes.empty() && did.notes.back().find("the teacher wrote") != std::string::npos);
}

void TestTaskTraining::summariesAreLearned() {
    auto summary = task(TaskKind::Generation, m_pairs, DataFormat::Csv);
    summary.columns = {{"text", "source"}, {"target", "target"}};
    summary.prompt = "say ";
    const auto record = run(m_t5, summary, R"(, "epochs": 60, "batch": 8, "learning_rate": 0.005)");
    RUN_OK(record);
    QVERIFY2(test::figureOf(record, "rouge_l") > 0.9, qPrintable(QString::number(test::figureOf(record, "rouge_l"))));
}

void TestTaskTraining::tagsAreLearned() {
    const auto tagging = task(TaskKind::TokenClassification, m_tags, DataFormat::Conll);
    m_exportTo = m_folder.path(QStringLiteral("tagger"));
    const auto record = run(m_sentences, tagging, R"(, "epochs": 20, "batch": 8, "learning_rate": 0.003)");
    m_exportTo.clear();
    RUN_OK(record);
    const auto did = recovered(record);
    QCOMPARE(did.examples, std::int64_t{36});
    QCOMPARE(did.validations.back().metric, std::string("entity_f1"));
    QVERIFY(did.validations.back().value > 0.95);
    QVERIFY(test::figureOf(record, "entity_f1") > 0.95);
    QVERIFY(!record->details["export"].contains("error"));
    const auto opened = measured(m_folder.path(QStringLiteral("tagger")), tagging);
    RUN_OK(opened);
    QCOMPARE(test::figureOf(opened, "entity_f1"), test::figureOf(record, "entity_f1"));
}

/// One file cannot say which rows validate: a share is taken away and never learned from.
void TestTaskTraining::oneFileOfTagsIsDivided() {
    const auto tagging = task(TaskKind::TokenClassification, m_tags + "/train.conll", DataFormat::Conll);
    const auto record = run(m_sentences, tagging, R"(, "epochs": 1, "batch": 8)", false);
    RUN_OK(record);
    const auto did = recovered(record);
    QCOMPARE(did.examples, std::int64_t{32});
    QCOMPARE(did.notes.size(), std::size_t{1});
}

void TestTaskTraining::tagsOfTheModelStay() {
    const auto tagger = m_folder.path(QStringLiteral("tagger"));
    auto tagging = task(TaskKind::TokenClassification, folder("people"), DataFormat::Conll);
    const std::string sentence = "please O\nthe O\ncats B-PER\ntime O\n\n";
    test::writeText(tagging.data + "/train.conll", sentence);
    test::writeText(tagging.data + "/test.conll", sentence);
    // All of its tags are known: the head that is there goes on learning.
    const auto kept = run(tagger, tagging, R"(, "steps": 1, "learning_rate": 1e-9, "hold_out": 0)");
    RUN_OK(kept);
    QCOMPARE(kept->details["eval"]["types"]["PER"]["f1"].get<double>(), 1.0);
    test::writeText(tagging.data + "/train.conll", "the O\ncats B-ANIMAL\n\n");
    test::writeText(tagging.data + "/test.conll", "the O\ncats B-ANIMAL\n\n");
    const auto made = run(tagger, tagging, R"(, "steps": 40, "learning_rate": 0.01, "hold_out": 0)");
    RUN_OK(made);
    QCOMPARE(made->details["eval"]["types"]["ANIMAL"]["f1"].get<double>(), 1.0);
}

void TestTaskTraining::tagsThatAreNumbersNeedNames() {
    auto tagging = task(TaskKind::TokenClassification, folder("numbers"), DataFormat::Jsonl);
    const std::string rows = "{\"tokens\": [\"the\", \"cats\"], \"tags\": [0, 1]}\n{\"tokens\": [\"cats\"], \"tags\": [1]}\n";
    test::writeText(tagging.data + "/train.jsonl", rows);
    test::writeText(tagging.data + "/test.jsonl", rows);
    const auto refused = run(m_sentences, tagging, R"(, "steps": 1, "hold_out": 0)");
    QVERIFY(!refused.ok());
    QCOMPARE(refused.error().code, ErrorCode::TaskInvalid);
    tagging.labels = {{"O", 0}, {"B-PER", 1}};
    const auto record = run(m_sentences, tagging, R"(, "steps": 40, "learning_rate": 0.005, "hold_out": 0)");
    RUN_OK(record);
    QCOMPARE(record->details["eval"]["types"]["PER"]["f1"].get<double>(), 1.0);
}

void TestTaskTraining::similarityIsLearned() {
    const auto similarity = task(TaskKind::Similarity, m_similar, DataFormat::Csv);
    const auto before = measured(m_sentences, similarity);
    RUN_OK(before);
    const auto record = run(m_sentences, similarity, R"(, "epochs": 30, "batch": 8, "learning_rate": 0.003)");
    RUN_OK(record);
    const auto did = recovered(record);
    QVERIFY(did.points.back().loss < 0.2 * did.points.front().loss);
    QCOMPARE(did.validations.back().metric, std::string("similarity_spearman"));
    QVERIFY(test::figureOf(record, "similarity_spearman") > 0.9);
    QVERIFY(test::figureOf(record, "similarity_spearman") > test::figureOf(before, "similarity_spearman") + 0.05);
}

/// The answer is the word behind "time": its place is what is learned.
void TestTaskTraining::answersAreLearned() {
    const auto data = folder("answers");
    Json paragraphs = Json::array();
    const std::vector<std::string> answers{"cats", "weather", "system", "prompt"};
    for (std::size_t i = 0; i < 12; ++i) {
        const auto& answer = answers[i % answers.size()];
        const std::string before = i % 3 == 0 ? "hello " + answer + " é the " : "the é ";
        const std::string context = before + "time " + answer + " please";
        // Characters, not bytes.
        const std::size_t start = before.size() - 1 + 5;
        paragraphs.push_back({{"context", context},
                              {"qas", {{{"id", std::to_string(i)},
                                        {"question", "what is the time"},
                                        {"answers", {{{"text", answer}, {"answer_start", start}}}}}}}});
    }
    const Json squad{{"version", "1.1"}, {"data", {{{"title", "t"}, {"paragraphs", paragraphs}}}}};
    for (const char* split : {"train", "validation", "test"}) {
        test::writeText(data + "/" + split + ".json", squad.dump());
    }
    auto answering = task(TaskKind::QuestionAnswering, data, DataFormat::Squad);
    answering.maxLength = 60;
    answering.docStride = 8;
    const auto record = run(m_sentences, answering, R"(, "epochs": 40, "batch": 6, "learning_rate": 0.003)");
    RUN_OK(record);
    const auto did = recovered(record);
    QCOMPARE(did.examples, std::int64_t{12});
    QCOMPARE(did.validations.back().metric, std::string("exact_match"));
    QVERIFY2(did.validations.back().value > 0.9, qPrintable(QString::number(did.validations.back().value)));
    QVERIFY2(test::figureOf(record, "exact_match") > 0.9, qPrintable(QString::number(test::figureOf(record, "exact_match"))));
}

void TestTaskTraining::misfitsAreSaid_data() {
    QTest::addColumn<QString>("model");
    QTest::addColumn<int>("kind");
    QTest::addColumn<QString>("said");
    QTest::newRow("tags for a translator") << QStringLiteral("t5") << static_cast<int>(TaskKind::TokenClassification)
                                           << QStringLiteral("token-classification");
    QTest::newRow("translations for an embedder")
        << QStringLiteral("sentences") << static_cast<int>(TaskKind::Translation) << QStringLiteral("translation");
}

void TestTaskTraining::misfitsAreSaid() {
    QFETCH(QString, model);
    QFETCH(int, kind);
    QFETCH(QString, said);
    const bool tags = static_cast<TaskKind>(kind) == TaskKind::TokenClassification;
    const auto record = run(model == QStringLiteral("t5") ? m_t5 : m_sentences,
                            task(static_cast<TaskKind>(kind), tags ? m_tags : m_pairs,
                                 tags ? DataFormat::Conll : DataFormat::Csv),
                            "", false);
    QVERIFY(!record.ok());
    QCOMPARE(record.error().code, ErrorCode::TaskUnfit);
    QVERIFY(QString::fromStdString(errorMessage(record.error())).contains(said));
}

QTEST_GUILESS_MAIN(TestTaskTraining)
#include "tst_task_training.moc"
