// Tasks and targets: JSON both ways, refusals, and what makes two runs comparable.
#include <QtTest>

#include "engine/spec/labels.h"
#include "engine/spec/target.h"
#include "engine/spec/task.h"

using namespace pareto;

class TestTaskTarget : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void taskSurvivesJson() {
        const auto json = parseJson(R"({"version":1,"kind":"classification","data":"rows.tsv",
            "columns":{"text":"prompt","pair":"other","label":"kind"},"labels":{"good":0,"bad":1},
            "split":"test","limit":40,"seed":5,"max_length":64})", "task").value();
        const auto task = taskFromJson(json, "/data").value();
        QCOMPARE(task.data, std::string("/data/rows.tsv"));
        QCOMPARE(task.format, DataFormat::Tsv);
        QCOMPARE(task.labels.at("bad"), 1);
        QCOMPARE(task.column("pair"), std::string("other"));
        QVERIFY(taskFromJson(taskToJson(task), "/elsewhere").value() == task);
    }

    void taskRefuses_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("field");
        QTest::newRow("no kind") << R"({"data":"a.csv"})" << "kind";
        QTest::newRow("unknown kind") << R"({"kind":"poetry","data":"a.csv"})" << "kind";
        QTest::newRow("no data") << R"({"kind":"perplexity"})" << "data";
        QTest::newRow("split is a path") << R"({"kind":"fidelity","data":"a","split":"../b"})" << "split";
        QTest::newRow("protocol") << R"({"kind":"perplexity","data":"a","protocol":"mine"})" << "protocol";
        QTest::newRow("window") << R"({"kind":"perplexity","data":"a","window":1})" << "window";
        QTest::newRow("label table") << R"({"kind":"classification","data":"a","labels":{"x":"y"}})" << "labels.x";
        QTest::newRow("column") << R"({"kind":"classification","data":"a","columns":{"words":"y"}})" << "columns.words";
    }
    void taskRefuses() {
        QFETCH(QString, text);
        QFETCH(QString, field);
        const auto result = taskFromJson(parseJson(text.toStdString(), "task").value(), "/");
        QVERIFY(!result.ok());
        QCOMPARE(result.error().code, ErrorCode::TaskInvalid);
        QCOMPARE(QString::fromStdString(result.error().args.at("field")), field);
    }

    void labelsStandInTheOrderOfTheirClasses() {
        using Names = std::vector<std::string>;
        QCOMPARE(orderedLabels({"10", "9", "-2"}), (Names{"-2", "9", "10"}));
        QCOMPARE(orderedLabels({"b", "10", "a", "9"}), (Names{"9", "10", "a", "b"}));
        QCOMPARE(orderedLabels({"1.5", "1", "x1"}), (Names{"1", "1.5", "x1"}));
        QCOMPARE(orderedLabels({}), Names{});
    }

    void placeOfTheDataDoesNotMatterForComparing() {
        Task a;
        a.data = "/one/test.csv";
        Task b = a;
        b.data = "/two/test.csv";
        b.name = "other";
        QCOMPARE(taskKey(a), taskKey(b));
        b.limit = 10;
        QVERIFY(taskKey(a) != taskKey(b));
    }

    void unknownTaskNamesTheKnown() {
        const auto result = loadTask("promt-injection");
        QVERIFY(!result.ok());
        QVERIFY(errorMessage(result.error()).find("prompt-injection") != std::string::npos);
    }

    void unfitTasksSayWhy() {
        ModelLayout encoder;
        encoder.family = Family::Bert;
        Task task;
        task.kind = TaskKind::Classification;
        QVERIFY(!whyUnfit(task, encoder).empty());
        encoder.labels = {"a", "b"};
        encoder.outputs = Outputs::Classes;
        QVERIFY(whyUnfit(task, encoder).empty());
        task.kind = TaskKind::Perplexity;
        QVERIFY(!whyUnfit(task, encoder).empty());
        task.kind = TaskKind::Similarity;
        QVERIFY(!whyUnfit(task, encoder).empty());
        encoder.labels = {"score"};
        QVERIFY(whyUnfit(task, encoder).empty());  // a cross-encoder scores pairs
    }

    void targetForms() {
        const auto shorthand = parseTarget("cpu,threads=2,batch=8,seq=64").value();
        QCOMPARE(shorthand.threads, 2);
        QCOMPARE(shorthand.batch, std::int64_t{8});
        QCOMPARE(shorthand.sequence, std::int64_t{64});
        QVERIFY(targetFromJson(targetToJson(shorthand)).value() == shorthand);
        QCOMPARE(targetSummary(shorthand, false), std::string("CPU · 2 threads · 8×64"));
        QCOMPARE(targetSummary(shorthand, true), std::string("CPU · 2 threads · 8×64+32"));
        QVERIFY(targetKey(shorthand, false) != targetKey(Target{}, false));
        const auto replicas = parseTarget("cpu,threads=2,batch=8,seq=64,replicas=3").value();
        QCOMPARE(targetSummary(replicas, false), std::string("CPU · 2 threads · dp 3 · 8×64"));
        QVERIFY(targetKey(replicas, false) != targetKey(shorthand, false));
        QVERIFY(targetFromJson(targetToJson(replicas)).value() == replicas);
    }

    void targetRefuses_data() {
        QTest::addColumn<QString>("text");
        QTest::newRow("device") << "gpu";
        QTest::newRow("no number") << "cuda:";
        QTest::newRow("threads") << "threads=many";
        QTest::newRow("batch") << "batch=0";
        QTest::newRow("unknown") << "speed=9";
        QTest::newRow("huge") << "seq=99999999";
        QTest::newRow("replicas in parts") << "replicas=2,tp=2";
        QTest::newRow("replicas on a GPU") << "cuda:0,replicas=2";
    }
    void targetRefuses() {
        QFETCH(QString, text);
        const auto result = parseTarget(text.toStdString());
        QVERIFY(!result.ok());
        QCOMPARE(result.error().code, ErrorCode::TargetInvalid);
    }
};

QTEST_GUILESS_MAIN(TestTaskTarget)
#include "tst_task_target.moc"
