#include <cmath>

#include <QTest>

#include "tests/widgets/run_fixture.h"

using namespace pareto;
using namespace pareto::widgets;
using namespace pareto::widgets::test;

class TestRunColumns : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void figuresBecomeColumns();
    void newestBaselineOfTheModelIsUsed();
    void pinnedRunWins();
    void deletedAndFailedBaselinesDoNotCount();
    void otherTargetsAreNotComparable();
};

void TestRunColumns::figuresBecomeColumns() {
    auto columns = columnsOf(exampleRows());
    QCOMPARE(columns->size(), 5);
    const auto latency = static_cast<std::size_t>(RunColumns::metricIndex("latency_p50_ms"));
    QCOMPARE(columns->metrics[latency].value[2], 8.1);
    const auto perplexity = static_cast<std::size_t>(RunColumns::metricIndex("perplexity"));
    QVERIFY(std::isnan(columns->metrics[perplexity].value[2]));
    QCOMPARE(columns->rowOf(3), 2);
    QCOMPARE(columns->rowOf(99), -1);
    QCOMPARE(RunColumns::metricIndex("no such metric"), -1);
}

void TestRunColumns::newestBaselineOfTheModelIsUsed() {
    auto rows = exampleRows();
    rows.push_back(rowOf({6, QStringLiteral("baseline"), 19.0, 0.705, 90.9}));
    rows.push_back(rowOf({7, QStringLiteral("baseline"), 3.0, 0.5, 9.0, QStringLiteral("other")}));
    const auto columns = columnsOf(rows);
    QCOMPARE(columns->baselineRow[2], 5);
    QCOMPARE(columns->baselineRow[0], 5);
    QCOMPARE(columns->baselineRow[6], 6);
}

void TestRunColumns::pinnedRunWins() {
    auto rows = exampleRows();
    rows[1].pinned = true;
    const auto columns = columnsOf(rows);
    for (const int baseline : columns->baselineRow) {
        QCOMPARE(baseline, 1);
    }
}

void TestRunColumns::deletedAndFailedBaselinesDoNotCount() {
    auto rows = exampleRows();
    rows[0].deleted = true;
    rows.push_back(rowOf({6, QStringLiteral("baseline"), 19.0, 0.705, 90.9}));
    rows.back().status = RunStatus::Interrupted;
    const auto columns = columnsOf(rows);
    QCOMPARE(columns->baselineRow[2], -1);
}

void TestRunColumns::otherTargetsAreNotComparable() {
    auto rows = exampleRows();
    rows[2].targetKey = QStringLiteral("another machine");
    const auto columns = columnsOf(rows);
    QVERIFY(!columns->comparable(0, 2));
    QVERIFY(columns->comparable(0, 1));
    QCOMPARE(columns->baselineRow[2], -1);
    QCOMPARE(columns->baselineRow[1], 0);
}

QTEST_MAIN(TestRunColumns)
#include "tst_run_columns.moc"
