#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

#include "engine/spec/labels.h"
#include "engine/tasks/classification.h"
#include "engine/tasks/task_runner.h"
#include "tests/engine/tasks/fakes.h"

using namespace pareto;

/// The fake says the class that the text's first character names: "1…" is class 1.
class TestClassification : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void accuracyF1AndConfusion();
    void aFewRightAnswersAreNoCertainty();
    void labelsByNumberNameAndTable();
    void anUnknownLabelIsNamedWithItsLine();
    void classesOfANewHeadStandAsAProjectWritesThem();
    void aModelWithoutClassesDoesNotFit();
    void cancelStops();

private:
    static std::vector<float> firstDigit(const std::vector<std::int32_t>& ids) {
        std::vector<float> logits(3, 0.0F);
        logits[static_cast<std::size_t>(ids.front() - '0')] = 1.0F;
        return logits;
    }
    Result<tasks::EvalResult> evaluate(const QByteArray& csv, std::map<std::string, int> labels = {},
                                       std::vector<std::string> classes = {"zero", "one", "two"},
                                       std::stop_token stop = {}) {
        const auto path = m_folder.filePath(QStringLiteral("data.csv"));
        QFile file(path);
        [&] { QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate)); }();
        file.write(csv);
        file.close();
        models::RunnableModel model;
        model.encoder = std::make_unique<fakes::FakeEncoder>(firstDigit, std::move(classes));
        tasks::EvalRequest request;
        request.model = &model;
        request.tokenizer = std::make_shared<fakes::ByteTokenizer>();
        request.task.kind = TaskKind::Classification;
        request.task.name = "digits";
        request.task.data = path.toStdString();
        request.task.labels = std::move(labels);
        return fakes::evaluate(request, stop);
    }
    QTemporaryDir m_folder;
};

void TestClassification::accuracyF1AndConfusion() {
    // Labels 0 0 0 1 1 2, predictions 0 0 1 1 0 2: accuracy 4/6; F1 of the classes 2/3, 1/2, 1
    // (scikit-learn's f1_score(average="macro") gives 0.7222222222222222).
    const auto result = evaluate("text,label\n0,0\n0 x,0\n1,0\n1 y,1\n0 z,1\n2,2\n");
    QVERIFY(result.ok());
    QCOMPARE(result->metric, std::string("accuracy"));
    QCOMPARE(result->headline().key, std::string("accuracy"));
    QCOMPARE(result->headline().value, 4.0 / 6.0);
    QCOMPARE(result->headline().n, 6);
    QVERIFY(*result->headline().low <= 4.0 / 6.0 && *result->headline().high >= 4.0 / 6.0);
    QVERIFY(*result->headline().low < *result->headline().high);
    QCOMPARE(result->measurements[1].key, std::string("f1_macro"));
    QCOMPARE(result->measurements[1].value, 0.7222222222222222);
    QCOMPARE(result->measurements[2].key, std::string("mcc"));
    QVERIFY(std::abs(result->measurements[2].value - 10.0 / 22.0) < 1e-12);  // matthews_corrcoef
    QVERIFY(result->details["confusion"] == Json::parse("[[2, 1, 0], [1, 1, 0], [0, 0, 1]]"));
    QCOMPARE(result->items.size(), std::size_t{6});
    QCOMPARE(result->items[2].predicted, 1);
    QCOMPARE(result->items[2].score, 0.0);
    QCOMPARE(result->items[3].score, 1.0);
    QVERIFY(result->dataHash.size() == 64);
}

void TestClassification::classesOfANewHeadStandAsAProjectWritesThem() {
    tasks::TaskRows rows;
    for (const char* label : {"b", "10", "a", "9", "b"}) {
        tasks::TextRow row;
        row.label = label;
        rows.rows.push_back(row);
    }
    Task task;
    task.kind = TaskKind::Classification;
    const auto names = tasks::classNames(rows, task);
    QVERIFY(names.ok());
    QCOMPARE(names.value(), orderedLabels({"a", "b", "9", "10"}));
    task.labels = {{"9", 3}, {"10", 2}, {"a", 1}, {"b", 0}};  // said by the task
    QCOMPARE(tasks::classNames(rows, task).value(), (std::vector<std::string>{"b", "a", "10", "9"}));
}

void TestClassification::aFewRightAnswersAreNoCertainty() {
    const auto result = evaluate("text,label\n0,0\n1,1\n2,2\n");
    QVERIFY(result.ok());
    QCOMPARE(result->headline().value, 1.0);
    // Wilson's interval of 3 in 3.
    QVERIFY(std::abs(*result->headline().low - 0.4385030) < 1e-6);
    QCOMPARE(*result->headline().high, 1.0);
    QVERIFY(!result->measurements[1].low && !result->measurements[1].high);
}

void TestClassification::labelsByNumberNameAndTable() {
    QCOMPARE(evaluate("text,label\n0,zero\n1,one\n")->headline().value, 1.0);
    QCOMPARE(evaluate("text,label\n0,0\n1,2\n")->headline().value, 0.5);
    QCOMPARE(evaluate("text,label\n0,no\n1,yes\n", {{"no", 0}, {"yes", 1}})->headline().value, 1.0);
    // The table wins over numbers: 0 and 1 are not in it.
    QCOMPARE(evaluate("text,label\n0,0\n", {{"no", 0}}).error().code, ErrorCode::DataRowInvalid);
}

void TestClassification::anUnknownLabelIsNamedWithItsLine() {
    const auto result = evaluate("text,label\n0,0\n1,three\n");
    QVERIFY(!result.ok());
    QCOMPARE(result.error().code, ErrorCode::DataRowInvalid);
    QCOMPARE(result.error().args.at("line"), std::string("3"));
    QVERIFY(result.error().args.at("reason").find("three") != std::string::npos);
    QVERIFY(result.error().args.at("reason").find("zero, one, two") != std::string::npos);
    QCOMPARE(evaluate("text,label\n0,3\n").error().code, ErrorCode::DataRowInvalid);
    QCOMPARE(evaluate("text,label\n0,-1\n").error().code, ErrorCode::DataRowInvalid);
}

void TestClassification::aModelWithoutClassesDoesNotFit() {
    const auto result = evaluate("text,label\n0,0\n", {}, {});
    QVERIFY(!result.ok());
    QCOMPARE(result.error().code, ErrorCode::TaskUnfit);
    QVERIFY(!result.error().args.at("reason").empty());
}

void TestClassification::cancelStops() {
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(evaluate("text,label\n0,0\n", {}, {"a", "b", "c"}, stop.get_token()).cancelled());
}

QTEST_GUILESS_MAIN(TestClassification)
#include "tst_classification.moc"
